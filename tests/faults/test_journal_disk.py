"""What a crash, a bad disk or a wrong hand does to a journal's files is noticed, never passed over.

The oracle is the row that `journal_writer` makes for each position, and a copy of the files.
"""

from __future__ import annotations

import random
import re
import runpy
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deconflict.journal.engine import EngineError, Outcome
from deconflict.journal.sqlite.engine import SqliteEngine

SCRIPT = Path(__file__).with_name("journal_writer.py")
WRITER = runpy.run_path(str(SCRIPT))
NAME = "journal.db"


def fill(engine: SqliteEngine, groups: int) -> None:
    for _ in range(groups):
        head = engine.head()
        assert engine.append(head, WRITER["group"](head)) is Outcome.ACCEPTED


def content(path: Path) -> list:
    """Open, read everything and close; raise what is noticed."""
    engine = SqliteEngine(path)
    try:
        return list(engine.read(engine.first()))
    finally:
        engine.close()


def expected(count: int) -> list:
    return [(position, WRITER["row"](position)) for position in range(count)]


@pytest.fixture
def at_rest(tmp_path: Path) -> tuple[Path, int]:
    """A journal that was closed: all of it in the database."""
    folder = tmp_path / "at rest"
    folder.mkdir()
    engine = SqliteEngine(folder / NAME, create=True)
    fill(engine, 25)
    head = engine.head()
    engine.close()
    return folder, head


@pytest.fixture
def cut_off(tmp_path: Path) -> tuple[Path, int]:
    """A journal whose process was cut off: half of it in the write-ahead log."""
    folder, whole = tmp_path / "cut off", tmp_path / "whole"
    whole.mkdir()
    engine = SqliteEngine(whole / NAME, create=True)
    fill(engine, 10)
    engine.close()
    engine = SqliteEngine(whole / NAME)
    fill(engine, 15)
    head = engine.head()
    shutil.copytree(whole, folder)
    (folder / f"{NAME}-shm").unlink()
    engine.close()
    return folder, head


def test_every_acknowledged_entry_survives_kills_at_random_moments(tmp_path: Path):
    moments = random.Random(7)
    path = tmp_path / NAME
    acknowledged = 0
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(path), "100000"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(moments.randrange(1, 120)):
            acknowledged = int(child.stdout.readline())
        child.kill()
        rest = child.communicate()[0]
        lines = re.findall(r"^\d+$(?=\n)", rest, re.MULTILINE)
        acknowledged = int(lines[-1]) if lines else acknowledged
        engine = SqliteEngine(path)
        head = engine.head()
        assert acknowledged <= head <= acknowledged + 7
        assert list(engine.read(0)) == expected(head)
        engine.close()


def _harmed(folder: Path, tmp_path: Path, harm: Callable[[Path], None]) -> Path:
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    harm(copy)
    return copy / NAME


def _noticed_or_whole(path: Path, head: int) -> bool:
    """Whether the harm was noticed; if it was not, everything must be as it was."""
    try:
        found = content(path)
    except EngineError:
        return True
    assert found == expected(head)
    return False


def test_a_database_cut_at_any_length_is_noticed(at_rest, tmp_path: Path):
    folder, head = at_rest
    size = (folder / NAME).stat().st_size
    lengths = random.Random(1).sample(range(size), 40)
    for length in (0, 1, 100, size - 1, *lengths):

        def cut(copy: Path, length: int = length) -> None:
            with (copy / NAME).open("r+b") as file:
                file.truncate(length)

        assert _noticed_or_whole(_harmed(folder, tmp_path, cut), head), length


def test_a_write_ahead_log_cut_at_any_length_is_noticed(cut_off, tmp_path: Path):
    folder, head = cut_off
    log = f"{NAME}-wal"
    size = (folder / log).stat().st_size
    for length in (0, 1, 32, *random.Random(2).sample(range(size), 30)):

        def cut(copy: Path, length: int = length) -> None:
            with (copy / log).open("r+b") as file:
                file.truncate(length)

        assert _noticed_or_whole(_harmed(folder, tmp_path, cut), head), length


