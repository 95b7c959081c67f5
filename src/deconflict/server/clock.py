"""The clock guard: a wrong clock must not expire every protection.

Theory of operation. The wall clock is compared with the clock that counts since the machine was
started (it is never set, and counts on while the machine sleeps). Their difference, the offset,
changes only when somebody sets the wall clock. The guard keeps the offset that it trusts, its
*anchor*; the expected time is the boot clock plus that offset. A wall clock more than
`MOST_AHEAD_US` later than expected is not written with.

- Within one start of the machine the anchor is kept in a file, so a service that was stopped for
  a week knows that a week went by.
- After another start nothing tells how long the machine was off; the journal's last entry is only
  a lower bound. Then the clock is taken if the kernel says that a time source disciplines it, or
  if at most `LONGEST_PAUSE_US` went by and nothing registered ends in between.
- An anchor that no time source vouched for is moved once, when one does: a small computer without
  a battery starts with an old time and is set right a minute later.
- A clock that is set back moves nothing: entries keep the time of the entry before them.
- Small steps forward are followed by at most one second an hour.

See docs/decisions/0010-clock-guard.md.
"""

from __future__ import annotations

import ctypes
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import msgspec

MOST_AHEAD_US: Final = 5_000_000
"""How far the clock may be ahead of the expected time (docs/decisions/0010-clock-guard.md)."""
LONGEST_PAUSE_US: Final = 180 * 24 * 3600 * 1_000_000
"""Longest pause over a start of the machine that is believed without a time source: a year typed
wrong and a roll-over of GPS weeks are longer."""
_CREEP_DIVISOR: Final = 3600
"""One second an hour: a crystal without any time source is wrong by a tenth of that at most."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ClockAheadError(Exception):
    """The clock is further ahead than can be explained, in a sentence for an operator.

    Attributes
    ----------
    ahead_s
        By how many seconds.
    """

    def __init__(self, sentence: str, ahead_s: int) -> None:
        super().__init__(sentence)
        self.ahead_s = ahead_s


class Clock(Protocol):
    """The machine's clocks."""

    def wall_us(self) -> int:
        """Return the wall clock, microseconds since 1970 UTC."""
        ...

    def boot_us(self) -> int:
        """Return microseconds since the machine was started, sleep included."""
        ...

    def boot(self) -> str:
        """Return what names this start of the machine; empty if nothing does."""
        ...

    def disciplined(self) -> bool:
        """Whether the kernel says that a time source keeps the wall clock right."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def __init__(self) -> None:
        self._boot_clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def wall_us(self) -> int:
        """Return the wall clock, microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def boot_us(self) -> int:
        """Return microseconds since the machine was started, sleep included."""
        return time.clock_gettime_ns(self._boot_clock) // 1000

    def boot(self) -> str:
        """Return the kernel's identifier of this start of the machine; empty if it has none."""
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def disciplined(self) -> bool:
        """Whether the kernel says that a time source keeps the wall clock right (adjtimex(2))."""
        adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
        if adjtimex is None:
            return False
        # struct timex with modes = 0 only reads; its size is below 256 bytes everywhere.
        state = adjtimex(ctypes.create_string_buffer(512))
        return state not in {-1, _TIME_ERROR}


_TIME_ERROR: Final = 5
"""What adjtimex returns of a clock that nothing disciplines."""


class _Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    boot: str
    offset_us: int
    vouched: bool


