"""The wall clock of a running service is set, forth and back."""

from __future__ import annotations

import struct
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from deconflict.cli.status import ExitStatus
from deconflict.register.event import ClockOverridden, decode_decided
from deconflict.server.data_folder import DataFolder
from deconflict.server.health import SENTENCES, State
from machine import preloaded
from witness import INTENTS, Court, Line

YEAR_S = 365 * 24 * 3600
HOUR_S = 3600
WORDS = "the duty officer compared it with two receivers"


class Clock:
    """The wall clock of a service, as far as it differs from ours."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.shift_s = 0
        file.write_bytes(struct.pack("=q", 0))

    def set(self, shift_s: int) -> None:
        """Let it be so many seconds ahead of ours."""
        self.shift_s = shift_s
        with self.file.open("r+b") as file:  # in place: the service has it mapped
            file.write(struct.pack("=q", shift_s))

    def now_s(self) -> float:
        """Return what it says."""
        return time.time() + self.shift_s


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "shift")


@pytest.fixture
def environment(clock: Clock, tmp_path: Path) -> dict[str, str]:
    library = preloaded("shifted_clock.c", tmp_path)
    return {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(clock.file)}


@pytest.fixture
def court(court_in, tmp_path: Path, environment) -> Court:
    court = court_in(tmp_path / "data", **environment)
    with court.load() as load:
        load.until(lambda load: load.carried_out > 30)
    return court


def readiness(court: Court) -> str:
    reply = httpx.get(f"{court.service.base_url}/readyz", trust_env=False, timeout=60)
    assert reply.status_code == (503 if reply.json()["reasons"] else 200)
    return " ".join(reply.json()["reasons"])


def until_ready(court: Court, *, ready: bool = True) -> str:
    for _ in range(100_000):
        why = readiness(court)
        if (not why) is ready:
            return why
    raise AssertionError(f"it never changed: {why}")


def refused(court: Court, clock: Clock) -> None:
    """Have each witness write once, and be refused because of the clock."""
    for witness, line in zip(court.witnesses, court.lines(clock.now_s()), strict=True):
        with closing(line):
            assert not witness.write(line)
        assert witness.refusals[-1] == SENTENCES[State.CLOCK_AHEAD]


@pytest.mark.parametrize("ahead_s", [6, YEAR_S])
def test_a_clock_that_leaps_ahead_refuses_writes_and_expires_nothing(court, clock, ahead_s) -> None:
    clock.set(ahead_s)
    why = until_ready(court, ready=False)
    assert "--override-clock" in why
    assert "clock" in why
    refused(court, clock)
    court.testify(clock.now_s())
    clock.set(0)
    until_ready(court)
    with court.load() as load:
        load.until(lambda load: load.carried_out > 30)
        assert load.refused == 0
    court.testify()
    times = entry_times(court)
    assert max(times) < time.time() * 1e6


def test_a_write_at_the_very_moment_of_a_leap_is_refused_as_well(court, clock) -> None:
    # Nobody looks at the clock in between: the first write behind the leap meets it.
    clock.set(YEAR_S)
    refused(court, clock)
    clock.set(0)
    until_ready(court)
    court.testify()


def test_a_start_with_a_clock_ahead_answers_and_writes_only_on_an_operators_word(
    court, clock, environment
) -> None:
    assert court.service.stop() == ExitStatus.CLEAR
    clock.set(YEAR_S)
    court.service.start(**environment)
    assert "--override-clock" in readiness(court)
    refused(court, clock)
    court.testify(clock.now_s())
    assert court.service.stop() == ExitStatus.CLEAR
    court.service.start("--override-clock", WORDS, **environment)
    assert not readiness(court)
    # It is a year later now, on somebody's word: what was registered has ended.
    witness = court.witnesses[0]
    token = court.service.token(witness.party, now_s=clock.now_s())
    with closing(Line(court.service, token)) as line:
        for identifier in witness.intents:
            assert line.ask("GET", f"{INTENTS}/{identifier}")[0] == 404
    assert court.service.stop() == ExitStatus.CLEAR
    said = overrides(court)
    assert [(each.words, abs(each.ahead_s - YEAR_S) < 60) for each in said] == [(WORDS, True)]
    # The anchor is kept: the next start needs no word.
    court.service.start(**environment)
    assert not readiness(court)


def test_a_clock_that_is_set_back_goes_on_with_times_that_do_not(court, clock) -> None:
    before = entry_times(court)[-1]
    clock.set(-HOUR_S)
    with court.load(clock.now_s()) as load:
        so_far = load.carried_out
        load.until(lambda load: load.carried_out > so_far + 30)
        assert load.refused == 0
    assert not readiness(court)
    times = entry_times(court)
    assert times == sorted(times)
    assert times[-1] >= before
    court.testify(clock.now_s())
    court.service.kill()
    clock.set(0)
    court.service.start(LD_PRELOAD="")
    court.testify()


def entry_times(court: Court) -> list[int]:
    folder = DataFolder.beside(court.service.data)
    try:
        return [entry.time_us for entry in folder.log.read(0)]
    finally:
        folder.close()


def overrides(court: Court) -> list[ClockOverridden]:
    folder = DataFolder.beside(court.service.data)
    try:
        decided = [decode_decided(entry.decided.content) for entry in folder.log.read(0)]
    finally:
        folder.close()
    return [event for one in decided for event in one.events if isinstance(event, ClockOverridden)]