@pytest.mark.parametrize("name", [NAME, f"{NAME}-wal", "head"])
def test_a_flipped_byte_anywhere_is_noticed_or_harmless(cut_off, tmp_path: Path, name: str):
    folder, head = cut_off
    places = random.Random(name)
    size = (folder / name).stat().st_size
    noticed = 0
    for _ in range(80):
        place, bit = places.randrange(size), 1 << places.randrange(8)

        def flip(copy: Path, place: int = place, bit: int = bit) -> None:
            with (copy / name).open("r+b") as file:
                file.seek(place)
                (old,) = file.read(1)
                file.seek(place)
                file.write(bytes([old ^ bit]))

        noticed += _noticed_or_whole(_harmed(folder, tmp_path, flip), head)
    if name != "head":  # of which most is room between the slots, and one slot is enough
        assert noticed > 20


def test_a_flipped_row_is_named_by_its_position(at_rest, tmp_path: Path):
    folder, _ = at_rest
    torn = WRITER["row"](3).sealed[-20:]

    def flip(copy: Path) -> None:
        path = copy / NAME
        path.write_bytes(path.read_bytes().replace(torn, torn[:-1] + bytes([torn[-1] ^ 1])))

    engine = SqliteEngine(_harmed(folder, tmp_path, flip))
    rows = engine.read(0)
    assert [next(rows)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(EngineError, match=r"entry 3 .*damaged"):
        next(rows)
    engine.close()


def test_one_flipped_byte_in_the_log_tells_how_many_entries_are_missing(cut_off, tmp_path: Path):
    folder, head = cut_off

    def flip(copy: Path) -> None:
        log = copy / f"{NAME}-wal"
        old = log.read_bytes()
        log.write_bytes(old[:100] + bytes([old[100] ^ 1]) + old[101:])

    path = _harmed(folder, tmp_path, flip)
    # What SQLite itself makes of it: the first ten groups are left, and nothing is said.
    bare = tmp_path / "bare"
    shutil.copytree(path.parent, bare)
    shell = sqlite3.connect(bare / NAME)
    (left,) = shell.execute("SELECT count(*) FROM entries").fetchone()
    assert shell.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    shell.close()
    assert 0 < left < head
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    for opening in (SqliteEngine, SqliteEngine.reader):
        with pytest.raises(EngineError, match=f"lost its last {head - left} entries.*restore"):
            opening(path)
    # The evidence stays: the log still holds what may be saved.
    for file in (NAME, f"{NAME}-wal", "head"):
        assert (path.parent / file).read_bytes() == before[file]


def test_a_file_put_back_from_yesterday_is_refused(at_rest, tmp_path: Path):
    folder, head = at_rest
    yesterday = tmp_path / "yesterday.db"
    shutil.copy(folder / NAME, yesterday)
    engine = SqliteEngine(folder / NAME)
    fill(engine, 5)
    missing = engine.head() - head
    engine.close()
    shutil.copy(yesterday, folder / NAME)
    with pytest.raises(EngineError, match=f"lost its last {missing} entries"):
        SqliteEngine(folder / NAME)


def test_a_file_that_goes_another_way_from_yesterday_is_refused(at_rest, tmp_path: Path):
    folder, head = at_rest
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    for place, name in ((folder, b"a" * 16), (other, b"b" * 16)):
        engine = SqliteEngine(place / NAME)
        group = WRITER["group"](head)
        engine.append(head, type(group)(name, group.rows, group.keys))
        engine.close()
    shutil.copy(other / NAME, folder / NAME)
    with pytest.raises(EngineError, match="other entries"):
        SqliteEngine(folder / NAME)


def test_a_head_file_left_behind_by_a_crash_is_brought_up_to_the_end(at_rest):
    folder, head = at_rest
    before = (folder / "head").read_bytes()
    engine = SqliteEngine(folder / NAME)
    fill(engine, 3)
    end = engine.head()
    engine.close()
    (folder / "head").write_bytes(before)
    assert content(folder / NAME) == expected(end)
    # From now on the file holds the end: what comes behind it can't be lost unnoticed.
    shell = sqlite3.connect(folder / NAME)
    shell.execute("DELETE FROM entries WHERE position >= ?", (head,))
    shell.execute("DELETE FROM groups WHERE first >= ?", (head,))
    shell.commit()
    shell.close()
    with pytest.raises(EngineError, match=f"lost its last {end - head} entries"):
        SqliteEngine(folder / NAME)


def test_a_group_behind_the_head_file_that_does_not_follow_is_refused(at_rest):
    folder, head = at_rest
    before = (folder / "head").read_bytes()
    engine = SqliteEngine(folder / NAME)
    fill(engine, 2)
    engine.close()
    (folder / "head").write_bytes(before)
    shell = sqlite3.connect(folder / NAME)
    shell.execute("UPDATE groups SET id = ? WHERE first = ?", (bytes(16), head))
    shell.commit()
    shell.close()
    with pytest.raises(EngineError, match=f"group of entries {head} to .* does not follow"):
        SqliteEngine(folder / NAME)


def test_a_head_file_older_than_what_was_pruned_is_brought_up_too(at_rest):
    folder, _ = at_rest
    before = (folder / "head").read_bytes()
    engine = SqliteEngine(folder / NAME)
    fill(engine, 30)
    end = engine.head()
    engine.prune(end - 3)
    engine.close()
    (folder / "head").write_bytes(before)
    assert content(folder / NAME) == expected(end)[-3:]


def test_a_database_that_is_gone_is_not_made_anew(at_rest):
    folder, head = at_rest
    (folder / NAME).unlink()
    for opening in (
        lambda: SqliteEngine(folder / NAME),
        lambda: SqliteEngine(folder / NAME, create=True),
        lambda: SqliteEngine.reader(folder / NAME),
    ):
        with pytest.raises(EngineError, match=f"{head} entries were committed"):
            opening()
    assert [file.name for file in folder.iterdir()] == ["head"]


def test_a_head_file_that_is_gone_or_empty_is_refused(at_rest):
    folder, _ = at_rest
    (folder / "head").unlink()
    with pytest.raises(EngineError, match=r"head is missing"):
        SqliteEngine(folder / NAME, create=True)
    with pytest.raises(EngineError, match="head"):
        SqliteEngine.reader(folder / NAME)
    (folder / "head").write_bytes(b"")
    with pytest.raises(EngineError, match=r"head is empty"):
        SqliteEngine(folder / NAME, create=True)
    (folder / "head").write_bytes(bytes(8192))
    with pytest.raises(EngineError, match=r"head is damaged"):
        SqliteEngine(folder / NAME)


def test_one_torn_slot_of_the_head_file_leaves_the_other(at_rest):
    folder, head = at_rest
    whole = (folder / "head").read_bytes()
    for offset in (0, 4096):
        (folder / "head").write_bytes(whole[:offset] + bytes(60) + whole[offset + 60 :])
        assert content(folder / NAME) == expected(head)


def test_a_journal_with_the_head_file_of_another_is_refused(at_rest, tmp_path: Path):
    folder, _ = at_rest
    other = tmp_path / "other"
    other.mkdir()
    SqliteEngine(other / NAME, create=True).close()
    shutil.copy(other / "head", folder / "head")
    with pytest.raises(EngineError, match="different journals"):
        SqliteEngine(folder / NAME)


def test_a_file_that_is_no_journal_is_refused(at_rest):
    folder, _ = at_rest
    (folder / NAME).write_bytes(b"Guten Tag. " * 5000)
    with pytest.raises(EngineError, match="no journal"):
        SqliteEngine(folder / NAME)
    (folder / NAME).unlink()
    shell = sqlite3.connect(folder / NAME)
    shell.execute("CREATE TABLE people (name)")
    shell.close()
    with pytest.raises(EngineError, match="no journal of deconflict"):
        SqliteEngine(folder / NAME)


def test_a_file_that_lost_all_its_bytes_is_called_empty_and_no_other_file(at_rest):
    folder, _ = at_rest
    (folder / NAME).write_bytes(b"")
    with pytest.raises(EngineError, match=r"is empty: .* \(deconflict journal restore\)"):
        SqliteEngine(folder / NAME)


def test_a_making_that_was_interrupted_is_ended_by_the_next(tmp_path: Path):
    (tmp_path / "head").touch()
    (tmp_path / f"{NAME}.new").write_bytes(b"half a")
    with pytest.raises(EngineError, match="no journal"):
        SqliteEngine(tmp_path / NAME)
    engine = SqliteEngine(tmp_path / NAME, create=True)
    fill(engine, 2)
    engine.close()
    (tmp_path / "second").mkdir()
    SqliteEngine(tmp_path / "second" / NAME, create=True).close()
    (tmp_path / "second" / "head").write_bytes(b"")
    engine = SqliteEngine(tmp_path / "second" / NAME, create=True)
    fill(engine, 1)
    engine.close()


def test_a_second_writer_in_another_process_is_refused_until_the_first_is_killed(tmp_path: Path):
    path = tmp_path / NAME
    first = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path), "100000"], stdout=subprocess.PIPE, text=True
    )
    first.stdout.readline()
    with pytest.raises(EngineError, match=re.escape(str(tmp_path))):
        SqliteEngine(path, create=True)
    second = subprocess.run(
        [sys.executable, str(SCRIPT), str(path), "1"], capture_output=True, text=True
    )
    assert second.returncode == 3
    assert "another process writes the journal" in second.stdout
    reader = SqliteEngine.reader(path)
    assert len(list(reader.read(0))) >= 1
    reader.close()
    first.kill()
    first.communicate()
    SqliteEngine(path).close()


