from __future__ import annotations

import pytest

from deconflict.journal import tile
from deconflict.journal.errors import ProofError


def test_paths_are_those_of_the_specification():
    assert tile.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile.tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert tile.tile_path(2, 5) == "tile/2/005"
    assert tile.tile_path(0, 273, 112) == "tile/0/273.p/112"
    assert tile.entries_path(1000) == "tile/entries/x001/000"


def test_a_tree_of_70000_has_the_partial_tiles_of_the_specification():
    assert [tile.partial_width(70_000, level) for level in range(4)] == [112, 17, 1, 0]
    assert [tile.partial_width(256, level) for level in range(2)] == [0, 1]


def test_a_bundle_has_two_bytes_of_length_before_each_leaf():
    assert tile.bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    assert tile.unbundle(tile.bundle([b"", b"a" * 300])) == [b"", b"a" * 300]


@pytest.mark.parametrize("content", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00"])
def test_a_bundle_that_is_cut_off_is_refused(content):
    with pytest.raises(ProofError, match="cut off"):
        tile.unbundle(content)


def test_a_tile_that_is_missing_or_cut_off_is_none(tmp_path):
    files = tile.TileFiles(tmp_path)
    assert files.read(0, 0) is None
    files.write(0, 0, bytes(8192))
    assert files.read(0, 0) == bytes(8192)
    (tmp_path / "tile/0/000").write_bytes(bytes(8191))
    assert files.read(0, 0) is None


def test_tiles_are_for_the_service_alone(tmp_path):
    tile.TileFiles(tmp_path / "log").write(1, 5, bytes(8192))
    folder = tmp_path / "log"
    while folder.name != "005":
        assert folder.stat().st_mode & 0o777 == 0o700
        folder = next(folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o600
