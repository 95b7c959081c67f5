"""Snapshots: all that a register holds as bytes, the packed volumes of its indices included.

A snapshot is a run of frames, each MessagePack after its length in eight bytes, little-endian.
It is read by the version that wrote it or not at all: the journal is what lasts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from deconflict.geo.errors import InputError
from deconflict.geo.packed.table import Rows
from deconflict.register.policy import Policy
from deconflict.register.state.errors import RegisterError
from deconflict.register.state.held import Availability, Held, Subscription
from deconflict.register.state.holdings import Holdings
from deconflict.register.state.shelf import R, Shelf, ShelfContent

SNAPSHOT_VERSION = 1
"""To be raised with every change of what a shelf or an index keeps."""
MAGIC = b"deconflict register\n"
END = "end"
LENGTH_BYTES = 8
KEY_BYTES = 16
BLOBS_A_FRAME = 8_192
ARRAY_BYTES_A_FRAME = 4 << 20
MOST_FRAME_BYTES = 1 << 31
"""A longer frame is damage, not a record."""


class _Head(msgspec.Struct, frozen=True):
    """The frame after the version."""

    head: int
    time_us: int
    policy: Policy
    availabilities: list[Availability]
    records_of: dict[str, int]


class _Array(msgspec.Struct, frozen=True):
    """An array follows, in frames of raw bytes."""

    dtype: str
    shape: tuple[int, ...]


def dump(head: int, time_us: int, holdings: Holdings) -> Iterator[bytes]:
    """Return a register's snapshot in pieces.

    What they say is gathered before this returns, so they may be taken while the register goes on.
    """
    first = _Head(
        head,
        time_us,
        holdings.policy,
        list(holdings.availabilities.values()),
        dict(holdings.records_of),
    )
    pairs = holdings.dependents.pairs()
    shelves = (
        holdings.operations.content(),
        holdings.zones.content(),
        holdings.subscriptions.content(),
    )
    return _pieces(first, pairs, shelves)


def _pieces(
    first: _Head, pairs: list[tuple[int, int]], shelves: tuple[ShelfContent, ...]
) -> Iterator[bytes]:
    yield MAGIC
    yield _frame(SNAPSHOT_VERSION)
    yield _frame(first)
    yield from _array_frames(_packed_keys([key for pair in pairs for key in pair]))
    for shelf in shelves:
        yield from _array_frames(_packed_keys(shelf.keys))
        for start in range(0, len(shelf.blobs), BLOBS_A_FRAME):
            yield _frame(shelf.blobs[start : start + BLOBS_A_FRAME])
        for array in (shelf.ends_us, shelf.index_keys, shelf.owner, *shelf.rows):
            yield from _array_frames(array)
    yield _frame(END)


def load(chunks: Iterable[bytes]) -> tuple[int, int, Holdings]:
    """Return head, time and holdings of a snapshot.

    Parameters
    ----------
    chunks
        Its bytes, cut anywhere.

    Raises
    ------
    RegisterError
        If they are no whole snapshot of this version.
    """
    reader = _Reader(chunks)
    if reader.take(len(MAGIC)) != MAGIC:
        raise RegisterError("this is no snapshot of a register; replay the journal instead")
    try:
        version = reader.frame(int)
        if version != SNAPSHOT_VERSION:
            raise RegisterError(
                f"the snapshot has form {version} and this version reads form {SNAPSHOT_VERSION}; "
                "replay the journal instead"
            )
        first = reader.frame(_Head)
        pairs = _keys_of(reader.array(np.uint8))
        holdings = Holdings(
            operations=_shelf(Held, reader),
            zones=_shelf(Held, reader),
            subscriptions=_shelf(Subscription, reader),
            availabilities={one.party: one for one in first.availabilities},
            records_of=first.records_of,
            policy=first.policy,
        )
        if reader.frame(str) != END:
            raise _damaged()
    except (msgspec.MsgspecError, InputError, ValueError, IndexError) as error:
        raise _damaged() from error
    for subscription, operation in zip(pairs[::2], pairs[1::2], strict=True):
        holdings.dependents.add(subscription, operation)
    return first.head, first.time_us, holdings


def _shelf(kind: type[R], reader: _Reader) -> Shelf[R]:
    keys = _keys_of(reader.array(np.uint8))
    blobs: list[bytes] = []
    while len(blobs) < len(keys):
        blobs += reader.frame(list[bytes])
    ends_us, index_keys, owner = (reader.array(np.int64) for _ in range(3))
    rows = Rows(
        reader.array(np.float64),
        reader.array(np.int64),
        reader.array(np.int64),
        reader.array(np.float64),
    )
    return Shelf.of(kind, ShelfContent(keys, blobs, ends_us, index_keys, owner, rows))


def _frame(content: object) -> bytes:
    encoded = msgspec.msgpack.encode(content)
    return len(encoded).to_bytes(LENGTH_BYTES, "little") + encoded


def _array_frames(array: NDArray[Any]) -> Iterator[bytes]:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    yield _frame(_Array(little.dtype.str, little.shape))
    flat = little.reshape(-1).view(np.uint8)
    for start in range(0, len(flat), ARRAY_BYTES_A_FRAME):
        yield _frame(flat[start : start + ARRAY_BYTES_A_FRAME].data)


def _packed_keys(keys: Iterable[int]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(key.to_bytes(KEY_BYTES, "big") for key in keys), np.uint8)


def _keys_of(packed: NDArray[np.uint8]) -> list[int]:
    content = packed.tobytes()
    return [
        int.from_bytes(content[at : at + KEY_BYTES], "big")
        for at in range(0, len(content), KEY_BYTES)
    ]


def _damaged() -> RegisterError:
    return RegisterError("the snapshot is damaged or incomplete; replay the journal instead")


_T = TypeVar("_T")
_N = TypeVar("_N", np.float64, np.int64, np.uint8)


class _Reader:
    """Frames out of bytes that are cut anywhere."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next so many bytes."""
        if len(self._held) - self._at < count:
            pieces = [self._held[self._at :]]
            have = len(pieces[0])
            while have < count:
                piece = next(self._chunks, None)
                if piece is None:
                    raise _damaged()
                pieces.append(piece)
                have += len(piece)
            self._held, self._at = b"".join(pieces), 0
        self._at += count
        return self._held[self._at - count : self._at]

    def frame(self, kind: type[_T]) -> _T:
        """Return what the next frame says."""
        length = int.from_bytes(self.take(LENGTH_BYTES), "little")
        if length > MOST_FRAME_BYTES:
            raise _damaged()
        return msgspec.msgpack.decode(self.take(length), type=kind)

    def array(self, kind: type[_N]) -> NDArray[_N]:
        """Return the next array."""
        said = self.frame(_Array)
        dtype = np.dtype(kind).newbyteorder("<")
        if said.dtype != dtype.str:
            raise _damaged()
        pieces = []
        missing = math.prod(said.shape) * dtype.itemsize
        while missing > 0:
            pieces.append(self.frame(bytes))
            missing -= len(pieces[-1])
        if missing:
            raise _damaged()
        # A copy of its own, which may be written to.
        flat = np.frombuffer(bytearray().join(pieces), dtype)
        return flat.reshape(said.shape).astype(kind, copy=False)
