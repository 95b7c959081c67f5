"""What PostgreSQL reports, as sentences for an operator."""

from __future__ import annotations

from typing import Final

import psycopg

from deconflict.journal.engine import EngineError, NoSpaceError, UnreachableError

_SENTENCES: Final = {
    "23": "it refused a row, for what it holds or since it is there already",
    "42501": "the user lacks a right there: make it the owner of the journal's tables and let it "
    "create in its schema",
    "42P01": "the journal's tables are not there: see that the address names the right database "
    "and schema",
    "55P03": "another node held the journal for too long: try again",
    "XX001": "the data on its disk is damaged: restore the newest copy as a new log",
    "XX002": "an index on its disk is damaged: have the database's administrator REINDEX it",
}
"""By SQLSTATE or its class (postgresql.org/docs/current/errcodes-appendix.html)."""
_FULL: Final = "53100"
_GONE: Final = {
    "08": "the connection failed",
    "57": "the server stopped it",
    "53": "the server is short of something (connections, memory)",
    "25006": "the server takes no writes now: it became a standby, or was set to read only",
    "25P03": "this node was stopped or too slow, and the server ended its session",
    "55000": "the server is a standby now",
}


def failure(error: psycopg.Error, where: str, doing: str) -> EngineError:
    """Return the error to raise in place of one of psycopg's, where nothing was written.

    Parameters
    ----------
    error
        What was raised.
    where
        The server.
    doing
        What failed, as in "3 entries were not appended".
    """
    code = error.sqlstate or ""
    if code == _FULL:
        return NoSpaceError(
            f"{doing}: the disk of PostgreSQL at {where} is full; make room, and it goes on by "
            "itself"
        )
    what = said(error)
    gone = _GONE.get(code) or _GONE.get(code[:2])
    if gone is None and not code and isinstance(error, psycopg.OperationalError):
        gone = "the connection failed"
    if gone is not None:
        return UnreachableError(f"{doing}: PostgreSQL at {where}: {gone} ({what})")
    why = _SENTENCES.get(code) or _SENTENCES.get(code[:2]) or "it failed"
    return EngineError(f"{doing}: PostgreSQL at {where}: {why} ({what})")


def unknown(where: str, doing: str, why: str) -> EngineError:
    """Return the error of a commit of which nobody knows whether it happened."""
    return EngineError(
        f"perhaps {doing}: PostgreSQL at {where} did not confirm the commit ({why}), so nobody "
        "knows until it answers again",
        outcome_known=False,
    )


def said(error: psycopg.Error) -> str:
    """Return what the server said, in one line."""
    # The rest of a server's message can quote what is in a row.
    text = error.diag.message_primary or str(error).strip().partition("\n")[0]
    return f"{text}, {error.sqlstate}" if error.sqlstate else text or type(error).__name__
