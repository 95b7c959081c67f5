"""A file is written whole or not at all, whatever happens to the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from deconflict.files import write_bytes
from deconflict.geo.errors import InputError


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), descriptor)

    monkeypatch.setattr(os, "fsync", fail)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_file_that_was_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="No space left"):
        write_bytes(b"new", str(path), replace=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_no_half_of_a_new_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No space left"):
        write_bytes(b"new", str(tmp_path / "plans.csv"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_with_its_permissions_and_through_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "plans.csv", tmp_path / "link.csv"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_bytes(b"new", str(link), replace=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def test_a_file_that_exists_is_not_touched_unasked(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="exists already"):
        write_bytes(b"new", str(path))
    assert path.read_bytes() == b"old"
