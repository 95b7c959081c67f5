"""Restoring: a backup goes on as a new log, whose first entry is the old log's last checkpoint.

A log that once signed a checkpoint must never go on without what that covers; so it ends, and a
new one with new keys begins, in which everything live is stated again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deconflict.journal.bare import Bare, Damage
from deconflict.journal.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from deconflict.journal.durable import make_folder
from deconflict.journal.engine import EngineError, Outcome
from deconflict.journal.errors import AlteredLogError, LogError, ProofError
from deconflict.journal.findings import Findings
from deconflict.journal.head_file import HEAD_NAME, HeadFile
from deconflict.journal.keys import SEALING_FILE, Keys
from deconflict.journal.location import JOURNAL, Location, in_folder
from deconflict.journal.log import Log
from deconflict.journal.note import parse_note
from deconflict.journal.opening import CHECKPOINT_FILE
from deconflict.journal.seal import Sealer
from deconflict.journal.sqlite.engine import SqliteEngine
from deconflict.journal.verifying import verify_journal
from deconflict.register.command import ENTROPY_BYTES, Basis, Command, Continue
from deconflict.register.decide import decide
from deconflict.register.decision import Decision
from deconflict.register.state.register import Register
from deconflict.register.state.view import View
from deconflict.server.clock import ClockAheadError, ClockGuard
from deconflict.server.data_folder import CLOCK, LOCK, locked
from deconflict.server.exchange import Restored, exchange, finished
from deconflict.server.group import Group
from deconflict.server.nodes.deciding import deciding
from deconflict.server.own import SERVICE_SUBJECT, own
from deconflict.server.present import refuse_whole
from deconflict.server.pruning import BATCH, Need
from deconflict.server.record import KEYS, LOG, opened_row
from deconflict.server.replay import decided_of

NEW: Final = "restore.new"
"""Where the new log is made, in the data folder."""

Progress = Callable[[float], None]


def restore(
    backup: Path | Location,
    data: Path,
    *,
    until: int | None = None,
    replace: bool = False,
    progress: Progress = lambda _: None,
) -> Restored:
    """Let a backup go on as a new log.

    Parameters
    ----------
    backup
        A copy of a journal's database, or a folder that holds one; it is not changed. The data
        folder itself, to go on from what is left in it. Or the shared engine that holds the
        journal of the data folder; it is not changed, and the new log is made in the folder.
    data
        The data folder. What it held before is moved aside within it.
    until
        The position of the first entry that is left out; without it, all are used.
    replace
        Whether a log in the data folder that is whole is to end, too.
    progress
        Told how far it got, 0 to 1.

    Raises
    ------
    LogError, EngineError
        If the backup can't be used, another process has the data folder open, or what is in it
        is whole. Nothing in the data folder was changed then.
    OSError
        If something can't be read or written.
    """
    done = finished(data)
    if done is not None:
        return done
    make_folder(data)
    with ExitStack() as stack:
        head_path = data / HEAD_NAME
        if head_path.exists():
            stack.callback(HeadFile.lock(head_path, create=False).close)
        place = _place(backup)
        stack.enter_context(deciding(place, "journal restore"))
        if (data / LOCK).exists():
            stack.callback(os.close, locked(data))
        beside = data if place.file is None else place.file.parent
        with place.open_bare() as journal:
            keys = _keys(journal, (beside, data))
            stop = journal.head() if until is None else min(until, journal.head())
            if not replace:
                present = place if place.shared else in_folder(data)
                refuse_whole(data, present, keys.public_key, stop)
            notes = _notes(beside, data)
            checked = _checked(journal, beside, keys, notes, stop=stop, progress=progress)
            register = _replayed(journal, keys, stop, progress)
        old = _last_checkpoint(notes, keys, checked, stop)
        new = data / NEW
        shutil.rmtree(new, ignore_errors=True)
        made = _make(new, old, register, _time_us(data, register))
        size = parse_checkpoint(parse_note(old).text).size
        return exchange(
            data,
            new,
            Restored(
                aside=_aside(data).name,
                entries=stop,
                covered=size,
                missing=max(0, size - stop),
                last_us=register.time_us,
                stated=made,
                counts=register.counts(),
                origin=_origin(new),
            ),
        )


def _place(backup: Path | Location) -> Location:
    if isinstance(backup, Location):
        return backup
    return in_folder(backup) if backup.is_dir() else Location(backup)


def _keys(journal: Bare, folders: tuple[Path, ...]) -> Keys:
    """Return the keys with which the backup can be opened."""
    tried = []
    for folder in dict.fromkeys(folders):
        found = folder / KEYS
        if not (found / SEALING_FILE).exists():
            continue
        keys = Keys.load(found, create=False)
        if _opens(journal, keys):
            return keys
        tried.append(str(found))
    what = (
        f"the keys in {' and '.join(tried)} are not those of the backup"
        if tried
        else "there are no keys beside the backup or in the data folder"
    )
    raise LogError(
        f"the backup can't be opened: {what}; put the folder keys that belongs to it beside it"
    )


def _opens(journal: Bare, keys: Keys) -> bool:
    sealer = Sealer(keys, journal.key)
    for position, row in journal.rows(journal.first(), journal.head()):
        if not isinstance(row, Damage):
            try:
                opened_row(sealer, position, row)
            except AlteredLogError:
                return False
            return True
    return True  # without an entry all keys will do


def _notes(*folders: Path) -> list[tuple[str, bytes]]:
    """Return the checkpoints beside the backup and in the data folder, each once."""
    paths = dict.fromkeys((folder / LOG / CHECKPOINT_FILE).absolute() for folder in folders)
    return [(str(path), path.read_bytes()) for path in paths if path.exists()]


def _checked(
    journal: Bare,
    beside: Path,
    keys: Keys,
    notes: list[tuple[str, bytes]],
    *,
    stop: int,
    progress: Progress,
) -> Findings:
    """Verify the backup, and refuse one whose entries before `stop` are not what they were."""
    found = verify_journal(
        journal,
        log=beside / LOG,
        notes=_of_log(notes, keys),
        public_key=keys.public_key,
        sealer=Sealer(keys, journal.key),
        progress=lambda part: progress(part / 2),
    )
    for wrong in found.wrong:
        if wrong.position is not None and wrong.position < stop:
            raise LogError(
                f"entry {wrong.position} of the backup is damaged or altered: {wrong.what}; use "
                f"another copy, or add --until {wrong.position} to go on from the entries before it"
            )
    for proved in found.proved:
        if proved.agrees is False and proved.size <= stop:
            raise LogError(
                f"the backup is not the journal over which the checkpoint {proved.name} was "
                "signed; use the copy that belongs to it"
            )
    return found


def _of_log(notes: list[tuple[str, bytes]], keys: Keys) -> list[tuple[str, bytes]]:
    """Return the checkpoints that the backup's own log signed."""
    found = []
    for name, content in notes:
        try:
            verify_checkpoint(content, keys.public_key)
        except ProofError:
            continue  # of another log: that of a data folder in which something else ran since
        found.append((name, content))
    return found


