"""Retention, with the real journal, coordinator and register."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from deconflict.journal.archive import archive_files
from deconflict.register.command import ENTROPY_BYTES, SetAvailability
from deconflict.register.decide import decide
from deconflict.register.state.held import Readiness
from deconflict.register.state.register import Register
from deconflict.server import retention as retention_module
from deconflict.server.coordinator import Coordinator
from deconflict.server.data_folder import DataFolder
from deconflict.server.record import Record
from deconflict.server.replay import replayed
from deconflict.server.retention import Retention
from deconflict.server.verification import verify_path


def set_availability(name: str) -> SetAvailability:
    return SetAvailability(
        party=name,
        entropy=os.urandom(ENTROPY_BYTES),
        of=name,
        old_version="",
        readiness=Readiness.DOWN,
    )


@pytest.fixture
def unrested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "REST_S", 0.0)
    monkeypatch.setattr(retention_module, "BUSY_REST_S", 0.0)


async def served(path: Path, days: float, entries: int) -> tuple[int, Register]:
    """Commit entries, prune beside more of them, and return how many went, and the register."""
    folder = DataFolder.open(path)
    guard = folder.guard()
    folder.begin(guard)
    coordinator = Coordinator(folder.register, folder.log, guard, decide=decide)
    await coordinator.start()
    waiting = [
        coordinator.submit_own(set_availability(f"party {number}"), f"party {number}")
        for number in range(entries)
    ]
    await asyncio.gather(*waiting)
    folder.log.advance()
    retention = Retention(folder, coordinator, days, least_entries=256)
    pruning = asyncio.create_task(retention.prune())
    beside = 0
    while not pruning.done():
        name = f"meanwhile {beside}"
        await coordinator.submit_own(set_availability(name), name)
        beside += 1
    gone = await pruning
    await retention.stop()
    await coordinator.stop()
    assert beside, "nothing was committed beside the pruning"
    assert folder.register.counts()["parties"] == entries + beside
    folder.log.advance()
    folder.close()
    return gone, folder.register


def test_a_journal_is_pruned_beside_commits_and_replays_to_the_same_register(
    tmp_path: Path,
    unrested: None,  # noqa: ARG001 - its effect is meant
) -> None:
    data = tmp_path / "data"
    gone, live = asyncio.run(served(data, 1e-9, 600))
    assert gone >= 512
    assert [archive.stem for archive in archive_files(data / "archive")] == [f"{0:020}-{gone:020}"]
    with Record.open(data) as record:
        assert record.log.first() == gone
        assert replayed(record.log, Register(first=gone)) == live
        assert replayed(record, Register()) == live
    assert [one.wrong for one in verify_path(data) if one.wrong_count] == []


def test_what_is_young_enough_stays(
    tmp_path: Path,
    unrested: None,  # noqa: ARG001 - its effect is meant
) -> None:
    gone, _ = asyncio.run(served(tmp_path / "data", 1.0, 300))
    assert gone == 0
    assert archive_files(tmp_path / "data/archive") == []
