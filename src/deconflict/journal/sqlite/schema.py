"""The tables of the SQLite engine, and how a database is made, opened and recognised."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from deconflict.journal.engine import EngineError
from deconflict.journal.head_file import sync_folder
from deconflict.journal.sqlite.failure import failure

APPLICATION_ID: Final = 0x44434A31
"""``DCJ1`` at offset 68 of the file, by which `file` and others can recognise it."""
FORMAT: Final = 1
PAGE_BYTES: Final = 8192
"""Three of the usual entries of 2.4 KB fill a page; in one of 4096 bytes two fifths are waste."""
LEAST_SQLITE: Final = (3, 37, 0)
"""The first SQLite that knows STRICT tables."""

BUSY_S: Final = 1.0
"""How long to wait for another program. Our own readers hold the file for milliseconds."""

_TABLES: Final = """
CREATE TABLE journal (
    id BLOB NOT NULL CHECK (length(id) = 16),
    first INTEGER NOT NULL          -- the first position that is kept
) STRICT;
CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    time_us INTEGER NOT NULL,
    record BLOB NOT NULL,
    signature BLOB NOT NULL,
    key_id BLOB NOT NULL CHECK (length(key_id) = 16),
    checksum BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE groups (
    first INTEGER PRIMARY KEY,      -- position of its first entry
    count INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    chain BLOB NOT NULL,
    key_ids BLOB NOT NULL           -- all keys that it brings or uses, 16 bytes each
) STRICT;
CREATE TABLE keys (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a database that is there; never make one.

    Parameters
    ----------
    path
        The database.
    mode
        ``rw``, or ``ro`` to read beside a writer or alone.

    Raises
    ------
    EngineError
        If SQLite is too old or can't open the file.
    """
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        raise EngineError(
            f"this Python comes with SQLite {sqlite3.sqlite_version}, and the journal needs "
            f"{'.'.join(map(str, LEAST_SQLITE))} or newer: use a newer Python"
        )
    query = f"mode={mode}"
    if mode == "ro" and not os.access(path.parent, os.W_OK) and _is_at_rest(path):
        # SQLite wants to make files beside the database even to read it. Where nobody can write
        # and the write-ahead log is empty, nothing can change, so it may do without.
        query += "&immutable=1"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{query}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_S,
        )
    except sqlite3.Error as error:
        raise failure(error, path, "the journal was not opened") from error
    return connection


def _is_at_rest(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return not log.exists() or log.stat().st_size == 0


def make(path: Path, journal: bytes) -> None:
    """Make a database without entries; whole or not at all.

    Parameters
    ----------
    path
        Where; nothing may be there.
    journal
        The journal's identifier, 16 bytes.

    Raises
    ------
    EngineError
        If it can't be written.
    """
    doing = "no journal was made"
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = connect(unfinished, "rw")
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            # Pruned pages go back to the file system in steps; it can't be switched on later.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.executescript(_TABLES)
            connection.execute("INSERT INTO journal VALUES (?, 0)", (journal,))
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        descriptor = os.open(unfinished, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.rename(path)
        sync_folder(path.parent)
    except sqlite3.Error as error:
        raise failure(error, path, doing, writing=True) from error
    except OSError as error:
        raise EngineError(f"{doing}: {path} can't be written ({error.strerror})") from error


def recognise(connection: sqlite3.Connection, path: Path) -> bytes:
    """Return the identifier of the journal in a database.

    Raises
    ------
    EngineError
        If it is no journal, one of a newer format, or damaged.
    """
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        if pages == 0:
            raise EngineError(
                f"{path} is empty: put back the file that stood there, or restore the newest copy "
                "as a new log (deconflict journal restore)"
            )
        if application != APPLICATION_ID:
            raise EngineError(
                f"{path} is a database, but no journal of deconflict: name the right file"
            )
        if version != FORMAT:
            raise EngineError(
                f"{path} has format {version}, and this program knows {FORMAT}: "
                "use the program that wrote it, or a newer one"
            )
        found = connection.execute("SELECT id FROM journal").fetchall()
    except sqlite3.Error as error:
        raise failure(error, path, "the journal was not opened") from error
    if len(found) != 1 or not isinstance(found[0][0], bytes):
        raise EngineError(
            f"{path} is damaged: its identifier can't be read; restore the newest copy as a new "
            "log (deconflict journal restore)"
        )
    return found[0][0]
