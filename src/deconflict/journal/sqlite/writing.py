"""Writing a journal's database: one transaction at a time, and nothing after a failed disk.

Checkpoints of the write-ahead log are made here and not by SQLite itself, which would keep quiet
about an error in one, try again, and be told by the system that all is well, although what could
not be written is lost.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final

from deconflict.journal.engine import EngineError, Group, Outcome
from deconflict.journal.head_file import HeadFile, Mark
from deconflict.journal.row_checksum import first_chain, next_chain, row_checksum
from deconflict.journal.sqlite.failure import failure
from deconflict.journal.sqlite.schema import connect

CHECKPOINT_BYTES: Final = 8 * 1024 * 1024
"""What is appended between two checkpoints."""
MOST_LOG_BYTES: Final = 64 * 1024 * 1024
"""A write-ahead log longer than this makes the writer wait for readers to let it begin anew."""
LOG_FRAME_HEADER_BYTES: Final = 24
_ROW_OVERHEAD_BYTES: Final = 512
MOST_ROWS_A_STATEMENT: Final = 64
"""A power of two; times the columns of a table, fewer than the parameters that SQLite takes."""


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows with few statements, of few different lengths.

    Each statement lets other threads run, and may wait for its turn to go on: with one a row, a
    busy event loop held up a group of 64 for a third of a second.
    """
    row = f"({', '.join('?' * len(rows[0]))})"
    at, size = 0, MOST_ROWS_A_STATEMENT
    while at < len(rows):
        while size > len(rows) - at:
            size //= 2
        values = ", ".join([row] * size)
        connection.execute(
            f"INSERT INTO {table} VALUES {values}",  # noqa: S608 - a table of ours
            [value for one in rows[at : at + size] for value in one],
        )
        at += size


class Turns:
    """Whose turn it is to write. An append never waits for more than one step of a pruning."""

    def __init__(self) -> None:
        self._next, self._writing = Lock(), Lock()

    def __enter__(self) -> None:
        # Whoever waits for the one that writes holds `_next`, so that a pruning that has just
        # ended a step and begins another comes behind it.
        with self._next:
            self._writing.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writing.release()


