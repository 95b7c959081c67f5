"""The coordinator: the service as handlers see it, and what time demands of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from deconflict.journal.engine import Lease
from deconflict.register.command import ENTROPY_BYTES, Command, OverrideClock, RecordReads, Tick
from deconflict.register.state.view import View
from deconflict.server import health
from deconflict.server.aside import Aside, T
from deconflict.server.backlog import DEFAULT_BOUNDS, Backlog, Bounds, Waiting
from deconflict.server.clock import ClockAheadError, ClockGuard
from deconflict.server.group import Decide
from deconflict.server.health import REFUSES_AT_ONCE, SENTENCES, Health, Standing, State
from deconflict.server.nodes.ties import Ties, Untied
from deconflict.server.observer import Observer, SilentObserver
from deconflict.server.own import SERVICE_SUBJECT, own
from deconflict.server.reads import DEFAULT_READ_BOUNDS, Cut, ReadBounds, Reads
from deconflict.server.sequencer import Journal, Sequencer
from deconflict.standards.service import Call, Reply, Submission, UnavailableError

if TYPE_CHECKING:
    from deconflict.register.state.register import Register

PULSE_S: Final = 1.0
"""How often time is looked at: ticks, batches of reads, the clock."""
TICK_SLACK_US: Final = 100_000
"""How long after it is due an expiry waits for another entry that brings it about."""
SAVE_CLOCK_S: Final = 10.0


class Coordinator:
    """The `deconflict.standards.service.Service` of one node.

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
    observer
        Told what happens.
    bounds, read_bounds
        Of the queue, of groups and of reads not yet journalled.
    committed
        Called after each commit, when its entries are applied.
    among
        Makes what ties this node to others; without it the node is alone with its journal.
    """

    def __init__(
        self,
        register: Register,
        journal: Journal,
        guard: ClockGuard,
        *,
        decide: Decide,
        observer: Observer | None = None,
        bounds: Bounds = DEFAULT_BOUNDS,
        read_bounds: ReadBounds = DEFAULT_READ_BOUNDS,
        committed: Callable[[], None] | None = None,
        among: Callable[[Sequencer, Standing, ClockGuard], Ties] | None = None,
    ) -> None:
        self._register = register
        self._guard = guard
        self._observer = SilentObserver() if observer is None else observer
        self._backlog = Backlog(bounds)
        self._reads = Reads(read_bounds)
        self._standing = Standing()
        self._sequencer = Sequencer(
            register,
            journal,
            guard,
            decide=decide,
            backlog=self._backlog,
            standing=self._standing,
            observer=self._observer,
            committed=committed,
        )
        self._ties: Ties = Untied()
        if among is not None:
            self._ties = among(self._sequencer, self._standing, guard)
        self._aside = Aside()
        self._stopping = False
        self._pulsing: asyncio.TimerHandle | None = None
        self._saved_at_s = time.monotonic()
        self._log = structlog.get_logger("deconflict.coordinator")

    def view(self) -> View:
        """Return the register as of now, durable entries only.

        Raises
        ------
        UnavailableError
            If the register could not take what is in the journal: what it shows may be wrong.
        """
        if self._standing.state is State.BROKEN:
            raise UnavailableError(SENTENCES[State.BROKEN])
        return self._register.view(self._guard.reading_time_us(self._register.time_us))

    async def current(self) -> float | None:
        """See to it that `view` shows all that was answered, by any node, before the call.

        Returns
        -------
        float or None
            ``None`` if so; else by how many seconds at the most `view` may be behind, where the
            settings allow that.

        Raises
        ------
        UnavailableError
            If that can't be found out now.
        """
        if self._standing.state is State.BROKEN:
            raise UnavailableError(SENTENCES[State.BROKEN])
        return await self._ties.current()

    @property
    def leads(self) -> bool:
        """Whether this node decides."""
        return self._sequencer.role.leads

    @property
    def leader(self) -> Lease | None:
        """The node that decides; ``None`` where there is one node, or it is not known."""
        return self._sequencer.role.leader

    async def submit(self, submission: Submission, *, forwarded: bool = False) -> Reply:
        """Decide a command, make it durable, and return the caller's reply.

        Parameters
        ----------
        submission
            The command.
        forwarded
            Whether another node sent it: then it is decided here or not at all.

        Raises
        ------
        NotLeadingError
            If it was forwarded and this node doesn't decide.
        UnavailableError
            If it can't be taken or written.
        """
        state = self._state()
        if state in REFUSES_AT_ONCE:
            self._observer.refused(state.value, 1)
            raise UnavailableError(SENTENCES[state])
        if self._backlog.full(len(submission.call.body)):
            self._observer.refused("queue full", 1)
            raise UnavailableError(health.QUEUE_FULL)
        return await self._queue(submission, forwarded=forwarded)

    def submit_own(
        self, command: Command, subject: str, *, forwarded: bool = False
    ) -> asyncio.Future[Reply]:
        """Queue a command of the service itself.

        Returns
        -------
        asyncio.Future
            Done when the command's entry is durable and applied; it may fail as `submit` does.

        Raises
        ------
        UnavailableError
            If it can't be taken.
        """
        state = self._state()
        if state in REFUSES_AT_ONCE:
            raise UnavailableError(SENTENCES[state])
        return self._queue_own(command, subject, forwarded=forwarded)

    async def aside(self, call: Call, work: Callable[[], T]) -> T:
        """Return what work over a call's body comes to; a large body's is done in a thread."""
        return await self._aside(call, work)

    def answered(self, call: Call, shown: Sequence[str]) -> None:
        """Have a read journalled within about a second.

        Reads answered and not yet journalled when the process is killed are lost: those of the
        last second, or of the time since the journal could last be written.

        Raises
        ------
        UnavailableError
            If the journal has taken nothing for so long that no more can be kept. The answer must
            then not be sent.
        """
        if self._reads.add(call, shown, self._guard.reading_time_us(self._register.time_us)):
            self._record_reads()

    def entropy(self) -> bytes:
        """Return unpredictable bytes for one command."""
        return os.urandom(ENTROPY_BYTES)

    async def start(self, override_clock: str | None = None) -> None:
        """Begin to take commands.

        Parameters
        ----------
        override_clock
            Who says that the clock is right, and why. Journalled if the clock guard would not
            write; else nothing comes of it.

        Raises
        ------
        UnavailableError
            If the override could not be journalled.
        """
        self._sequencer.start()
        self._look_at_clock()
        await self._ties.start()
        ahead_us = self._guard.ahead_us()
        if ahead_us and override_clock is not None and override_clock.strip():
            ahead_s = ahead_us // 1_000_000
            self._log.warning("clock overridden", words=override_clock, ahead_s=ahead_s)
            self._guard.override()
            await self._queue_own(
                OverrideClock(
                    party="", entropy=self.entropy(), words=override_clock, ahead_s=ahead_s
                ),
                SERVICE_SUBJECT,
            )
            self._look_at_clock()
        self._save_clock()
        self._pulse_after()

    async def stop(self) -> None:
        """Finish what was taken, journal the reads, and take nothing more."""
        if self._pulsing is not None:
            self._pulsing.cancel()
            self._pulsing = None
        self._stopping = True
        if self._standing.state not in REFUSES_AT_ONCE:
            self._reads.cut()
            self._record_reads()
        await self._sequencer.stop()
        await self._ties.stop()
        await asyncio.sleep(0)  # so that batches of reads learn what became of them
        lost = self._reads.waiting()
        if lost:
            self._log.error("answered reads could not be journalled", bytes=lost)
        self._save_clock()

    async def ended(self) -> str:
        """Return, once nothing but another start of the service helps, why."""
        await self._standing.over.wait()
        return self._standing.reason

    def health(self) -> Health:
        """Return the state, for /readyz and metrics."""
        state = self._state()
        return Health(
            state=state,
            reason=self._standing.reason or ("" if state is State.WORKING else SENTENCES[state]),
            head=self._register.head,
            queued=len(self._backlog),
            clock_behind_s=self._guard.behind_us(self._register.time_us) / 1e6,
        )

    def pulse(self) -> None:
        """Do what time demands; called about once a second between start and stop."""
        self._look_at_clock()
        if time.monotonic() - self._saved_at_s >= SAVE_CLOCK_S:
            self._save_clock()
        if self._standing.state in REFUSES_AT_ONCE:
            return
        self._reads.cut()
        self._record_reads()
        # After a failure an entry of no consequence finds out whether the journal works again.
        failed = self._standing.state is not State.WORKING
        if self.leads and self._sequencer.idle and (failed or self._due()):
            self._queue_own(
                Tick(party="", entropy=self.entropy()), SERVICE_SUBJECT
            ).add_done_callback(_heard)

    def _pulse_after(self) -> None:
        self._pulsing = asyncio.get_running_loop().call_later(PULSE_S, self._pulse_on)

    def _pulse_on(self) -> None:
        self._pulse_after()
        self.pulse()

    def _state(self) -> State:
        state = self._standing.state
        if self._stopping and state is not State.BROKEN:
            return State.STOPPING
        return state

    def _look_at_clock(self) -> None:
        standing = self._standing
        try:
            self._guard.entry_time_us(self._register.time_us)
        except ClockAheadError as error:
            if standing.state not in {State.RECOVERING, State.UNREACHABLE}:
                standing.set(State.CLOCK_AHEAD, str(error))
        else:
            if standing.state is State.CLOCK_AHEAD:
                standing.set(State.WORKING)

    def _save_clock(self) -> None:
        self._saved_at_s = time.monotonic()
        try:
            self._guard.save()
        except OSError as error:
            # Without it the next start is treated like one of the machine, which is stricter.
            self._log.warning("the clock's anchor could not be kept", error=str(error))

    def _due(self) -> bool:
        due_us = self._register.next_due_us()
        now_us = self._guard.reading_time_us(self._register.time_us)
        return due_us is not None and due_us + TICK_SLACK_US <= now_us

    def _record_reads(self) -> None:
        if self._standing.state in REFUSES_AT_ONCE:
            return
        for cut in self._reads.ready():
            command = RecordReads(party="", entropy=self.entropy(), batch=cut.batch)
            future = self._queue_own(command, cut.batch.party)
            future.add_done_callback(partial(self._recorded, cut))

    def _recorded(self, cut: Cut, done: asyncio.Future[Reply]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._reads.put_back(cut)
        else:
            self._reads.kept(cut)
            self._observer.reads_recorded(len(cut.batch.reads))

    def _queue(
        self, submission: Submission, *, said: bool = True, forwarded: bool = False
    ) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._backlog.add(Waiting(submission, future, said=said, forwarded=forwarded))
        self._sequencer.wake()
        return future

    def _queue_own(
        self, command: Command, subject: str, *, forwarded: bool = False
    ) -> asyncio.Future[Reply]:
        return self._queue(own(command, subject), said=False, forwarded=forwarded)


def _heard(done: asyncio.Future[Reply]) -> None:
    """Take note of a failure that the state tells already."""
    if not done.cancelled():
        done.exception()
