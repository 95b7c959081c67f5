"""The data folder: journal, keys, log and snapshots of one node, opened in the right order."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import structlog

from deconflict.journal.checkpoint import Checkpoint
from deconflict.journal.durable import make_folder
from deconflict.journal.engine import Engine, EngineError, Outcome
from deconflict.journal.errors import KeyFileError, RolledBackError
from deconflict.journal.keys import Keys
from deconflict.journal.location import Location, in_folder
from deconflict.journal.lock_file import open_locked
from deconflict.journal.log import Log
from deconflict.journal.opening import check_signatures
from deconflict.register.command import ENTROPY_BYTES, Command, Configure
from deconflict.register.decision import Decision
from deconflict.register.event import Configured
from deconflict.register.policy import DEFAULT_POLICY
from deconflict.register.state.errors import RegisterError
from deconflict.register.state.register import Register
from deconflict.register.state.view import View
from deconflict.server.clock import Clock, ClockGuard
from deconflict.server.group import Decide, Group
from deconflict.server.nodes.joining import BEFORE
from deconflict.server.own import own
from deconflict.server.replay import Progress, replayed
from deconflict.server.sealed_snapshot import (
    Heading,
    SnapshotError,
    heading,
    read_snapshot,
    remove_unfinished,
    snapshot_files,
    write_snapshot,
)

KEYS: Final = "keys"
LOG: Final = "log"
SNAPSHOTS: Final = "snapshots"
CLOCK: Final = "clock"
LOCK: Final = "lock"
"""Held by whoever writes to a folder whose journal several share; an embedded one has its own."""
MOST_ATTEMPTS: Final = 50
"""How often a command is decided again because other nodes were faster."""


class OvertakenError(EngineError):
    """Another process wrote to the journal meanwhile."""


class DataFolder:
    """An open data folder and the register of its journal.

    Made by `open` or `beside`.

    Attributes
    ----------
    path
        The folder.
    journal
        Where the journal is.
    engine
        The journal's engine.
    keys
        The service's keys.
    log
        The log.
    register
        The state of all its entries.
    snapshot_head
        How many entries the snapshot holds from which the register was loaded; 0: none.
    """

    def __init__(
        self,
        path: Path,
        journal: Location,
        engine: Engine,
        *,
        keys: Keys,
        log: Log,
        register: Register,
        snapshot_head: int,
        held: ExitStack,
    ) -> None:
        self.path = path
        self.journal = journal
        self.engine = engine
        self.keys = keys
        self.log = log
        self.register = register
        self.snapshot_head = snapshot_head
        self._writes = False
        self._held = held

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        journal: Location | None = None,
        progress: Progress | None = None,
        join: Callable[[Engine, Path, Keys], Checkpoint | None] | None = None,
    ) -> DataFolder:
        """Open a folder to write to its journal; what is missing is made.

        Parameters
        ----------
        path
            The folder.
        journal
            Where the journal is, if it is not in the folder.
        progress
            Called now and then while entries are replayed.
        join
            Called before the log is opened where several nodes share the journal: sees to it that
            a folder that is new to a journal with entries gets its log.

        Raises
        ------
        EngineError, LogError
            If another process writes it, or something in it is damaged, foreign or rolled back.
        OSError
            If it can't be made or read.
        """
        make_folder(path)
        journal = journal or in_folder(path)
        with ExitStack() as stack:
            # First of all, so that nobody else makes keys meanwhile.
            if journal.shared:
                stack.callback(os.close, locked(path))
            engine = journal.open(create=True)  # an embedded one takes a lock
            stack.callback(engine.close)
            remove_unfinished(path / SNAPSHOTS)
            keys = _keys(path / KEYS, engine, journal)
            older = None if join is None or not engine.shared else join(engine, path, keys)
            opened = cls._opened(path, journal, engine, keys, stack=stack, progress=progress)
            if older is not None and not opened.log.extends(older):
                opened.close()
                raise RolledBackError(
                    "the log of another node does not extend the last checkpoint of this one: one "
                    "of them was rolled back; compare both with the checkpoints that parties keep",
                    0,
                )
            shutil.rmtree(path / BEFORE, ignore_errors=True)
            opened._writes = True  # noqa: SLF001 - another way to construct it
            return opened

    @classmethod
    def beside(
        cls,
        path: Path,
        *,
        journal: Location | None = None,
        progress: Progress | None = None,
    ) -> DataFolder:
        """Open a folder to read it, also while a server writes it.

        Raises
        ------
        EngineError, LogError
            If there is no journal, or something in it is damaged, foreign or rolled back.
        """
        journal = journal or in_folder(path)
        with ExitStack() as stack:
            engine = journal.open_reader()
            stack.callback(engine.close)
            keys = Keys.load(path / KEYS, create=False)
            return cls._opened(path, journal, engine, keys, stack=stack, progress=progress)

    @classmethod
    def _opened(
        cls,
        path: Path,
        journal: Location,
        engine: Engine,
        keys: Keys,
        *,
        stack: ExitStack,
        progress: Progress | None,
    ) -> DataFolder:
        log = Log.open(engine, path / LOG, keys)
        stack.callback(log.close)
        register = from_snapshot(path / SNAPSHOTS, keys, log)
        snapshot_head = 0 if register is None else register.head
        if register is None:
            register = Register(first=log.first())
        replayed(log, register, progress=progress)
        return cls(
            path,
            journal,
            engine,
            keys=keys,
            log=log,
            register=register,
            snapshot_head=snapshot_head,
            held=stack.pop_all(),
        )

    def guard(self, clock: Clock | None = None) -> ClockGuard:
        """Return the clock guard, started on what the journal and the folder say."""
        register = self.register
        due_us = register.next_due_us()
        if due_us is not None:
            # It leaves memory some time after its end.
            due_us -= register.policy.kept_after_end_s * 1_000_000
        guard = ClockGuard(self.path / CLOCK, clock)
        guard.start(register.time_us if register.head else None, due_us)
        return guard

    def begin(self, guard: ClockGuard) -> None:
        """Put the default policy in force if the journal is new.

        Raises
        ------
        EngineError, ClockAheadError
            If it can't be written.
        """
        if self.register.head:
            return
        policy = Configure(party="", entropy=os.urandom(ENTROPY_BYTES), policy=DEFAULT_POLICY)
        try:
            self.commit(policy, guard, _first_policy)
        except OvertakenError:
            if not self.engine.shared:
                raise
            # Another node began the same journal; with the same keys, or it is not ours.
            check_signatures(self.engine, self.keys.public_key, 0)
            replayed(self.log, self.register)

    def commit(self, command: Command, guard: ClockGuard, decide: Decide) -> Decision:
        """Decide and journal one command of the service itself while no coordinator runs.

        A refused command is not written.

        Raises
        ------
        EngineError, ClockAheadError
            If it can't be written.
        """
        for _ in range(MOST_ATTEMPTS):
            decision = self._committed(command, guard, decide)
            if decision is not None:
                return decision
            if not (self.engine.shared and self.register.head):
                break
            replayed(self.log, self.register)
        raise OvertakenError("another process wrote to this journal; stop it and try again")

    def _committed(self, command: Command, guard: ClockGuard, decide: Decide) -> Decision | None:
        """Do what `commit` says once; ``None`` if another process was faster."""
        register = self.register
        decisions: list[Decision] = []

        def noted(view: View, command: Command) -> Decision:
            decisions.append(decide(view, command))
            return decisions[-1]

        group = Group(register, guard.entry_time_us(register.time_us), noted)
        group.add(own(command), said=False)
        (decision,) = decisions
        if decision.refusal is not None:
            return decision
        if self.log.append(register.head, group.entries()) is not Outcome.ACCEPTED:
            return None
        for made in group.made:
            register.apply(register.head, group.time_us, made.decided)
        return decision

    def write_snapshot(self) -> Path:
        """Write a snapshot of the register as it is.

        Raises
        ------
        OSError
            If it can't be written, or if the register failed to take an entry of the journal: a
            snapshot of it would carry that on.
        """
        register = self.register
        alone = self._writes and not self.engine.shared
        if alone and register.head != self.log.head():
            raise OSError(errno.EINVAL, "the register does not hold all entries of the journal")
        head = heading(register.head, self.keys, _record(self.log, register.head - 1))
        path = write_snapshot(self.path / SNAPSHOTS, self.keys, head, register.dump())
        self.snapshot_head = register.head
        return path

    def close(self) -> None:
        """Let go of the journal and the lock. Closing twice is no error."""
        self._held.close()


def locked(path: Path) -> int:
    """Take a folder whose journal several nodes share; the descriptor holds the lock while open.

    Raises
    ------
    EngineError
        If another process has it.
    """
    busy = (
        f"another process works with the folder {path}, a node or a command, and only one may: "
        "stop that one first, or give this one a folder of its own"
    )
    return open_locked(path / LOCK, create=True, busy=busy)


def _keys(folder: Path, engine: Engine, journal: Location) -> Keys:
    """Return the service's keys; made if the journal is new."""
    new = engine.head() == 0
    if not new and engine.shared and not folder.exists():
        raise KeyFileError(
            f"The journal {journal} has entries, and {folder} holds no keys to read them: copy the "
            "folder keys there from another node of this service, over a way that nobody listens "
            "to, then start again."
        )
    return Keys.load(folder, create=new)


