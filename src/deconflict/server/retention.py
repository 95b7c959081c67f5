"""Retention: a running service prunes by itself, in small steps, when little goes on.

What is live is stated again through the coordinator's queue, like every other command. All else
runs in a thread that rests after each step, and appends come in between.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import structlog

from deconflict.journal.tile import WIDTH
from deconflict.server.fault import described
from deconflict.server.pruning import Need, Needs, archive_and_remove, position_at
from deconflict.server.record import ARCHIVE

if TYPE_CHECKING:
    from deconflict.server.coordinator import Coordinator
    from deconflict.server.data_folder import DataFolder

DAY_US: Final = 86_400_000_000
LEAST_ENTRIES: Final = 16 * WIDTH
"""Fewer are not worth a pruning, each of which states again what is live."""
EVERY_S: Final = 600.0
"""Between two looks at what has grown too old."""
REST_S: Final = 0.03
"""After each step of some milliseconds, so that the others have most of the time."""
BUSY_REST_S: Final = 0.3
MOST_BUSY_RESTS: Final = 20
"""How often a step waits for a queue that is never empty."""
_TOGETHER: Final = 32
"""Base entries that wait at a time."""


class StoppedError(Exception):
    """The service stops, so the pruning ends where it is; the next one goes on."""


class Retention:
    """Prunes the journal of a running service.

    Parameters
    ----------
    folder
        The open data folder; its register belongs to the event loop's thread.
    coordinator
        Decides the base entries.
    days
        How long entries are kept.
    every_s, least_entries
        How often is looked, and how many must be too old.
    """

    def __init__(
        self,
        folder: DataFolder,
        coordinator: Coordinator,
        days: float,
        *,
        every_s: float = EVERY_S,
        least_entries: int = LEAST_ENTRIES,
    ) -> None:
        self._folder = folder
        self._coordinator = coordinator
        self._kept_us = int(days * DAY_US)
        self._every_s = every_s
        self._least = least_entries
        self._stopping = threading.Event()
        self._thread = ThreadPoolExecutor(1, "retention")
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("deconflict.retention")

    def start(self) -> None:
        """Begin to look now and then."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """End, a pruning that is under way too; call it before the coordinator is stopped."""
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self) -> None:
        while True:
            try:
                await self.prune()
            except StoppedError:
                return
            except Exception as error:  # noqa: BLE001 - the next look tries again
                self._log.warning("the journal was not pruned", error=described(error))
            await asyncio.sleep(self._every_s)

    async def prune(self) -> int:
        """Prune what is too old now.

        Returns
        -------
        int
            How many entries left the journal.
        """
        if not self._decides():
            return 0  # the node that decides does it
        loop = asyncio.get_running_loop()
        log = self._folder.log
        view = self._coordinator.view()
        first = log.first()
        cut = await loop.run_in_executor(self._thread, self._cut, view.now_us - self._kept_us)
        if cut - first < self._least:
            return 0
        needs = Needs(cut, view.now_us, view.policy.kept_after_end_s * 1_000_000)
        await loop.run_in_executor(self._thread, needs.gather, log, self._step)
        await self._state_again([*needs], cut)
        if not self._decides():
            return 0  # another node took over meanwhile; what was stated again is there for it
        archives = await loop.run_in_executor(
            self._thread, archive_and_remove, log, self._folder.path / ARCHIVE, cut, self._step
        )
        self._log.info(
            "journal pruned", entries=cut - first, archives=[path.name for path in archives]
        )
        return cut - first

    def _decides(self) -> bool:
        return self._coordinator.leads

    def _cut(self, before_us: int) -> int:
        log = self._folder.log
        return log.prunable(position_at(log, before_us))

    async def _state_again(self, needs: list[Need], cut: int) -> None:
        for start in range(0, len(needs), _TOGETHER):
            view = self._coordinator.view()
            await asyncio.gather(
                *(
                    self._coordinator.submit_own(need.command(cut), need.subject)
                    for need in needs[start : start + _TOGETHER]
                    if need.is_held(view)
                )
            )
            await asyncio.sleep(REST_S)

    def _step(self, _what: str, _done: int, _of: int) -> None:
        """Rest, longer while commands wait."""
        for _ in range(MOST_BUSY_RESTS):
            busy = self._coordinator.health().queued
            if self._stopping.wait(BUSY_REST_S if busy else REST_S):
                raise StoppedError
            if not busy:
                return
