"""Opening databases: empty, ours, others', older and newer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, update

from syncd.errors import ConfigInvalid, DatabaseBusy, DatabaseCorrupt, SchemaMismatch
from syncd.store import Database, schema
from syncd.store.engine import Engines
from syncd.store.migrations import HEAD, REVISIONS
from syncd.store.tables import Merchant
from tests.clock import ManualClock
from tests.unit.store.kit import engines_of


def migrate(connection: Connection) -> None:
    """Make the schema by its revisions alone."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    command.upgrade(config, "head")


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