def from_snapshot(folder: Path, keys: Keys, log: Log) -> Register | None:
    """Return the register of the newest snapshot that belongs to a log; ``None`` without one.

    One that is damaged, of another version or of another journal is passed over.
    """
    said = structlog.get_logger("deconflict.snapshots")
    for path in snapshot_files(folder):
        try:
            head, register = read_snapshot(path, keys)
            _require_same_journal(head, keys, log)
        except (SnapshotError, RegisterError, OSError) as error:
            said.warning("snapshot passed over", file=path.name, reason=str(error))
        else:
            return register
    return None


def _require_same_journal(head: Heading, keys: Keys, log: Log) -> None:
    if not log.first() <= head.head <= log.head():
        raise SnapshotError("the journal has no entries for it to go on with")
    record = _record(log, head.head - 1)
    if record is None:  # the entry was pruned: the key tells the journal all the same
        same = head.public_key == keys.public_key.hex()
    else:
        same = head == heading(head.head, keys, record)
    if not same:
        raise SnapshotError("it is of another journal")


def _record(log: Log, position: int) -> bytes | None:
    if position < log.first():
        return None
    return next(iter(log.read(position, position + 1))).record


def _first_policy(_view: View, command: Command) -> Decision:
    """Put the policy in force that is in force: a journal says from its first entry which it is."""
    policy = command.policy if isinstance(command, Configure) else DEFAULT_POLICY
    return Decision(events=(Configured(policy),))
