"""A history moves between engines, and its proof goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from deconflict.journal.checkpoint import verify_checkpoint
from deconflict.journal.engine import Group, Row
from deconflict.journal.keys import Keys
from deconflict.journal.location import location
from deconflict.server.copying import copy_journal
from deconflict.server.data_folder import DataFolder
from deconflict.server.own import SERVICE_SUBJECT
from deconflict.server.pruning import prune_folder
from journalling import add, held
from serving import DECONFLICT, Service


def copied(*arguments: object) -> dict:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DECONFLICT, "journal", "copy", *map(str, arguments)], capture_output=True, text=True
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    add(folder, *(f"uss{number}" for number in range(300)))
    return folder


@pytest.fixture(params=["postgres", "jetstream"])
def shared(request: pytest.FixtureRequest) -> str:
    if request.param == "jetstream":
        return request.getfixturevalue("stream_url")
    postgres = request.getfixturevalue("postgres")
    name = f"copy_{os.urandom(6).hex()}"
    postgres.database(name)
    return postgres.url(name)


def test_a_history_goes_to_an_engine_and_back_with_the_same_root(data: Path, shared: str):
    there = copied(f"sqlite:{data}", shared)
    assert (there["first"], there["stop"], there["copied"]) == (0, 301, 301)
    assert "not-to-be-seen" not in json.dumps(there)
    again = copied(f"sqlite:{data}", shared)
    assert (again["copied"], again["root"]) == (0, there["root"])
    back = data.parent / "back"
    home = copied(shared, f"sqlite:{back}/", "--data", data)
    assert (home["copied"], home["root"]) == (301, there["root"])
    shutil.copytree(data / "keys", back / "keys")
    shutil.copytree(data / "log", back / "log")
    verified = subprocess.run(
        [DECONFLICT, "journal", "verify", back], capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert held(back) == held(data)


def test_what_came_since_is_copied_by_the_next_run(data: Path, shared: str):
    copied(f"sqlite:{data}", shared)
    add(data, "late")
    assert copied(f"sqlite:{data}", shared)["copied"] == 1


def test_a_copy_is_made_beside_the_running_service_and_ended_when_it_is_stopped(
    data: Path, shared: str
):
    service = Service(data)
    try:
        service.start()
        beside = copied(f"sqlite:{data}", shared)
        assert beside["copied"] == beside["stop"] >= 301
        with service.client("Relief", "utm.availability_arbitration") as client:
            body = {"old_version": "", "availability": "Down"}
            assert client.put("/dss/v1/uss_availability/late", json=body).status_code == 200
        assert service.stop() == 0
    finally:
        service.close()
    ended = copied(f"sqlite:{data}", shared)
    assert ended["copied"] == ended["stop"] - beside["stop"] >= 1
    assert ended["checkpoint"] == ended["stop"]


def test_a_service_goes_on_from_the_copy_on_the_same_folder(data: Path, shared: str):
    copied(f"sqlite:{data}", shared)
    public_key = Keys.load(data / "keys", create=False).public_key
    before = verify_checkpoint((data / "log/checkpoint").read_bytes(), public_key)
    shutil.move(data / "journal.db", data / "before.db")
    service = Service(data, "--journal", shared, "--trial")
    try:
        service.start()
        assert service.stop() == 0
    finally:
        service.close()
    opened = DataFolder.beside(data, journal=location(shared))
    try:
        assert opened.log.extends(before)
        assert len({each.party for each in opened.register.availabilities()}) == 300
    finally:
        opened.close()


def test_another_history_at_the_target_is_refused_by_its_first_entry(
    data: Path, shared: str, tmp_path: Path
):
    other = tmp_path / "other"
    add(other, "foreign")
    copied(f"sqlite:{other}", shared)
    done = run(f"sqlite:{data}", shared)
    assert done.returncode == 2
    assert "entry 0" in done.stderr
    assert head_of(shared) == 2, "nothing was appended to it"


def head_of(text: object) -> int:
    engine = location(str(text)).open_reader()
    try:
        return engine.head()
    finally:
        engine.close()


def test_nothing_is_appended_to_a_history_that_went_another_way(data: Path, tmp_path: Path):
    fork = tmp_path / "fork"
    shutil.copytree(data, fork)
    add(data, "served")
    add(fork, "one", "two", "three")
    done = run(f"sqlite:{fork}", f"sqlite:{data}")
    assert done.returncode == 2
    assert "entry 301" in done.stderr
    assert head_of(f"sqlite:{data}") == 302
    assert "served" in held(data)
    assert "two" not in held(data)


def test_nothing_is_appended_to_another_history_that_ends_where_the_source_begins(
    data: Path, tmp_path: Path
):
    pruned(data)
    other = tmp_path / "other"
    add(other, *(f"foreign{number}" for number in range(255)))
    done = run(f"sqlite:{data}", f"sqlite:{other}")
    assert done.returncode == 2
    assert "entry 0" in done.stderr
    assert head_of(f"sqlite:{other}") == 256


def test_a_target_that_ends_before_what_is_kept_is_told_from_one_that_goes_on(
    tmp_path: Path,
):
    data, target = tmp_path / "data", tmp_path / "target"
    add(data, "early")
    copied(f"sqlite:{data}", f"sqlite:{target}/")
    add(data, *(f"uss{number}" for number in range(300)))
    pruned(data)
    done = run(f"sqlite:{data}", f"sqlite:{target}/")
    assert done.returncode == 2
    assert "empty place" in done.stderr
    empty = copied(f"sqlite:{data}", f"sqlite:{tmp_path / 'empty'}/")
    assert (empty["first"], empty["copied"]) == (256, 46)


def test_only_what_both_keep_is_said_to_be_compared(data: Path, tmp_path: Path):
    target = tmp_path / "target"
    copied(f"sqlite:{data}", f"sqlite:{target}/")
    pruned(data)
    add(data, "late")
    done = copied(f"sqlite:{data}", f"sqlite:{target}/")
    assert (done["first"], done["stop"], done["copied"]) == (256, 302, 1)
    # Of what was pruned without an archive the target may be the last that has it.
    assert (done["pruned"], done["older"]) == (0, 256)


def test_what_was_pruned_to_an_archive_is_pruned_at_the_target_too(data: Path, shared: str):
    assert copied(f"sqlite:{data}", shared)["older"] == 0
    assert prune_folder(data, time.time_ns() // 1000)[1] == 256
    done = copied(f"sqlite:{data}", shared)
    assert (done["first"], done["pruned"], done["older"]) == (256, 256, 0)
    engine = location(shared).open_reader()
    try:
        assert engine.first() == 256
    finally:
        engine.close()
    assert copied(f"sqlite:{data}", shared)["pruned"] == 0


def test_nothing_is_removed_from_the_target_for_an_archive_that_is_damaged(
    data: Path, tmp_path: Path
):
    target = tmp_path / "target"
    copied(f"sqlite:{data}", f"sqlite:{target}/")
    prune_folder(data, time.time_ns() // 1000)
    (archive,) = (data / "archive").glob("*.archive")
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    done = run(f"sqlite:{data}", f"sqlite:{target}/")
    assert (done.returncode, archive.name in done.stderr) == (2, True), done.stderr
    engine = location(f"sqlite:{target}/").open_reader()
    try:
        assert engine.first() == 0
    finally:
        engine.close()


def pruned(data: Path) -> None:
    """Prune what stands in full tiles."""
    opened = DataFolder.open(data)
    try:
        opened.log.advance()
        assert opened.log.prune(256) == 256
    finally:
        opened.close()


def test_an_interrupted_copy_goes_on_where_it_ended(data: Path, tmp_path: Path):
    target = location(f"sqlite:{tmp_path / 'target'}/")

    def interrupt(_part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # at the first report: behind the first group
        copy_journal(location(f"sqlite:{data}"), target, data, interrupt)
    assert head_of(target.text) == 256
    assert copied(f"sqlite:{data}", target.text)["copied"] == 45


def test_an_entry_that_is_not_the_same_is_found(data: Path, tmp_path: Path):
    target = tmp_path / "target"
    copied(f"sqlite:{data}", f"sqlite:{target}/")
    add(data, "late")
    engine = location(f"sqlite:{target}/").open()
    try:
        row = Row(1, b"{}", bytes(64), bytes(16), b"")
        engine.append(301, Group(os.urandom(16), (row,)))
    finally:
        engine.close()
    done = run(f"sqlite:{data}", f"sqlite:{target}/")
    assert done.returncode == 2
    assert "entry 301" in done.stderr


def test_what_was_erased_stays_erased_and_pruned_entries_stay_away(data: Path, shared: str):
    opened = DataFolder.open(data)
    try:
        opened.log.erase(SERVICE_SUBJECT.encode())
        opened.log.advance()
        assert opened.log.prune(256) == 256
    finally:
        opened.close()
    done = copied(f"sqlite:{data}", shared)
    assert (done["first"], done["stop"], done["copied"]) == (256, 301, 45)


def test_a_key_erased_since_is_erased_at_the_target_too(data: Path, shared: str):
    assert copied(f"sqlite:{data}", shared)["keys"] > 0
    opened = DataFolder.open(data)
    try:
        opened.log.erase(SERVICE_SUBJECT.encode())
    finally:
        opened.close()
    assert copied(f"sqlite:{data}", shared)["keys"] == 0
    back = data.parent / "back"
    assert copied(shared, f"sqlite:{back}/", "--data", data)["keys"] == 0


def test_a_key_that_was_erased_and_made_anew_since_takes_the_place_of_the_old_one(
    data: Path, shared: str
):
    copied(f"sqlite:{data}", shared)
    opened = DataFolder.open(data)
    try:
        opened.log.erase(SERVICE_SUBJECT.encode())
    finally:
        opened.close()
    add(data, "again")
    done = copied(f"sqlite:{data}", shared)
    assert (done["copied"], done["keys"] > 0) == (1, True)
    beside = DataFolder.beside(data, journal=location(shared))
    try:
        *erased, last = beside.log.read()
    finally:
        beside.close()
    assert all(each.erased for each in erased)
    assert not last.erased


def test_a_journal_is_not_copied_to_itself(data: Path):
    done = run(f"sqlite:{data}", f"sqlite:{data}/journal.db")
    assert done.returncode == 2
    assert "itself" in done.stderr
