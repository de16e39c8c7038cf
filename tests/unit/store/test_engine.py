"""Connections: transactions that lose nothing, errors in plain words."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, update

from syncd.errors import ConfigInvalid, DatabaseBusy, DatabaseCorrupt, DatabaseUnavailable, SyncdError
from syncd.store.engine import Engines, rows_in, upsert
from syncd.store.statements import COMPILED
from tests.unit.store.kit import engines_of

NOBODY = 65534
notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String),
    Column("first", String),
)


def test_concurrent_read_modify_writes_lose_nothing(database_url: str) -> None:
    """Two threads that add to one figure end at the sum of what they added."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            notes.create(connection)
            connection.execute(insert(notes), [{"id": 1, "text": "0"}])

        def add() -> None:
            for _ in range(25):
                with engines.write() as connection:
                    held = select(notes.c.text).with_for_update()
                    figure = int(connection.execute(held).scalar_one())
                    connection.execute(update(notes).values(text=str(figure + 1)))

        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with engines.read() as connection:
            assert connection.execute(select(notes.c.text)).scalar_one() == "50"


def test_two_processes_ways_in_lose_nothing_either(sqlite_url: str) -> None:
    """Writers that do not share a lock wait for each other through the file."""
    with engines_of(sqlite_url) as one, engines_of(sqlite_url) as other:
        with one.write() as connection:
            notes.create(connection)
            connection.execute(insert(notes), [{"id": 1, "text": "0"}])

        def add(engines: Engines) -> None:
            for _ in range(20):
                with engines.write() as connection:
                    figure = int(connection.execute(select(notes.c.text)).scalar_one())
                    connection.execute(update(notes).values(text=str(figure + 1)))

        threads = [threading.Thread(target=add, args=(engines,)) for engines in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with one.read() as connection:
            assert connection.execute(select(notes.c.text)).scalar_one() == "40"


def test_a_failed_block_leaves_nothing(database_url: str) -> None:
    """An error inside a write rolls tables and rows back."""
    with engines_of(database_url) as engines:

        def fail() -> None:
            with engines.write() as connection:
                notes.create(connection)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        with engines.write() as connection:
            notes.create(connection)


def test_statements_are_compiled_once_for_all_databases(database_url: str) -> None:
    """Whoever opens a database finds compiled what anybody of this process has asked one of its kind."""

    def ask() -> int:
        with engines_of(database_url) as engines:
            with engines.write() as connection:
                notes.create(connection, checkfirst=True)
            with engines.read() as connection:
                connection.execute(select(notes.c.text)).all()
        return len(COMPILED)

    known = ask()

    assert ask() == known
    assert database_url.partition(":")[0] in {key[0][0] for key in COMPILED}


def test_a_read_cannot_write(database_url: str) -> None:
    """The reading way in refuses changes."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            notes.create(connection)

        with pytest.raises(Exception, match=r"read"), engines.read() as connection:
            connection.execute(insert(notes), [{"id": 1}])


def test_a_read_sees_one_moment(database_url: str) -> None:
    """What is committed while a read is under way stays out of it."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            notes.create(connection)

        with engines.read() as reading:
            before = reading.execute(select(notes.c.id)).all()
            with engines.write() as writing:
                writing.execute(insert(notes), [{"id": 1}])
            after = reading.execute(select(notes.c.id)).all()

        assert before == after == []


def test_upsert_updates_by_key_and_keeps_what_it_is_told_to(database_url: str) -> None:
    """Later rows win, but not by an unknown value, nor in columns written once."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            notes.create(connection)
            upsert(connection, notes, [{"id": 1, "text": "a", "first": "x"}, {"id": 2, "text": "b", "first": "x"}])
            upsert(
                connection,
                notes,
                [{"id": 2, "text": None, "first": "y"}, {"id": 1, "text": "c", "first": "y"}],
                withheld=("text",),
                once=("first",),
            )

        with engines.read() as connection:
            assert connection.execute(select(notes).order_by(notes.c.id)).all() == [(1, "c", "x"), (2, "b", "x")]


def test_a_guard_decides_whether_a_row_is_updated(database_url: str) -> None:
    """A row that the guard refuses stays as it was."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            notes.create(connection)
            upsert(connection, notes, [{"id": 1, "text": "b"}])
            for text in ("a", "c", "b"):
                upsert(connection, notes, [{"id": 1, "text": text}], guard=lambda table, new: table.c.text < new.text)

        with engines.read() as connection:
            assert connection.execute(select(notes.c.text)).scalar_one() == "c"


def test_lookups_of_many_values_are_whole(database_url: str) -> None:
    """A look-up of more values than one query takes finds all of them."""
    with engines_of(database_url) as engines, engines.write() as connection:
        notes.create(connection)
        upsert(connection, notes, [{"id": number} for number in range(1_201)])

        found = rows_in(connection, select(notes.c.id), notes.c.id, range(5_000))

        assert [row.id for row in found] == list(range(1_201))


def test_a_new_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    """The file and its folder are made, for nobody else to read."""
    path = tmp_path / "deep" / "syncd.db"

    with engines_of(f"sqlite:///{path}"):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u:p@h/d"])
def test_other_urls_are_refused(url: str) -> None:
    """A URL of something else is a configuration error that says what to write, and repeats no secret."""
    with pytest.raises(ConfigInvalid, match="sqlite:///path") as caught:
        Engines(url)

    assert "u:p" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is a configuration error with the path."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigInvalid, match=r"file/syncd\.db"):
        Engines(f"sqlite:///{tmp_path / 'file' / 'syncd.db'}")


def test_a_locked_file_is_busy(sqlite_url: str) -> None:
    """A database that another process holds is told as busy, not as a traceback."""
    with engines_of(f"{sqlite_url}?timeout=0.01") as engines:
        with engines.write() as connection:
            notes.create(connection)
        with closing(sqlite3.connect(engines.path or "", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")

            with pytest.raises(DatabaseBusy, match=r"syncd\.db"), engines.write():
                pass


def test_something_else_in_the_file_is_corrupt(tmp_path: Path) -> None:
    """A file that is no database is told as such."""
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir or Madam, " * 100)

    with engines_of(f"sqlite:///{path}") as engines, pytest.raises(DatabaseCorrupt, match="letter"), engines.write():
        pass


def test_an_absent_server_is_unavailable_without_its_password() -> None:
    """A server that does not answer is named by host and database only."""
    url = "postgres://me:hunter2@127.0.0.1:1/acme?connect_timeout=2"

    with engines_of(url) as engines, pytest.raises(DatabaseUnavailable) as caught, engines.read():
        pass

    assert "127.0.0.1:1/acme" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_full_disk_is_unavailable(sqlite_url: str) -> None:
    """A database that may not grow is told as a full disk, and nothing of the write stays."""
    with engines_of(sqlite_url) as engines:
        with engines.write() as connection:
            notes.create(connection)

        def fill() -> None:
            with engines.write() as connection:
                connection.exec_driver_sql("PRAGMA max_page_count = 4")
                connection.execute(insert(notes), [{"id": number, "text": "x" * 500} for number in range(100)])

        with pytest.raises(DatabaseUnavailable, match="full"):
            fill()

        with engines.read() as connection:
            assert connection.execute(select(notes)).all() == []


@contextmanager
def barred(path: Path) -> Iterator[None]:
    """The file, its log and its folder may only be read, by us too."""
    files = list(path.parent.iterdir())
    for each in files:
        each.chmod(0o444)
    path.parent.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        path.parent.chmod(0o755)
        for each in files:
            each.chmod(0o600)


def test_a_file_opened_while_it_was_read_only_is_written_once_it_may_be() -> None:
    """What was opened without the right to write does not stay so when the right comes back."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        url = f"sqlite:///{folder}/syncd.db"
        with engines_of(url) as others, engines_of(url) as engines:
            with others.write() as connection:
                notes.create(connection)

            with barred(Path(folder) / "syncd.db"):
                for _ in range(2):
                    with pytest.raises(DatabaseUnavailable, match=r"syncd\.db.*rights"), engines.write() as connection:
                        connection.execute(insert(notes), [{"id": 1}])

            with engines.write() as connection:
                connection.execute(insert(notes), [{"id": 1}])
            with engines.read() as connection:
                assert connection.execute(select(notes.c.id)).scalars().all() == [1]


def test_a_file_that_went_away_is_not_replaced(sqlite_url: str) -> None:
    """A disk that is gone leaves no empty database in its place; once it is back all is there."""
    with engines_of(sqlite_url) as engines:
        path, away = Path(engines.place), Path(f"{engines.place}.away")
        with engines.write() as connection:
            notes.create(connection)
        engines.close()
        path.rename(away)

        with pytest.raises(DatabaseUnavailable, match=r"syncd\.db"), engines.read():
            pass
        was_replaced = path.exists()
        away.rename(path)

        with engines.read() as connection:
            assert connection.execute(select(notes)).all() == []
        assert not was_replaced


def test_connections_that_are_all_in_use_are_busy(database_url: str) -> None:
    """Whoever waits in vain for a connection is told to try again."""
    with engines_of(database_url) as engines:
        engines._reader.pool._timeout = 0.01  # type: ignore[attr-defined]

        with ExitStack() as held:

            def take_all() -> None:
                for _ in range(100):
                    held.enter_context(engines.read())

            with pytest.raises(DatabaseBusy, match="in use"):
                take_all()


@pytest.mark.parametrize(("state", "words"), [("disk_full", "full"), ("read_only_sql_transaction", "read-only")])
def test_a_server_that_takes_no_rows_is_unavailable(postgres_url: str, state: str, words: str) -> None:
    """A server with a full disk, or one that became a standby, is told in its words."""
    block = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    with engines_of(postgres_url) as engines:
        with pytest.raises(DatabaseUnavailable, match=words), engines.write() as connection:
            connection.exec_driver_sql(block)

        with engines.write() as connection:
            assert connection.execute(select(1)).scalar_one() == 1


def test_a_server_on_which_nobody_writes_by_default_is_obeyed_by_who_has_read(postgres_url: str) -> None:
    """A session is read-only for a read alone: what the server says of writing then still holds for it."""
    with engines_of(f"{postgres_url}?options=-c default_transaction_read_only%3Don") as engines:
        with engines.read() as connection:
            connection.exec_driver_sql("SELECT 1")

        with pytest.raises(DatabaseUnavailable, match="read-only"), engines.write() as connection:
            notes.create(connection)


def test_a_lock_is_not_waited_for_without_end(postgres_url: str) -> None:
    """A writer that another one holds up is told so in time: the operator's, or else half a minute."""
    with engines_of(f"{postgres_url}?options=-c lock_timeout%3D20") as engines, engines_of(postgres_url) as patient:
        with engines.write() as connection:
            notes.create(connection)

        with patient.write() as holder:
            holder.exec_driver_sql("LOCK TABLE notes")
            bounds = holder.exec_driver_sql("SELECT current_setting('lock_timeout')").scalar()
            with pytest.raises(DatabaseBusy), engines.write() as connection:
                connection.execute(insert(notes), [{"id": 1}])

    assert bounds == "30s"


def test_a_process_stopped_inside_a_transaction_frees_its_locks(postgres_url: str) -> None:
    """A session that does nothing inside a transaction is ended by the server; whoever wakes up in it is told."""
    hasty = f"{postgres_url}?options=-c idle_in_transaction_session_timeout%3D20"
    with engines_of(hasty) as stopped, engines_of(postgres_url) as engines:
        with engines.write() as connection:
            notes.create(connection)

        def stop_and_go_on() -> None:
            with stopped.write() as holder:
                holder.exec_driver_sql("LOCK TABLE notes")
                with engines.write() as connection:
                    connection.execute(insert(notes), [{"id": 1}])
                holder.execute(insert(notes), [{"id": 2}])

        with pytest.raises(DatabaseUnavailable):
            stop_and_go_on()

        with stopped.read() as connection:
            assert connection.execute(select(notes.c.id)).scalars().all() == [1]


def test_errors_name_no_values(database_url: str) -> None:
    """A statement that fails does not print what was bound to it."""
    with engines_of(database_url) as engines:
        with engines.write() as connection:
            notes.create(connection)

            connection.execute(insert(notes), [{"id": 1, "text": "canary"}])

        with pytest.raises(Exception, match="notes") as caught, engines.write() as connection:
            connection.execute(insert(notes), [{"id": 1, "text": "canary"}])

        assert not isinstance(caught.value, SyncdError)
        assert "canary" not in str(caught.value)


def test_a_killed_connection_is_unavailable_and_the_next_one_works(postgres_url: str) -> None:
    """A backend that ends under us is told as unavailable; the next transaction has a new one."""
    with engines_of(postgres_url) as engines:

        def cut_off() -> None:
            with engines.write() as connection:
                connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

        with pytest.raises(DatabaseUnavailable):
            cut_off()

        with engines.read() as connection:
            assert connection.execute(select(1)).scalar_one() == 1
