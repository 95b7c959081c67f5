"""Signing checkpoints behind the commits, in a thread of their own."""

from __future__ import annotations

import threading
import time
from typing import Final, Protocol

import structlog

from deconflict.server.fault import described
from deconflict.server.observer import Observer, SilentObserver

PAUSE_S: Final = 0.04
"""Between two checkpoints, so that many commits share one and it lags below 100 ms."""
_FIRST_RETRY_S: Final = 0.5
_LONGEST_RETRY_S: Final = 30.0
_STOP_S: Final = 30.0


class Advancing(Protocol):
    """What is asked of a `deconflict.journal.log.Log`."""

    def advance(self) -> object:
        """Sign a checkpoint over what was committed since the last one."""
        ...


class Checkpoints:
    """A thread that has the log sign a checkpoint soon after each commit.

    Parameters
    ----------
    log
        The log.
    observer
        Told how long each checkpoint lagged.
    """

    def __init__(self, log: Advancing, observer: Observer | None = None) -> None:
        self._log = log
        self._observer = SilentObserver() if observer is None else observer
        self._committed = threading.Event()
        self._stopping = threading.Event()
        self._since_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._said = structlog.get_logger("deconflict.checkpoints")

    def start(self) -> None:
        """Begin; the first checkpoint covers what an earlier run left uncovered."""
        self.committed()
        self._thread.start()

    def committed(self) -> None:
        """Say that there is something to cover. Costs next to nothing."""
        if self._since_s is None:
            self._since_s = time.monotonic()
            self._committed.set()

    def lag_s(self) -> float:
        """Return for how long something committed has not been covered, seconds."""
        since_s = self._since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def stop(self) -> None:
        """Cover what was committed, and end."""
        self._stopping.set()
        self._committed.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            self._committed.wait()
            stopping = self._stopping.is_set()
            self._committed.clear()
            since_s, self._since_s = self._since_s, None  # what comes from here on counts anew
            try:
                self._log.advance()
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever failed
                self._since_s = since_s
                self._said.error("no checkpoint could be signed", error=described(error))
                if stopping or self._stopping.wait(retry_s):
                    return
                retry_s = min(2 * retry_s, _LONGEST_RETRY_S)
                self._committed.set()
                continue
            retry_s = _FIRST_RETRY_S
            if since_s is not None:
                self._observer.checkpointed(time.monotonic() - since_s)
            if stopping:
                return
            self._stopping.wait(PAUSE_S)
