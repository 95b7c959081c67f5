"""`deconflict journal snapshot`: a snapshot of the register, now."""

from __future__ import annotations

import sys
from pathlib import Path

from deconflict.cli.data_folder import data_folder
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable


@spoken
def snapshot(*, data: Path | None = None) -> int:
    """Write a snapshot now, which shortens the next start. Works beside a running server.

    Parameters
    ----------
    data
        The data folder; without it, that of this user.
    """
    from deconflict.cli.progress import progress
    from deconflict.server.data_folder import DataFolder

    with progress("Reading the journal") as advance:
        folder = DataFolder.beside(
            data_folder(data), progress=lambda done, of: advance(done / max(of, 1))
        )
    try:
        path = folder.write_snapshot()
        head = folder.register.head
    finally:
        folder.close()
    sys.stdout.write(f"Wrote {printable(str(path))}: the register after {head:,} entries.\n")
    return ExitStatus.CLEAR
