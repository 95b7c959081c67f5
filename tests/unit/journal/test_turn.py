"""Who may share an answer with whom."""

from __future__ import annotations

import threading

import pytest

from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.turn import Turns


class Question:
    """Answers with the number of the run, when it is let."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def __call__(self) -> int:
        self.runs += 1
        run = self.runs
        self.begun.release()
        assert self.may_end.acquire(timeout=30)
        return run


def _asking(turns: Turns, answers: list[int]) -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.append(turns.ask()))
    thread.start()
    return thread


def test_who_asks_while_one_runs_shares_the_next_run_with_all_others_who_do():
    question, first, later = Question(), [], []
    turns = Turns(question)
    threads = [_asking(turns, first)]
    assert question.begun.acquire(timeout=30)
    threads += [_asking(turns, later) for _ in range(5)]
    question.may_end.release()
    for _ in range(5):
        question.may_end.release()
    for thread in threads:
        thread.join(30)
    assert first == [1]
    # However late a thread was started, it never got the run that was under way when it asked.
    assert len(later) == 5
    assert min(later) >= 2


def test_a_failure_reaches_each_who_shares_it_as_an_error_of_its_own():
    def fail() -> int:
        raise UnreachableError("nobody is there")

    turns = Turns(fail)
    errors = []
    for _ in range(2):
        with pytest.raises(UnreachableError, match="nobody is there") as caught:
            turns.ask()
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert isinstance(errors[0], EngineError)
