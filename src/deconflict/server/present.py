"""The log that is present in a data folder while another is to take its place."""

from __future__ import annotations

from pathlib import Path

from deconflict.journal.engine import EngineError
from deconflict.journal.errors import LogError
from deconflict.journal.location import Location
from deconflict.server.record import Record
from deconflict.server.where import instant_text


def refuse_whole(data: Path, journal: Location, public_key: bytes, stop: int) -> None:
    """Refuse to end a log that can go on as it is.

    Parameters
    ----------
    data
        The data folder.
    journal
        Where its journal is.
    public_key
        The key of the log that is to be restored.
    stop
        How many of that log's entries are to be used.

    Raises
    ------
    LogError
        If the log in the data folder is whole: what would be given up with it.
    """
    given_up = _given_up(data, journal, public_key, stop)
    if given_up:
        raise LogError(
            f"the log in {data} is whole and can go on as it is, and {given_up}: leave it, or add "
            "--replace to end it all the same; it is moved aside then"
        )


def _given_up(data: Path, journal: Location, public_key: bytes, stop: int) -> str:
    """Return in a clause what would be given up with a whole log; empty if there is none."""
    if journal.file is not None and not journal.file.exists():
        return ""
    try:
        with Record.open(data, journal) as record:
            head = record.head()
            same = record.log.public_key == public_key
            kept = min(stop, head) if same else 0
            if head == kept:
                return "holds nothing that would not be restored" if head else ""
            since_us = next(record.read(max(kept, record.first()))).time_us
    except (EngineError, LogError):
        return ""  # it can't go on
    count = head - kept
    which = "its last" if same else "it is another one than the backup's: its"
    return (
        f"{which} {f'{count:,} entries' if count > 1 else 'entry'}, written since "
        f"{instant_text(since_us)}, would go out of use, with what they answered to parties"
    )
