from __future__ import annotations

from pathlib import Path

import pytest

from deconflict.journal.engine import EngineError
from deconflict.journal.head_file import FILE_BYTES, SLOT_OFFSETS, HeadFile, Mark


def mark(position: int) -> Mark:
    return Mark(b"j" * 16, position, bytes([position]) * 16, bytes([position]) * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = HeadFile.lock(tmp_path / "head", create=True)
    file.begin(mark(0))
    file.close()
    return tmp_path / "head"


def test_the_newest_mark_is_read_and_the_size_never_changes(path: Path):
    file = HeadFile.lock(path, create=False)
    for position in range(1, 6):
        file.read()
        file.write(mark(position))
        assert HeadFile.read_only(path).read() == mark(position)
        assert path.stat().st_size == FILE_BYTES
    file.close()


@pytest.mark.parametrize("torn_bytes", [1, 40, 100, 127])
def test_a_torn_write_leaves_the_mark_before_it(path: Path, torn_bytes: int):
    file = HeadFile.lock(path, create=False)
    file.read()
    file.write(mark(1))
    before = path.read_bytes()
    file.write(mark(2))
    after = path.read_bytes()
    file.close()
    changed = [at for at in range(FILE_BYTES) if before[at] != after[at]]
    slot = max(offset for offset in SLOT_OFFSETS if offset <= changed[0])
    end = slot + torn_bytes
    path.write_bytes(before[:slot] + after[slot:end] + before[end:])
    found = HeadFile.read_only(path).read()
    assert found == mark(1)
    # The next write must go over the torn slot and not over the last good one.
    file = HeadFile.lock(path, create=False)
    file.read()
    file.write(mark(3))
    assert HeadFile.read_only(path).read() == mark(3)
    assert mark(1).chain in path.read_bytes()
    file.close()


def test_the_lock_is_refused_to_a_second_and_given_when_the_first_closes(path: Path):
    first = HeadFile.lock(path, create=False)
    with pytest.raises(EngineError, match="another process writes the journal"):
        HeadFile.lock(path, create=False)
    first.close()
    HeadFile.lock(path, create=False).close()


def test_a_file_without_a_whole_slot_is_refused_with_what_to_do(path: Path):
    path.write_bytes(bytes(FILE_BYTES))
    file = HeadFile.lock(path, create=False)
    with pytest.raises(EngineError, match=r"damaged.*restore"):
        file.read()
    file.close()
