"""What ties a node to the others: role, forwarding, following, and reads that are current."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from deconflict.journal.engine import Engine, EngineError
from deconflict.journal.errors import LogError
from deconflict.server import health
from deconflict.server.health import Standing, State
from deconflict.server.nodes.barrier import Barrier
from deconflict.server.nodes.forwarding import Forwarder
from deconflict.server.nodes.role import LeaseKeeper, now_s
from deconflict.server.nodes.tail import Tail
from deconflict.standards.service import UnavailableError

if TYPE_CHECKING:
    import ssl

    from deconflict.register.state.register import Register
    from deconflict.server.clock import ClockGuard
    from deconflict.server.nodes.wire import Seal
    from deconflict.server.sequencer import Sequencer

CURRENT_S: Final = 5.0
"""How long a read waits until what it shows is known to be the newest."""


class Ties(Protocol):
    """What the coordinator asks of the other nodes."""

    async def start(self) -> None:
        """Begin to take part."""
        ...

    async def stop(self) -> None:
        """Take part no more."""
        ...

    async def current(self) -> float | None:
        """Be current, or say by how many seconds at the most not."""
        ...


class Untied:
    """A node that is alone with its journal: what it knows is always the newest."""

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""

    async def current(self) -> None:
        """Be current."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What a node is told about itself among others.

    Attributes
    ----------
    name
        Its name, like no other's.
    address
        The URL under which the others reach it.
    seal
        By which nodes know each other.
    stale_reads_s
        By how many seconds a read may be behind; 0: not at all.
    tls
        How certificates of nodes are verified; ``None``: as the system does.
    """

    name: str
    address: str
    seal: Seal
    stale_reads_s: float = 0.0
    tls: ssl.SSLContext | None = None


class Tied:
    """The ties of one node to the others.

    Parameters
    ----------
    neighbourhood
        What the node is told about itself.
    engine
        The engine that all nodes share.
    register
        Followed up to the journal's head.
    sequencer, standing, guard
        Of this node's coordinator.
    """

    def __init__(
        self,
        neighbourhood: Neighbourhood,
        engine: Engine,
        *,
        register: Register,
        sequencer: Sequencer,
        standing: Standing,
        guard: ClockGuard,
    ) -> None:
        self._standing = standing
        self._guard = guard
        self._sequencer = sequencer
        self._stale_s = neighbourhood.stale_reads_s
        self._current_at_s: float | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._barrier = Barrier(engine.head)
        self._keeper = LeaseKeeper(
            engine,
            neighbourhood.name,
            neighbourhood.address,
            may_lead=self._may_lead,
            changed=sequencer.follow,
            failed=self._failed,
        )
        self._forwarder = Forwarder(
            self._keeper, neighbourhood.seal, done=sequencer.wake, tls=neighbourhood.tls
        )
        self._tail = Tail(
            engine,
            position=lambda: register.head,
            leads=lambda: self._keeper.leads,
            moved=sequencer.follow,
        )
        sequencer.role = self._keeper
        sequencer.forwarder = self._forwarder
        sequencer.followed = self._tail.read_on
        self._log = structlog.get_logger("deconflict.nodes")

    async def start(self) -> None:
        """Ask for the lease, and begin to follow."""
        await self._keeper.start()
        self._tail.start()

    async def stop(self) -> None:
        """Let another node decide, and end what is on its way."""
        await self._keeper.stop()
        self._tail.stop()
        await self._forwarder.stop()
        if self._refreshing is not None:
            self._refreshing.cancel()
        await self._barrier.stop()

    async def current(self) -> float | None:
        """Follow the journal up to where it reached when this was called.

        Where reads may be stale, one is answered at once while the last such moment is near
        enough, and the next is sought beside it.
        """
        if not self._stale_s:
            await self._follow()
            return None
        behind_s = self._behind_s()
        if behind_s is None or behind_s > self._stale_s:
            await self._follow()
            return None
        if behind_s > self._stale_s / 2 and self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh())
        return behind_s

    def _behind_s(self) -> float | None:
        at_s = self._current_at_s
        return None if at_s is None else now_s() - at_s

    async def _follow(self) -> None:
        began_s = now_s()
        try:
            async with asyncio.timeout(CURRENT_S):
                head = await self._barrier.head()
                await self._sequencer.reach(head)
        except (EngineError, LogError, TimeoutError) as error:
            self._log.info("a read can't be current", error=str(error) or "it took too long")
            raise UnavailableError(health.NOT_CURRENT) from error
        self._current_at_s = began_s

    async def _refresh(self) -> None:
        try:
            await self._follow()
        except UnavailableError:
            self._log.debug("reads grow stale")  # the next one that is too stale is refused
        finally:
            self._refreshing = None

    def _may_lead(self) -> bool:
        if self._standing.state in {State.BROKEN, State.RECOVERING}:
            return False
        return not self._guard.ahead_us()

    def _failed(self, why: str | None) -> None:
        standing = self._standing
        if why is not None:
            if standing.state in {State.WORKING, State.FAILING}:
                standing.set(State.UNREACHABLE, why)
        elif standing.state is State.UNREACHABLE:
            standing.set(State.WORKING)
            self._sequencer.follow()
        elif standing.state in {State.NO_SPACE, State.FAILING} and not self._keeper.leads:
            standing.set(State.WORKING)  # another node appends now; this one need not find out
