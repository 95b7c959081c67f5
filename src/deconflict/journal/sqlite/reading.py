"""Reading a journal's database: in short steps, committed rows only, each checked as it is read."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

from deconflict.journal.engine import EngineError, Row
from deconflict.journal.head_file import Mark
from deconflict.journal.row_checksum import GroupRow, first_chain, next_chain, row_checksum
from deconflict.journal.sqlite.failure import failure
from deconflict.journal.sqlite.schema import connect, recognise

BATCH_ROWS: Final = 256
BATCH_BYTES: Final = 4 * 1024 * 1024
"""A batch ends with the row that reaches this. No read transaction outlives its batch, so that
the write-ahead log can begin anew however slowly somebody reads."""

_RESTORE: Final = "restore the newest copy as a new log (deconflict journal restore)"
_COLUMNS: Final = ("position", "time_us", "record", "signature", "key_id", "sealed", "checksum")
ROWS_A_STEP: Final = 8
"""Each step of a query lets other threads run and then waits for its turn again, which costs both
more than the step. So one step gives some rows that follow one another."""
_ROWS: Final = " ".join(
    (
        "SELECT",
        ", ".join(f"e{k}.{name}" for k in range(ROWS_A_STEP) for name in _COLUMNS),
        "FROM entries e0",
        *(
            f"LEFT JOIN entries e{k} ON e{k}.position = e0.position + {k}"
            for k in range(1, ROWS_A_STEP)
        ),
        "WHERE e0.position >= ?1 AND e0.position < ?2",
        f"AND (e0.position - ?1) % {ROWS_A_STEP} = 0 ORDER BY e0.position",
    )
)
_GROUPS: Final = "SELECT first, count, id, chain FROM groups"


_MOST_KEYS: Final = 512
"""Keys asked for in one question."""


class Reading:
    """A connection that only reads. Safe to use from several threads.

    Attributes
    ----------
    journal
        The journal's identifier.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._connection = connect(path, "ro")
        try:
            self.journal = recognise(self._connection, path)
        except BaseException:
            self._connection.close()
            raise

    def head(self) -> int:
        """Return the number of entries ever committed."""
        last = self._group("ORDER BY first DESC LIMIT 1")
        return 0 if last is None else last.stop

    def first(self) -> int:
        """Return the first position that is kept."""
        rows = self.rows("SELECT first FROM journal")
        if len(rows) != 1 or not isinstance(rows[0][0], int):
            raise self._damaged("its first position can't be read")
        return rows[0][0]

    def find(self, group_id: bytes) -> int | None:
        """Return the first position of a group, or ``None``.

        Looks through all groups, the newest first: what is asked for after a failure is the last
        one, and an index of random identifiers would cost every commit a page.
        """
        found = self._group("WHERE id = ? ORDER BY first DESC LIMIT 1", group_id)
        return None if found is None else found.first

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key, or ``None``."""
        rows = self.rows("SELECT wrapped FROM keys WHERE id = ?", key_id)
        return rows[0][0] if rows else None

    def keys(self, key_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return those of some wrapped keys that there are."""
        found: dict[bytes, bytes] = {}
        for at in range(0, len(key_ids), _MOST_KEYS):
            asked = key_ids[at : at + _MOST_KEYS]
            marks = ", ".join("?" * len(asked))
            found.update(
                self.rows(f"SELECT id, wrapped FROM keys WHERE id IN ({marks})", *asked)  # noqa: S608
            )
        return found

    def entries(
        self, start: int, stop: int, usable: Callable[[], None]
    ) -> Iterator[tuple[int, Row]]:
        """Yield rows from `start` to before `stop`, which all have to be there.

        Parameters
        ----------
        start, stop
            Positions.
        usable
            Called before each batch; raises if nothing may be read any more.

        Raises
        ------
        EngineError
            If one is damaged, missing or pruned meanwhile; the sentence names its position.
        """
        position = start
        while position < stop:
            usable()
            batch = self._batch(position, stop)
            for found, time_us, record, signature, key_id, sealed, checksum in batch:
                row = Row(time_us, record, signature, key_id, sealed)
                if found != position:
                    raise self._gap(position)
                if not _is_whole(position, row, checksum):
                    raise EngineError(
                        f"entry {position} in {self._path} is damaged: its checksum does not "
                        f"match; {_RESTORE}"
                    )
                yield position, row
                position += 1
            if not batch:
                raise self._gap(position)

    def verify_end(self, mark: Mark, head_path: Path) -> None:
        """Make sure that the database is at or beyond its head file, and that its end is whole.

        The groups from the mark on are read back: after a crash it is the end that may have
        suffered. There is one of them, or what a power cut kept from the head file.

        Raises
        ------
        EngineError
            If it is another journal, has lost entries, or is damaged; the sentence says how many
            entries are missing and what to do.
        """
        if mark.journal != self.journal:
            raise EngineError(
                f"{self._path} and {head_path} belong to different journals: "
                "put back the two files that were together"
            )
        head = self.head()
        if head < mark.position:
            missing = mark.position - head
            raise EngineError(
                f"{self._path} has lost its last {missing} "
                f"{'entry' if missing == 1 else 'entries'}: {mark.position} were committed, and it "
                f"holds {head}. If a file {self._path.name}-wal stood beside it, put that back; "
                f"else {_RESTORE}"
            )
        before = self._group("WHERE first < ? ORDER BY first DESC LIMIT 1", mark.position)
        if before is not None and (
            (before.stop, before.id, before.chain) != (mark.position, mark.group_id, mark.chain)
        ):
            raise EngineError(
                f"{self._path} holds other entries before position {mark.position} than "
                f"{head_path} says: put back the two files that were together, or {_RESTORE}"
            )
        self._verify_groups(before, mark, head)

    def _verify_groups(self, before: GroupRow | None, mark: Mark, head: int) -> None:
        # Behind a pruned mark (`before` is gone) any group may follow, else exactly the next one.
        chain = None
        position = 0
        if before is not None:
            position = before.first
        elif mark.position == 0:
            chain = first_chain(self.journal)
        first = self.first()
        while position < head:
            group = self._group("WHERE first >= ? ORDER BY first LIMIT 1", position)
            if group is None or (chain is not None and group.first != position):
                raise self._gap(position)
            start = max(group.first, first)
            rows = list(self.entries(start, group.stop, lambda: None))
            whole = start == group.first
            sums = [row_checksum(number, row) for number, row in rows]
            if whole and chain is not None:
                chain = next_chain(chain, group.first, group.id, sums)
                if chain != group.chain:
                    raise EngineError(
                        f"the group of entries {group.first} to {group.stop - 1} in {self._path} "
                        f"is damaged: it does not follow the one before; {_RESTORE}"
                    )
            chain, position = group.chain, group.stop

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a short query."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise failure(error, self._path, "the journal was not read") from error

    def last_group(self) -> GroupRow | None:
        """Return the newest group; ``None`` if there never was one."""
        return self._group("ORDER BY first DESC LIMIT 1")

    def _group(self, which: str, *values: object) -> GroupRow | None:
        rows = self.rows(f"{_GROUPS} {which}", *values)
        if not rows:
            return None
        # What a flipped byte makes of a column may be of another type.
        if tuple(map(type, rows[0])) != (int, int, bytes, bytes):
            raise self._damaged(f"the group of entry {rows[0][0]} can't be read")
        return GroupRow(*rows[0])

    def _damaged(self, what: str) -> EngineError:
        return EngineError(f"{self._path} is damaged: {what}; {_RESTORE}")

    def _batch(self, start: int, stop: int) -> list[tuple[Any, ...]]:
        batch: list[tuple[Any, ...]] = []
        size = 0
        stop = min(stop, start + BATCH_ROWS)
        with self._lock:
            try:
                cursor = self._connection.execute(_ROWS, (start, stop))
                try:
                    for several in cursor:
                        size += sum(len(each) for each in several if isinstance(each, bytes))
                        batch += _parted(several, stop)
                        if size >= BATCH_BYTES:
                            break
                finally:
                    cursor.close()
            except sqlite3.Error as error:
                doing = f"entry {start + len(batch)} was not read"
                raise failure(error, self._path, doing) from error
        return batch

    def _gap(self, position: int) -> EngineError:
        first = self.first()
        if position < first:
            return EngineError(
                f"entry {position} was pruned: {self._path} begins with entry {first}; "
                "look for older ones in the archive"
            )
        return EngineError(f"entry {position} is missing from {self._path}: {_RESTORE}")

    def close(self) -> None:
        """Close the connection; what runs in another thread ends first."""
        with self._lock:
            self._connection.close()


def _parted(several: tuple[Any, ...], stop: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that one step gave, as far as they are there and wanted."""
    width = len(_COLUMNS)
    for at in range(0, len(several), width):
        position = several[at]
        if position is not None and position < stop:
            yield several[at : at + width]


def _is_whole(position: int, row: Row, checksum: object) -> bool:
    try:
        return row_checksum(position, row) == checksum
    except (TypeError, struct.error):
        return False  # a flipped byte made another type or size of a column