def test_a_reader_beside_the_writer_follows_it_and_cannot_write(at_rest):
    folder, head = at_rest
    engine = SqliteEngine(folder / NAME)
    reader = SqliteEngine.reader(folder / NAME)
    fill(engine, 3)
    assert reader.head() == engine.head() > head
    assert list(reader.read(0)) == expected(engine.head())
    for write in (
        lambda: reader.append(reader.head(), WRITER["group"](reader.head())),
        lambda: reader.erase([bytes(16)]),
        lambda: reader.prune(1),
    ):
        with pytest.raises(EngineError, match="to read it"):
            write()
    engine.close()
    assert reader.head() > head
    reader.close()


def test_a_reader_makes_no_journal_where_there_is_none(tmp_path: Path):
    with pytest.raises(EngineError, match="there is no journal"):
        SqliteEngine.reader(tmp_path / NAME)
    assert list(tmp_path.iterdir()) == []


def test_files_are_for_their_owner_alone(at_rest):
    folder, _ = at_rest
    engine = SqliteEngine(folder / NAME)
    fill(engine, 1)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    engine.close()


def test_an_erased_key_is_in_no_file_any_more(at_rest):
    folder, _ = at_rest
    engine = SqliteEngine(folder / NAME)
    fill(engine, 3)
    secret = WRITER["row"](4).key_id
    assert any(secret * 2 in file.read_bytes() for file in folder.iterdir())
    engine.erase([secret])
    assert not any(secret * 2 in file.read_bytes() for file in folder.iterdir())
    engine.close()


