"""The role of a node: whether it decides, and if not, which node does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import structlog

from deconflict.journal.engine import EngineError, Lease
from deconflict.server.fault import described

LEASE_S: Final = 3.0
"""How long a lease lasts; after so long without its holder another node takes over."""
RENEW_S: Final = LEASE_S / 3
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Role(Protocol):
    """Who decides."""

    @property
    def leads(self) -> bool:
        """Whether this node decides, as far as it can know by itself."""
        ...

    @property
    def leader(self) -> Lease | None:
        """The node that decides; ``None`` while that is not known."""
        ...

    async def start(self) -> None:
        """Find out who decides."""
        ...

    async def stop(self) -> None:
        """Let another node decide."""
        ...


class Alone:
    """The role of a node whose journal nobody else can write."""

    leads: Final = True
    leader: Final = None

    async def start(self) -> None:
        """Do nothing: it is known who decides."""

    async def stop(self) -> None:
        """Do nothing: there is no other node."""


class Leasing(Protocol):
    """What is asked of a `deconflict.journal.engine.Engine`."""

    def lease(self, node: str, address: str, seconds: float) -> Lease:
        """Take the lease if it is free."""
        ...

    def release(self, node: str) -> None:
        """Give it back."""
        ...


class LeaseKeeper:
    """Asks the engine again and again for the lease, and notes whose it is.

    Parameters
    ----------
    engine
        Asked in a thread of its own.
    node, address
        This node's name, and the URL under which the others reach it.
    may_lead
        Whether this node can decide now: one whose clock or register can't be trusted must not.
    changed
        Called on the loop when something is known that was not before.
    failed
        Called on the loop when the engine can't be asked, with a sentence for an operator, and
        with ``None`` when it could be again.
    """

    def __init__(
        self,
        engine: Leasing,
        node: str,
        address: str,
        *,
        may_lead: Callable[[], bool],
        changed: Callable[[], None],
        failed: Callable[[str | None], None],
    ) -> None:
        self._engine = engine
        self._node = node
        self._address = address
        self._may_lead = may_lead
        self._changed = changed
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, "lease")
        self._task: asyncio.Task[None] | None = None
        self._lease: Lease | None = None
        self._until_s = 0.0
        self._log = structlog.get_logger("deconflict.nodes")

    @property
    def leads(self) -> bool:
        """Whether this node holds the lease, by a clock that counts while the process is stopped.

        The time counts from before the engine was asked, so this never says yes for longer than
        the engine does.
        """
        lease = self._lease
        return lease is not None and lease.node == self._node and now_s() < self._until_s

    @property
    def leader(self) -> Lease | None:
        """The node that decides, as the engine said last."""
        return self._lease

    async def start(self) -> None:
        """Ask once, then go on asking in the background."""
        await self._ask()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="lease")

    async def stop(self) -> None:
        """Give the lease back, so that another node need not wait for its end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._lease = None
        await self._give_back()
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await self._ask()

    async def _ask(self) -> None:
        before, led = self._lease, self.leads
        if not self._may_lead():
            if led:
                self._log.warning("this node gives up deciding")
                self._lease = None
                await self._give_back()
                self._changed()
            return
        began_s = now_s()
        try:
            lease = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._engine.lease, self._node, self._address, LEASE_S
            )
        except EngineError as error:
            self._failed(str(error))
            return
        except Exception as error:  # noqa: BLE001 - the next time may go better
            self._log.error("fault while asking for the lease", error=described(error))
            self._failed(f"the lease could not be asked for: {type(error).__name__}")
            return
        self._lease, self._until_s = lease, began_s + LEASE_S
        self._failed(None)
        if before is None or before.node != lease.node or led != self.leads:
            who = "this node decides" if self.leads else "another node decides"
            self._log.info(who, node=lease.node, address=lease.address)
            self._changed()

    async def _give_back(self) -> None:
        try:
            await asyncio.wait_for(
                asyncio.get_running_loop().run_in_executor(
                    self._thread, self._engine.release, self._node
                ),
                LEASE_S,
            )
        except (EngineError, TimeoutError) as error:
            # It ends by itself a few seconds later.
            self._log.info("the lease was not given back", error=described(error))


def asked(engine: Leasing, node: str) -> Lease:
    """Ask for the lease until it is given, or for longer than a node that is gone can hold it.

    An engine that compares no clocks gives it only when it saw for a while that nobody renews it.

    Parameters
    ----------
    engine
        Asked again and again; the lease that it gives lasts for `LEASE_S`.
    node
        The name of whoever asks. It has no address, since it decides for itself alone.

    Returns
    -------
    Lease
        Whose it is.

    Raises
    ------
    EngineError
        If the engine fails.
    """
    until_s = now_s() + LEASE_S + RENEW_S
    while True:
        lease = engine.lease(node, "", LEASE_S)
        if lease.node == node or now_s() > until_s:
            return lease
        time.sleep(RENEW_S)


def now_s() -> float:
    """Return seconds of a clock that nobody sets, and that counts while the machine sleeps."""
    return time.clock_gettime(_CLOCK)
