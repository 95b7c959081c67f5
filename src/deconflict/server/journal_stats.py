"""How much a journal holds, how fast it grows, and how large it will be."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from deconflict.journal.bare import Bare
from deconflict.journal.engine import Row
from deconflict.journal.location import Location, in_folder
from deconflict.server.data_folder import SNAPSHOTS, DataFolder
from deconflict.server.record import ARCHIVE, LOG, Record

_DAY_US: Final = 86_400_000_000
LEAST_SPAN_US: Final = 3_600_000_000
"""A shorter journal has no rate that says anything."""
LAST_ENTRIES: Final = 1_000
"""So many of the last entries give the size of an entry."""


class JournalStats(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a journal.

    Attributes
    ----------
    journal
        Where it is.
    entries, kept, archived
        Entries ever appended, those in the journal, and those in archives of the folder that lead
        up to it.
    live
        What the register holds: operations, zones, subscriptions, parties.
    bytes
        By kind: of an embedded journal rows (entries in the database's pages and its write-ahead
        log), keys, free (pages that hold nothing); of a shared one engine (all that it takes
        there), if the engine tells; and log (tiles and checkpoint), snapshots, archive.
    first_us, last_us
        Times of the first and last entry in the journal, microseconds since 1970 UTC.
    entries_per_day
        The mean between these; ``None`` if they are less than an hour apart.
    entry_bytes
        Mean of the last `LAST_ENTRIES` entries themselves, as they are sealed.
    bytes_per_entry
        Of the journal and the log's tiles, for an entry that is kept: with the overhead of pages,
        which weigh most while there are few entries; ``None`` if the engine tells no size.
    retention_days
        As set; ``None``: all are kept.
    expected_bytes
        The journal's size when it holds as many days as the retention says, at this rate.
    """

    journal: str
    entries: int
    kept: int
    archived: int
    live: dict[str, int]
    bytes: dict[str, int]
    first_us: int | None
    last_us: int | None
    entries_per_day: float | None
    entry_bytes: float | None
    bytes_per_entry: float | None
    retention_days: float | None
    expected_bytes: int | None


def journal_stats(
    path: Path, retention_days: float | None, journal: Location | None = None
) -> JournalStats:
    """Return what is to be told of the journal in a data folder, beside a server or alone.

    Parameters
    ----------
    path
        The folder.
    retention_days
        As set.
    journal
        Where the journal is, if it is not in the folder.

    Raises
    ------
    EngineError, LogError
        If there is no journal, or it can't be read.
    """
    place = journal or in_folder(path)
    with Record.open(path, place) as record, place.open_bare() as bare:
        folder = DataFolder.beside(path, journal=place)
        try:
            live = folder.register.counts()
        finally:
            folder.close()
        head, first = record.head(), record.log.first()
        ends = [_time_us(bare, at) for at in (first, head - 1)] if head > first else []
        own = bare.sizes()
        sizes = {
            **own,
            "log": _size(path / LOG),
            "snapshots": _size(path / SNAPSHOTS),
            "archive": _size(path / ARCHIVE),
        }
        kept = head - first
        span_us = ends[1] - ends[0] if ends else 0
        rate = kept * _DAY_US / span_us if span_us >= LEAST_SPAN_US else None
        used = sum(own.values()) - own.get("free", 0) + sizes["log"]
        per_entry = used / kept if kept and own else None
        expected = None
        if retention_days is not None and rate is not None and per_entry is not None:
            expected = int(retention_days * rate * per_entry)
        return JournalStats(
            journal=str(place),
            entries=head,
            kept=kept,
            archived=first - record.first(),
            live=live,
            bytes=sizes,
            first_us=ends[0] if ends else None,
            last_us=ends[1] if ends else None,
            entries_per_day=rate,
            entry_bytes=bare.mean_entry_bytes(max(first, head - LAST_ENTRIES)),
            bytes_per_entry=per_entry,
            retention_days=retention_days,
            expected_bytes=expected,
        )


def _time_us(bare: Bare, position: int) -> int:
    _, row = next(iter(bare.rows(position, position + 1)))
    return row.time_us if isinstance(row, Row) else 0


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
