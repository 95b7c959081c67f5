"""Pruning and restoring, killed before each of the steps that change a file."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deconflict.journal.engine import EngineError
from deconflict.journal.errors import LogError
from deconflict.journal.log import Log
from deconflict.journal.sqlite.writing import Writing
from deconflict.register.command import ENTROPY_BYTES, SetAvailability
from deconflict.register.decide import decide
from deconflict.register.state.held import Availability, Readiness
from deconflict.server import restoring
from deconflict.server.data_folder import DataFolder
from deconflict.server.group import Group
from deconflict.server.own import own
from deconflict.server.pruning import prune_folder
from deconflict.server.record import Record
from deconflict.server.verification import verify_path

ENTRIES = 300
STEPS = ("fsync", "replace", "rename", "link", "unlink")


def filled(path: Path) -> tuple[Availability, ...]:
    """Make a folder with as many parties as entries, and return what it holds."""
    folder = DataFolder.open(path)
    guard = folder.guard()
    folder.begin(guard)
    register = folder.register
    for start in range(0, ENTRIES, 100):
        group = Group(register, guard.entry_time_us(register.time_us), decide)
        for number in range(start, start + 100):
            name = f"party {number}"
            command = SetAvailability(
                party=name,
                entropy=os.urandom(ENTROPY_BYTES),
                of=name,
                old_version="",
                readiness=Readiness.DOWN,
            )
            group.add(own(command, name), said=False)
        folder.log.append(register.head, group.entries())
        for made in group.made:
            register.apply(register.head, group.time_us, made.decided)
    folder.log.advance()
    held = tuple(register.availabilities())
    folder.close()
    return held


def held(path: Path) -> tuple[Availability, ...]:
    folder = DataFolder.open(path)
    try:
        return tuple(folder.register.availabilities())
    finally:
        folder.close()


def killed_before(step: int, action: Callable[[], object]) -> bool:
    """Run an action in a process that is killed before a step; whether it came to its end."""
    child = os.fork()
    if child == 0:
        _kill_before(step)
        try:
            action()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    return True


def _kill_before(step: int) -> None:
    left = iter(range(step))

    def counting(call):
        def counted(*arguments, **options):
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return counted

    for name in STEPS:
        setattr(os, name, counting(getattr(os, name)))
    Writing.transaction = counting(Writing.transaction)
    Writing.scrub = counting(Writing.scrub)
    Log._sign = counting(Log._sign)


def steps(most: int, every: int) -> range:
    """Return the steps to be killed at: all of them in the long form."""
    return range(0, most, 1 if os.environ.get("DECONFLICT_SOAK") else every)


@pytest.mark.slow
def test_a_pruning_killed_at_any_step_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = filled(data)
    ended = killed = 0
    for step in steps(600, 9):
        if killed_before(step, lambda: prune_folder(data, time.time_ns() // 1000)):
            ended += 1
            break
        killed += 1
        assert held(data) == before
        with Record.open(data) as record:
            assert record.first() == 0
            assert [each.position for each in record.read(0)] == list(range(record.head()))
        assert [one.wrong for one in verify_path(data) if one.wrong_count] == []
    assert ended
    assert killed
    assert held(data) == before
    with Record.open(data) as record:
        assert record.first() == 0
        assert record.log.first() >= ENTRIES // 256 * 256


@pytest.mark.slow
def test_a_restore_killed_at_any_step_is_ended_by_another(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = filled(data)
    refused = ended = 0
    for step in steps(600, 7):
        done = killed_before(step, lambda: restoring.restore(data, data, replace=True))
        if not done:
            try:
                folder = DataFolder.open(data)
            except (EngineError, LogError):
                refused += 1  # in the middle of the exchange nothing starts, least of all anew
            else:
                assert tuple(folder.register.availabilities()) == before
                folder.close()
            restoring.restore(data, data, replace=True)
        assert held(data) == before
        assert not (data / "restore.json").exists()
        assert [one.wrong for one in verify_path(data) if one.wrong_count] == []
        if done:
            ended += 1
            break
    assert refused
    assert ended
    asides = list(data.glob("aside-*"))
    assert asides
    for aside in asides:
        assert [one.wrong for one in verify_path(aside) if one.wrong_count] == []
