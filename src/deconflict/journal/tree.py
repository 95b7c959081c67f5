"""The log's tree: in memory the right edge and one hash for 256 leaves, all else in tiles.

A tile of leaf hashes is checked against its root, kept in memory, whenever it is read. One that is
missing or damaged is made again from the journal's own entries, and written with the next ones.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, TypeAlias

from deconflict.journal import merkle
from deconflict.journal.errors import AlteredLogError, ProofError
from deconflict.journal.merkle import HASH_BYTES
from deconflict.journal.tile import FULL_BYTES, HEIGHT, WIDTH, TileFiles

LeafHashes: TypeAlias = Callable[[int, int], bytes]
"""Returns the leaf hashes from one position to before another, computed from the entries.

Raises `AlteredLogError` if these entries are pruned.
"""

_KEPT_TILES: Final = 64
"""Tiles of leaf hashes kept in memory: 512 KiB."""


class Tree:
    """A tree that grows, stores its full tiles, and makes proofs. Safe for several threads.

    Parameters
    ----------
    files
        Where full tiles are kept.
    leaf_hashes
        Where leaf hashes come from when a tile is missing.
    """

    def __init__(self, files: TileFiles, leaf_hashes: LeafHashes) -> None:
        self._files = files
        self._leaf_hashes = leaf_hashes
        self._lock = threading.RLock()
        self._frontier = merkle.Frontier()
        self._partial = bytearray()  # the leaf hashes behind the last full tile
        self._roots: list[bytearray] = []  # at L: the roots of all full tiles of level L
        self._unwritten: dict[tuple[int, int], bytes] = {}
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    @classmethod
    def load(cls, files: TileFiles, leaf_hashes: LeafHashes, size: int) -> Tree:
        """Return the tree of some size from its tiles, with few of them read.

        The tiles are believed for now: who loads compares the root with a signed one.
        """
        tree = cls(files, leaf_hashes)
        full = size // WIDTH
        for index in range(full // WIDTH):
            roots = files.read(1, index)
            if roots is None:
                for below in range(index * WIDTH, (index + 1) * WIDTH):
                    tree._complete(0, tree._believed_tile(below))
            else:
                if not tree._roots:
                    tree._roots.append(bytearray())
                tree._roots[0] += roots
                tree._complete(1, roots)
        for index in range(full // WIDTH * WIDTH, full):
            tree._complete(0, tree._believed_tile(index))
        tree._begin_at(size)
        return tree

    @classmethod
    def rebuild(cls, files: TileFiles, leaf_hashes: LeafHashes, size: int, first: int) -> Tree:
        """Return the tree of some size from the entries that are kept, and from no tile of these.

        Parameters
        ----------
        files, leaf_hashes
            As for a new tree.
        size
            Number of leaves.
        first
            The first entry that is not pruned; for those before it the tiles are all there is.
        """
        tree = cls(files, leaf_hashes)
        for index in range(size // WIDTH):
            start = index * WIDTH
            if start < first:
                tree._complete(0, tree._believed_tile(index))
            else:
                tree._unwritten[0, index] = content = leaf_hashes(start, start + WIDTH)
                tree._complete(0, content)
                if files.read(0, index) == content:
                    del tree._unwritten[0, index]
        tree._begin_at(size)
        return tree

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._frontier.size

    def root(self) -> bytes:
        """Return the root over all leaves."""
        with self._lock:
            return self._frontier.root()

    def extend(self, hashes: bytes) -> None:
        """Add leaf hashes that stand one behind the other."""
        with self._lock:
            for at in range(0, len(hashes), HASH_BYTES):
                leaf = hashes[at : at + HASH_BYTES]
                self._frontier.append(leaf)
                self._partial += leaf
                if len(self._partial) == FULL_BYTES:
                    content = bytes(self._partial)
                    self._partial.clear()
                    self._unwritten[0, self._full_tiles()] = content
                    self._complete(0, content)

    def store(self) -> None:
        """Write the full tiles that are not yet on the disk.

        Raises
        ------
        OSError
            If one can't be written; a later call tries again.
        """
        with self._lock:
            waiting = sorted(self._unwritten.items())
        for (level, index), content in waiting:
            self._files.write(level, index, content)
            with self._lock:
                del self._unwritten[level, index]

    def ensure_stored(self, start: int, stop: int) -> None:
        """See to it that all tiles of leaves before `stop` are on the disk and right.

        Parameters
        ----------
        start, stop
            The first leaf, and the one behind the last; multiples of 256.

        Raises
        ------
        AlteredLogError
            If one is damaged and can't be made again.
        OSError
            If one can't be written.
        """
        with self._lock:
            for index in range(start // WIDTH, stop // WIDTH):
                self._kept.pop(index, None)
                self._leaf_tile(index)
        self.store()

    def leaf_tile(self, index: int) -> bytes:
        """Return the leaf hashes of a tile, or those that it has so far.

        Raises
        ------
        AlteredLogError
            If it is damaged and can't be made again.
        """
        with self._lock:
            return self._leaf_tile(index)

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """Return the first hashes of a tile; ``None`` if it has no `width` hashes.

        Raises
        ------
        AlteredLogError
            If it is damaged and can't be made again.
        """
        with self._lock:
            hashes = self.size >> (HEIGHT * level)
            if not (0 < width <= WIDTH and 0 <= index * WIDTH + width <= hashes):
                return None
            return self._tile(level, index)[: width * HASH_BYTES]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the inclusion proof of a leaf in the tree as it was at some size."""
        with self._lock:
            self._check_size(size)
            return merkle.inclusion(self._node, index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree at one size extends the tree at another."""
        with self._lock:
            self._check_size(new)
            return merkle.consistency(self._node, old, new)

    def root_at(self, size: int) -> bytes:
        """Return the root that the tree had at some size."""
        with self._lock:
            self._check_size(size)
            return merkle.subtree_root(self._node, 0, size)

    def _check_size(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise ProofError(f"the tree has {self.size} leaves, so nothing is proved for {size}")

    def _node(self, level: int, index: int) -> bytes:
        tile_level, rise = divmod(level, HEIGHT)
        tile, offset = divmod(index << rise, WIDTH)
        hashes = self._tile(tile_level, tile)
        return merkle.complete_root(
            hashes[offset * HASH_BYTES : (offset + (1 << rise)) * HASH_BYTES]
        )

    def _tile(self, level: int, index: int) -> bytes:
        if level == 0:
            return self._leaf_tile(index)
        return bytes(self._roots[level - 1][index * FULL_BYTES : (index + 1) * FULL_BYTES])

    def _leaf_tile(self, index: int) -> bytes:
        if index == self._full_tiles():
            return bytes(self._partial)
        content = self._unwritten.get((0, index)) or self._kept.get(index)
        if content is not None:
            return content
        root = bytes(self._roots[0][index * HASH_BYTES : (index + 1) * HASH_BYTES])
        content = self._files.read(0, index)
        if content is None or merkle.complete_root(content) != root:
            start = index * WIDTH
            content = self._leaf_hashes(start, start + WIDTH)
            if merkle.complete_root(content) != root:
                raise AlteredLogError(
                    f"Among the entries {start} to {start + WIDTH - 1} one is not what it was "
                    "when it was committed. Put a good copy of the journal back, or go on as a "
                    "new log: deconflict journal restore."
                )
            self._unwritten[0, index] = content
        self._kept[index] = content
        if len(self._kept) > _KEPT_TILES:
            self._kept.popitem(last=False)
        return content

    def _full_tiles(self) -> int:
        return len(self._roots[0]) // HASH_BYTES if self._roots else 0

    def _believed_tile(self, index: int) -> bytes:
        content = self._files.read(0, index)
        if content is None:
            content = self._leaf_hashes(index * WIDTH, (index + 1) * WIDTH)
            self._unwritten[0, index] = content
        return content

    def _complete(self, level: int, content: bytes) -> None:
        """Keep the root of a full tile, and see to the tiles that become full above it."""
        while True:
            if level == len(self._roots):
                self._roots.append(bytearray())
            roots = self._roots[level]
            roots += merkle.complete_root(content)
            if len(roots) % FULL_BYTES:
                return
            level += 1
            content = bytes(roots[-FULL_BYTES:])
            index = len(roots) // FULL_BYTES - 1
            if self._files.read(level, index) != content:
                self._unwritten[level, index] = content

    def _begin_at(self, size: int) -> None:
        full = size // WIDTH * WIDTH
        self._partial = bytearray(self._leaf_hashes(full, size) if full < size else b"")
        hashes = [self._node(level, index) for level, index in merkle.decomposed(0, size)]
        self._frontier = merkle.Frontier(size, hashes)
