"""`deconflict journal copy`: a history moved from one engine to another, with its proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import DOUBTFUL, RIGHT, Writer, counted, write_json
from deconflict.cli.status import ExitStatus


@spoken
def copy(
    source: str,
    target: str,
    /,
    *,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Copy a history to another engine, and verify that leaves, roots and checkpoints are the same.

    Works beside a running service. Run it again to copy what came since, or what an interrupted
    run left: it goes on where it ended. What the source pruned since is removed from the target,
    if an archive in the data folder has it.

    Parameters
    ----------
    source
        Where from: sqlite:PATH of a file or its folder, postgresql://... or nats://...
    target
        Where to, likewise.
    data
        The data folder whose keys and log belong to the history; without it, the folder of the
        embedded journal that is copied from, else that of this user.
    json
        Print JSON for programs.
    """
    from deconflict.cli.progress import progress
    from deconflict.journal.location import location
    from deconflict.server.copying import copy_journal

    begin, end = location(source), location(target)
    if data is None and begin.file is not None:
        data = begin.file.parent
    folder = data_folder(data)
    with progress("Copying") as advance:
        done = copy_journal(begin, end, folder, advance)
    if json:
        write_json(done)
        return ExitStatus.CLEAR
    writer = Writer()
    writer.line(f"{done.target} holds what {done.source} holds", RIGHT)
    writer.pair(
        "entries",
        f"{counted(done.stop - done.first, 'entry', 'entries')} compared, "
        f"{done.first:,} to {done.stop - 1:,}; {done.copied:,} copied by this run",
    )
    if done.pruned:
        writer.pair(
            "pruned",
            f"{counted(done.pruned, 'entry', 'entries')} that the source has pruned; the folder "
            "archive has them",
        )
    if done.older:
        writer.pair(
            "older",
            f"{counted(done.older, 'entry', 'entries')} that the source has pruned stay in the "
            f"target: no archive in {folder / 'archive'} has all of them",
            DOUBTFUL,
        )
    writer.pair("keys", f"{done.keys:,} looked up in both, the same")
    writer.pair(
        "checkpoint",
        f"over {counted(done.checkpoint, 'entry', 'entries')}: its root is "
        "that of the copied entries",
    )
    writer.pair("root", f"{done.root}, the same of both")
    writer.line(
        "Is the service running? Then stop it, run this once more, and start it with --journal and "
        "the new place, on the same data folder."
    )
    return ExitStatus.CLEAR
