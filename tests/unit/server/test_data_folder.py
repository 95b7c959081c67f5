"""The data folder, with the real engine, log and register."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deconflict.identity.caller import Caller
from deconflict.journal.engine import EngineError, Group, Outcome
from deconflict.journal.errors import LogError
from deconflict.journal.keys import Keys
from deconflict.journal.sqlite.engine import SqliteEngine
from deconflict.register.command import ENTROPY_BYTES, Configure, SetAvailability, Tick
from deconflict.register.decide import decide
from deconflict.register.event import Configured, decode_decided
from deconflict.register.policy import DEFAULT_POLICY, Policy
from deconflict.register.state.held import Readiness
from deconflict.register.state.register import Register
from deconflict.server.data_folder import DataFolder
from deconflict.server.node import Node
from deconflict.server.replay import replayed
from deconflict.server.sealed_snapshot import heading, snapshot_files, write_snapshot
from deconflict.server.snapshots import Snapshots
from deconflict.server.snapshots import write as write_beside
from deconflict.standards.service import Call, Reply, Submission, Told, UnavailableError

OPERATOR = Caller("uss1", frozenset(), "issuer", 0)
POLICY = Policy(kept_after_end_s=60)


def entropy() -> bytes:
    return os.urandom(ENTROPY_BYTES)


def availability(party: str) -> SetAvailability:
    return SetAvailability(
        party=party, entropy=entropy(), of=party, old_version="", readiness=Readiness.DOWN
    )


def made(path: Path, parties: int = 3) -> Register:
    """Make a folder whose journal has one entry a party and one before them."""
    folder = DataFolder.open(path)
    guard = folder.guard()
    folder.begin(guard)
    for number in range(parties):
        folder.commit(availability(f"party {number}"), guard, decide)
    folder.log.advance()
    folder.close()
    return folder.register


def test_a_new_folder_begins_with_the_default_policy(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path / "data")
    guard = folder.guard()
    folder.begin(guard)
    folder.begin(guard)
    (opened,) = folder.log.read()
    assert opened.decided is not None
    decided = decode_decided(opened.decided.content)
    assert decided.events == (Configured(DEFAULT_POLICY),)
    assert (decided.party, decided.command) == ("", "Configure")
    assert opened.said is None
    assert folder.register.policy == DEFAULT_POLICY
    folder.close()


def test_everything_in_it_is_the_owner_s_alone(tmp_path: Path) -> None:
    made(tmp_path / "data")
    write_beside(tmp_path / "data")
    for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    register = made(tmp_path / "data")
    folder = DataFolder.open(tmp_path / "data")
    with pytest.raises(EngineError):
        DataFolder.open(tmp_path / "data")
    beside = DataFolder.beside(tmp_path / "data")
    assert beside.register == folder.register == register
    beside.close()
    folder.close()
    DataFolder.open(tmp_path / "data").close()


def test_keys_that_are_missing_beside_a_journal_are_not_made_anew(tmp_path: Path) -> None:
    made(tmp_path / "data")
    for key in (tmp_path / "data/keys").iterdir():
        key.unlink()
    with pytest.raises(LogError):
        DataFolder.open(tmp_path / "data")
    assert list((tmp_path / "data/keys").iterdir()) == []


def test_a_folder_without_a_journal_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        DataFolder.beside(tmp_path)


def test_opened_again_the_register_is_equal_to_the_one_before(tmp_path: Path) -> None:
    register = made(tmp_path / "data")
    again = DataFolder.open(tmp_path / "data")
    assert again.register == register
    assert again.snapshot_head == 0
    again.close()


def test_a_snapshot_and_the_entries_behind_it_give_the_same_as_the_whole_journal(
    tmp_path: Path,
) -> None:
    made(tmp_path / "data")
    write_beside(tmp_path / "data")
    folder = DataFolder.open(tmp_path / "data")
    assert folder.snapshot_head == 4
    guard = folder.guard()
    folder.commit(availability("later"), guard, decide)
    folder.commit(Configure(party="", entropy=entropy(), policy=POLICY), guard, decide)
    folder.close()
    again = DataFolder.open(tmp_path / "data")
    assert again.snapshot_head == 4
    assert again.register.head == 6
    assert again.register == folder.register
    assert again.register == replayed(again.log, Register())
    again.close()


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap", "other version"])
def test_a_damaged_snapshot_is_passed_over_for_the_one_before(tmp_path: Path, damage: str) -> None:
    register = made(tmp_path / "data", 2)
    older = write_beside(tmp_path / "data")
    folder = DataFolder.open(tmp_path / "data")
    folder.commit(Tick(party="", entropy=entropy()), folder.guard(), decide)
    newer = folder.write_snapshot()
    folder.close()
    content = bytearray(newer.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "cut":
        del content[-1:]
    elif damage == "empty":
        content.clear()
    elif damage == "swap":
        content = bytearray(older.read_bytes())
        newer.write_bytes(content[:22] + os.urandom(16) + content[38:])
    else:
        content[20] ^= 3
    if damage != "swap":
        newer.write_bytes(content)
    with capture_logs() as logs:
        again = DataFolder.open(tmp_path / "data")
    assert [line["file"] for line in logs] == [newer.name]
    assert again.snapshot_head == register.head
    assert again.register == folder.register
    again.close()


def test_a_snapshot_of_another_journal_is_passed_over(tmp_path: Path) -> None:
    made(tmp_path / "data")
    made(tmp_path / "other")
    foreign = write_beside(tmp_path / "other")
    (tmp_path / "data/snapshots").mkdir(0o700)
    (tmp_path / "data/snapshots" / foreign.name).write_bytes(foreign.read_bytes())
    with capture_logs() as logs:
        folder = DataFolder.open(tmp_path / "data")
    assert len(logs) == 1
    assert folder.snapshot_head == 0
    folder.close()


@pytest.mark.parametrize(("head", "record"), [(4, b"another record"), (9, None)])
def test_a_snapshot_of_another_course_of_the_journal_is_passed_over(
    tmp_path: Path, head: int, record: bytes | None
) -> None:
    register = made(tmp_path / "data")
    register.head = head
    keys = Keys.load(tmp_path / "data/keys", create=False)
    write_snapshot(tmp_path / "data/snapshots", keys, heading(head, keys, record), register.dump())
    with capture_logs() as logs:
        folder = DataFolder.open(tmp_path / "data")
    assert len(logs) == 1
    assert (folder.snapshot_head, folder.register.head) == (0, 4)
    folder.close()


def test_a_snapshot_tells_nothing_without_the_key(tmp_path: Path) -> None:
    made(tmp_path / "data")
    assert b"party" not in write_beside(tmp_path / "data").read_bytes()


def test_the_newest_two_snapshots_are_kept_and_what_was_left_unfinished_is_removed(
    tmp_path: Path,
) -> None:
    made(tmp_path / "data")
    folder = DataFolder.open(tmp_path / "data")
    guard = folder.guard()
    for _ in range(4):
        folder.commit(Tick(party="", entropy=entropy()), guard, decide)
        folder.write_snapshot()
    folder.close()
    snapshots = tmp_path / "data/snapshots"
    assert [int(path.stem) for path in snapshot_files(snapshots)] == [8, 7]
    (snapshots / ".new-0123").write_bytes(b"half")
    DataFolder.open(tmp_path / "data").close()
    assert sorted(path.name for path in snapshots.iterdir()) == sorted(
        path.name for path in snapshot_files(snapshots)
    )


def test_a_register_that_lacks_an_entry_of_the_journal_leaves_no_snapshot(tmp_path: Path) -> None:
    made(tmp_path / "data")
    folder = DataFolder.open(tmp_path / "data")
    folder.register.head -= 1
    with pytest.raises(OSError, match="does not hold all entries"):
        folder.write_snapshot()
    folder.close()
    assert snapshot_files(tmp_path / "data/snapshots") == []


def test_a_refused_command_is_not_written(tmp_path: Path) -> None:
    made(tmp_path / "data")
    folder = DataFolder.open(tmp_path / "data")
    same = Configure(party="", entropy=entropy(), policy=DEFAULT_POLICY)
    assert folder.commit(same, folder.guard(), decide).refusal is not None
    assert folder.log.head() == folder.register.head == 4
    folder.close()


def submission(party: str) -> Submission:
    return Submission(
        availability(party),
        Call(OPERATOR, "PUT /availability", body=b"{}"),
        party,
        lambda decision, _draft: [
            Told(party, Reply(200 if decision.refusal is None else 409, b""))
        ],
    )


def test_a_node_serves_signs_and_leaves_a_snapshot_from_which_it_goes_on(tmp_path: Path) -> None:
    async def work() -> None:
        node = Node.open(tmp_path / "data")
        await node.start()
        replies = await asyncio.gather(
            *(node.coordinator.submit(submission(f"party {n}")) for n in range(20))
        )
        assert {reply.status for reply in replies} == {200}
        node.coordinator.answered(Call(OPERATOR, "GET /x"), ["party 1"])
        await node.stop()
        again = DataFolder.open(tmp_path / "data")
        assert again.register == node.folder.register
        assert again.snapshot_head == again.register.head == 22  # policy, 20 parties, one batch
        assert again.log.advance() is None  # the last checkpoint covers everything
        assert again.register == replayed(again.log, Register())
        again.close()

    asyncio.run(asyncio.wait_for(work(), 60))


@pytest.mark.parametrize("written", [True, False])
def test_an_append_of_unknown_outcome_is_found_in_the_real_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    async def work() -> None:
        node = Node.open(tmp_path / "data")
        await node.start()
        append = SqliteEngine.append

        def fails(engine: SqliteEngine, expected_head: int, group: Group) -> Outcome:
            monkeypatch.setattr(SqliteEngine, "append", append)
            if written:
                append(engine, expected_head, group)
            raise EngineError("the disk did not answer", outcome_known=False, must_reopen=True)

        monkeypatch.setattr(SqliteEngine, "append", fails)
        first, second = await asyncio.gather(
            *(node.coordinator.submit(submission(party)) for party in ("a", "b")),
            return_exceptions=True,
        )
        kinds = {type(first), type(second)}
        assert kinds == ({Reply} if written else {UnavailableError})
        assert (await node.coordinator.submit(submission("c"))).status == 200
        assert node.health().ready
        await node.stop()
        again = DataFolder.open(tmp_path / "data")
        assert again.register == node.folder.register == replayed(again.log, Register())
        assert again.register.head == (4 if written else 2)
        again.close()

    asyncio.run(asyncio.wait_for(work(), 60))


@pytest.mark.slow
def test_a_process_writes_a_snapshot_beside_the_service_wherever_that_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "data")
    (tmp_path / "msgspec.py").write_text("raise SystemExit('a module of somebody else')")
    monkeypatch.chdir(tmp_path)

    async def work() -> None:
        folder = DataFolder.open(tmp_path / "data")
        snapshots = Snapshots(tmp_path / "data", last_head=0, every=4)
        snapshots.consider(3)
        assert not snapshots.writing
        snapshots.consider(4)
        assert snapshots.writing
        snapshots.consider(100)  # never two at once
        await snapshots.finished()
        assert [int(path.stem) for path in snapshot_files(tmp_path / "data/snapshots")] == [4]
        folder.close()

    asyncio.run(asyncio.wait_for(work(), 60))


def test_the_process_ends_when_the_service_is_gone(tmp_path: Path) -> None:
    made(tmp_path / "data")
    command = [sys.executable, "-m", "deconflict.server.snapshots", str(tmp_path / "data")]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60)
    assert ended.returncode == 1
    assert snapshot_files(tmp_path / "data/snapshots") == []


@pytest.mark.slow
def test_a_process_that_writes_a_snapshot_is_ended_at_the_stop(tmp_path: Path) -> None:
    made(tmp_path / "data")

    async def work() -> None:
        snapshots = Snapshots(tmp_path / "data", last_head=0, every=1)
        snapshots.consider(4)
        await asyncio.sleep(0)
        await snapshots.stop()
        assert not snapshots.writing
        assert snapshot_files(tmp_path / "data/snapshots") == []

    asyncio.run(asyncio.wait_for(work(), 60))