class Writing:
    """The one connection that writes.

    Parameters
    ----------
    path
        The database.
    journal
        Its identifier.
    head_file
        Locked by this process.
    """

    def __init__(self, path: Path, journal: bytes, head_file: HeadFile) -> None:
        self.path = path
        self.turns = Turns()
        self._journal = journal
        self._head_file = head_file
        self._trouble: str | None = None
        self._since_checkpoint = 0
        self._most_log_bytes = MOST_LOG_BYTES
        self._connection = connect(path, "rw")
        try:
            self._file = _identity(path)
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "wal_autocheckpoint = 0",
                f"journal_size_limit = {2 * CHECKPOINT_BYTES}",
                # Pruned rows are sealed and their pages leave the file; see `delete_keys`.
                "secure_delete = FAST",
                "cache_size = -16000",
            ):
                self._connection.execute(f"PRAGMA {pragma}").fetchall()
            # All that the log holds is written again, and made durable in the database: after
            # an error of synchronisation the system may call clean what never reached the disk.
            (self._page_bytes,) = self._connection.execute("PRAGMA page_size").fetchone()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except (sqlite3.Error, OSError) as error:
            self._connection.close()
            doing = "the journal was not opened for writing"
            if isinstance(error, sqlite3.Error):
                raise failure(error, path, doing, writing=True) from error
            raise EngineError(f"{doing}: {path} ({error.strerror})") from error

    def refuse_if_failed(self) -> None:
        """Raise if the disk failed since the journal was opened."""
        if self._trouble is not None:
            raise EngineError(
                f"{self.path} takes and gives nothing until it is closed, opened again and "
                f"verified, since {self._trouble}",
                must_reopen=True,
            )

    def _refuse_if_replaced(self, doing: str) -> None:
        """Raise if the files have gone from their folder: what is written would go with them."""
        if self._trouble is not None:
            return
        try:
            found: tuple[int, int] | None = _identity(self.path)
        except OSError:
            found = None
        if found != self._file or not self._head_file.is_there():
            self._trouble = (
                f"{self.path} or {self._head_file.path} was removed or replaced while it was open"
            )
            raise EngineError(f"{doing}: {self._trouble}; put it back", must_reopen=True)

    @contextmanager
    def transaction(self, doing: str) -> Iterator[sqlite3.Connection]:
        """Run statements as one transaction; within `turns`.

        Parameters
        ----------
        doing
            What is not done if it fails, as in "3 entries were not appended".
        """
        self.refuse_if_failed()
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise self._failed(error, doing) from error
            raise
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._failed(error, doing, committing=True) from error

    def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group as `deconflict.journal.engine.Engine.append` says."""
        rows = group.rows
        if not rows:
            raise ValueError("a group has at least one row")
        sums = [row_checksum(position, row) for position, row in enumerate(rows, expected_head)]
        values = [
            (position, row.time_us, row.record, row.signature, row.key_id, checksum, row.sealed)
            for position, (row, checksum) in enumerate(zip(rows, sums, strict=True), expected_head)
        ]
        key_ids = dict.fromkeys(row.key_id for row in rows)
        key_ids.update((key_id, None) for key_id, _ in group.keys)
        count = len(rows)
        doing = f"{count} {'entry was' if count == 1 else 'entries were'} not appended"
        with self.turns:
            self._refuse_if_replaced(doing)
            with self.transaction(doing) as connection:
                last = connection.execute(
                    "SELECT first + count, chain FROM groups ORDER BY first DESC LIMIT 1"
                ).fetchone()
                head, chain = last or (0, first_chain(self._journal))
                if head != expected_head:
                    return Outcome.REFUSED
                chain = next_chain(chain, head, group.id, sums)
                _insert(connection, "entries", values)
                connection.execute(
                    "INSERT INTO groups VALUES (?, ?, ?, ?, ?)",
                    (head, count, group.id, chain, b"".join(key_ids)),
                )
                if group.keys:
                    _insert(connection, "keys", group.keys)
            self._mark(Mark(self._journal, head + count, group.id, chain))
            self.count(sum(len(row.sealed) + len(row.record) + _ROW_OVERHEAD_BYTES for row in rows))
        return Outcome.ACCEPTED

    def begin(self, first: int) -> None:
        """Have an empty journal begin at a position, as if all before it had been pruned."""
        doing = f"the journal does not begin at entry {first}"
        with self.turns:
            self._refuse_if_replaced(doing)
            with self.transaction(doing) as connection:
                (used,) = connection.execute("SELECT count(*) FROM groups").fetchone()
                if used:
                    raise EngineError(f"{doing}: {self.path} holds or held entries")
                group_id = os.urandom(16)
                chain = next_chain(first_chain(self._journal), 0, group_id, ())
                connection.execute("UPDATE journal SET first = ?", (first,))
                connection.execute(
                    "INSERT INTO groups VALUES (0, ?, ?, ?, ?)", (first, group_id, chain, b"")
                )
            self._mark(Mark(self._journal, first, group_id, chain))

    def _mark(self, mark: Mark) -> None:
        try:
            self._head_file.write(mark)
        except OSError as error:
            self._trouble = f"{self._head_file.path} could not be written ({error.strerror})"
            raise EngineError(
                f"it is not known whether entries to {mark.position - 1} are safe: "
                f"{self._trouble}; see to the disk, then open the journal again",
                outcome_known=False,
                must_reopen=True,
            ) from error

    def count(self, size: int) -> None:
        """Count the bytes written, and now and then move them from the log; within `turns`.

        What was committed is safe already. So an error is raised by the next call and not by
        this one, and a full disk is no error here: the log takes entries until it can't grow.
        """
        self._since_checkpoint += size
        if self._since_checkpoint < CHECKPOINT_BYTES:
            return
        self._since_checkpoint = 0
        try:
            _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages * (self._page_bytes + LOG_FRAME_HEADER_BYTES) > self._most_log_bytes:
                busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                # A program that reads on and on is not waited for each time.
                self._most_log_bytes = 2 * self._most_log_bytes if busy else MOST_LOG_BYTES
        except sqlite3.Error as error:
            self._failed(error, "the write-ahead log was not moved into the database")

    def delete_keys(self, connection: sqlite3.Connection, key_ids: Iterable[bytes]) -> None:
        """Delete keys and overwrite where they stood; within `transaction`."""
        connection.execute("PRAGMA secure_delete = ON")
        try:
            connection.executemany("DELETE FROM keys WHERE id = ?", ((key,) for key in key_ids))
        finally:
            connection.execute("PRAGMA secure_delete = FAST")

    def scrub(self, doing: str) -> None:
        """Empty the write-ahead log, so that it holds no copy of what was deleted.

        Raises
        ------
        EngineError
            If a reader keeps it from that for some seconds, or the disk fails.
        """
        with self.turns:
            self.refuse_if_failed()
            try:
                busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                raise self._failed(error, doing) from error
        if busy:
            raise EngineError(
                f"{doing}: a copy stays in {self.path}-wal while another program reads "
                f"{self.path}; end that program and do this again"
            )

    def pages(self, statement: str) -> int:
        """Run a pragma that answers with a number or not at all; within `turns`."""
        self.refuse_if_failed()
        try:
            rows = self._connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error, "space was not given back") from error
        # One that doesn't answer gives no row, or an empty one, as the version of Python has it.
        return int(rows[0][0]) if rows and rows[0] else 0

    def _roll_back(self) -> None:
        # SQLite rolls most failures back by itself; a failure of this says no more than the first.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _failed(self, error: sqlite3.Error, doing: str, *, committing: bool = False) -> EngineError:
        found = failure(error, self.path, doing, writing=True, committing=committing)
        if found.must_reopen:
            self._trouble = str(found)
        return found

    def close(self) -> None:
        """Close the connection; what runs in another thread ends first."""
        with self.turns:
            self._connection.close()


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
