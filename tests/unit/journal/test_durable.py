from __future__ import annotations

import os
from pathlib import Path

import pytest

from deconflict.journal.durable import create_durably, make_folder, replace_durably


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    replace_durably(tmp_path / "file", b"one")
    replace_durably(tmp_path / "file", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"two"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_file_that_can_not_be_synced_is_not_put_in_place_of_the_old_one(tmp_path, monkeypatch):
    replace_durably(tmp_path / "file", b"one")

    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        replace_durably(tmp_path / "file", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"one"


def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_folder_after(tmp_path, monkeypatch):
    seen = []
    sync = os.fsync

    def watch(descriptor):
        seen.append(((tmp_path / "file").exists(), Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    replace_durably(tmp_path / "file", b"one")
    assert [exists for exists, _ in seen] == [False, True]
    assert seen[1][1] == tmp_path


def test_a_file_that_exists_is_not_made_a_second_time(tmp_path):
    create_durably(tmp_path / "file", b"one")
    with pytest.raises(FileExistsError):
        create_durably(tmp_path / "file", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"one"


def test_folders_are_made_for_the_owner_alone(tmp_path):
    make_folder(tmp_path / "one" / "two")
    make_folder(tmp_path / "one" / "two")
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "one" / "two").stat().st_mode & 0o777 == 0o700
