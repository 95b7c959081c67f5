"""One connection to a PostgreSQL server, set up so that nothing it says can be misunderstood."""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.adapt import Dumper
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

from deconflict.journal.engine import EngineError, UnreachableError

LEAST_VERSION: Final = 150_000
PATIENCE_S: Final = 6.0
"""How long a statement may take before its connection is given up."""
CANCEL_S: Final = 1.0

_Answer = TypeVar("_Answer")

_READ, _WRITE = 1, 2  # as `psycopg.waiting.Wait` and `Ready` number them

_SET_UP: Final = """
SELECT current_schema(), pg_is_in_recovery(), current_setting('fsync'),
    pg_postmaster_start_time()::text,
    set_config('search_path', quote_ident(current_schema()), false),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
    set_config('client_min_messages', 'warning', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('default_transaction_deferrable', 'off', false),
    set_config('default_transaction_read_only', %s, false),
    set_config('bytea_output', 'hex', false),
    set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('lock_timeout', '5s', false),
    set_config('statement_timeout', '30s', false),
    set_config('idle_in_transaction_session_timeout', '5s', false)
"""
"""Plans for the arrays of an append are made once: to plan for their content takes as long as to
write it. A commit without `synchronous_commit` would be acknowledged before it is safe, and a
warning that is not sent would hide one that was cancelled. A node that is stopped in the midst of
an append would hold the lock for ever, if the server did not end its session."""


class SilentError(psycopg.OperationalError):
    """The server did not answer in time."""


class ServerConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that no statement keeps waiting for ever, and that remembers warnings.

    Attributes
    ----------
    where
        The server, as ``host:port``.
    server
        Which run of which server this is: two servers at one address differ.
    warnings
        What the server warned of since it was last cleared.
    patience_s
        How long a statement may take.
    """

    where: str
    server: str
    warnings: list[str]
    patience_s: float

    def set_up(self, where: str, *, reads_only: bool) -> None:
        """Make the session's settings ours.

        Raises
        ------
        EngineError
            If this server can't keep a journal.
        """
        self.where = where
        self.warnings = []
        self.patience_s = PATIENCE_S
        self.add_notice_handler(self._noticed)
        self.adapters.register_dumper(ByteaArray, _ArrayDumper)
        self.adapters.register_dumper(BigintArray, _ArrayDumper)
        if self.info.server_version < LEAST_VERSION:
            raise EngineError(
                f"PostgreSQL at {where} has version {self.info.server_version // 10_000}, and the "
                f"journal needs {LEAST_VERSION // 10_000} or newer: upgrade the server"
            )
        row = self.execute(_SET_UP, ["on" if reads_only else "off"]).fetchone()
        assert row is not None  # noqa: S101  (a query without FROM)
        schema, in_recovery, fsync, started = row[:4]
        if in_recovery:
            raise UnreachableError(
                f"PostgreSQL at {where} is a standby, which can't tell what its primary has "
                "acknowledged: name the primary too"
            )
        if schema is None:
            raise EngineError(
                f"the user's search_path at {where} names no schema that is there: create one, or "
                "add ?options=-csearch_path%3DNAME to the address"
            )
        if fsync != "on" and not reads_only:
            raise EngineError(
                f"PostgreSQL at {where} runs with fsync = off, so a power cut can take what it "
                "acknowledged: set fsync = on"
            )
        self.server = f"{where} {started}"

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warnings.append(notice.message_primary or "a warning")

    def wait(
        self,
        gen: PQGen[_Answer],
        interval: float = 0.0,  # noqa: ARG002 - as psycopg calls it
        timeout: float | None = None,
    ) -> _Answer:
        """Run what psycopg does on the connection, for `patience_s` at most.

        Unlike psycopg's own it cancels nothing when a signal interrupts it: a commit that is
        cancelled while it waits for a standby reports success.
        """
        deadline = time.monotonic() + (self.patience_s if timeout is None else timeout)
        try:
            wanted = next(gen)
            while True:
                ready = _ready(self.pgconn.socket, int(wanted), deadline - time.monotonic())
                if not ready:
                    raise SilentError(f"it has not answered for {self.patience_s:g} s")
                wanted = gen.send(psycopg.waiting.Ready(ready))
        except StopIteration as end:
            answer: _Answer = end.value
            return answer

    def together(self, statements: str) -> list[PGresult]:
        """Run several statements with one message; return the results as they are, up to an error.

        Unlike `execute` it raises nothing for what a statement reports.
        """
        with self.lock:
            self.pgconn.send_query(statements.encode())
            results: list[PGresult] = self.wait(generators.execute(self.pgconn))
        if not results:
            raise psycopg.OperationalError("the server gave no answer")
        return results

    def is_fresh(self) -> bool:
        """Return whether an idle connection looks usable: a server that leaves says so."""
        if self.closed:
            return False
        if _ready(self.pgconn.socket, _READ, 0.0):
            try:
                self.pgconn.consume_input()
            except psycopg.Error:
                return False
            # Behind a change of settings there is nothing more, behind a farewell the end.
            return not _ready(self.pgconn.socket, _READ, 0.0)
        return True

    def rest(self) -> bool:
        """End what is left of a transaction; return whether the connection is good for another."""
        self.patience_s = PATIENCE_S
        status = self.pgconn.transaction_status
        if status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
            with suppress(psycopg.Error):
                self.execute("ROLLBACK")
            status = self.pgconn.transaction_status
        return status == TransactionStatus.IDLE

    def abandon(self) -> None:
        """Cancel a statement that writes nothing, so that the server does not collect sessions."""
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_S)
        self.close()


def raise_if_failed(connection: ServerConnection, result: PGresult) -> None:
    """Raise what psycopg would for a result of `ServerConnection.together`."""
    if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
        raise psycopg.errors.error_from_result(result, encoding=connection.info.encoding)


def _ready(descriptor: int, wanted: int, seconds: float) -> int:
    poller = select.poll()
    read = select.POLLIN if wanted & _READ else 0
    write = select.POLLOUT if wanted & _WRITE else 0
    poller.register(descriptor, read | write)
    found = poller.poll(max(0.0, seconds) * 1000)
    if not found:
        return 0
    _, events = found[0]
    if events & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
        return wanted  # psycopg finds out what it is
    return (_READ if events & read else 0) | (_WRITE if events & write else 0)


_BYTEA, _BIGINT = 17, 20
_EMPTY = struct.Struct(">iii").pack
_HEADER = struct.Struct(">iiiii").pack
_LENGTH = struct.Struct(">i").pack


class ByteaArray:
    """Values of one column, in the server's binary form: psycopg's takes five times as long."""

    oid = 1001

    def __init__(self, values: Sequence[bytes]) -> None:
        pieces = [_array_header(_BYTEA, len(values))]
        for value in values:
            pieces += (_LENGTH(len(value)), value)
        self.content = b"".join(pieces)


class BigintArray:
    """Numbers of one column, in the server's binary form."""

    oid = 1016

    def __init__(self, values: Sequence[int]) -> None:
        pack = struct.Struct(">iq").pack
        self.content = _array_header(_BIGINT, len(values)) + b"".join(
            pack(8, value) for value in values
        )


def _array_header(oid: int, count: int) -> bytes:
    return _HEADER(1, 0, oid, count, 1) if count else _EMPTY(0, 0, oid)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def __init__(
        self, cls: type[ByteaArray | BigintArray], context: psycopg.abc.AdaptContext | None = None
    ) -> None:
        super().__init__(cls, context)
        self.oid = cls.oid

    def dump(self, obj: ByteaArray | BigintArray) -> bytes:
        return obj.content
