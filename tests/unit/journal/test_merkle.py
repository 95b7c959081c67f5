from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.journal import merkle
from deconflict.journal.errors import ProofError

# The vectors of the Certificate Transparency reference implementation.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def node_of(leaves):
    def node(level, index):
        width = 1 << level
        assert (index + 1) * width <= len(leaves)
        found = leaves[index * width : (index + 1) * width]
        return merkle.complete_root(b"".join(merkle.leaf_hash(leaf) for leaf in found))

    return node


def grown(leaves):
    frontier = merkle.Frontier()
    for leaf in leaves:
        frontier.append(merkle.leaf_hash(leaf))
    return frontier.root()


def numbered(count):
    return [b"%d" % number for number in range(count)]


sizes = st.integers(1, 300)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_published_vectors(size):
    assert grown(LEAVES[:size]).hex() == ROOTS[size]
    assert merkle.subtree_root(node_of(LEAVES), 0, size).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_inclusion_proofs_are_those_of_the_published_vectors(index, size):
    path = [bytes.fromhex(text) for text in INCLUSION[index, size]]
    assert merkle.inclusion(node_of(LEAVES), index, size) == path
    leaf = merkle.leaf_hash(LEAVES[index])
    merkle.verify_inclusion(leaf, index, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_the_consistency_proofs_are_those_of_the_published_vectors(old, new):
    path = [bytes.fromhex(text) for text in CONSISTENCY[old, new]]
    assert merkle.consistency(node_of(LEAVES), old, new) == path
    roots = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    merkle.verify_consistency(old, new, path, *roots)


@given(sizes, st.data())
def test_each_leaf_is_proved_and_no_other_leaf_place_or_size_is(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = numbered(size)
    root = grown(leaves)
    path = merkle.inclusion(node_of(leaves), index, size)
    leaf = merkle.leaf_hash(leaves[index])
    merkle.verify_inclusion(leaf, index, size, path, root)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, path, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index)) if size > 1 else size
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf, other, size, path, root)


@given(sizes, st.data())
def test_an_inclusion_proof_with_an_altered_lost_or_further_byte_proves_nothing(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = numbered(size)
    root, leaf = grown(leaves), merkle.leaf_hash(leaves[index])
    path = merkle.inclusion(node_of(leaves), index, size)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf, index, size, [*path, bytes(32)], root)
    if path:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, index, size, path[:-1], root)
        at, byte = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 31))
        altered = bytearray(path[at])
        altered[byte] ^= data.draw(st.integers(1, 255))
        path[at] = bytes(altered)
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, index, size, path, root)


@given(sizes, sizes, st.data())
def test_a_tree_is_proved_to_extend_its_beginning_and_nothing_else(one, two, data):
    old, new = sorted((one, two))
    leaves = numbered(new)
    old_root, new_root = grown(leaves[:old]), grown(leaves)
    path = merkle.consistency(node_of(leaves), old, new)
    merkle.verify_consistency(old, new, path, old_root, new_root)
    forked = grown([*leaves[: old - 1], b"another"])
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, path, forked, new_root)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, [*path, bytes(32)], old_root, new_root)
    if path:
        at, byte = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 31))
        altered = bytearray(path[at])
        altered[byte] ^= data.draw(st.integers(1, 255))
        path[at] = bytes(altered)
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, path, old_root, new_root)


def test_every_tree_extends_the_empty_one_and_none_extends_a_larger_one():
    root = grown(LEAVES)
    merkle.verify_consistency(0, 8, [], merkle.EMPTY_ROOT, root)
    with pytest.raises(ProofError, match="another root"):
        merkle.verify_consistency(0, 8, [], root, root)
    with pytest.raises(ProofError, match="can't extend"):
        merkle.verify_consistency(9, 8, [], root, root)
    with pytest.raises(ProofError, match="is empty"):
        merkle.verify_consistency(3, 8, [], root, root)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_is_made_or_believed_for_a_leaf_outside_the_tree(index, size):
    with pytest.raises(ProofError):
        merkle.inclusion(node_of(LEAVES), index, size)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(bytes(32), index, size, [], bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3)])
def test_no_consistency_proof_is_made_from_the_empty_or_a_larger_tree(old, new):
    with pytest.raises(ProofError):
        merkle.consistency(node_of(LEAVES), old, new)
