"""The barrier: how far the journal reaches, asked once for all reads that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Barrier:
    """Shares answers of `deconflict.journal.engine.Engine.head` among those who ask.

    Who asks while a question is on its way shares the next one: the answer to the one that began
    earlier says nothing of what was acknowledged since.

    Parameters
    ----------
    head
        Returns the head, or raises `EngineError`; called in a thread of its own.
    """

    def __init__(self, head: Callable[[], int]) -> None:
        self._head = head
        self._thread = ThreadPoolExecutor(1, "barrier")
        self._next: asyncio.Future[int] | None = None
        self._task: asyncio.Task[None] | None = None

    async def head(self) -> int:
        """Return a position no lower than that of any append acknowledged before the call.

        Raises
        ------
        EngineError
            If the engine can't promise that now.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        shared = self._next
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="barrier")
        return await asyncio.shield(shared)

    async def stop(self) -> None:
        """End, once nobody asks any more."""
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        try:
            while self._next is not None:
                asked, self._next = self._next, None
                await self._ask(asked)
        finally:
            self._task = None

    async def _ask(self, asked: asyncio.Future[int]) -> None:
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._head)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            asked.set_exception(error)
            asked.exception()  # they may all have gone by now
        else:
            asked.set_result(found)
