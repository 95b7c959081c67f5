"""The clock guard, with clocks set by hand."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deconflict.server.clock import (
    LONGEST_PAUSE_US,
    MOST_AHEAD_US,
    ClockAheadError,
    ClockGuard,
    SystemClock,
)

NOON_US = 1_800_000_000_000_000
HOUR_US = 3_600_000_000


class HandClock:
    def __init__(self, wall: int = NOON_US, *, boot: str = "boot 1") -> None:
        self.wall = wall
        self.since_boot = 50_000_000
        self.name = boot
        self.source = False

    def wall_us(self) -> int:
        return self.wall

    def boot_us(self) -> int:
        return self.since_boot

    def boot(self) -> str:
        return self.name

    def disciplined(self) -> bool:
        return self.source

    def pass_us(self, time_us: int) -> None:
        self.wall += time_us
        self.since_boot += time_us


def started(
    folder: Path, clock: HandClock, last_us: int | None = NOON_US, end_us: int | None = None
) -> ClockGuard:
    guard = ClockGuard(folder / "clock", clock)
    guard.start(last_us, end_us)
    return guard


def test_an_entry_has_the_later_of_the_clock_and_the_entry_before(tmp_path: Path) -> None:
    clock = HandClock()
    guard = started(tmp_path, clock)
    clock.pass_us(HOUR_US)
    assert guard.entry_time_us(NOON_US) == NOON_US + HOUR_US
    assert guard.entry_time_us(NOON_US + 2 * HOUR_US) == NOON_US + 2 * HOUR_US
    assert guard.behind_us(NOON_US + 2 * HOUR_US) == HOUR_US
    assert guard.behind_us(NOON_US) == 0


def test_a_step_forward_beyond_the_limit_is_refused_until_it_is_taken_back(tmp_path: Path) -> None:
    clock = HandClock()
    guard = started(tmp_path, clock)
    clock.wall += MOST_AHEAD_US
    assert guard.entry_time_us(NOON_US) == NOON_US + MOST_AHEAD_US
    clock.wall += 1
    with pytest.raises(ClockAheadError, match="--override-clock") as refused:
        guard.entry_time_us(NOON_US)
    assert refused.value.ahead_s == 5
    clock.wall -= 2
    assert guard.ahead_us() == 0


def test_readers_never_see_a_time_beyond_the_limit_nor_before_the_last_entry(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    guard = started(tmp_path, clock)
    clock.wall += 24 * HOUR_US
    assert guard.reading_time_us(NOON_US) == NOON_US + MOST_AHEAD_US
    clock.wall -= 48 * HOUR_US
    assert guard.reading_time_us(NOON_US) == NOON_US


def test_a_clock_that_is_set_back_and_forth_again_is_the_right_one(tmp_path: Path) -> None:
    clock = HandClock()
    guard = started(tmp_path, clock)
    clock.wall -= HOUR_US
    for _ in range(100):
        clock.pass_us(10_000_000)
        assert guard.ahead_us() == 0
    clock.wall += HOUR_US
    assert guard.ahead_us() == 0


def test_many_small_steps_are_followed_only_slowly(tmp_path: Path) -> None:
    clock = HandClock()
    guard = started(tmp_path, clock)
    for _ in range(24):  # a crystal without a time source, set right once an hour
        clock.pass_us(HOUR_US)
        clock.wall += 360_000
        for _ in range(3):
            clock.pass_us(2_000_000)
            assert guard.ahead_us() == 0
    refused = False
    for _ in range(24):  # somebody who creeps: 2 s each minute
        clock.pass_us(60_000_000)
        clock.wall += 2_000_000
        refused = refused or guard.ahead_us() > 0
    assert refused


def test_a_service_that_was_stopped_for_a_week_goes_on_if_the_machine_ran_on(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    started(tmp_path, clock).save()
    clock.pass_us(7 * 24 * HOUR_US)
    guard = started(tmp_path, clock, end_us=NOON_US + HOUR_US)
    assert guard.entry_time_us(NOON_US) == NOON_US + 7 * 24 * HOUR_US


def test_a_clock_that_was_set_while_the_service_was_stopped_is_noticed(tmp_path: Path) -> None:
    clock = HandClock()
    started(tmp_path, clock).save()
    clock.pass_us(HOUR_US)
    clock.wall += HOUR_US
    guard = started(tmp_path, clock)
    assert guard.ahead_us() == HOUR_US
    assert started(tmp_path, clock).ahead_us() == HOUR_US


@pytest.mark.parametrize(
    ("pause_us", "end_us", "taken"),
    [
        (4_000_000, NOON_US + 1, True),
        (24 * HOUR_US, None, True),
        (24 * HOUR_US, NOON_US + 25 * HOUR_US, True),
        (24 * HOUR_US, NOON_US + 24 * HOUR_US, False),
        (LONGEST_PAUSE_US, None, True),
        (LONGEST_PAUSE_US + 1, None, False),
    ],
)
def test_after_a_start_of_the_machine_a_pause_is_believed_if_it_ends_nothing(
    tmp_path: Path, pause_us: int, end_us: int | None, *, taken: bool
) -> None:
    started(tmp_path, HandClock(boot="boot 0")).save()
    guard = started(tmp_path, HandClock(NOON_US + pause_us), end_us=end_us)
    assert (guard.ahead_us() == 0) is taken


def test_after_a_start_of_the_machine_a_time_source_is_believed(tmp_path: Path) -> None:
    clock = HandClock(NOON_US + LONGEST_PAUSE_US * 2)
    clock.source = True
    guard = started(tmp_path, clock, end_us=NOON_US + 1)
    assert guard.ahead_us() == 0
    clock.wall += HOUR_US  # but only once
    assert guard.ahead_us() == HOUR_US


def test_a_machine_that_starts_with_an_old_time_is_set_right_once(tmp_path: Path) -> None:
    clock = HandClock(NOON_US - 1000 * HOUR_US)
    guard = started(tmp_path, clock, end_us=NOON_US + 1)
    assert guard.entry_time_us(NOON_US) == NOON_US
    clock.wall = NOON_US + 30 * HOUR_US
    assert guard.ahead_us() > 0
    clock.source = True
    assert guard.ahead_us() == 0
    clock.wall += HOUR_US
    assert guard.ahead_us() > 0


def test_a_new_journal_begins_with_whatever_the_clock_says(tmp_path: Path) -> None:
    guard = started(tmp_path, HandClock(NOON_US + 10 * LONGEST_PAUSE_US), None)
    assert guard.entry_time_us(0) == NOON_US + 10 * LONGEST_PAUSE_US


def test_an_override_is_good_for_the_clock_as_it_is_then(tmp_path: Path) -> None:
    clock = HandClock()
    guard = started(tmp_path, clock)
    clock.wall += HOUR_US
    guard.override()
    assert guard.entry_time_us(NOON_US) == NOON_US + HOUR_US
    assert started(tmp_path, clock).ahead_us() == 0
    clock.wall += HOUR_US
    assert guard.ahead_us() == HOUR_US


def test_a_refused_clock_is_not_kept_as_the_right_one(tmp_path: Path) -> None:
    clock = HandClock(NOON_US + HOUR_US)
    started(tmp_path, clock, end_us=NOON_US + 1).save()
    assert started(tmp_path, clock, end_us=NOON_US + 1).ahead_us() == HOUR_US
    assert started(tmp_path, clock, end_us=None).ahead_us() == 0


@pytest.mark.parametrize("content", [b"", b"{", b'{"boot":"boot 1"}', b"\xff"])
def test_a_damaged_anchor_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clock").write_bytes(content)
    guard = started(tmp_path, HandClock(NOON_US + HOUR_US), end_us=NOON_US + 1)
    assert guard.ahead_us() > 0


def test_the_anchor_is_the_owner_s_alone(tmp_path: Path) -> None:
    started(tmp_path, HandClock()).save()
    assert stat.S_IMODE((tmp_path / "clock").stat().st_mode) == 0o600


def test_the_clocks_of_this_machine_go_forward() -> None:
    clock = SystemClock()
    first, second = clock.boot_us(), clock.boot_us()
    assert 0 < first <= second
    assert clock.wall_us() > 1_700_000_000_000_000
    assert clock.boot() == clock.boot()
    assert clock.disciplined() in {True, False}
