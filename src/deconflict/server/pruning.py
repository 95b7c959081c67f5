"""Pruning: what is live is stated again, older entries go to an archive, then out of the journal.

The order is what keeps everything: base entries are durable before anything is archived, and the
archive is on the disk and read back before anything is removed. An interruption at any point
leaves more than is needed, never less, and the next pruning goes on where it ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from deconflict.journal.archive import Archive, archive_files, write_archive
from deconflict.journal.engine import EngineError, Outcome
from deconflict.journal.location import Location, in_folder
from deconflict.register.command import ENTROPY_BYTES, Base, Basis
from deconflict.register.decide import decide
from deconflict.register.event import (
    AvailabilitySet,
    Configured,
    Event,
    Put,
    Removed,
    Subscribed,
    Unsubscribed,
)
from deconflict.server.data_folder import DataFolder
from deconflict.server.group import Group
from deconflict.server.nodes.deciding import deciding
from deconflict.server.own import SERVICE_SUBJECT, own
from deconflict.server.record import ARCHIVE
from deconflict.server.replay import decided_of

if TYPE_CHECKING:
    from deconflict.journal.log import Log, Opened
    from deconflict.register.state.view import View
    from deconflict.server.clock import ClockGuard

BATCH: Final = 256
"""Entries read at a time, or stated again in one group."""
ARCHIVE_ENTRIES: Final = 1 << 18
"""Entries of one archive file at most: some 600 MB."""

Step = Callable[[str, int, int], None]
"""Called between steps with what is done, how much of it, and of how much; may wait."""


class Timed(Protocol):
    """What is asked of a log to find an instant in it."""

    def first(self) -> int:
        """Return the first position kept."""
        ...

    def head(self) -> int:
        """Return the number of entries."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        """Yield entries."""
        ...


def position_at(log: Timed, time_us: int) -> int:
    """Return the position of the first entry that is kept and not before an instant, or the head.

    Parameters
    ----------
    log
        The log; entries follow one another in time.
    time_us
        Microseconds since 1970 UTC.
    """
    low, high = log.first(), log.head()
    while low < high:
        middle = (low + high) // 2
        if next(iter(log.read(middle, middle + 1))).time_us < time_us:
            low = middle + 1
        else:
            high = middle
    return low


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that has to be stated again."""

    basis: Basis
    of: str = ""

    @property
    def subject(self) -> str:
        """The subject of its base entry: that of the entries that it stands for."""
        return self.of or SERVICE_SUBJECT

    def command(self, before: int) -> Base:
        """Return the command that states it again."""
        entropy = os.urandom(ENTROPY_BYTES)
        return Base(party="", entropy=entropy, before=before, basis=self.basis, of=self.of)

    def is_held(self, view: View) -> bool:
        """Whether there still is such a thing."""
        if self.basis is Basis.ENTITY:
            return view.entity(self.of) is not None
        if self.basis is Basis.SUBSCRIPTION:
            return view.subscription(self.of) is not None
        return True


class Needs:
    """What must be stated again before the entries in front of a position go.

    That is what they state of things that have not ended and that no later entry states; and what
    has ended and is still held, whoever states it, since a replay that begins without the policy
    then in force could let it go too early.

    Parameters
    ----------
    cut
        The position.
    now_us, kept_us
        The time, and how long an entity is held after its end.
    """

    def __init__(self, cut: int, now_us: int, kept_us: int) -> None:
        self.cut = cut
        self._now_us = now_us
        self._kept_us = kept_us
        # In the order in which they are stated: the policy first, by which the others expire.
        self._found: dict[Basis, set[str]] = {basis: set() for basis in Basis}
        self._found[Basis.POLICY].add("")

    def __iter__(self) -> Iterator[Need]:
        """Yield them in the order in which they are stated."""
        for basis, names in self._found.items():
            for name in sorted(names):
                yield Need(basis, name)

    def gather(self, log: Log, step: Step) -> None:
        """Read the entries in front of the position, then those behind it."""
        first, head = log.first(), log.head()
        for start in range(first, head, BATCH):
            for opened in log.read(start, min(start + BATCH, head)):
                for event in decided_of(opened).events:
                    self._take(event, before=opened.position < self.cut)
            step("reading", start - first, head - first)

    def _take(self, event: Event, *, before: bool) -> None:
        found = self._found
        if isinstance(event, Put):
            end_us = event.entity.end_us
            kept = end_us + self._kept_us >= self._now_us
            self._note(Basis.ENTITY, event.entity.id, kept and (before or end_us < self._now_us))
        elif isinstance(event, Subscribed):
            one = event.subscription
            self._note(Basis.SUBSCRIPTION, one.id, before and one.end_us >= self._now_us)
        elif isinstance(event, AvailabilitySet):
            self._note(Basis.AVAILABILITY, event.availability.party, before)
        elif isinstance(event, Configured):
            self._note(Basis.POLICY, "", before)
        elif isinstance(event, Removed):
            found[Basis.ENTITY].discard(event.id)
        elif isinstance(event, Unsubscribed):
            found[Basis.SUBSCRIPTION].discard(event.id)

    def _note(self, basis: Basis, name: str, needed: bool) -> None:  # noqa: FBT001
        (self._found[basis].add if needed else self._found[basis].discard)(name)


