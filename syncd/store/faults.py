"""What the database drivers raise, told as leaves of the error tree: without bound values, without passwords."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from syncd.errors import DatabaseBusy, DatabaseCorrupt, DatabaseUnavailable, SyncdError

_SQLITE_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_SQLITE_CORRUPT = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_SQLITE_BARRED = ("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_PROTOCOL")
_POSTGRES_CONFLICTS = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, lock not available
_POSTGRES_FULL = "53100"
_POSTGRES_READ_ONLY = "25006"


def as_leaf(error: SQLAlchemyError | sqlite3.Error, place: str) -> SyncdError | None:
    """What an error of the driver or the pool means; None where it is a mistake of ours.

    Args:
        place: The database in words an operator knows.
    """
    if not isinstance(error, (DBAPIError, sqlite3.Error)):
        return DatabaseBusy(f"all our connections to the database {place} are in use", hint="try again")
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return _sqlite_leaf(getattr(original, "sqlite_errorname", ""), place)
    return _postgres_leaf(original, place, is_lost=isinstance(error, DBAPIError) and error.connection_invalidated)


def _sqlite_leaf(name: str, place: str) -> SyncdError | None:
    if name.startswith(_SQLITE_BUSY):
        return DatabaseBusy(f"the database {place} is locked by another process", hint="end it, or try again")
    if name.startswith(_SQLITE_CORRUPT):
        return DatabaseCorrupt(f"{place} is damaged or is not a database", hint="restore a backup")
    if name.startswith("SQLITE_FULL"):
        return _full(place)
    if name.startswith(_SQLITE_BARRED):
        words = f"the database {place} cannot be read or written"
        return DatabaseUnavailable(words, hint="check its disk and its rights")
    return None


def _postgres_leaf(original: BaseException | None, place: str, *, is_lost: bool) -> SyncdError | None:
    import psycopg

    state = getattr(original, "sqlstate", None)
    if state in _POSTGRES_CONFLICTS:
        return DatabaseBusy(f"the database {place} is busy with another process", hint="try again")
    if state == _POSTGRES_FULL:
        return _full(place)
    if state == _POSTGRES_READ_ONLY:
        return DatabaseUnavailable(f"the database {place} is read-only", hint="look at its server's disk and role")
    if is_lost or isinstance(original, (psycopg.OperationalError, psycopg.InterfaceError)):
        hint = "check that it runs, and the user, password and name in database.url"
        return DatabaseUnavailable(f"the database server at {place} does not serve us", hint=hint)
    return None


def _full(place: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"the disk under the database {place} is full", hint="free some space")
