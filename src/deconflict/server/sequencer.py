"""The sequencer: one task that decides, has the journal commit, and then shows and answers.

Theory of operation. The task takes all that wait as a group, decides each command over one draft,
and has a thread append the entries. Only when they are durable are they applied to the register,
where readers see them, and their callers answered. While a commit runs the next group gathers. The
register is changed by this one task alone.

When an append fails:

=============================  ============================================================
what is known                  what follows
=============================  ============================================================
refused: another writer        the journal is followed, and the group decided again
too large for the engine       the group is cut in two; a single command is refused
nothing written, engine well   all callers of the group are refused; the next append tries
outcome unknown                the callers wait until the journal was verified and read back
must reopen                    every write is refused until the journal was verified
=============================  ============================================================

Where several nodes share an engine, the same task follows the journal when others appended, and
hands what waits to the forwarder while another node decides.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import structlog

from deconflict.journal.engine import (
    EngineError,
    GroupTooLargeError,
    NoSpaceError,
    Outcome,
    UnreachableError,
)
from deconflict.journal.entry import Entry
from deconflict.journal.errors import LogError
from deconflict.server import health
from deconflict.server.backlog import Backlog, Waiting
from deconflict.server.clock import ClockAheadError, ClockGuard
from deconflict.server.fault import described
from deconflict.server.following import SLICE_S, Following
from deconflict.server.group import Decide, Group
from deconflict.server.health import SENTENCES, Standing, State
from deconflict.server.nodes.forwarding import FORWARDED
from deconflict.server.nodes.receiving import NotLeadingError
from deconflict.server.nodes.role import Alone, Role
from deconflict.server.observer import Observer
from deconflict.server.recovering import Recovery
from deconflict.standards.service import UnavailableError

if TYPE_CHECKING:
    from deconflict.journal.log import Opened
    from deconflict.register.state.register import Register

GATHERING_S: Final = 0.01
"""How long a group gathers at most, as long as more and more wait."""
QUIET_ROUNDS: Final = 4
"""So many rounds of the event loop in which nobody came end the gathering: some 40 µs. In the
first the callers of the last group go on, in the second they are sent their answers."""
MOST_ATTEMPTS: Final = 10
"""How often a group is decided again because another writer was faster."""
LONGEST_PAUSE_S: Final = 0.05
"""Before a group is decided again although nothing new is in the journal: a writer is at it."""

_T = TypeVar("_T")


class Journal(Protocol):
    """What the sequencer asks of a `deconflict.journal.log.Log`."""

    def append(self, expected_head: int, entries: Sequence[Entry]) -> Outcome:
        """Commit entries; called from one thread."""
        ...

    def recover(self) -> bool:
        """Close, reopen and verify; whether the last group was committed."""
        ...

    def first(self) -> int:
        """Return the first position that is still kept."""
        ...

    def head(self) -> int:
        """Return the number of entries."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        """Yield entries."""
        ...


class Forwards(Protocol):
    """What the sequencer asks of a `deconflict.server.nodes.forwarding.Forwarder`."""

    @property
    def free(self) -> bool:
        """Whether another batch may be sent."""
        ...

    def send(self, batch: list[Waiting], take_back: Callable[[list[Waiting]], None]) -> None:
        """Have commands decided elsewhere, and their askers answered."""
        ...


class Sequencer:
    """Decides and appends what waits in a backlog.

    Parameters
    ----------
    register
        The state of all entries of the journal.
    journal
        The log, to which nothing else appends.
    guard
        The clock guard, started.
    decide
        The rules.
    backlog
        What waits.
    standing
        The state, kept current here.
    observer
        Told what happens.
    committed
        Called after each commit, when its entries are applied.

    Attributes
    ----------
    role
        Tells whether this node decides; set before `start` where several nodes share the engine.
    forwarder
        Takes what another node decides.
    following
        Applies entries to the register.
    followed
        Called when what others appended has been read.
    """

    def __init__(
        self,
        register: Register,
        journal: Journal,
        guard: ClockGuard,
        *,
        decide: Decide,
        backlog: Backlog,
        standing: Standing,
        observer: Observer,
        committed: Callable[[], None] | None = None,
    ) -> None:
        self.role: Role = Alone()
        self.forwarder: Forwards | None = None
        self.followed: Callable[[], None] | None = None
        self._register = register
        self._journal = journal
        self._guard = guard
        self._decide = decide
        self._backlog = backlog
        self._standing = standing
        self._observer = observer
        self._committed = committed
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "journal")
        self.following = Following(register, journal, standing, self._in_thread, committed)
        self._recovery = Recovery(
            journal,
            register,
            self.following,
            standing=standing,
            stopping=self._stopping,
            in_thread=self._in_thread,
        )
        self._task: asyncio.Task[None] | None = None
        self._busy = False
        self._behind = False
        self._log = structlog.get_logger("deconflict.coordinator")

    @property
    def idle(self) -> bool:
        """Whether nothing is being decided or committed, and nothing waits."""
        return not self._busy and not len(self._backlog)

    def start(self) -> None:
        """Begin to take what waits."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="sequencer")

    def wake(self) -> None:
        """Say that something waits."""
        self._wake.set()

    def follow(self) -> None:
        """Say that the journal may reach farther than the register."""
        self._behind = True
        self._wake.set()

    async def reach(self, position: int) -> None:
        """Return when the register holds all entries before a position.

        Raises
        ------
        EngineError, LogError
            If the journal can't be read now.
        """
        if self._register.head < position:
            self.follow()
            await self.following.reach(position)

    async def stop(self) -> None:
        """Finish what waits, then end."""
        self._stopping.set()
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None
        self._thread.shutdown()

    async def _run(self) -> None:
        while True:
            while not (self._behind or self._takes()):
                if self._stopping.is_set() and not len(self._backlog):
                    return
                self._wake.clear()
                await self._wake.wait()
            self._busy = True
            group: list[Waiting] = []
            try:
                if self._behind:
                    self._behind = False
                    await self._catch_up()
                if self._takes():
                    await self._gather()
                    group = self._backlog.take()
                    self._observer.queued(len(self._backlog))
                    await self._settle(group)
            except Exception as error:  # noqa: BLE001 - no caller may wait for ever
                self._log.error("fault of the coordinator", error=described(error))
                self._break(f"the coordinator failed: {type(error).__name__}")
                self._refuse(group, "fault", health.FAULT)
            finally:
                self._busy = False

    def _takes(self) -> bool:
        """Whether something waits that can go on its way now."""
        return bool(len(self._backlog)) and (
            self.role.leads or self.forwarder is None or self.forwarder.free
        )

    async def _gather(self) -> None:
        """Let those come in who were answered just now, or whose requests are being read.

        Without it a busy service falls into two halves, one of which is read while the other is
        committed: twice as many commits, and two threads that take their turns from one another.
        """
        until = time.perf_counter() + GATHERING_S
        quiet = 0
        while quiet < QUIET_ROUNDS and time.perf_counter() < until:
            before = len(self._backlog)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._backlog) == before else 0

    async def _settle(self, waiting: list[Waiting]) -> None:
        """Bring a group to its end, whichever that is."""
        for _ in range(MOST_ATTEMPTS):
            state = self._standing.state
            if state in {State.BROKEN, State.RECOVERING}:
                self._refuse(waiting, state.value, SENTENCES[state])
                return
            if not self.role.leads:
                self._pass_on(waiting)
                return
            try:
                time_us = self._guard.entry_time_us(self._register.time_us)
            except ClockAheadError as error:
                self._standing.set(State.CLOCK_AHEAD, str(error))
                self._refuse(waiting, State.CLOCK_AHEAD.value, SENTENCES[State.CLOCK_AHEAD])
                return
            group, waiting = await self._decided(waiting, time_us)
            if not waiting or await self._append(group, waiting):
                return
            head = self._register.head
            try:
                await self.following.follow()
            except EngineError as error:
                self._not_written(waiting, State.FAILING, error)
                return
            except LogError as error:
                self._break(str(error))
                self._refuse(waiting, State.BROKEN.value, SENTENCES[State.BROKEN])
                return
            if self._register.head == head:
                await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S))  # noqa: S311 - no secret
        self._refuse(waiting, "not written", health.OVERTAKEN)

    def _pass_on(self, waiting: list[Waiting]) -> None:
        """Have commands decided by the node that leads; what came from another goes back."""
        for one in waiting:
            if one.forwarded or not (one.said or isinstance(one.submission.command, FORWARDED)):
                one.refuse(NotLeadingError(health.NO_SEQUENCER))
        own = [one for one in waiting if not one.future.done()]
        if own and self.forwarder is not None:
            self.forwarder.send(own, self._take_back)

    def _take_back(self, waiting: list[Waiting]) -> None:
        self._backlog.put_back(waiting)
        self._wake.set()

    async def _catch_up(self) -> None:
        """Apply what other nodes appended."""
        try:
            await self.following.follow()
        except EngineError as error:
            # The lease can't be asked for either then, and tells when the engine is back.
            self._log.debug("the journal could not be followed", error=str(error))
            self.following.fail(error)
        except LogError as error:
            self._break(str(error))
            self.following.fail(error)
        if self.followed is not None:
            self.followed()

    async def _decided(
        self, waiting: Iterable[Waiting], time_us: int
    ) -> tuple[Group, list[Waiting]]:
        """Decide a group; returned with those who are in it."""
        group = Group(self._register, time_us, self._decide)
        callers = []
        until = time.perf_counter() + SLICE_S
        for one in waiting:
            try:
                group.add(one.submission, said=one.said)
                callers.append(one)
            except Exception as error:  # noqa: BLE001 - a fault in one refuses only that one
                command = one.submission.command
                self._log.error(
                    "fault while deciding",
                    command=type(command).__name__,
                    party=command.party,
                    error=described(error),
                )
                self._refuse([one], "fault", health.FAULT)
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + SLICE_S
        return group, callers

    async def _append(self, group: Group, callers: list[Waiting]) -> bool:
        """Append a group; ``False`` if another writer was faster, so that it is decided again."""
        began = time.perf_counter()
        entries = group.entries()
        try:
            outcome = await self._in_thread(self._journal.append, self._register.head, entries)
        except NoSpaceError as error:
            self._not_written(callers, State.NO_SPACE, error)
        except GroupTooLargeError:
            await self._halve(callers)
        except EngineError as error:
            if error.outcome_known and not error.must_reopen:
                self._not_written(callers, State.FAILING, error)
            else:
                await self._recover(group, callers, str(error), written=not error.outcome_known)
        except Exception as error:  # noqa: BLE001 - what it left in the file is not known
            self._log.error("fault while appending", error=described(error))
            reason = f"appending failed: {type(error).__name__}"
            await self._recover(group, callers, reason, written=True)
        else:
            if outcome is Outcome.REFUSED:
                return False
            seconds = time.perf_counter() - began
            await self.following.apply(group, callers)
            said_bytes = sum(len(one.submission.call.body) for one in callers)
            self._observer.committed(len(entries), said_bytes, seconds)
            if self._standing.state in {State.NO_SPACE, State.FAILING}:
                self._standing.set(State.WORKING)
            if self._committed is not None:
                self._committed()
        return True

    async def _halve(self, callers: list[Waiting]) -> None:
        """Decide a group in two parts, since the engine does not take it at once."""
        if len(callers) == 1:
            self._refuse(callers, "too large", health.TOO_LARGE)
            return
        middle = len(callers) // 2
        await self._settle(callers[:middle])
        await self._settle(callers[middle:])

    def _not_written(self, callers: list[Waiting], state: State, error: EngineError) -> None:
        if isinstance(error, UnreachableError):
            state = State.UNREACHABLE
        self._standing.set(state, str(error))
        self._refuse(callers, state.value, SENTENCES[state])

    async def _recover(
        self, group: Group, callers: list[Waiting], reason: str, *, written: bool
    ) -> None:
        """Have the journal closed, opened and verified, as often as it takes.

        `written` says whether the group may have been written; its callers then wait.
        """
        refused = State.RECOVERING.value
        self._standing.set(State.RECOVERING, reason)
        self._refuse(self._backlog.clear(), refused, SENTENCES[State.RECOVERING])
        if not written:
            self._refuse(callers, refused, SENTENCES[State.RECOVERING])
        committed = await self._recovery.settle(group.made[0].entry.record(), reason)
        if committed is None:
            broken = self._standing.state is State.BROKEN
            self._refuse(callers, refused, SENTENCES[State.BROKEN] if broken else health.NOT_KNOWN)
            return
        if committed:
            for made, caller in zip(group.made, callers, strict=True):
                caller.answer(made.reply)
            if self._committed is not None:
                self._committed()
        else:
            self._refuse(callers, "not written", health.NOT_WRITTEN)
        self._standing.set(State.WORKING)

    async def _in_thread(self, call: Callable[..., _T], *arguments: Any) -> _T:  # noqa: ANN401
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def _break(self, reason: str) -> None:
        self._standing.set(State.BROKEN, reason)

    def _refuse(self, callers: Sequence[Waiting], reason: str, sentence: str) -> None:
        if not callers:
            return
        self._observer.refused(reason, len(callers))
        for waiting in callers:
            waiting.refuse(UnavailableError(sentence))
