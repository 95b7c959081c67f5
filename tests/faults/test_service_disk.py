"""A disk that is full, fails to synchronise, or can't be written, under a service at work."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import httpx
import pytest

from deconflict.cli.status import ExitStatus
from deconflict.server.app import STOPPING
from deconflict.server.health import NOT_KNOWN, SENTENCES, State
from machine import fill, mounted, preloaded, read_only
from resting import Resting
from witness import Court, Line

ROOM = 900_000
"""Bytes that are free when a load begins to fill a disk: some dozens of commits."""


@pytest.fixture
def on_small_disk(court_in, tmp_path: Path):
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=4m", "tmpfs") as folder:
        court = court_in(folder / "data")
        yield court, folder / "ballast"
        court.service.close()


def readiness(court: Court) -> tuple[int, str]:
    reply = httpx.get(f"{court.service.base_url}/readyz", trust_env=False, timeout=60)
    return reply.status_code, " ".join(reply.json()["reasons"])


def until_ready(court: Court, *, ready: bool = True) -> str:
    """Ask until the service says that it is ready, or isn't; return why."""
    for _ in range(100_000):
        status, why = readiness(court)
        if (status == 200) is ready:
            return why
    raise AssertionError(f"it never changed: {why}")


def filled(court: Court, ballast: Path) -> None:
    """Have the witnesses write until the disk is full and each was refused."""
    fill(ballast, but=ROOM)
    with court.load() as load:
        load.until(lambda load: load.refused > 0)
        fill(ballast)
        load.until(lambda _: all(witness.refusals for witness in court.witnesses))
    assert load.carried_out > 10


def test_a_full_disk_refuses_all_says_why_and_goes_on_once_there_is_room(on_small_disk) -> None:
    court, ballast = on_small_disk
    filled(court, ballast)
    told = {sentence for witness in court.witnesses for sentence in witness.refusals}
    assert told == {SENTENCES[State.NO_SPACE]}
    assert not any(witness.waits for witness in court.witnesses)
    status, why = readiness(court)
    assert status == 503
    assert "full; make room" in why
    court.testify()  # reading goes on, and what was refused is not there
    ballast.unlink()
    until_ready(court)
    with court.load() as load:
        load.until(lambda load: load.carried_out > 50)
        assert load.refused == 0
    court.service.kill()
    Resting(court.service.data).verify()
    court.service.start()
    court.testify()
    assert court.service.stop() == ExitStatus.CLEAR
    Resting(court.service.data).verify()


def test_a_service_on_a_full_disk_can_be_stopped_and_starts_when_there_is_room(
    on_small_disk,
) -> None:
    court, ballast = on_small_disk
    filled(court, ballast)
    assert court.service.stop() == ExitStatus.CLEAR
    fill(ballast)
    # Nothing need be written to start; if something must be, the line says what to do.
    court.service.launch()
    ballast.unlink()
    court.service.kill()
    court.service.start()
    court.testify()
    assert court.service.stop() == ExitStatus.CLEAR
    Resting(court.service.data).verify()


def test_files_that_may_not_grow_stop_the_writing_until_they_may(court) -> None:
    # A disk that refuses, for whoever may not mount one: a limit on the sizes of files.
    pid = court.service.process.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, most))
    with court.load() as load:
        why = until_ready(court, ready=False)
        assert "journal" in why
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        until_ready(court)
        so_far = load.carried_out
        load.until(lambda load: load.carried_out > so_far + 50)
    court.testify()
    court.service.kill()
    Resting(court.service.data).verify()
    court.service.start()
    court.testify()


@pytest.fixture
def failing_sync(court_in, tmp_path: Path) -> tuple[Court, Path]:
    flag = tmp_path / "fail now"
    environment = {
        "LD_PRELOAD": str(preloaded("failing_sync.c", tmp_path)),
        "FAIL_SYNC_OF": "journal.db-wal",
        "FAIL_SYNC_WHILE": str(flag),
    }
    return court_in(tmp_path / "data", "--stop-timeout-s", "2", **environment), flag


def test_after_a_failed_sync_nothing_is_written_until_the_journal_was_verified(
    failing_sync,
) -> None:
    court, flag = failing_sync
    with court.load() as load:
        load.until(lambda load: load.carried_out > 20)
        flag.touch()
        why = until_ready(court, ready=False)
        assert "journal.db" in why
        # Whoever comes now is refused at once; those whose outcome is not known wait for it.
        other = Line(court.service, court.service.token("other"))
        path = "/dss/v1/subscriptions/00000000-0000-4000-8000-0000000000aa"
        circle = {"center": {"lat": 1, "lng": 1}, "radius": {"value": 100, "units": "M"}}
        body = {
            "extents": {"volume": {"outline_circle": circle}},
            "uss_base_url": "https://other.example.org",
            "notify_for_operational_intents": True,
        }
        status, answer = other.ask("PUT", path, body)
        assert (status, answer["message"]) == (503, SENTENCES[State.RECOVERING])
        flag.unlink()
        until_ready(court)
        assert other.ask("PUT", path, body)[0] == 200
        other.close()
        so_far = load.carried_out
        load.until(lambda load: load.carried_out > so_far + 50)
    assert not any(witness.waits for witness in court.witnesses)
    court.testify()
    court.service.kill()
    Resting(court.service.data).verify()
    court.service.start()
    court.testify()


def test_a_service_whose_sync_fails_can_be_stopped_and_tells_who_waits(failing_sync) -> None:
    court, flag = failing_sync
    with court.load() as load:
        load.until(lambda load: load.carried_out > 20)
        flag.touch()
        until_ready(court, ready=False)
        assert court.service.stop() == ExitStatus.CLEAR
    # What became of some is found out once the service has read its journal again.
    told = {sentence for witness in court.witnesses for sentence in witness.refusals}
    assert NOT_KNOWN in told
    assert told <= {NOT_KNOWN, SENTENCES[State.RECOVERING], SENTENCES[State.STOPPING], STOPPING}
    flag.unlink()
    Resting(court.service.data).verify()
    court.service.start()
    court.testify()


def test_a_read_only_disk_is_refused_in_one_line(court, tmp_path: Path) -> None:
    with court.load() as load:
        load.until(lambda load: load.carried_out > 10)
    assert court.service.stop() == ExitStatus.CLEAR
    data = court.service.data
    before = {file.name: file.read_bytes() for file in data.iterdir() if file.is_file()}
    with read_only(data, tmp_path / "view") as view:
        court.service.data = view
        status, lines = court.service.refused_start()
        assert status == ExitStatus.START_REFUSED
        assert len(lines) == 1
        assert "read-only" in lines[0].lower()
        assert str(view) in lines[0]
        court.service.data = data
    assert {file.name: file.read_bytes() for file in data.iterdir() if file.is_file()} == before
    court.service.start()
    court.testify()


def test_a_folder_of_another_user_is_refused_in_one_line(court) -> None:
    assert court.service.stop() == ExitStatus.CLEAR
    data = court.service.data
    data.chmod(0o500)
    try:
        if os.access(data, os.W_OK):
            pytest.skip("this user may write anywhere, whatever a folder's rights say")
        (data / "head").chmod(0o400)
        status, lines = court.service.refused_start()
        assert (status, len(lines)) == (ExitStatus.START_REFUSED, 1)
    finally:
        data.chmod(0o700)
