"""What SQLite reports, as sentences for an operator."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from deconflict.journal.engine import EngineError, NoSpaceError

_PRIMARY: Final = 0xFF
"""The low byte of SQLite's extended result codes (sqlite.org/rescode.html)."""
_FULL: Final = 13
_NOT_WRITTEN: Final = {5: "busy", 6: "locked", 19: "constraint"}
"""Results after which the statement did nothing, and the connection is as good as before."""
_SENTENCES: Final = {
    5: "another program holds {path}: end it (a database shell, a backup that locks)",
    6: "another program holds {path}: end it (a database shell, a backup that locks)",
    8: "{path} is read-only: see to the disk and to the rights of its folder",
    10: "the disk under {path} failed: see the system's log, then close the journal and open it "
    "again",
    11: "{path} is damaged: restore the newest copy as a new log (deconflict journal restore)",
    14: "{path} can't be opened: see that it is there and that this user may read it and its "
    "folder; on a read-only disk copy the folder to another place first",
    19: "{path} refused a row, for what it holds or since it is there already",
    26: "{path} is no journal, or its first page is damaged: put back the file that stood there, "
    "or restore the newest copy as a new log (deconflict journal restore)",
}


def failure(
    error: sqlite3.Error, path: Path, doing: str, *, writing: bool = False, committing: bool = False
) -> EngineError:
    """Return the error to raise in place of one of SQLite's.

    Parameters
    ----------
    error
        What was raised.
    path
        The database.
    doing
        What failed, as in "3 entries were not appended".
    writing
        Whether it happened within a transaction that writes.
    committing
        Whether it happened while the transaction was being committed.
    """
    code = getattr(error, "sqlite_errorcode", 1) & _PRIMARY
    if code == _FULL and writing:
        # SQLite meets a full disk only where it writes pages, before the last of them that makes
        # a commit; an error of the synchronisation that follows has another code.
        return NoSpaceError(
            f"{doing}: the disk under {path} is full; make room, and it goes on by itself"
        )
    why = _SENTENCES.get(code, f"{path} failed: {error}").format(path=path)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    unharmed = not writing or code in _NOT_WRITTEN
    return EngineError(
        f"{doing}: {why} ({name})",
        outcome_known=unharmed or not committing,
        must_reopen=not unharmed,
    )
