"""The tail: a thread that notices when other nodes appended something."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from deconflict.journal.engine import EngineError
from deconflict.server.fault import described

LOOK_S: Final = 1.0
"""How often is looked when no word comes."""


class Waiting(Protocol):
    """What is asked of a `deconflict.journal.engine.Engine`."""

    def wait(self, position: int, seconds: float) -> None:
        """Return when the head may lie beyond a position."""
        ...


class Tail:
    """Calls a function on the event loop whenever the journal may reach farther.

    Parameters
    ----------
    engine
        Waited on in a thread.
    position
        Returns how far this node has read.
    leads
        Whether this node appends itself; then it is enough to look once a second.
    moved
        Called on the loop.
    """

    def __init__(
        self,
        engine: Waiting,
        *,
        position: Callable[[], int],
        leads: Callable[[], bool],
        moved: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._position = position
        self._leads = leads
        self._moved = moved
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tail", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = threading.Event()
        self._log = structlog.get_logger("deconflict.nodes")

    def start(self) -> None:
        """Begin to wait."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """End soon; the thread ends with the engine at the latest."""
        self._stopping.set()
        self._told.set()

    def read_on(self) -> None:
        """Say that what was told of has been read, so that the next may be waited for."""
        self._told.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._leads():
                    self._stopping.wait(LOOK_S)
                else:
                    self._engine.wait(self._position(), LOOK_S)
            except EngineError as error:
                self._log.debug("the journal could not be waited on", error=str(error))
                self._stopping.wait(LOOK_S)
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever failed
                self._log.error("fault while waiting on the journal", error=described(error))
                self._stopping.wait(LOOK_S)
            if self._stopping.is_set() or self._loop is None:
                return
            self._told.clear()
            try:
                self._loop.call_soon_threadsafe(self._moved)
            except RuntimeError:
                return  # the loop has ended
            self._told.wait()  # one word at a time, however fast the journal moves
