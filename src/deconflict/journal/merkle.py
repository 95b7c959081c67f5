"""Merkle trees over SHA-256 as in RFC 6962, section 2.1: roots, proofs, and how to check them.

A tree is read through a `Node`: a function that returns the hash of a complete subtree. Proofs are
made as RFC 6962, sections 2.1.1 and 2.1.2, defines them, and checked with the algorithms of
RFC 9162, sections 2.1.3.2 and 2.1.4.2, which need no tree.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

from deconflict.journal.errors import ProofError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = bytes.fromhex(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)
"""The root of a tree without leaves: SHA-256 of nothing."""

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"

Node: TypeAlias = Callable[[int, int], bytes]
"""Returns, for a level and an index, the hash over leaves index * 2**level to before
(index + 1) * 2**level, all of which exist."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf: 32 bytes."""
    return sha256(_LEAF + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children: 32 bytes."""
    return sha256(_NODE + left + right).digest()


def complete_root(hashes: bytes) -> bytes:
    """Return the root over 2**n hashes that stand one behind the other."""
    while len(hashes) > HASH_BYTES:
        hashes = b"".join(
            [
                sha256(_NODE + hashes[at : at + 2 * HASH_BYTES]).digest()
                for at in range(0, len(hashes), 2 * HASH_BYTES)
            ]
        )
    return hashes


def decomposed(start: int, stop: int) -> list[tuple[int, int]]:
    """Return levels and indices of the complete subtrees that make up some leaves, largest first.

    Parameters
    ----------
    start, stop
        The first leaf and the one behind the last; `start` is a multiple of the greatest power
        of two that is not greater than their number, as in each range that RFC 6962 splits.
    """
    found = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def subtree_root(node: Node, start: int, stop: int) -> bytes:
    """Return MTH(D[start:stop]); see `decomposed` for what `start` may be."""
    return _joined([node(level, index) for level, index in decomposed(start, stop)])


def _joined(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees, each smaller than the one before it."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


class Frontier:
    """The complete subtrees of a growing tree: enough for its root and for the next leaf.

    Parameters
    ----------
    size
        Number of leaves.
    hashes
        The hashes of `decomposed(0, size)`.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Add the hash of one leaf."""
        hashes, size = self._hashes, self.size
        while size & 1:
            leaf = sha256(_NODE + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return _joined(self._hashes)


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """Return PATH(index, D[size]), the inclusion proof of a leaf (RFC 6962, section 2.1.1).

    Raises
    ------
    ProofError
        If the leaf is not in a tree of this size.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    path = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(subtree_root(node, middle, stop))
            stop = middle
        else:
            path.append(subtree_root(node, start, middle))
            start = middle
    path.reverse()
    return path


def consistency(node: Node, old: int, new: int) -> list[bytes]:
    """Return PROOF(old, D[new]), that a tree extends an older one (RFC 6962, section 2.1.2).

    Raises
    ------
    ProofError
        If the older tree is empty or the larger one.
    """
    if not 0 < old <= new:
        raise ProofError(f"no proof leads from a tree of {old} leaves to one of {new}")
    path = []
    start, stop = 0, new
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(subtree_root(node, middle, stop))
            stop = middle
        else:
            path.append(subtree_root(node, start, middle))
            start = middle
    if start:  # else the verifier knows this hash: it is the older root
        path.append(subtree_root(node, start, stop))
    path.reverse()
    return path


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width`, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf stands at an index of a tree (RFC 9162, section 2.1.3.2).

    Parameters
    ----------
    leaf
        The leaf's hash.
    index, size
        Its index, and the number of leaves in the tree.
    path, root
        The proof and the tree's root.

    Raises
    ------
    ProofError
        If it is not proved.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    at, last = index, size - 1
    found = leaf
    for sibling in path:
        if last == 0:
            raise ProofError("the inclusion proof is longer than its tree is high")
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        at >>= 1
        last >>= 1
    if last:
        raise ProofError("the inclusion proof is shorter than its tree is high")
    if not hmac.compare_digest(found, root):
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that a tree extends an older one (RFC 9162, section 2.1.4.2).

    Parameters
    ----------
    old, new
        The numbers of leaves; every tree extends the empty one.
    path
        The proof.
    old_root, new_root
        The roots.

    Raises
    ------
    ProofError
        If it is not proved.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves can't extend one of {old}")
    if old in {0, new}:
        expected = new_root if old == new else EMPTY_ROOT
        if path or not hmac.compare_digest(old_root, expected):
            raise ProofError("the consistency proof leads to another root")
        return
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    nodes = list(path)
    if not at:  # the older tree is complete: its root is the first node
        nodes.insert(0, old_root)
    if not nodes:
        raise ProofError("the consistency proof is empty")
    found_old = found_new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise ProofError("the consistency proof is longer than its tree is high")
        if at & 1 or at == last:
            found_old = node_hash(sibling, found_old)
            found_new = node_hash(sibling, found_new)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found_new = node_hash(found_new, sibling)
        at >>= 1
        last >>= 1
    if last:
        raise ProofError("the consistency proof is shorter than its tree is high")
    if not hmac.compare_digest(found_old, old_root):
        raise ProofError("the consistency proof leads to another older root")
    if not hmac.compare_digest(found_new, new_root):
        raise ProofError("the consistency proof leads to another root")
