"""How much a journal holds, and how fast it is said to grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from deconflict.identity.caller import Caller
from deconflict.journal.engine import Outcome
from deconflict.register.command import ENTROPY_BYTES, SetAvailability
from deconflict.register.decide import decide
from deconflict.register.state.held import Readiness
from deconflict.server.data_folder import DataFolder
from deconflict.server.group import Group
from deconflict.server.journal_stats import JournalStats, journal_stats
from deconflict.standards.service import Call, Reply, Submission, Told

HOUR_US = 3_600_000_000


def stats_of_two_entries(data: Path, apart_us: int) -> JournalStats:
    """Return what is told of a journal of two entries."""
    folder = DataFolder.open(data)
    try:
        caller = Caller("Relief", frozenset(), "issuer", 0)
        for number in range(2):
            group = Group(folder.register, HOUR_US + number * apart_us, decide)
            command = SetAvailability(
                party="Relief",
                entropy=bytes([number]) * ENTROPY_BYTES,
                of=f"uss {number}",
                old_version="",
                readiness=Readiness.NORMAL,
            )
            told = (Told("Relief", Reply(200, b"{}")),)
            call = Call(caller, "PUT /dss/v1/uss_availability/x", body=b"{}")
            group.add(Submission(command, call, "uss", lambda *_, told=told: told))
            assert folder.log.append(number, group.entries()) is Outcome.ACCEPTED
            for made in group.made:
                folder.register.apply(number, group.time_us, made.decided)
    finally:
        folder.close()
    return journal_stats(data, retention_days=10)


@pytest.mark.parametrize("apart_us", [0, 32_000_000, HOUR_US - 1])
def test_less_than_an_hour_tells_no_rate_and_nothing_is_expected_of_it(
    tmp_path: Path, apart_us: int
) -> None:
    told = stats_of_two_entries(tmp_path / "data", apart_us)
    assert (told.entries_per_day, told.expected_bytes) == (None, None)


def test_an_hour_tells_a_rate(tmp_path: Path) -> None:
    told = stats_of_two_entries(tmp_path / "data", HOUR_US)
    assert told.entries_per_day == 48
    assert told.bytes_per_entry is not None
    assert told.expected_bytes == int(10 * 48 * told.bytes_per_entry)
    assert told.entry_bytes is not None
    assert told.entry_bytes < 2_000 < told.bytes_per_entry, "the pages are counted apart"