class ClockGuard:
    """Tells an entry's time, or refuses to.

    Parameters
    ----------
    file
        Where the anchor is kept from one start of the service to the next.
    clock
        The machine's clocks.
    """

    def __init__(self, file: Path, clock: Clock | None = None) -> None:
        self._file = file
        self._clock = SystemClock() if clock is None else clock
        self._offset_us = 0
        self._vouched = False
        self._accepted = False
        self._crept_us = 0

    def start(self, last_us: int | None, first_end_us: int | None) -> None:
        """Set the anchor.

        Parameters
        ----------
        last_us
            The time of the journal's last entry; ``None`` if there is none.
        first_end_us
            When the first of what is registered ends; ``None`` if nothing does.
        """
        clock = self._clock
        boot_us, wall_us = clock.boot_us(), clock.wall_us()
        self._crept_us = boot_us
        anchor = self._kept()
        if anchor is not None:
            self._offset_us, self._vouched, self._accepted = anchor.offset_us, anchor.vouched, True
            if last_us is not None:
                self._offset_us = max(self._offset_us, last_us - boot_us)
            return
        self._vouched = clock.disciplined()
        if last_us is None or self._vouched or wall_us - last_us <= MOST_AHEAD_US:
            self._accepted = True
        else:
            ends_between = first_end_us is not None and first_end_us <= wall_us
            self._accepted = wall_us - last_us <= LONGEST_PAUSE_US and not ends_between
        trusted_us = wall_us if self._accepted or last_us is None else last_us
        if last_us is not None and not self._vouched:
            trusted_us = max(trusted_us, last_us)
        self._offset_us = trusted_us - boot_us

    def ahead_us(self) -> int:
        """Return how far the clock is ahead of what can be explained; 0 if it may be written with.

        Follows small steps and a time source that begins to vouch for the clock.
        """
        clock = self._clock
        boot_us = clock.boot_us()
        lead_us = clock.wall_us() - boot_us - self._offset_us
        if lead_us > MOST_AHEAD_US:
            if self._vouched or not clock.disciplined():
                return lead_us
            self._trust(self._offset_us + lead_us)
        elif boot_us - self._crept_us >= 1_000_000:
            if not self._vouched and clock.disciplined():
                self._trust(self._offset_us + lead_us)
            elif lead_us > 0:
                self._offset_us += min(lead_us, (boot_us - self._crept_us) // _CREEP_DIVISOR)
            self._crept_us = boot_us
        return 0

    def entry_time_us(self, last_us: int) -> int:
        """Return the time of the next entry.

        Parameters
        ----------
        last_us
            The time of the entry before it.

        Raises
        ------
        ClockAheadError
            If the clock is further ahead than can be explained.
        """
        ahead_us = self.ahead_us()
        if ahead_us:
            raise ClockAheadError(self._sentence(ahead_us), ahead_us // 1_000_000)
        return max(self._clock.wall_us(), last_us)

    def reading_time_us(self, last_us: int) -> int:
        """Return the instant for readers: never before the last entry, nor ahead of the expected.

        A clock that is too far ahead hides no protection from readers either.
        """
        expected_us = self._clock.boot_us() + self._offset_us
        return max(min(self._clock.wall_us(), expected_us + MOST_AHEAD_US), last_us)

    def behind_us(self, last_us: int) -> int:
        """Return by how much the clock is before the last entry, 0 if it is not."""
        return max(0, last_us - self._clock.wall_us())

    def override(self) -> None:
        """Take the clock as it is, on an operator's word."""
        self._trust(self._clock.wall_us() - self._clock.boot_us())
        self.save()

    def save(self) -> None:
        """Keep the anchor for the next start of the service.

        Raises
        ------
        OSError
            If the file can't be written.
        """
        boot = self._clock.boot()
        if not self._accepted or not boot:
            return
        anchor = _Anchor(boot, self._offset_us, self._vouched)
        new = self._file.with_name(self._file.name + ".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(msgspec.json.encode(anchor))
        new.replace(self._file)

    def _trust(self, offset_us: int) -> None:
        self._offset_us = offset_us
        self._vouched = True
        self._accepted = True

    def _kept(self) -> _Anchor | None:
        """Return the anchor of this start of the machine, if a whole one was kept."""
        try:
            anchor = msgspec.json.decode(self._file.read_bytes(), type=_Anchor)
        except (OSError, msgspec.DecodeError):
            return None  # as after another start of the machine, which is the stricter case
        return anchor if anchor.boot and anchor.boot == self._clock.boot() else None

    def _sentence(self, ahead_us: int) -> str:
        if self._accepted:
            because = (
                f"which is {ahead_us // 1_000_000:,} s later than the time since it was last right"
            )
        else:
            because = (
                f"which is {ahead_us // 1_000_000:,} s after the journal's last entry; the machine "
                "was started in between, no time source vouches for its clock, and what is "
                "registered would end or the pause is very long"
            )
        return (
            f"the clock of this machine says {_written(self._clock.wall_us())}, {because}; nothing "
            "is written until the clock is set right or, if it is right, the service is started "
            'with --override-clock "who says so and why"'
        )


def _written(time_us: int) -> str:
    try:
        instant = _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:
        return f"{time_us} µs since 1970"
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
