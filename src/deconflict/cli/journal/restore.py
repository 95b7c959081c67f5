"""`deconflict journal restore`: a backup goes on as a new log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import DOUBTFUL, RIGHT, Writer, counted, write_json
from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    from deconflict.journal.location import Location


@spoken
def restore(
    backup: str,
    /,
    *,
    data: Path | None = None,
    until: int | None = None,
    replace: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Let a backup go on as a new log; what was there is moved aside, and nothing is deleted.

    The new log has new keys. Its first entry is the old log's last checkpoint, and then everything
    live as of the backup is stated again, with the same OVNs and indices. Run it again if it was
    interrupted.

    Parameters
    ----------
    backup
        A copy of journal.db, or a folder that holds one; the data folder itself, to go on from
        what is left in it. Or where what is left of a shared journal is, postgresql://... or
        nats://...: no node of it may run, it is not changed, and the new log is made in the folder.
    data
        The data folder; without it, that of this user.
    until
        Use only the entries before this position: the first damaged one.
    replace
        End the log in the data folder although it is whole.
    json
        Print JSON for programs.
    """
    from deconflict.cli.progress import progress
    from deconflict.server.restoring import restore as run
    from deconflict.server.where import instant_text

    folder = data_folder(data)
    with progress("Restoring") as advance:
        done = run(_named(backup), folder, until=until, replace=replace, progress=advance)
    if json:
        write_json(done)
        return ExitStatus.CLEAR
    writer = Writer()
    counts = done.counts
    writer.line(
        "Ended a restore that was interrupted." if done.resumed else "Restored as a new log.", RIGHT
    )
    writer.pair(
        "from",
        f"{counted(done.entries, 'entry', 'entries')}, the last of {instant_text(done.last_us)}",
    )
    writer.pair(
        "live",
        f"{counted(counts['operations'], 'operation')}, {counted(counts['zones'], 'zone')}, "
        f"{counted(counts['subscriptions'], 'subscription')} at that time",
    )
    if done.missing:
        writer.pair(
            "lost",
            f"{counted(done.missing, 'entry', 'entries')} that the old log had signed: "
            f"{done.entries:,} to {done.covered - 1:,}. What they registered, changed or deleted "
            "is not known here: tell the parties to look at their operations and subscriptions.",
            DOUBTFUL,
        )
    else:
        writer.pair("lost", "nothing that the old log's last checkpoint covers")
    writer.pair("new log", done.origin)
    writer.pair("new key", "made in the folder keys; back it up, and tell those who verify")
    if (folder / done.aside).exists():
        writer.pair("moved aside", str(folder / done.aside))
    place = journal_location(folder, None)
    if place.shared:
        writer.line(
            f"The settings name {place}, which holds the old log: copy the new one to an empty "
            f"place (deconflict journal copy sqlite:{folder}/ PLACE), and start the nodes there, "
            "the others with the new keys and nothing else in their folders.",
            DOUBTFUL,
        )
    return ExitStatus.CLEAR


def _named(backup: str) -> Path | Location:
    """Return what is to be restored: a shared engine where no file can be meant."""
    from deconflict.journal.location import JOURNAL, location

    if "://" in backup:
        return location(backup)
    path = Path(backup)
    if path.is_dir() and not (path / JOURNAL).exists():
        place = journal_location(path, None)
        return place if place.shared else path
    return path
