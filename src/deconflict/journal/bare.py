"""A journal's database by itself: read without its head file, and past what is damaged in it.

For those who look at a copy: `verify`, and `restore`. Nothing is written; SQLite may make its own
``-shm`` file beside the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deconflict.journal.engine import EngineError, Row
from deconflict.journal.sqlite_reading import GroupRow, Reading


@dataclass(frozen=True, slots=True)
class Damage:
    """An entry that can't be read, and why."""

    position: int
    why: str


class BareJournal:
    """The entries of a database that may be damaged.

    Parameters
    ----------
    path
        The database.

    Raises
    ------
    EngineError
        If there is none, or it is no journal.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise EngineError(f"there is no journal at {path}: name the file or its folder")
        self.path = path
        self._reading = Reading(path)

    @property
    def id(self) -> bytes:
        """The journal's identifier, 16 bytes."""
        return self._reading.journal

    def first(self) -> int:
        """Return the first position that is kept."""
        return self._reading.first()

    def head(self) -> int:
        """Return the number of entries ever committed."""
        return self._reading.head()

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it never was or is erased."""
        return self._reading.key(key_id)

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row | Damage]]:
        """Yield each position and its row, or what is wrong with it."""
        position = start
        while position < stop:
            try:
                for found, row in self._reading.entries(position, stop, _usable):
                    yield found, row
                    position = found + 1
            except EngineError as error:
                yield position, Damage(position, str(error))
                position += 1

    def groups(self, start: int) -> Iterator[GroupRow]:
        """Yield the groups from a position on, as far as they can be read.

        Raises
        ------
        EngineError
            If the list of groups can't be read on.
        """
        while rows := self._reading.rows(
            "SELECT first, count, id, chain FROM groups WHERE first >= ? ORDER BY first LIMIT 256",
            start,
        ):
            for row in rows:
                if tuple(map(type, row)) != (int, int, bytes, bytes):
                    raise EngineError(f"the group of entry {row[0]!r} can't be read")
                yield GroupRow(*row)
                start = row[0] + 1

    def key_count(self) -> int:
        """Return how many wrapped keys are kept."""
        return int(self._reading.rows("SELECT count(*) FROM keys")[0][0])

    def mean_entry_bytes(self, start: int) -> float | None:
        """Return the mean bytes of the entries from a position on, without pages and indices."""
        (found,) = self._reading.rows(
            "SELECT avg(length(record) + length(signature) + length(key_id) + length(checksum) + "
            "length(sealed)) FROM entries WHERE position >= ?",
            start,
        )
        return None if found[0] is None else float(found[0])

    def free_bytes(self) -> int:
        """Return the bytes of pages that hold nothing."""
        pages = self._reading.rows("PRAGMA freelist_count")[0][0]
        return int(pages) * int(self._reading.rows("PRAGMA page_size")[0][0])

    def close(self) -> None:
        """Close the database."""
        self._reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _usable() -> None:
    """Say nothing against reading on."""