def test_pruning_gives_space_back_to_the_file_system(at_rest):
    folder, _ = at_rest
    engine = SqliteEngine(folder / NAME)
    fill(engine, 200)
    head = engine.head()
    engine.close()
    before = (folder / NAME).stat().st_size
    engine = SqliteEngine(folder / NAME)
    engine.prune(head - 50)
    engine.close()
    assert (folder / NAME).stat().st_size < before / 3
    assert content(folder / NAME) == expected(head)[-50:]


def test_a_reader_that_stops_half_way_does_not_let_the_log_grow(at_rest, monkeypatch):
    from deconflict.journal.sqlite import writing

    monkeypatch.setattr(writing, "CHECKPOINT_BYTES", 100_000)
    folder, _ = at_rest
    engine = SqliteEngine(folder / NAME)
    reader = SqliteEngine.reader(folder / NAME)
    half = reader.read(0)
    next(half)
    fill(engine, 300)
    assert engine.head() > 700
    assert (folder / f"{NAME}-wal").stat().st_size < 1_000_000
    assert next(half) == (1, WRITER["row"](1))
    reader.close()
    engine.close()


def test_a_database_taken_away_while_it_is_open_takes_no_more_entries(at_rest):
    folder, head = at_rest
    engine = SqliteEngine(folder / NAME)
    fill(engine, 1)
    (folder / NAME).rename(folder / "elsewhere.db")
    with pytest.raises(EngineError, match="removed or replaced") as caught:
        fill(engine, 1)
    assert caught.value.must_reopen
    assert caught.value.outcome_known
    with pytest.raises(EngineError):
        engine.reopen()
    with pytest.raises(EngineError):
        engine.head()
    (folder / "elsewhere.db").rename(folder / NAME)
    engine.reopen()
    fill(engine, 1)
    with pytest.raises(EngineError, match="another process"):
        SqliteEngine(folder / NAME)
    engine.close()
    assert len(content(folder / NAME)) > head