def prune_folder(
    path: Path,
    before_us: int,
    step: Step = lambda _what, _done, _of: None,
    journal: Location | None = None,
) -> tuple[int, int, list[Path]]:
    """Prune the journal of a data folder that no server has open.

    Where several nodes share the journal none of them may run: the one that decides prunes by
    itself, and states again what is live through its own register.

    Parameters
    ----------
    path
        The folder.
    before_us
        Entries before this instant go, but for up to 255 of them: whole tiles go.
    step
        Called between steps.
    journal
        Where the journal is, if it is not in the folder.

    Returns
    -------
    tuple
        The first position that was kept before and that is kept now, and the archives written.

    Raises
    ------
    EngineError, LogError, ClockAheadError, OSError
        If it can't be done; nothing is lost, and it can be done again.
    """
    journal = journal or in_folder(path)
    with ExitStack() as stack:
        stack.enter_context(deciding(journal, "journal prune"))
        folder = DataFolder.open(path, journal=journal)
        stack.callback(folder.close)
        log, register = folder.log, folder.register
        log.advance()
        first = log.first()
        cut = log.prunable(position_at(log, before_us))
        if cut > first:
            guard = folder.guard()
            now_us = guard.entry_time_us(register.time_us)
            needs = Needs(cut, now_us, register.policy.kept_after_end_s * 1_000_000)
            needs.gather(log, step)
            state_again(folder, guard, [*needs], cut)
            log.advance()
        return first, cut, archive_and_remove(log, path / ARCHIVE, cut, step)


def state_again(folder: DataFolder, guard: ClockGuard, needs: list[Need], cut: int) -> None:
    """Append base entries, while no coordinator runs.

    Raises
    ------
    EngineError, ClockAheadError
        If they can't be written.
    """
    log, register = folder.log, folder.register
    for start in range(0, len(needs), BATCH):
        group = Group(register, guard.entry_time_us(register.time_us), decide)
        view = register.view(group.time_us)
        for need in needs[start : start + BATCH]:
            if need.is_held(view):
                group.add(own(need.command(cut), need.subject), said=False)
        if not group.made:
            continue
        if log.append(register.head, group.entries()) is not Outcome.ACCEPTED:
            raise EngineError("another process wrote to this journal; stop it and try again")
        for made in group.made:
            register.apply(register.head, group.time_us, made.decided)


def archive_and_remove(log: Log, folder: Path, before: int, step: Step) -> list[Path]:
    """Archive the entries before a position, then remove them from the journal.

    Parameters
    ----------
    log
        The log.
    folder
        Of archives.
    before
        As `Log.prune` takes it.
    step
        Called between steps.

    Returns
    -------
    list of Path
        The archives written.

    Raises
    ------
    OSError, LogError, EngineError
        If something fails; nothing is lost, and it can be done again.
    """
    cut = log.prunable(before)
    written = []
    start = log.first()
    # An interrupted pruning may have left an archive of entries that are still in the journal.
    for path in archive_files(folder):
        archive = Archive(path)
        if archive.first() == start < archive.head() <= cut:
            for at, _ in enumerate(archive.tiles(), 1):
                step("verifying", at, (archive.head() - start) // BATCH)
            start = archive.head()
    while start < cut:
        stop = min(start + ARCHIVE_ENTRIES, cut)
        written.append(
            write_archive(log, folder, start, stop, partial(_archiving, step, 2 * (stop - start)))
        )
        start = stop
    log.prune(cut)
    return written


def _archiving(step: Step, of: int, done: int) -> None:
    step("archiving", done, of)  # `of` counts each entry twice: it is written and read back
