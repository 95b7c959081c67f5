"""One answer for all who asked before it was looked for."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock

from deconflict.journal.engine import EngineError


class _Turn:
    def __init__(self) -> None:
        self.done = Event()
        self.taken = False
        self.answer: int | EngineError | None = None


class Turns:
    """Shares each run of a question among the threads that asked before it began.

    Who asks while one runs waits for the next one: what it may rely on began after it asked.

    Parameters
    ----------
    question
        Runs in the thread of one of those who ask; raises nothing but `EngineError`.
    """

    def __init__(self, question: Callable[[], int]) -> None:
        self._question = question
        self._lock = Lock()
        self._running = Lock()
        self._next = _Turn()

    def ask(self) -> int:
        """Return the answer of a run that began after this call did.

        Raises
        ------
        EngineError
            As the question does, in each thread that shares the run.
        """
        with self._lock:
            turn = self._next
            leads = not turn.taken
            turn.taken = True
        if leads:
            self._run(turn)
        else:
            turn.done.wait()
        if isinstance(turn.answer, int):
            return turn.answer
        if turn.answer is None:
            raise EngineError("the journal was not asked: the thread that began it was ended")
        # Each thread gets an error of its own, since a traceback grows on it.
        raise type(turn.answer)(str(turn.answer)) from turn.answer

    def _run(self, turn: _Turn) -> None:
        try:
            with self._running:
                with self._lock:
                    self._next = _Turn()
                try:
                    turn.answer = self._question()
                except EngineError as error:
                    turn.answer = error
        finally:
            turn.done.set()
