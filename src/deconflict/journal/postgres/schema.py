"""The tables of the PostgreSQL engine: how they are made, brought up to date and recognised."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from deconflict.journal.engine import EngineError
from deconflict.journal.postgres.commit import transaction
from deconflict.journal.postgres.connection import ServerConnection
from deconflict.journal.postgres.pool import Pool

ID_BYTES: Final = 16
_DOING: Final = "the journal's tables were not brought up to date"
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS deconflict_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum bytea NOT NULL,      -- SHA-256 of the file
    applied timestamptz NOT NULL DEFAULT now()
)
"""
_SLOW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered file of SQL.

    Attributes
    ----------
    number
        From 1 on, without gaps.
    name
        The file's.
    text
        Its statements.
    """

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the file."""
        return hashlib.sha256(self.text.encode()).digest()


def migrations() -> list[Migration]:
    """Return all that this program knows, in order."""
    folder = files("deconflict.journal.postgres").joinpath("migrations")
    found = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".sql"))
    return [
        Migration(int(name.partition("_")[0]), name, file.read_text(encoding="utf-8"))
        for name, file in found
    ]


def migrate(pool: Pool) -> None:
    """Make the tables, or bring them up to date; one node at a time, whole or not at all.

    Raises
    ------
    EngineError
        If they were made by a newer program or otherwise than this one would.
    """
    with pool.connection(_DOING, _SLOW_S) as connection:
        if _is_current(connection):
            return
        with transaction(connection, _DOING):
            connection.execute("SET LOCAL lock_timeout = '50s'")
            connection.execute(
                "SELECT pg_advisory_xact_lock("
                "hashtextextended('deconflict migrations ' || current_schema(), 0))"
            )
            connection.execute(_TABLE)
            for migration in _missing(connection):
                connection.execute(migration.text.encode())
                connection.execute(
                    "INSERT INTO deconflict_migrations VALUES (%s, %s, %s)",
                    [migration.number, migration.name, migration.checksum],
                )
            connection.execute(
                "INSERT INTO deconflict_journal (id) VALUES (%s) ON CONFLICT DO NOTHING",
                [os.urandom(ID_BYTES)],
            )


def recognise(pool: Pool) -> bytes:
    """Return the identifier of the journal in a database.

    Raises
    ------
    EngineError
        If there is none, or one that this program does not know.
    """
    with pool.connection("the journal was not opened") as connection:
        if not _is_there(connection) or _missing(connection):
            raise EngineError(
                f"there is no journal, or one of an older program, in the database at "
                f"{connection.where}: name the right database and schema, or start the service "
                "once with this address"
            )
        found = connection.execute("SELECT id FROM deconflict_journal").fetchall()
        if len(found) != 1:
            raise EngineError(
                f"the journal in the database at {connection.where} is damaged: its identifier is "
                "missing; restore the newest copy of the database"
            )
        return bytes(found[0][0])


def _is_there(connection: ServerConnection) -> bool:
    row = connection.execute("SELECT to_regclass('deconflict_migrations') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])


def _is_current(connection: ServerConnection) -> bool:
    return _is_there(connection) and not _missing(connection)


def _missing(connection: ServerConnection) -> list[Migration]:
    """Return what is still to be applied, after a comparison of what was."""
    known = migrations()
    applied = connection.execute(
        "SELECT number, name, checksum FROM deconflict_migrations ORDER BY number"
    ).fetchall()
    for number, name, checksum in applied:
        if number > len(known):
            raise EngineError(
                f"the journal in the database at {connection.where} was made by a newer program "
                f"({name}): use that one, or a newer one"
            )
        if known[number - 1].checksum != checksum:
            raise EngineError(
                f"the tables in the database at {connection.where} were made by another "
                f"{name} than this program has: use the program that made them; "
                "a migration that was applied anywhere must never be changed"
            )
    return known[len(applied) :]
