"""A full disk, a read-only disk and a disk that fails to synchronise, with a real one of each.

Small file systems are mounted where that is allowed; what needs no mount runs everywhere.
"""

from __future__ import annotations

import os
import runpy
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deconflict.journal.engine import EngineError, NoSpaceError, Outcome
from deconflict.journal.sqlite.engine import SqliteEngine

SCRIPT = Path(__file__).with_name("journal_writer.py")
WRITER = runpy.run_path(str(SCRIPT))
NAME = "journal.db"


def fill(engine: SqliteEngine, groups: int) -> None:
    for _ in range(groups):
        head = engine.head()
        assert engine.append(head, WRITER["group"](head)) is Outcome.ACCEPTED


def expected(count: int) -> list:
    return [(position, WRITER["row"](position)) for position in range(count)]


def mounted(folder: Path, *options: str) -> None:
    """Mount something on a folder, or skip with what the system says."""
    tool = shutil.which("mount")
    if tool is None:
        pytest.skip("there is no mount command")
    done = subprocess.run([tool, *options, str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted(folder, "-t", "tmpfs", "-o", "size=1m", "tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_ext4(tmp_path: Path) -> Iterator[Path]:
    folder, image = tmp_path / "ext4", tmp_path / "image"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(4 * 1024 * 1024)
    tool = shutil.which("mkfs.ext4", path=f"{os.environ['PATH']}:/sbin:/usr/sbin")
    if tool is None:
        pytest.skip("there is no mkfs.ext4 command")
    # Blocks as large as a page, as everywhere but on the smallest disks: with smaller ones the
    # system kills a process that writes into the room SQLite has set aside in its shared memory.
    arguments = ["-q", "-b", "4096", "-O", "^has_journal", str(image)]
    subprocess.run([tool, *arguments], check=True)
    mounted(folder, "-o", "loop", str(image))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def until_full(engine: SqliteEngine) -> EngineError:
    with pytest.raises(EngineError) as caught:
        fill(engine, 10_000)
    return caught.value


def half_full(folder: Path) -> Path:
    """Leave less than half of a disk free, so that a log fits in again when this goes."""
    disk = os.statvfs(folder)
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(disk.f_bavail * disk.f_frsize * 6 // 10))
    return ballast


@pytest.mark.parametrize("disk", ["small_disk", "small_ext4"])
def test_a_full_disk_refuses_and_goes_on_when_there_is_room(request, disk: str):
    folder = request.getfixturevalue(disk)
    ballast = half_full(folder)
    engine = SqliteEngine(folder / NAME, create=True)
    error = until_full(engine)
    assert isinstance(error, NoSpaceError)
    assert error.outcome_known
    assert not error.must_reopen
    assert "disk" in str(error)
    head = engine.head()
    assert head > 10
    refused = WRITER["group"](head)
    assert engine.find(refused.id) is None
    assert list(engine.read(0)) == expected(head)
    for _ in range(3):
        assert isinstance(until_full(engine), NoSpaceError)
    head = engine.head()
    ballast.unlink()
    fill(engine, 2)
    assert list(engine.read(0)) == expected(engine.head())
    assert engine.head() > head
    engine.close()
    engine = SqliteEngine(folder / NAME)
    assert list(engine.read(0)) == expected(engine.head())
    engine.close()


def test_a_full_disk_that_cannot_move_the_log_is_told_and_loses_nothing(small_disk, monkeypatch):
    from deconflict.journal.sqlite import writing

    monkeypatch.setattr(writing, "CHECKPOINT_BYTES", 100_000)
    ballast = half_full(small_disk)
    engine = SqliteEngine(small_disk / NAME, create=True)
    reader = SqliteEngine.reader(small_disk / NAME)
    # A program that reads keeps the log from beginning anew, and then neither file can grow.
    shell = sqlite3.connect(small_disk / NAME, isolation_level=None)
    shell.execute("BEGIN").execute("SELECT count(*) FROM entries").fetchone()
    assert isinstance(until_full(engine), NoSpaceError)
    head = engine.head()
    shell.close()
    reader.close()
    engine.close()
    with pytest.raises(NoSpaceError, match="make room"):
        SqliteEngine(small_disk / NAME)
    reader = SqliteEngine.reader(small_disk / NAME)
    assert list(reader.read(0)) == expected(head)
    reader.close()
    ballast.unlink()
    engine = SqliteEngine(small_disk / NAME)
    fill(engine, 2)
    assert list(engine.read(0)) == expected(engine.head())
    engine.close()


def test_a_full_disk_makes_no_journal_and_leaves_none_behind(small_disk):
    (small_disk / "ballast").write_bytes(bytes(1024 * 1024 - 16_384))
    with pytest.raises(EngineError, match="no journal was made"):
        SqliteEngine(small_disk / NAME, create=True)
    (small_disk / "ballast").unlink()
    engine = SqliteEngine(small_disk / NAME, create=True)
    fill(engine, 2)
    engine.close()


def test_a_file_that_may_not_grow_is_refused_and_nothing_is_lost(tmp_path: Path):
    # A limit of the process on its files' size: a full disk for whoever may not mount one.
    limited = (
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        f"sys.argv = ['writer', {str(tmp_path / NAME)!r}, '10000']\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    )
    child = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True)
    assert child.returncode == 3, child.stderr
    *heads, last = child.stdout.splitlines()
    assert last.startswith(("EngineError", "NoSpaceError"))
    acknowledged = int(heads[-1])
    engine = SqliteEngine(tmp_path / NAME)
    head = engine.head()
    # An outcome that is unknown may be either; a known one is that nothing was written.
    groups = {acknowledged, acknowledged + len(WRITER["group"](acknowledged).rows)}
    assert head in (groups if " False " in last else {acknowledged})
    fill(engine, 5)
    assert list(engine.read(0)) == expected(engine.head())
    engine.close()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A read-only view of a folder with a journal at rest."""
    folder, view = tmp_path / "data", tmp_path / "view"
    folder.mkdir()
    view.mkdir()
    engine = SqliteEngine(folder / NAME, create=True)
    fill(engine, 9)
    engine.close()
    mounted(view, "--bind", str(folder))
    done = subprocess.run(
        ["mount", "-o", "remount,ro,bind", str(view)], capture_output=True, text=True
    )
    if done.returncode == 0:
        yield view
    subprocess.run(["umount", "--lazy", str(view)], check=True)
    if done.returncode:
        pytest.skip(f"a read-only mount is not allowed here: {done.stderr.strip()}")


def test_a_read_only_disk_is_read_and_not_written(read_only):
    reader = SqliteEngine.reader(read_only / NAME)
    assert list(reader.read(0)) == expected(reader.head())
    reader.close()
    with pytest.raises(EngineError, match=r"head .*writing.*read-only"):
        SqliteEngine(read_only / NAME)
    with pytest.raises(EngineError, match="read-only"):
        SqliteEngine(read_only / "new" / NAME, create=True)
    assert sorted(file.name for file in read_only.iterdir()) == ["head", NAME]


def test_a_folder_without_the_right_to_write_is_read_and_not_written(tmp_path: Path):
    engine = SqliteEngine(tmp_path / NAME, create=True)
    fill(engine, 9)
    engine.close()
    for file in tmp_path.iterdir():
        file.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write anywhere, whatever a folder's rights say")
        reader = SqliteEngine.reader(tmp_path / NAME)
        assert list(reader.read(0)) == expected(reader.head())
        reader.close()
        with pytest.raises(EngineError, match="can't be opened for writing"):
            SqliteEngine(tmp_path / NAME)
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_view_follows_a_writer_elsewhere(read_only):
    engine = SqliteEngine(read_only.parent / "data" / NAME)
    fill(engine, 2)
    reader = SqliteEngine.reader(read_only / NAME)
    fill(engine, 2)
    assert list(reader.read(0)) == expected(engine.head())
    reader.close()
    engine.close()


def test_a_log_that_a_read_only_disk_does_not_let_us_follow_is_refused(read_only):
    data = read_only.parent / "data"
    engine = SqliteEngine(data / NAME)
    fill(engine, 2)
    copy = data.parent / "copy"
    shutil.copytree(data, copy)
    engine.close()
    for name in (NAME, f"{NAME}-wal", "head"):
        shutil.copy(copy / name, data / name)
    with pytest.raises(EngineError, match="copy the folder"):
        SqliteEngine.reader(read_only / NAME)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler, so no call to the system can be made to fail")
    made = tmp_path_factory.mktemp("library") / "failing_sync.so"
    source = SCRIPT.with_name("failing_sync.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True)
    return made


STORY = """
import runpy, sys
from pathlib import Path
from deconflict.journal.sqlite import writing
from deconflict.journal.engine import EngineError, Outcome
from deconflict.journal.sqlite.engine import SqliteEngine

writer = runpy.run_path(sys.argv[1])
path, flag, checkpoint = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
writing.CHECKPOINT_BYTES = checkpoint
row, group = writer["row"], writer["group"]


def append(engine):
    head = engine.head()
    return engine.append(head, group(head))


engine = SqliteEngine(path, create=True)
for _ in range(5):
    append(engine)
head = engine.head()
flag.touch()
caught = []
for attempt in (lambda: append(engine),) * 2 + (lambda: list(engine.read(0)), engine.head):
    try:
        attempt()
        caught.append(None)
    except EngineError as error:
        caught.append((error.outcome_known, error.must_reopen))
print(caught)
flag.unlink()
engine.reopen()
found = engine.find(group(head).id)
print(found, engine.head() - head, len(group(head).rows))
for _ in range(3):
    assert append(engine) is Outcome.ACCEPTED
assert [each for _, each in engine.read(0)] == [row(at) for at in range(engine.head())]
engine.close()
print("whole")
"""


def sync_story(library: Path, tmp_path: Path, name: str, checkpoint: int) -> list[str]:
    flag = tmp_path / "fail now"
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "FAIL_SYNC_OF": name,
        "FAIL_SYNC_WHILE": str(flag),
    }
    arguments = [str(SCRIPT), str(tmp_path / NAME), str(flag), str(checkpoint)]
    done = subprocess.run(
        [sys.executable, "-c", STORY, *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_failed_sync_of_a_commit_is_unknown_and_stops_everything_until_reopened(
    library, tmp_path: Path
):
    caught, outcome, end = sync_story(library, tmp_path, f"{NAME}-wal", 1_000_000)
    # The first append may be either way; the next, and all reading, is refused outright.
    assert caught == str([(False, True), (True, True), (True, True), (True, True)])
    found, grown, rows = outcome.split()
    assert (found == "None") == (grown == "0")
    assert grown in {"0", rows}
    assert end == "whole"


def test_a_failed_sync_of_the_database_is_told_by_the_next_call(library, tmp_path: Path):
    caught, outcome, end = sync_story(library, tmp_path, NAME, 1)
    # The entries were safe in the log before it was moved, so their append is acknowledged.
    assert caught == str([None, (True, True), (True, True), (True, True)])
    found, grown, rows = outcome.split()
    assert found != "None"
    assert grown == rows
    assert end == "whole"
