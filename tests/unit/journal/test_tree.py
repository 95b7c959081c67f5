from __future__ import annotations

from hashlib import sha256

import pytest

from deconflict.journal import merkle
from deconflict.journal.errors import AlteredLogError, ProofError
from deconflict.journal.tile import TileFiles
from deconflict.journal.tree import Tree

COUNT = 66_000
"""Enough for one full tile of level 1, and a partial one of each level."""


@pytest.fixture(scope="module")
def hashes():
    return [sha256(b"%d" % number).digest() for number in range(COUNT)]


@pytest.fixture
def source(hashes):
    def read(start, stop):
        read.asked.append((start, stop))
        return b"".join(hashes[start:stop])

    read.asked = []
    return read


def plain_root(hashes):
    """The definition of RFC 6962, section 2.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    left, right = plain_root(hashes[:split]), plain_root(hashes[split:])
    return sha256(b"\x01" + left + right).digest()


@pytest.fixture
def stored(unsynced, tmp_path, hashes, source):  # noqa: ARG001 - its effect is meant
    tree = Tree(TileFiles(tmp_path), source)
    tree.extend(b"".join(hashes))
    tree.store()
    return tree


def test_the_root_is_that_of_the_definition_at_each_size(stored, hashes):
    assert stored.root() == plain_root(hashes)
    for size in (1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537):
        assert stored.root_at(size) == plain_root(hashes[:size])


def test_proofs_verify_at_the_edges_of_tiles(stored, hashes):
    for size in (1, 256, 257, 65_536, COUNT):
        root = plain_root(hashes[:size])
        for index in {0, 255, 256, 65_535, 65_536, size - 1}:
            if index < size:
                path = stored.inclusion(index, size)
                merkle.verify_inclusion(hashes[index], index, size, path, root)
        path = stored.consistency(size, COUNT)
        merkle.verify_consistency(size, COUNT, path, root, stored.root())


def test_full_tiles_are_files_and_partial_ones_are_made(stored, hashes, tmp_path):
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == COUNT // 256 + 1
    assert (tmp_path / "tile/0/000").read_bytes() == b"".join(hashes[:256])
    level_1 = b"".join(plain_root(hashes[at : at + 256]) for at in range(0, 65_536, 256))
    assert (tmp_path / "tile/1/000").read_bytes() == level_1
    assert stored.tile(0, 257, COUNT - 257 * 256) == b"".join(hashes[257 * 256 :])
    assert stored.tile(1, 1, 1) == plain_root(hashes[65_536 : 65_536 + 256])
    assert stored.tile(2, 0, 1) == plain_root(hashes[:65_536])


@pytest.mark.parametrize(
    ("level", "index", "width"), [(0, 257, 209), (0, 300, 1), (1, 1, 2), (3, 0, 1), (0, -1, 1)]
)
def test_a_tile_that_is_not_there_yet_is_none(stored, level, index, width):
    assert stored.tile(level, index, width) is None


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_535, 65_536, COUNT])
def test_a_tree_loaded_from_tiles_is_the_same_and_reads_only_the_last_entries(
    stored, hashes, source, tmp_path, size
):
    del stored
    source.asked.clear()
    tree = Tree.load(TileFiles(tmp_path), source, size)
    assert tree.root() == (plain_root(hashes[:size]) if size else merkle.EMPTY_ROOT)
    assert source.asked == ([(size // 256 * 256, size)] if size % 256 else [])
    tree.extend(b"".join(hashes[size:]))
    assert tree.root() == plain_root(hashes)


def test_tiles_that_are_missing_are_made_from_the_entries_and_written_again(
    stored, hashes, source, tmp_path
):
    del stored
    for name in ("tile/0/003", "tile/1/000", "tile/0/256"):
        (tmp_path / name).unlink()
    tree = Tree.load(TileFiles(tmp_path), source, COUNT)
    assert tree.root() == plain_root(hashes)
    tree.store()
    assert (tmp_path / "tile/0/003").read_bytes() == b"".join(hashes[3 * 256 : 4 * 256])
    assert len((tmp_path / "tile/1/000").read_bytes()) == 8192
    assert len((tmp_path / "tile/0/256").read_bytes()) == 8192


def test_a_damaged_tile_is_never_used_and_is_mended_from_the_entries(
    stored, hashes, source, tmp_path
):
    del stored
    path = tmp_path / "tile/0/007"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    tree = Tree.load(TileFiles(tmp_path), source, COUNT)
    proof = tree.inclusion(7 * 256, COUNT)
    merkle.verify_inclusion(hashes[7 * 256], 7 * 256, COUNT, proof, plain_root(hashes))
    tree.store()
    assert path.read_bytes() == b"".join(hashes[7 * 256 : 8 * 256])


def test_a_damaged_tile_whose_entries_are_damaged_too_is_refused(stored, source, tmp_path):
    del stored
    (tmp_path / "tile/0/007").write_bytes(bytes(8192))

    def altered(start, stop):
        return source(start, stop) if start != 7 * 256 else bytes((stop - start) * 32)

    tree = Tree.load(TileFiles(tmp_path), altered, COUNT)
    with pytest.raises(AlteredLogError, match="1792 to 2047"):
        tree.inclusion(7 * 256, COUNT)


def test_a_tree_rebuilt_from_entries_believes_no_tile_of_these(stored, hashes, source, tmp_path):
    del stored
    for name in ("tile/0/003", "tile/1/000"):
        (tmp_path / name).write_bytes(bytes(8192))
    tree = Tree.rebuild(TileFiles(tmp_path), source, COUNT, 0)
    assert tree.root() == plain_root(hashes)
    tree.store()
    assert (tmp_path / "tile/0/003").read_bytes() == b"".join(hashes[3 * 256 : 4 * 256])
    assert (tmp_path / "tile/1/000").read_bytes() != bytes(8192)


def test_a_tree_rebuilt_after_pruning_takes_the_pruned_part_from_its_tiles(
    stored, hashes, source, tmp_path
):
    del stored
    source.asked.clear()
    tree = Tree.rebuild(TileFiles(tmp_path), source, COUNT, 512)
    assert tree.root() == plain_root(hashes)
    assert min(start for start, _ in source.asked) == 512


def test_nothing_is_proved_for_a_size_that_the_tree_has_not_reached(stored):
    with pytest.raises(ProofError, match="66000 leaves"):
        stored.inclusion(0, COUNT + 1)
    with pytest.raises(ProofError, match="66000 leaves"):
        stored.consistency(1, COUNT + 1)
