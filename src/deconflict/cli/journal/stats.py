"""`deconflict journal stats`: how much the journal holds and how fast it grows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import Writer, counted, write_json
from deconflict.cli.status import ExitStatus


@spoken
def stats(
    *,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Tell how much the journal holds, how fast it grows, and what it keeps.

    Works beside a running server.

    Parameters
    ----------
    data
        The data folder; without it, that of this user.
    json
        Print JSON for programs; sizes in bytes, times in microseconds since 1970 UTC.
    """
    from deconflict.server.configuration import configure
    from deconflict.server.journal_stats import journal_stats
    from deconflict.server.where import instant_text

    folder = data_folder(data)
    settings = configure({"data": folder}, os.environ).settings
    told = journal_stats(folder, settings.retention_days)
    if json:
        write_json(told)
        return ExitStatus.CLEAR
    writer = Writer()
    writer.line(str(folder), "bold")
    writer.pair(
        "entries",
        f"{told.entries:,}, of which {told.kept:,} in the journal and "
        f"{told.archived:,} in archives",
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
    if told.entries_per_day is not None:
        writer.pair("rate", f"{told.entries_per_day:,.0f} entries a day")
    for kind, size in told.bytes.items():
        writer.pair(kind, _size_text(size))
    if told.bytes_per_entry is not None:
        writer.pair("an entry", f"{told.bytes_per_entry:,.0f} bytes in the journal")
    days = told.retention_days
    writer.pair("retention", "all is kept" if days is None else f"{days:g} days")
    if told.expected_bytes is not None:
        writer.pair("expected", f"{_size_text(told.expected_bytes)} at this rate and retention")
    return ExitStatus.CLEAR


def _size_text(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
