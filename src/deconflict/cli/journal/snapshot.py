"""`deconflict journal snapshot`: a snapshot of the register, now."""

from __future__ import annotations

import sys
from pathlib import Path

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable


@spoken
def snapshot(*, data: Path | None = None, journal: str | None = None) -> int:
    """Write a snapshot now, which shortens the next start. Works beside a running server.

    Parameters
    ----------
    data
        The data folder; without it, that of this user.
    journal
        Where the journal is, if it is not in the data folder; without it, where the settings say
        that a node on that folder has it.
    """
    from deconflict.cli.progress import progress
    from deconflict.server.data_folder import DataFolder

    path = data_folder(data)
    place = journal_location(path, journal)
    with progress("Reading the journal") as advance:
        folder = DataFolder.beside(
            path, journal=place, progress=lambda done, of: advance(done / max(of, 1))
        )
    try:
        written = folder.write_snapshot()
        head = folder.register.head
    finally:
        folder.close()
    sys.stdout.write(f"Wrote {printable(str(written))}: the register after {head:,} entries.\n")
    return ExitStatus.CLEAR
