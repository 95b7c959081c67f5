"""A node: a data folder at work, with everything that the service runs beside its requests."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog

from deconflict.geo.pile import load_compiled
from deconflict.register.decide import decide
from deconflict.server.checkpoints import Checkpoints
from deconflict.server.clock import Clock
from deconflict.server.coordinator import Coordinator
from deconflict.server.data_folder import DataFolder
from deconflict.server.fault import described
from deconflict.server.nodes.joining import joined
from deconflict.server.nodes.ties import Neighbourhood, Tied, Ties
from deconflict.server.nodes.wire import PURPOSE, Seal
from deconflict.server.observer import Observer
from deconflict.server.snapshots import EVERY_ENTRIES, Snapshots

if TYPE_CHECKING:
    from deconflict.journal.location import Location
    from deconflict.server.clock import ClockGuard
    from deconflict.server.health import Health, Standing
    from deconflict.server.replay import Progress
    from deconflict.server.sequencer import Sequencer


@dataclass(frozen=True, slots=True)
class Among:
    """What a node is told where several share a journal.

    Attributes
    ----------
    address
        The URL under which the others reach it.
    stale_reads_s
        By how many seconds a read may be behind; 0: not at all.
    trust
        Whether it may join a journal although no other node vouches for its end.
    tls
        How certificates of nodes are verified.
    """

    address: str
    stale_reads_s: float = 0.0
    trust: bool = False
    tls: ssl.SSLContext | None = None


class Node:
    """A data folder, its coordinator, checkpoints and snapshots.

    Made by `open`; `start` and `stop` belong to one event loop.

    Attributes
    ----------
    folder
        The data folder.
    coordinator
        The `deconflict.standards.service.Service`.
    checkpoints
        The thread that signs checkpoints.
    seal
        By which other nodes know this one; ``None`` if the journal is not shared.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        observer: Observer | None = None,
        override_clock: str | None = None,
        clock: Clock | None = None,
        snapshot_every: int = EVERY_ENTRIES,
        neighbourhood: Neighbourhood | None = None,
    ) -> None:
        self.folder = folder
        self.seal = None if neighbourhood is None else neighbourhood.seal
        self._override_clock = override_clock
        guard = folder.guard(clock)
        folder.begin(guard)
        self.checkpoints = Checkpoints(folder.log, observer)
        self._snapshots = Snapshots(
            folder.path, folder.snapshot_head, snapshot_every, folder.journal
        )
        self.coordinator = Coordinator(
            folder.register,
            folder.log,
            guard,
            decide=decide,
            observer=observer,
            committed=self._committed,
            among=None if neighbourhood is None else self._among(neighbourhood),
        )

    def _among(
        self, neighbourhood: Neighbourhood
    ) -> Callable[[Sequencer, Standing, ClockGuard], Ties]:
        """Return what ties this node to the others that share its journal."""

        def tied(sequencer: Sequencer, standing: Standing, guard: ClockGuard) -> Ties:
            return Tied(
                neighbourhood,
                self.folder.engine,
                register=self.folder.register,
                sequencer=sequencer,
                standing=standing,
                guard=guard,
            )

        return tied

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        observer: Observer | None = None,
        override_clock: str | None = None,
        progress: Progress | None = None,
        journal: Location | None = None,
        among: Among | None = None,
    ) -> Self:
        """Open a data folder to serve it; what is missing is made.

        Parameters
        ----------
        path
            The folder.
        observer
            Told what happens.
        override_clock
            Who says that the clock is right, and why; see `Coordinator.start`.
        progress
            Called now and then while entries are replayed.
        journal
            Where the journal is, if it is not in the folder.
        among
            What the node is told about itself where the journal is shared.

        Raises
        ------
        EngineError, LogError, OSError
            If it can't be opened: a sentence that says what to do.
        """
        tls = None if among is None else among.tls
        folder = DataFolder.open(
            path,
            journal=journal,
            progress=progress,
            join=None if among is None else joined(trust=among.trust, tls=tls),
        )
        try:
            load_compiled()  # the first request must not wait for it
            neighbourhood = None
            if among is not None and folder.engine.shared:
                neighbourhood = Neighbourhood(
                    name=f"{among.address}#{secrets.token_hex(4)}",
                    address=among.address,
                    seal=Seal(folder.keys.derived(PURPOSE), among.address),
                    stale_reads_s=among.stale_reads_s,
                    tls=tls,
                )
            return cls(
                folder,
                observer=observer,
                override_clock=override_clock,
                neighbourhood=neighbourhood,
            )
        except BaseException:
            folder.close()
            raise

    async def start(self) -> None:
        """Begin to take commands.

        Raises
        ------
        UnavailableError
            If the clock was to be overridden and that could not be journalled.
        """
        self.checkpoints.start()
        await self.coordinator.start(self._override_clock)

    async def stop(self) -> None:
        """Finish what was taken, sign the last checkpoint, write a snapshot, and close."""
        await self.coordinator.stop()
        await self._snapshots.stop()
        await asyncio.to_thread(self._close)

    def health(self) -> Health:
        """Return the coordinator's state."""
        return self.coordinator.health()

    def _committed(self) -> None:
        self.checkpoints.committed()
        self._snapshots.consider(self.folder.register.head)

    def _close(self) -> None:
        log = structlog.get_logger("deconflict.node")
        self.checkpoints.stop()
        try:
            if self.folder.register.head != self.folder.snapshot_head:
                self.folder.write_snapshot()
        except Exception as error:  # noqa: BLE001 - the journal is whole without a snapshot
            log.warning("no snapshot could be written", error=described(error))
        self.folder.close()
