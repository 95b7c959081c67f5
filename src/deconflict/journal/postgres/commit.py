"""Transactions that write, and what is known when their commit does not go well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus

from deconflict.journal.engine import EngineError
from deconflict.journal.postgres.connection import ServerConnection, raise_if_failed
from deconflict.journal.postgres.failure import failure, said, unknown


@contextmanager
def transaction(connection: ServerConnection, doing: str) -> Iterator[None]:
    """Run statements as one transaction. What fails before the commit has written nothing.

    Parameters
    ----------
    connection
        At rest; whoever lends it ends a transaction that failed.
    doing
        What is not done if it fails, as in "3 entries were not appended".

    Raises
    ------
    EngineError
        If the commit fails, or nobody knows whether it did.
    """
    connection.execute("BEGIN")
    yield
    commit(connection, doing)


def commit(connection: ServerConnection, doing: str, then: str = "") -> None:
    """Commit; see `transaction`.

    Parameters
    ----------
    connection
        Within a transaction.
    doing
        What is not done if it fails.
    then
        A statement behind the commit, sent with it. What becomes of it is not looked at.
    """
    connection.warnings.clear()
    try:
        results = connection.together(f"COMMIT; {then}")
        raise_if_failed(connection, results[0])
    except psycopg.Error as error:
        if _is_refused(connection, error):
            raise failure(error, connection.where, doing) from error
        raise unknown(connection.where, doing, said(error)) from error
    if results[0].command_status != b"COMMIT":
        raise EngineError(f"{doing}: PostgreSQL at {connection.where} rolled it back")
    if connection.warnings:
        # It is committed on this server, but perhaps on no other, and so may be lost.
        raise unknown(connection.where, doing, connection.warnings[0])


def _is_refused(connection: ServerConnection, error: psycopg.Error) -> bool:
    """Return whether the server itself says that it did not commit, and goes on."""
    return (
        not connection.closed
        and error.diag.severity_nonlocalized == "ERROR"
        and connection.pgconn.transaction_status == TransactionStatus.IDLE
    )
