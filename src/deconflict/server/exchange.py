"""Exchanging a data folder's log for another one, so that a kill at any moment can be made good.

All moves are written down before the first. A service that is started in between finds a journal
without its head file, or with that of another, and refuses. To restore again ends the exchange.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from deconflict.journal.durable import make_folder, replace_durably
from deconflict.journal.head_file import HEAD_NAME, sync_folder
from deconflict.journal.keys import SEALING_FILE, SIGNING_FILE
from deconflict.journal.location import JOURNAL
from deconflict.server.record import ARCHIVE, KEYS, LOG

PLAN: Final = "restore.json"
SNAPSHOTS: Final = "snapshots"
_KEY_FILES: Final = (f"{KEYS}/{SIGNING_FILE}", f"{KEYS}/{SEALING_FILE}")
_OLD: Final = (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", LOG, *_KEY_FILES, SNAPSHOTS, ARCHIVE)
"""What is moved aside, the journal first: without it, and beside its head file, nothing starts."""
_NEW: Final = (*_KEY_FILES, LOG, JOURNAL)
"""What is moved in, before the head file."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a restore.

    Attributes
    ----------
    aside
        Name of the folder within the data folder that holds what was there before.
    entries
        Entries of the backup that were used, those counted that it had pruned.
    covered, missing
        How many entries the old log's last checkpoint covers, and how many of them were not there.
    last_us
        Time of the last entry used, microseconds since 1970 UTC.
    stated
        How many entries of the new log state again what is live.
    counts
        What the register holds: operations, zones, subscriptions, parties.
    origin
        The new log.
    resumed
        Whether this ended a restore that was interrupted.
    """

    aside: str
    entries: int
    covered: int
    missing: int
    last_us: int
    stated: int
    counts: dict[str, int]
    origin: str
    resumed: bool = False


class _Plan(msgspec.Struct, frozen=True):
    new: str
    old: tuple[str, ...]
    restored: Restored


def exchange(data: Path, new: Path, restored: Restored) -> Restored:
    """Move what a data folder holds aside, and a new log in its place.

    Parameters
    ----------
    data
        The data folder, its lock held if it has one.
    new
        A folder in it with the new journal, keys and log.
    restored
        What is returned, now or when it was interrupted and is ended.

    Raises
    ------
    OSError
        If something can't be moved; it can be ended later.
    """
    old = tuple(name for name in _OLD if (data / name).exists())
    plan = _Plan(new.name, old, restored)
    replace_durably(data / PLAN, msgspec.json.encode(plan))
    _carry_out(data, plan)
    return restored


def finished(data: Path) -> Restored | None:
    """End an exchange that was interrupted; ``None`` if there was none, or nothing left to do."""
    try:
        content = (data / PLAN).read_bytes()
    except FileNotFoundError:
        return None
    plan = msgspec.json.decode(content, type=_Plan)
    # The head file comes last: without it in the new folder, only the plan was left to remove.
    left = (data / plan.new / HEAD_NAME).exists()
    _carry_out(data, plan)
    return msgspec.structs.replace(plan.restored, resumed=True) if left else None


def _carry_out(data: Path, plan: _Plan) -> None:
    aside, new = data / plan.restored.aside, data / plan.new
    if plan.old or (data / HEAD_NAME).exists():
        make_folder(aside)
    for name in plan.old:
        _move(data / name, aside / name)
    for name in _NEW:
        _move(new / name, data / name)
    head = data / HEAD_NAME
    if head.exists() and (new / HEAD_NAME).exists() and not (aside / HEAD_NAME).exists():
        os.link(head, aside / HEAD_NAME)
        sync_folder(aside)
    if (new / HEAD_NAME).exists():
        (new / HEAD_NAME).replace(head)
        sync_folder(data)
    (data / PLAN).unlink()
    sync_folder(data)
    shutil.rmtree(new, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Move one thing, unless that was done before."""
    if target.exists() or not source.exists():
        return
    make_folder(target.parent)
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)