def _replayed(journal: Bare, keys: Keys, stop: int, progress: Progress) -> Register:
    first = journal.first()
    register = Register(first=first)
    sealer = Sealer(keys, journal.key)
    for position, row in journal.rows(first, stop):
        if isinstance(row, Damage):
            raise LogError(f"entry {position} can't be read: {row.why}")
        opened = opened_row(sealer, position, row)
        register.apply(position, opened.time_us, decided_of(opened))
        if position % BATCH == 0:
            progress(0.5 + 0.5 * (position - first) / (stop - first))
    return register


def _last_checkpoint(
    notes: list[tuple[str, bytes]], keys: Keys, checked: Findings, stop: int
) -> bytes:
    """Return the newest checkpoint of the old log, or one over what is there."""
    mine = [content for _, content in _of_log(notes, keys)]
    if mine:
        return max(mine, key=lambda content: parse_checkpoint(parse_note(content).text).size)
    if checked.root is None or stop != checked.stop:
        raise LogError(
            "no checkpoint of the backup's log is at hand, and none can be made over what is "
            "there; put the folder log that belongs to it beside it"
        )
    from deconflict.journal.checkpoint import origin

    return Checkpoint(origin(keys.public_key), stop, checked.root).sign(keys.signing)


def _make(new: Path, checkpoint: bytes, register: Register, time_us: int) -> int:
    """Make the new data folder; return how many entries state again what is live."""
    make_folder(new)
    engine = SqliteEngine(new / JOURNAL, create=True)
    try:
        log = Log.open(engine, new / LOG, Keys.load(new / KEYS, create=True))
        fresh = Register()
        # What the rules read is the old register as it was at its last entry.
        view = register.view(register.time_us)

        def stated(_view: View, command: Command) -> Decision:
            return decide(view, command)

        def append(group: Group) -> None:
            if log.append(fresh.head, group.entries()) is not Outcome.ACCEPTED:
                raise EngineError("another process wrote to the new journal; stop it")
            for one in group.made:
                fresh.apply(fresh.head, time_us, one.decided)

        first = Group(fresh, time_us, stated)
        go_on = Continue(
            party="", entropy=os.urandom(ENTROPY_BYTES), checkpoint=checkpoint.decode()
        )
        first.add(own(go_on, SERVICE_SUBJECT), said=False)
        append(first)
        needs = [need for need in _live(register) if need.is_held(view)]
        for start in range(0, len(needs), BATCH):
            group = Group(fresh, time_us, stated)
            for need in needs[start : start + BATCH]:
                group.add(own(need.command(0), need.subject), said=False)
            append(group)
        log.advance()
    finally:
        engine.close()
    return len(needs)


def _live(register: Register) -> Iterator[Need]:
    yield Need(Basis.POLICY)
    for availability in register.availabilities():
        yield Need(Basis.AVAILABILITY, availability.party)
    for subscription in register.live_subscriptions():
        yield Need(Basis.SUBSCRIPTION, subscription.id)
    for entity in register.live():
        yield Need(Basis.ENTITY, entity.id)


def _time_us(data: Path, register: Register) -> int:
    """Return the time of the new entries: now, or if the clock is in doubt that of the last one.

    Then nothing expires by it, and the start of the service says what to do.
    """
    guard = ClockGuard(data / CLOCK)
    guard.start(register.time_us or None, register.next_due_us())
    try:
        return guard.entry_time_us(register.time_us)
    except ClockAheadError:
        return register.time_us


def _origin(new: Path) -> str:
    return parse_checkpoint(parse_note((new / LOG / CHECKPOINT_FILE).read_bytes()).text).origin


def _aside(data: Path) -> Path:
    """Return a name in the data folder that is free."""
    stem = f"aside-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    path, number = data / stem, 2
    while path.exists():
        path, number = data / f"{stem}-{number}", number + 1
    return path
