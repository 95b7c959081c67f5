"""A journal by itself: read past what is damaged in it, and an embedded one without its head file.

For those who look at it or at a copy: `verify`, `stats` and `restore`. Nothing is written; SQLite
may make its own ``-shm`` file beside the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self, runtime_checkable

from deconflict.journal.engine import Engine, EngineError, Row, UnreachableError
from deconflict.journal.row_checksum import CHECKSUM_BYTES, GroupRow
from deconflict.journal.sqlite.reading import Reading

_KEY_BYTES: Final = 96
"""A wrapped key with its identifier and SQLite's own bytes."""


@dataclass(frozen=True, slots=True)
class Damage:
    """An entry that can't be read, and why."""

    position: int
    why: str


class Bare(Protocol):
    """The entries of a journal that may be damaged, wherever it is.

    Attributes
    ----------
    name
        Where it is, as it is shown.
    id
        The journal's identifier, 16 bytes; empty if `groups` yields none.
    """

    @property
    def name(self) -> str:
        """Where it is, as it is shown."""
        ...

    @property
    def id(self) -> bytes:
        """The journal's identifier."""
        ...

    def first(self) -> int:
        """Return the first position that is kept."""
        ...

    def head(self) -> int:
        """Return the number of entries ever committed."""
        ...

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it never was or is erased."""
        ...

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row | Damage]]:
        """Yield each position and its row, or what is wrong with it."""
        ...

    def groups(self, start: int) -> Iterator[GroupRow]:
        """Yield the groups from a position on; none where each has a checksum of its own."""
        ...

    def mean_entry_bytes(self, start: int) -> float | None:
        """Return the mean bytes of the entries from a position on; ``None`` without any."""
        ...

    def sizes(self) -> dict[str, int]:
        """Return the bytes that the journal takes, by kind; empty if that can't be told."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


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
    def name(self) -> str:
        """Where it is."""
        return str(self.path)

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
                if position < self.first():
                    raise _pruned(position) from error
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

    def mean_entry_bytes(self, start: int) -> float | None:
        """Return the mean bytes of the entries from a position on, without pages and indices."""
        (found,) = self._reading.rows(
            "SELECT avg(length(record) + length(signature) + length(key_id) + length(checksum) + "
            "length(sealed)) FROM entries WHERE position >= ?",
            start,
        )
        return None if found[0] is None else float(found[0])

    def sizes(self) -> dict[str, int]:
        """Return the bytes of the entries' pages, of wrapped keys, and of pages that are free."""
        pages = int(self._reading.rows("PRAGMA freelist_count")[0][0])
        free = pages * int(self._reading.rows("PRAGMA page_size")[0][0])
        keys = int(self._reading.rows("SELECT count(*) FROM keys")[0][0]) * _KEY_BYTES
        log = self.path.with_name(f"{self.path.name}-wal")
        files = sum(each.stat().st_size for each in (self.path, log) if each.exists())
        return {"rows": max(0, files - free - keys), "keys": keys, "free": free}

    def close(self) -> None:
        """Close the database."""
        self._reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@runtime_checkable
class Grouped(Protocol):
    """An engine that lists its groups, and whose chain of them can be followed."""

    @property
    def journal(self) -> bytes:
        """The journal's identifier, 16 bytes."""
        ...

    def groups(self, start: int) -> Iterator[GroupRow]:
        """Yield the groups that begin at a position or behind it."""
        ...


@runtime_checkable
class Sized(Protocol):
    """An engine that can tell how much room it takes."""

    def size_bytes(self) -> int:
        """Return the bytes of entries, groups and keys, with indices and what is not freed yet."""
        ...


class BareEngine:
    """The entries of an engine that several nodes share, beside these.

    Parameters
    ----------
    name
        Where it is, without passwords.
    engine
        Opened to read, and closed with this.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self._engine = engine

    @property
    def id(self) -> bytes:
        """The journal's identifier, 16 bytes; empty if the engine lists no groups."""
        return self._engine.journal if isinstance(self._engine, Grouped) else b""

    def first(self) -> int:
        """Return the first position that is kept."""
        return self._engine.first()

    def head(self) -> int:
        """Return the number of entries ever committed."""
        return self._engine.head()

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it never was or is erased."""
        return self._engine.key(key_id)

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row | Damage]]:
        """Yield each position and its row, or what is wrong with it.

        Raises
        ------
        EngineError
            If the engine can't be reached, or the entry was pruned meanwhile.
        """
        position = start
        while position < stop:
            try:
                for found, row in self._engine.read(position, stop):
                    yield found, row
                    position = found + 1
            except UnreachableError:
                raise
            except EngineError as error:
                if position < self._engine.first():
                    raise _pruned(position) from error
                yield position, Damage(position, str(error))
                position += 1

    def groups(self, start: int) -> Iterator[GroupRow]:
        """Yield the groups from a position on, if the engine lists them."""
        return self._engine.groups(start) if isinstance(self._engine, Grouped) else iter(())

    def mean_entry_bytes(self, start: int) -> float | None:
        """Return the mean bytes of the entries from a position on, without indices."""
        sizes = [
            len(row.record) + len(row.signature) + len(row.key_id) + len(row.sealed)
            for _, row in self._engine.read(start)
        ]
        return sum(sizes) / len(sizes) + CHECKSUM_BYTES if sizes else None

    def sizes(self) -> dict[str, int]:
        """Return the bytes that the engine takes, if it tells."""
        return {"engine": self._engine.size_bytes()} if isinstance(self._engine, Sized) else {}

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pruned(position: int) -> EngineError:
    return EngineError(f"entry {position} was pruned while this was reading: run it again")


def _usable() -> None:
    """Say nothing against reading on."""
