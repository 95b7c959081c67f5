"""`deconflict journal stats`: how much the journal holds and how fast it grows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import Writer, counted, write_json
from deconflict.cli.status import ExitStatus


@spoken
def stats(
    *,
    data: Path | None = None,
    journal: str | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Tell how much the journal holds, how fast it grows, and what it keeps.

    Works beside a running server.

    Parameters
    ----------
    data
        The data folder; without it, that of this user.
    journal
        Where the journal is, if it is not in the data folder; without it, where the settings say
        that a node on that folder has it.
    json
        Print JSON for programs; sizes in bytes, times in microseconds since 1970 UTC.
    """
    from deconflict.server.configuration import configure
    from deconflict.server.journal_stats import LAST_ENTRIES, journal_stats
    from deconflict.server.where import instant_text

    folder = data_folder(data)
    settings = configure({"data": folder}, os.environ).settings
    told = journal_stats(folder, settings.retention_days, journal_location(folder, journal))
    if json:
        write_json(told)
        return ExitStatus.CLEAR
    writer = Writer()
    writer.line(str(folder), "bold")
    writer.pair("journal", told.journal)
    writer.pair(
        "entries",
        f"{told.entries:,}, of which {told.kept:,} in the journal and "
        f"{told.archived:,} in archives here",
    )
    live = told.live
    writer.pair(
        "live",
        f"{counted(live['operations'], 'operation')}, {counted(live['zones'], 'zone')}, "
        f"{counted(live['subscriptions'], 'subscription')} of "
        f"{counted(live['parties'], 'party', 'parties')}",
    )
    if told.first_us is not None and told.last_us is not None:
        writer.pair("from", instant_text(told.first_us))
        writer.pair("to", instant_text(told.last_us))
        writer.pair(
            "rate",
            "none yet: these are less than an hour apart"
            if told.entries_per_day is None
            else f"{told.entries_per_day:,.0f} entries a day, the mean between these",
        )
    for kind, size in told.bytes.items():
        writer.pair(kind, f"{_size_text(size)}: {_KINDS[kind]}")
    if told.entry_bytes is not None and told.bytes_per_entry is not None:
        writer.pair(
            "an entry",
            f"{told.entry_bytes:,.0f} bytes, the mean of the last {min(told.kept, LAST_ENTRIES):,}",
        )
        writer.pair(
            "on disk",
            f"{told.bytes_per_entry:,.0f} bytes an entry, keys, tiles and the rest of "
            "half-filled pages included",
        )
    days = told.retention_days
    writer.pair("retention", "all is kept" if days is None else f"{days:g} days")
    if told.expected_bytes is not None:
        writer.pair("expected", f"{_size_text(told.expected_bytes)} at this rate and retention")
    return ExitStatus.CLEAR


_KINDS: Final = {
    "rows": "entries in pages of 8,192 bytes, with the write-ahead log",
    "keys": "wrapped keys of the entries",
    "free": "pages that hold nothing and are filled next",
    "engine": "what the journal takes in the shared engine, indices included",
    "log": "tiles and checkpoint",
    "snapshots": "of the register",
    "archive": "pruned entries",
}
"""What each kind of bytes is."""


def _size_text(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
