"""Opening databases: empty, ours, others', older and newer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, update

from syncd.errors import ConfigInvalid, DatabaseBusy, DatabaseCorrupt, SchemaMismatch
from syncd.store import Database, schema
from syncd.store.engine import Engines
from syncd.store.migrations import HEAD, REVISIONS
from syncd.store.tables import Merchant, UtcDateTime
from tests.clock import START, ManualClock
from tests.postgres import PostgresServer
from tests.unit.store.kit import engines_of

VALUES = {str: "text", int: 7, float: 0.5, bool: True, bytes: b"bytes", datetime: START}
PAUSED = ("paused_at", "paused_reason", "push_paused_at", "push_paused_reason")
OLD_STORES = Table(
    "stores",
    MetaData(),
    Column("store_id", String),
    *(Column(name, String, default="") for name in ("platform", "identity", "name", "timezone", "currency")),
    *(Column(name, String, default="") for name in ("country", "version")),
    Column("first_seen_at", UtcDateTime, default=START),
    *(Column(name, UtcDateTime if name.endswith("_at") else String) for name in PAUSED),
)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database: what makes its tables is tried here."""
    with postgres_server.database() as url:
        yield url


def migrate(connection: Connection, revision: str = "head") -> None:
    """Make the schema by its revisions alone."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    command.upgrade(config, revision)


def fill(connection: Connection) -> None:
    """Put one row into every table but Alembic's, as its columns ask for."""
    found = MetaData()
    found.reflect(connection)
    for table in found.sorted_tables:
        if table.name != schema._version.name:
            connection.execute(table.insert(), {column.name: VALUES[column.type.python_type] for column in table.c})


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but Alembic's, with its columns by name."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: [dict(row._mapping) for row in connection.execute(table.select())]
        for table in found.sorted_tables
        if table.name != schema._version.name
    }


def differences(connection: Connection) -> list[Any]:
    """What Alembic would change to reach the tables."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Merchant.metadata))


def structure(connection: Connection) -> dict[str, Any]:
    """Tables with their columns, keys and indexes."""
    seen = inspect(connection)
    return {
        name: (
            {column["name"]: (str(column["type"]), column["nullable"]) for column in seen.get_columns(name)},
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted((index["name"], index["column_names"], index["unique"]) for index in seen.get_indexes(name)),
        )
        for name in seen.get_table_names()
    }


def set_revision(engines: Engines, revision: str) -> None:
    """Let the database say another revision."""
    with engines.write() as connection:
        connection.execute(update(schema._version).values(version_num=revision))


def test_the_revisions_make_the_tables(database_url: str) -> None:
    """Migrating an empty database leaves nothing that Alembic would change."""
    with engines_of(database_url) as engines, engines.write() as connection:
        migrate(connection)

        assert differences(connection) == []


def test_created_and_migrated_databases_are_the_same(database_url: str, tmp_path: Path, clock: ManualClock) -> None:
    """A database created at head has the structure that the revisions make."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            migrate(connection)
            migrated = structure(connection)
            for table in [*Merchant.metadata.sorted_tables, schema._version]:
                table.drop(connection)

        Database.open(database_url, merchant="acme", clock=clock).close()

        with engines.read() as connection:
            assert structure(connection) == migrated


@pytest.mark.parametrize("first", REVISIONS[:-1])
def test_an_older_database_keeps_every_row_and_becomes_as_a_new_one(
    database_url: str, clock: ManualClock, first: str
) -> None:
    """A database of an earlier revision with a row in every table has them all after the upgrade, and head's tables."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            migrate(connection, first)
            fill(connection)
            before = contents(connection)

        Database.upgrade(database_url, merchant="text", backup=False)

        with engines.write() as connection:
            after, migrated = contents(connection), structure(connection)
            changes = differences(connection)
            for table in [*Merchant.metadata.sorted_tables, schema._version]:
                table.drop(connection)
        Database.open(database_url, merchant="acme", clock=clock).close()
        with engines.read() as connection:
            created = structure(connection)
    assert (migrated, changes) == (created, [])
    for name, rows in before.items():
        kept = [{column: row[column] for column in after[name][0] if column in row} for row in rows]
        assert [row | old for row, old in zip(after[name], kept, strict=True)] == after[name]


def test_pauses_of_the_first_revision_stay_pauses(database_url: str, clock: ManualClock) -> None:
    """Whatever a store's row said of its pauses is said by `pauses` after the upgrade, and lifted as ever."""
    at = [START + timedelta(days=day) for day in range(4)]
    old = {
        "well": (None, None, None, None),
        "unpaid": (at[0], "plan unpaid", None, None),
        "read-only": (None, None, at[1], "the key may not write"),
        "both": (at[2], "shop frozen", at[3], None),
    }
    with engines_of(database_url) as engines, engines.write() as connection:
        migrate(connection, "0001")
        for store_id, paused in old.items():
            connection.execute(OLD_STORES.insert(), dict(zip(PAUSED, paused, strict=True)) | {"store_id": store_id})

    Database.upgrade(database_url, merchant="acme", backup=False)

    with Database.open(database_url, merchant="acme", clock=clock) as database:
        pauses = [(pause.store_id, pause.is_push, pause.since, pause.reason) for pause in database.pauses.all()]
        assert pauses == [
            ("both", False, at[2], "shop frozen"),
            ("both", True, at[3], ""),
            ("read-only", True, at[1], "the key may not write"),
            ("unpaid", False, at[0], "plan unpaid"),
        ]
        assert {(pause.stream, pause.by_hand) for pause in database.pauses.all()} == {(None, False)}
        assert database.pauses.lift("unpaid")
        assert {view.store_id for view in database.stores.known()} == set(old)


