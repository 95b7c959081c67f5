"""Tiles as in C2SP tlog-tiles: the tree's hashes, 256 a file, from which all proofs are made.

A tile of level 0 holds leaf hashes; one of level L holds the roots of 256 full tiles of level
L - 1. Full tiles never change and are kept as files; partial ones are made when asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from deconflict.journal.durable import make_folder, replace_durably
from deconflict.journal.errors import ProofError
from deconflict.journal.merkle import HASH_BYTES

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
"""Hashes in a full tile."""
FULL_BYTES: Final = WIDTH * HASH_BYTES
_LENGTH_BYTES: Final = 2


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return the path of a hash tile, such as ``tile/0/x001/x234/067`` or ``tile/1/000.p/17``."""
    return f"tile/{level}/{_numbered(index, width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """Return the path of a bundle of leaves, such as ``tile/entries/x001/x234/067``."""
    return f"tile/entries/{_numbered(index, width)}"


def _numbered(index: int, width: int) -> str:
    elements = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        elements.insert(0, f"x{index % 1000:03}")
    return "/".join(elements) + ("" if width == WIDTH else f".p/{width}")


def partial_width(size: int, level: int) -> int:
    """Return how many hashes stand in the last, partial tile of a level; 0 if there is none."""
    return (size >> (HEIGHT * level)) % WIDTH


def bundle(leaves: Iterable[bytes]) -> bytes:
    """Return leaves one behind the other, each with its length in two bytes in front."""
    return b"".join(len(leaf).to_bytes(_LENGTH_BYTES) + leaf for leaf in leaves)


def unbundle(content: bytes) -> list[bytes]:
    """Return the leaves of a bundle.

    Raises
    ------
    ProofError
        If it is cut off.
    """
    leaves = []
    at = 0
    while at < len(content):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(content[at:start])
        leaves.append(content[start:at])
    if at != len(content):
        raise ProofError("the bundle of leaves is cut off")
    return leaves


class TileFiles:
    """The full tiles in a folder.

    Parameters
    ----------
    folder
        The log's folder, in which ``tile/`` stands.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, level: int, index: int) -> bytes | None:
        """Return a full tile, unchecked but for its length; ``None`` if there is none.

        Raises
        ------
        OSError
            If it is there and can't be read.
        """
        try:
            content = (self._folder / tile_path(level, index)).read_bytes()
        except FileNotFoundError:
            return None
        return content if len(content) == FULL_BYTES else None

    def write(self, level: int, index: int, content: bytes) -> None:
        """Keep a full tile, durably.

        Raises
        ------
        OSError
            If it can't be written.
        """
        path = self._folder / tile_path(level, index)
        make_folder(path.parent)
        replace_durably(path, content)
