"""What bad hands and bad disks did to the files of a service while it was stopped."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deconflict.cli.status import ExitStatus
from resting import Resting
from serving import Service, service_in
from witness import Court

JOURNAL = ("journal.db", "journal.db-wal", "head")
FLIPS = 6
FLIPS_LONG = 100
WRITES = 150


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory, authority_key) -> Iterator[Court]:
    """A service that was killed at work, with much in its write-ahead log; nobody changes it."""
    data = tmp_path_factory.mktemp("cut off") / "data"
    service = service_in(data, authority_key, "--log-requests", "failed").start()
    court = Court(service)
    with court.load() as load:
        load.until(lambda load: load.carried_out > WRITES)
        service.kill()
    yield court
    service.close()


def harmed(court: Court, folder: Path, harm: Callable[[Path], None]) -> Service:
    """Return a service, not started, on a harmed copy."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(court.service.data, copy)
    harm(copy)
    return Service(copy, "--log-requests", "failed")


def cut(name: str, part: float) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        path = data / name
        with path.open("r+b") as file:
            file.truncate(int(path.stat().st_size * part))

    return harm


def flip(name: str, part: float) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        path = data / name
        with path.open("r+b") as file:
            place = int(path.stat().st_size * part)
            file.seek(place)
            (old,) = file.read(1)
            file.seek(place)
            file.write(bytes([old ^ 1]))

    return harm


def gone(name: str) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        (data / name).unlink()

    return harm


def zeros(name: str) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        path = data / name
        path.write_bytes(bytes(path.stat().st_size))

    return harm


HARMS = {
    "half the log": (cut("journal.db-wal", 0.5), r"lost its last [1-9]\d* entr.*restore"),
    "no log": (gone("journal.db-wal"), r"lost its last [1-9]\d* entr.*journal\.db-wal.*restore"),
    "a bit of the log": (flip("journal.db-wal", 0.3), r"lost its last [1-9]\d* entr.*restore"),
    "no database": (gone("journal.db"), r"no journal at .*[1-9]\d* entries were committed.*put"),
    "another file": (zeros("journal.db"), r"journal\.db is (damaged|no journal).*restore"),
    "no head": (gone("head"), r"head is missing.*put back"),
    "an empty head": (zeros("head"), r"head is damaged.*put back"),
    "no checkpoint": (gone("log/checkpoint"), r"checkpoint is missing.*put"),
    "a bit of the checkpoint": (flip("log/checkpoint", 0.9), r"checkpoint.*damaged.*put"),
    "no signing key": (gone("keys/signing-key"), r"signing-key.*put"),
    "no sealing key": (gone("keys/sealing-key"), r"sealing-key.*put"),
}


@pytest.mark.parametrize("name", HARMS)
def test_harm_is_refused_in_one_line_that_says_what_to_do(cut_off, tmp_path: Path, name) -> None:
    harm, sentence = HARMS[name]
    service = harmed(cut_off, tmp_path, harm)
    before = contents(service.data)
    status, lines = service.refused_start()
    assert status == ExitStatus.START_REFUSED
    assert len(lines) == 1, lines
    assert re.search(sentence, lines[0]), lines[0]
    assert str(service.data) in lines[0]
    if contents(cut_off.service.data) != before:
        # The evidence stays as it was: an operator may save from it what can be saved.
        assert contents(service.data) == before


def contents(data: Path) -> dict[str, bytes]:
    found = {name: (data / name).read_bytes() for name in JOURNAL if (data / name).exists()}
    return {name: content for name, content in found.items() if content}


@pytest.mark.slow
def test_a_flipped_bit_or_a_cut_anywhere_is_refused_or_harms_nothing(
    cut_off, tmp_path: Path, long_form
) -> None:
    chance = random.Random(9)
    refused = 0
    for _ in range(FLIPS_LONG if long_form else FLIPS):
        name, place = chance.choice(JOURNAL[:2]), chance.random()
        harm = chance.choice((flip, flip, cut))(name, place)
        service = harmed(cut_off, tmp_path, harm)
        service.launch()
        if not service.ready():
            refused += 1
            assert service.process.wait(60) == ExitStatus.START_REFUSED
            assert len(service.lines()) == 1, service.lines()
            continue
        try:
            cut_off.at(service).testify()
        finally:
            service.kill()
    assert refused > 0


def test_files_put_back_from_yesterday_are_refused_with_what_is_missing(
    court, tmp_path: Path
) -> None:
    service = court.service
    with court.load() as load:
        load.until(lambda load: load.carried_out > 20)
    assert service.stop() == ExitStatus.CLEAR
    yesterday = tmp_path / "yesterday"
    shutil.copytree(service.data, yesterday)
    old = Resting(service.data).head
    service.start()
    with court.load() as load:
        load.until(lambda load: load.carried_out > 20)
    assert service.stop() == ExitStatus.CLEAR
    missing = Resting(service.data).head - old
    today = tmp_path / "today"
    shutil.copytree(service.data, today)
    # Journal and head both: they agree with one another, and the checkpoint outside tells.
    for name in ("journal.db", "head"):
        shutil.copy(yesterday / name, service.data / name)
    status, lines = service.refused_start()
    assert (status, len(lines)) == (ExitStatus.START_REFUSED, 1)
    assert f" {missing} are missing" in lines[0]
    assert "restore" in lines[0]
    # With today's files again it goes on as if nothing had been.
    for name in ("journal.db", "head"):
        shutil.copy(today / name, service.data / name)
    service.start()
    court.testify()


def test_a_second_server_is_refused_at_once_and_the_first_goes_on(court) -> None:
    with court.load() as load:
        load.until(lambda load: load.carried_out > 20)
        second = Service(court.service.data)
        status, lines = second.refused_start()
        assert (status, len(lines)) == (ExitStatus.START_REFUSED, 1)
        assert "another process" in lines[0]
        so_far = load.carried_out
        load.until(lambda load: load.carried_out > so_far + 20)
        assert load.refused == 0
    court.testify()
    court.service.kill()
    Resting(court.service.data).verify()
    # The lock ended with the process: nothing has to be cleared away by hand.
    court.service.start()
    court.testify()


SNAPSHOT_HARMS = {
    "a flipped bit": flip,
    "cut in half": cut,
    "all zeros": lambda name, _: zeros(name),
    "gone": lambda name, _: gone(name),
}


def test_snapshots_that_are_damaged_or_gone_cost_a_replay_and_nothing_else(court) -> None:
    service = court.service
    for harm in SNAPSHOT_HARMS.values():
        with court.load() as load:
            load.until(lambda load: load.carried_out > 20)
        assert service.stop() == ExitStatus.CLEAR
        rest = Resting(service.data)
        assert rest.snapshot_head == rest.head
        for path in (service.data / "snapshots").iterdir():
            harm(f"snapshots/{path.name}", 0.5)(service.data)
        assert Resting(service.data).snapshot_head == 0
        service.start()
        court.testify()
    assert service.stop() == ExitStatus.CLEAR
    Resting(service.data).verify()
