"""The service is killed again and again while parties write, and nothing it answered is lost."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from resting import Resting
from serving import DECONFLICT, Service
from witness import Court

KILLS = 10
KILLS_LONG = 200
MOST_WRITES = 80
"""Answers before a kill, so that the journal stays short enough to be verified after each."""
LATEST_S = 0.02
"""A kill comes up to this long after the answer that it waits for: anywhere in a commit."""
WHOLE_EVERY = 20
"""Kills of the long form after which all signatures, and not the new ones alone, are checked."""


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(
    make_service, long_form, tmp_path: Path
) -> None:
    chance = random.Random(3)
    service = make_service("--log-requests", "failed").start()
    court = Court(service, seed=3)
    kept = tmp_path / "checkpoint"
    checkpoint, head = Resting(service.data).checkpoint(), 0
    for kill in range(KILLS_LONG if long_form else KILLS):
        shutil.copy(service.data / "log" / "checkpoint", kept)
        _killed(chance, service, court)
        verified = subprocess.run(
            [DECONFLICT, "journal", "verify", service.data, "--checkpoint", kept],
            capture_output=True,
            text=True,
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr
        rest = Resting(service.data)
        rest.verify(since=0 if kill % WHOLE_EVERY == 0 else head)
        assert rest.extends(checkpoint)
        checkpoint, head = rest.checkpoint(), rest.head
        service.start()
        court.testify()
        assert {name: rest.versions[name] for name in court.versions()} == court.versions()
    assert service.stop() == 0
    rest = Resting(service.data)
    rest.verify()
    # The last snapshot is the live register as it was when the service stopped.
    assert rest.snapshot_head == rest.head


def _killed(chance: random.Random, service: Service, court: Court) -> None:
    """Kill the service: mostly at work, sometimes while it starts or stops."""
    moment = chance.random()
    with court.load() as load:
        writes = chance.randrange(1, MOST_WRITES)
        load.until(lambda load: load.carried_out >= writes)
        if moment < 0.2:
            service.process.terminate()
        _wait(chance.uniform(0.0, LATEST_S if moment >= 0.2 else 0.3))
        service.kill()
    if moment > 0.9:
        service.launch()
        _wait(chance.uniform(0.0, 1.5))
        service.kill()


def _wait(seconds: float) -> None:
    """Let a part of a commit, a stop or a start go by: which one is what chance decides."""
    time.sleep(seconds)
