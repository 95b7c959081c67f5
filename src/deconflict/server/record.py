"""The record: every entry of a data folder, those in its archives included, opened to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from deconflict.journal.archive import Archive, archive_files
from deconflict.journal.errors import AlteredLogError, LogError
from deconflict.journal.keys import Keys
from deconflict.journal.location import Location, in_folder
from deconflict.journal.log import Log
from deconflict.journal.opened import Opened
from deconflict.journal.seal import Sealer

if TYPE_CHECKING:
    from deconflict.journal.engine import Row

KEYS: Final = "keys"
LOG: Final = "log"
ARCHIVE: Final = "archive"


class Record:
    """Reads a data folder, also while a server writes it.

    Made by `open`.

    Attributes
    ----------
    log
        The log, of which nothing is appended here.
    keys
        The service's keys.
    """

    def __init__(self, log: Log, keys: Keys, archives: list[Archive], folder: Path) -> None:
        self.log = log
        self.keys = keys
        self._archives = archives
        self._folder = folder
        self._head = log.head()

    @classmethod
    def open(cls, path: Path, journal: Location | None = None) -> Self:
        """Open the record in a data folder.

        Parameters
        ----------
        path
            The folder.
        journal
            Where the journal is, if it is not in the folder.

        Raises
        ------
        EngineError, LogError
            If there is no journal, or something in it is damaged, foreign or rolled back.
        """
        with ExitStack() as stack:
            engine = (journal or in_folder(path)).open_reader()
            stack.callback(engine.close)
            keys = Keys.load(path / KEYS, create=False)
            log = Log.open(engine, path / LOG, keys)
            archives = _joined(path / ARCHIVE, log)
            stack.pop_all()
        return cls(log, keys, archives, path / ARCHIVE)

    def head(self) -> int:
        """Return the number of entries ever appended, as it was when the record was opened."""
        return self._head

    def first(self) -> int:
        """Return the oldest position that is kept here, in an archive or in the journal."""
        return self._archives[0].first() if self._archives else self.log.first()

    def lacking(self) -> str:
        """Return which pruned entries no archive in the folder holds; empty if none is missing."""
        gaps = absent(archives_of(self._folder, self.log.public_key), self.log.first())
        return lacking(gaps, self._folder) if gaps else ""

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        """Yield entries, each compared with its leaf; those that were pruned from archives.

        Raises
        ------
        LogError
            If an entry is altered, or none of the archives has it any more.
        EngineError
            If the journal can't be read.
        """
        until = self._head if stop is None else min(stop, self._head)
        if start < self.first():
            raise LogError(
                f"entry {start} is not to be read here: the record begins with entry "
                f"{self.first()}; {self.lacking()}"
            )
        for archive in self._archives:
            if start < min(archive.head(), until):
                yield from self._archived(archive, start, until)
                start = archive.head()
        if start < until:
            yield from self.log.read(start, until)

    def _archived(self, archive: Archive, start: int, stop: int) -> Iterator[Opened]:
        sealer = Sealer(self.keys, archive.key)
        for position, row in archive.rows():
            if position >= stop:
                return
            if position >= start:
                yield opened_row(sealer, position, row)

    def close(self) -> None:
        """Close the journal."""
        self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def opened_row(sealer: Sealer, position: int, row: Row) -> Opened:
    """Return a sealed entry opened.

    Raises
    ------
    AlteredLogError
        If it is damaged.
    """
    try:
        parts = sealer.open(row.key_id, row.record, row.sealed)
    except AlteredLogError as error:
        raise AlteredLogError(f"entry {position} can't be read: {error}") from None
    return Opened(
        position=position,
        time_us=row.time_us,
        record=row.record,
        signature=row.signature,
        decided=None if parts is None else parts.decided,
        said=None if parts is None else parts.said,
        told=() if parts is None else parts.told,
        erased=parts is None,
        subject=None if parts is None else parts.subject,
    )


def archives_of(folder: Path, public_key: bytes | None) -> list[Archive]:
    """Return the archives of a log in a folder, the oldest entries first.

    Parameters
    ----------
    folder
        The folder.
    public_key
        The log's, 32 bytes; without it, those of every log.

    Raises
    ------
    AlteredLogError
        If one is damaged.
    """
    found = [Archive(path) for path in archive_files(folder)]
    return [each for each in found if public_key in {None, each.heading.public_key}]


def absent(archives: Sequence[Archive], first: int) -> list[range]:
    """Return the positions before a journal's first one that none of its archives holds."""
    gaps = []
    seen = 0
    for archive in archives:
        if seen < archive.first() < first:
            gaps.append(range(seen, archive.first()))
        seen = max(seen, archive.head())
    if seen < first:
        gaps.append(range(seen, first))
    return gaps


def lacking(gaps: Sequence[range], folder: Path) -> str:
    """Return in a sentence without a full stop which archives are missing from a folder."""
    which = " and ".join(f"{gap.start:,} to {gap.stop - 1:,}" for gap in gaps)
    return (
        f"no archive in {folder} holds the entries {which}: copy those there from the node that "
        "pruned them, or from a backup"
    )


def _joined(folder: Path, log: Log) -> list[Archive]:
    """Return the archives that lead up to the journal's first entry without a gap.

    They may overlap: a pruning that was interrupted can be done by another node, to elsewhere.
    """
    found: list[Archive] = []
    wanted = log.first()
    for archive in reversed(archives_of(folder, log.public_key)):
        if archive.first() < wanted <= archive.head():
            found.insert(0, archive)
            wanted = archive.first()
    return found
