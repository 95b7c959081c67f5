"""Checksums by which an engine notices what a disk did to its rows.

They guard against torn, flipped and rolled-back pages, not against people: for those there are
the signed leaves and the Merkle tree. A row's checksum covers its position too, so a page that
turns up in another's place is noticed. The chain runs over all groups since the journal began,
so two files with the same chain at the same position hold the same groups.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.journal.engine import Row

CHECKSUM_BYTES: Final = 16
"""Of SHA-256: what is to be noticed are accidents, and 128 bits are plenty for those."""

_AT_ONCE_BYTES: Final = 2047
"""Over more at once `hashlib` lets other threads run meanwhile, and then waits for its turn."""
_LONG_BYTES: Final = 32_768
"""From here on hashing takes so long that others shall run meanwhile."""

_sizes = struct.Struct(">qqIIII").pack
_place = struct.Struct(">qI").pack


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as the database lists it."""

    first: int
    count: int
    id: bytes
    chain: bytes

    @property
    def stop(self) -> int:
        """The position behind its last entry."""
        return self.first + self.count


def row_checksum(position: int, row: Row) -> bytes:
    """Return the checksum of a row at a position: `CHECKSUM_BYTES` bytes."""
    record, signature, key_id, sealed = row.record, row.signature, row.key_id, row.sealed
    # The lengths stand in front, so no byte can move from one column to the next unnoticed.
    sizes = _sizes(position, row.time_us, len(record), len(signature), len(key_id), len(sealed))
    whole = b"".join((sizes, record, signature, key_id, sealed))
    if len(whole) > _LONG_BYTES:
        return hashlib.sha256(whole).digest()[:CHECKSUM_BYTES]
    hashed = hashlib.sha256(whole[:_AT_ONCE_BYTES])
    for at in range(_AT_ONCE_BYTES, len(whole), _AT_ONCE_BYTES):
        hashed.update(whole[at : at + _AT_ONCE_BYTES])
    return hashed.digest()[:CHECKSUM_BYTES]


def first_chain(journal: bytes) -> bytes:
    """Return the chain of a journal without entries, from its identifier."""
    return hashlib.sha256(b"deconflict journal\0" + journal).digest()


def next_chain(chain: bytes, first: int, group_id: bytes, checksums: Sequence[bytes]) -> bytes:
    """Return the chain behind a group.

    Parameters
    ----------
    chain
        The chain in front of it.
    first
        Position of its first entry.
    group_id
        Its identifier.
    checksums
        Those of its rows, in order.
    """
    return hashlib.sha256(
        b"".join((chain, _place(first, len(checksums)), group_id, *checksums))
    ).digest()
