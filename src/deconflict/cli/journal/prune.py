"""`deconflict journal prune`: old entries go to an archive."""

from __future__ import annotations

import time
from pathlib import Path

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.at_time import instant_us
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import Writer, counted
from deconflict.cli.status import ExitStatus

_DAY_US = 86_400_000_000


@spoken
def prune(
    *,
    keep: float | None = None,
    before: str | None = None,
    data: Path | None = None,
    journal: str | None = None,
) -> int:
    """Move old entries to an archive; what is live is stated again before that.

    No server may have the folder open, and no node may run over a journal that several share: one
    that runs prunes by itself if `retention_days` is set. The archive goes to the data folder.
    Whatever interrupts this, nothing is lost, and it can be done again.

    Parameters
    ----------
    keep
        Keep the entries of the last so many days.
    before
        Or keep those from this time on (RFC 3339, such as 2026-12-01T08:00:00Z).
    data
        The data folder; without it, that of this user.
    journal
        Where the journal is, if it is not in the data folder; without it, where the settings say
        that a node on that folder has it.
    """
    from deconflict.cli.progress import progress
    from deconflict.geo.errors import InputError
    from deconflict.server.pruning import prune_folder

    if (keep is None) == (before is None) or (keep is not None and not 0 <= keep <= 36_500):
        raise InputError(
            "it is not said what to keep", "give either --keep DAYS (0 to 36500) or --before TIME"
        )
    if before is not None:
        before_us = instant_us(before, "--before")
    else:
        before_us = time.time_ns() // 1000 - int((keep or 0) * _DAY_US)
    folder = data_folder(data)
    with progress("Pruning") as advance:
        first, cut, written = prune_folder(
            folder,
            before_us,
            lambda _what, done, of: advance(done / max(of, 1)),
            journal_location(folder, journal),
        )
    writer = Writer()
    if cut == first:
        writer.line(
            f"Nothing was pruned: fewer than 256 whole entries are that old. The journal begins "
            f"with entry {first:,}."
        )
        return ExitStatus.CLEAR
    writer.line(
        f"Pruned {counted(cut - first, 'entry', 'entries')}; the journal begins with entry {cut:,}."
    )
    for path in written:
        writer.pair("archive", str(path))
    return ExitStatus.CLEAR
