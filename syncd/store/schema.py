"""Whether a database is ours and at this version's schema; creating an empty one, upgrading an older one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

from syncd.errors import ConfigInvalid, SchemaMismatch
from syncd.store.engine import Engines, create_file, table_of
from syncd.store.migrations import HEAD, REVISIONS
from syncd.store.tables import Merchant

_MIGRATIONS = Path(__file__).parent / "migrations"

_merchant = table_of(Merchant)
_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def ensure(connection: Connection, place: str) -> None:
    """Create the schema in an empty database; otherwise make sure that it is this version's.

    Raises:
        SchemaMismatch: The schema is older or newer than this version.
        ConfigInvalid: The database holds something else.
    """
    if _is_empty(connection, place):
        _create(connection)
    else:
        compare(revision(connection), REVISIONS, place)


def wait_for_turn(connection: Connection, matter: str) -> None:
    """Let one transaction at a time work on a matter, until it ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        query = text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || :matter, 0))")
        connection.execute(query, {"matter": f" syncd {matter}"})


def revision(connection: Connection) -> str:
    """The schema's revision as the database itself says."""
    return connection.execute(select(_version.c.version_num)).scalar() or ""


def is_owned(connection: Connection, merchant: str) -> bool:
    """Whether the database is the merchant's; False where it is nobody's yet.

    Raises:
        ConfigInvalid: It is another merchant's.
    """
    owner = connection.execute(select(_merchant.c.name)).scalar()
    if owner not in (None, merchant):
        message = f"the database belongs to merchant {owner!r}, the configuration names {merchant!r}"
        raise ConfigInvalid(message, hint="correct merchant or database.url: one database holds one merchant")
    return owner is not None


def upgrade(engines: Engines, merchant: str, *, backup: bool) -> Path | None:
    """Bring an older schema to head, in one transaction.

    Returns:
        The copy made of an SQLite file before; None where there was nothing to do or nothing to copy.

    Raises:
        SchemaMismatch: The schema is newer than this version.
        ConfigInvalid: The database is another merchant's, or holds something else.
    """
    with engines.write() as connection:
        if _is_empty(connection, engines.place):
            _create(connection)
            return None
        found = revision(connection)
        if found:
            is_owned(connection, merchant)
        if found == HEAD:
            return None
        if found and found not in REVISIONS:
            compare(found, REVISIONS, engines.place)
        copy = _copy(engines.path, found) if backup and engines.path else None
        _migrate(connection)
        return copy


def compare(found: str, known: tuple[str, ...], place: str) -> None:
    """Make sure that a database's revision is the latest of those known.

    Raises:
        SchemaMismatch: It is not, with what to do.
    """
    if found == known[-1]:
        return
    if found in known:
        raise SchemaMismatch(f"the database {place} has an older schema ({found})", hint="run `syncd db upgrade`")
    raise SchemaMismatch(f"the database {place} has a newer schema ({found})", hint="use a newer syncd")


def _is_empty(connection: Connection, place: str) -> bool:
    wait_for_turn(connection, "schema")
    names = inspect(connection).get_table_names()
    if names and _version.name not in names:
        raise ConfigInvalid(f"{place} holds tables that are not syncd's", hint="give syncd a database of its own")
    return not names


def _create(connection: Connection) -> None:
    Merchant.metadata.create_all(connection)
    _version.create(connection)
    connection.execute(_version.insert(), {"version_num": HEAD})


def _copy(path: Path, found: str) -> Path:
    copy = path.with_name(f"{path.name}.{found}.bak")
    create_file(copy)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
