"""The thread that has checkpoints signed."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from deconflict.server import checkpoints as module
from deconflict.server.checkpoints import Checkpoints
from deconflict.server.observer import SilentObserver


class FakeLog:
    def __init__(self, failures: int = 0) -> None:
        self.advanced = threading.Semaphore(0)
        self.failures = failures
        self.calls = 0

    def advance(self) -> object:
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full at 36.37 N")
        self.advanced.release()
        return None


class Lags(SilentObserver):
    def __init__(self) -> None:
        self.lags: list[float] = []

    def checkpointed(self, seconds: float) -> None:
        self.lags.append(seconds)


def test_a_checkpoint_follows_the_start_and_each_commit_and_the_stop() -> None:
    log, lags = FakeLog(), Lags()
    checkpoints = Checkpoints(log, lags)
    checkpoints.start()
    assert log.advanced.acquire(timeout=10)
    checkpoints.committed()
    assert log.advanced.acquire(timeout=10)
    checkpoints.stop()
    assert log.advanced.acquire(timeout=10)
    assert log.calls == 3
    assert checkpoints.lag_s() == 0
    assert lags.lags
    assert min(lags.lags) >= 0


def test_many_commits_share_a_checkpoint() -> None:
    log = FakeLog()
    checkpoints = Checkpoints(log)
    for _ in range(1_000):
        checkpoints.committed()
    checkpoints.start()
    assert log.advanced.acquire(timeout=10)
    checkpoints.stop()
    assert log.calls <= 3


def test_what_failed_is_tried_again_and_counts_as_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_RETRY_S", 0.0)
    log, lags = FakeLog(failures=2), Lags()
    checkpoints = Checkpoints(log, lags)
    with capture_logs() as logs:
        checkpoints.start()
        assert log.advanced.acquire(timeout=10)
        checkpoints.stop()
    assert len(logs) == 2
    assert "36.37" not in str(logs)
    assert len(lags.lags) >= 1


def test_a_failure_at_the_stop_ends_the_thread_and_the_lag_goes_on() -> None:
    log = FakeLog(failures=10_000)
    checkpoints = Checkpoints(log)
    checkpoints.start()
    with capture_logs():
        checkpoints.stop()
    assert not checkpoints._thread.is_alive()
    first = checkpoints.lag_s()
    assert 0 < first <= checkpoints.lag_s()