def test_an_upgrade_leaves_another_merchants_database_alone(sqlite_url: str) -> None:
    """A database of an earlier revision that belongs to somebody else is neither copied nor changed."""
    with engines_of(sqlite_url) as engines:
        with engines.write() as connection:
            migrate(connection, "0001")
            fill(connection)

        with pytest.raises(ConfigInvalid, match=r"'text'.*'acme'"):
            Database.upgrade(sqlite_url, merchant="acme", backup=True)

        with engines.read() as connection:
            assert schema.revision(connection) == "0001"
        assert list(Path(engines.place).parent.glob("*.bak")) == []


def test_the_list_of_revisions_is_true() -> None:
    """The revisions known without Alembic are those in the folder, oldest first."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())

    assert tuple(script.revision for script in reversed(scripts)) == REVISIONS


def test_an_empty_database_is_created_and_opened_again(database_url: str, clock: ManualClock) -> None:
    """Opening twice finds what the first opening made."""
    Database.open(database_url, merchant="acme", clock=clock).close()

    with Database.open(database_url, merchant="acme", clock=clock) as database:
        assert database.people.profile_count() == 0


def test_another_merchants_database_is_refused(database_url: str, clock: ManualClock) -> None:
    """A database belongs to the merchant it was made for."""
    Database.open(database_url, merchant="acme", clock=clock).close()

    with pytest.raises(ConfigInvalid, match=r"'acme'.*'other'"):
        Database.open(database_url, merchant="other", clock=clock)


def test_a_newer_database_is_refused(database_url: str, clock: ManualClock) -> None:
    """A schema that this version does not know asks for a newer syncd."""
    Database.open(database_url, merchant="acme", clock=clock).close()
    with engines_of(database_url) as engines:
        set_revision(engines, "9999")

    with pytest.raises(SchemaMismatch, match="newer syncd"):
        Database.open(database_url, merchant="acme", clock=clock)
    with pytest.raises(SchemaMismatch, match="newer syncd"):
        Database.upgrade(database_url, merchant="acme", backup=False)


def test_an_older_database_asks_for_an_upgrade() -> None:
    """A schema that this version knows but has left behind names the command."""
    with pytest.raises(SchemaMismatch, match="syncd db upgrade"):
        schema.compare("older", ("older", "head"), "here")


def test_somebody_elses_tables_are_refused(database_url: str, clock: ManualClock) -> None:
    """A database with other tables is left alone."""
    with engines_of(database_url) as engines, engines.write() as connection:
        connection.exec_driver_sql("CREATE TABLE invoices (id INTEGER PRIMARY KEY)")

    with pytest.raises(ConfigInvalid, match="database of its own"):
        Database.open(database_url, merchant="acme", clock=clock)
    with pytest.raises(ConfigInvalid, match="database of its own"):
        Database.upgrade(database_url, merchant="acme", backup=True)


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path, clock: ManualClock) -> None:
    """A letter is no database."""
    (tmp_path / "letter.db").write_text("Dear Sir or Madam, " * 100)

    with pytest.raises(DatabaseCorrupt, match="letter"):
        Database.open(f"sqlite:///{tmp_path / 'letter.db'}", merchant="acme", clock=clock)


def test_a_locked_database_is_busy(sqlite_url: str, clock: ManualClock) -> None:
    """A database held by another process is told at opening."""
    Database.open(sqlite_url, merchant="acme", clock=clock).close()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")

        with pytest.raises(DatabaseBusy, match="locked"):
            Database.open(f"{sqlite_url}?timeout=0.01", merchant="acme", clock=clock)


def test_an_upgrade_keeps_a_copy_and_reaches_head(sqlite_url: str) -> None:
    """An older file is copied, readable by its owner alone, before it is changed."""
    with engines_of(sqlite_url) as engines, engines.write() as connection:
        schema._version.create(connection)

    copy = Database.upgrade(sqlite_url, merchant="acme", backup=True)

    assert copy is not None
    assert copy.stat().st_mode & 0o777 == 0o600
    with engines_of(f"sqlite:///{copy}") as old, old.read() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    with engines_of(sqlite_url) as engines, engines.read() as connection:
        assert schema.revision(connection) == HEAD


def test_an_upgrade_at_head_does_nothing(database_url: str, clock: ManualClock) -> None:
    """A database at head is neither copied nor changed."""
    Database.open(database_url, merchant="acme", clock=clock).close()

    assert Database.upgrade(database_url, merchant="acme", backup=True) is None
