"""The database's revisions, oldest first; known without loading Alembic, which only an upgrade needs."""

REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]
