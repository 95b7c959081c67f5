"""Waiting for what others append: woken by a message that may get lost, and looking by itself."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from deconflict.journal.engine import EngineError
from deconflict.journal.jetstream.link import PAUSE_S, Link
from deconflict.journal.jetstream.messages import Messages
from deconflict.journal.jetstream.stream import Names
from deconflict.journal.jetstream.tail import Tail

POLL_S: Final = 1.0


class Waiting:
    """For one thread, beside all else.

    Parameters
    ----------
    link
        Asks the servers.
    names
        Of the streams.
    messages
        Reads them.
    tail
        Knows where the journal ends.
    """

    def __init__(self, link: Link, names: Names, messages: Messages, tail: Tail) -> None:
        self._link = link
        self._names = names
        self._messages = messages
        self._tail = tail

    async def wait(self, position: int, seconds: float) -> None:
        """Return when the head may lie beyond a position, or after some seconds."""
        until = time.monotonic() + seconds
        moved = self._tail.moved
        while self._tail.head <= position:
            moved.clear()
            try:
                await self._link.listen(self._names.appended, moved.set)
                if await self._messages.next_entries(self._tail.sequence + 1) is not None:
                    return
            except EngineError:
                # Whoever is woken learns from the engine what is wrong; here only time passes.
                await asyncio.sleep(PAUSE_S)
            left = until - time.monotonic()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(min(POLL_S, left)):
                    await moved.wait()
            except TimeoutError:
                continue
            return
