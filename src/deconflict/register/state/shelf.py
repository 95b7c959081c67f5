"""A shelf: records of one kind as encoded bytes, each under its identifier, and their index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec
import numpy as np

from deconflict.geo.index import Index
from deconflict.geo.packed.prepared import Prepared, prepared
from deconflict.geo.packed.table import RING, Floats, Integers, Rows, VolumeTable
from deconflict.geo.volume import Volume4D
from deconflict.register.state.expiry import Expiry
from deconflict.register.state.held import Held, Subscription, VolumeRecord
from deconflict.register.state.identifier import key_of, sure_key_of
from deconflict.register.state.volume_record import volume_of

R = TypeVar("R", Held, Subscription)

VOLUME_BITS = 20
"""A key of the index is a record's slot and, in so many bits, the number of its volume. No entry
is large enough for a million volumes."""
VOLUME_MASK = (1 << VOLUME_BITS) - 1
MOST_EXACT = 256
"""So many pairs that lie within centimetres of touching are decided exactly in one question, at up
to a millisecond each; of further ones it is taken that they meet, so that nobody can keep the
service busy with shapes that are made for it."""

_ENCODER = msgspec.msgpack.Encoder()


class ShelfContent(NamedTuple):
    """All that a shelf holds, its slots counted anew without gaps.

    Attributes
    ----------
    keys
        The identifiers' numbers.
    blobs
        The encoded records, in the same order.
    ends_us
        When each ends.
    index_keys
        Of each volume its slot and number.
    owner, rows
        The packed volumes, as in `VolumeTable`.
    """

    keys: list[int]
    blobs: list[bytes]
    ends_us: Integers
    index_keys: Integers
    owner: Integers
    rows: Rows


class Shelf(Generic[R]):
    """Records of one kind.

    A record has a *slot*, a small number, for as long as it is here.

    Parameters
    ----------
    kind
        `Held` or `Subscription`.

    Attributes
    ----------
    queries
        How often its index was asked what meets some volumes.
    """

    def __init__(self, kind: type[R]) -> None:
        self.queries = 0
        self._decode: Callable[[bytes], R] = msgspec.msgpack.Decoder(kind).decode
        self._slot: dict[int, int] = {}
        self._blob: list[bytes] = []
        self._free: list[int] = []
        self._expiry = Expiry()
        self._resolved: tuple[bytes, R] | None = None
        self._volumes: Index[int] | None = None  # none before the first record: it takes memory

    def __len__(self) -> int:
        return len(self._slot)

    def __iter__(self) -> Iterator[R]:
        """Yield the records in the order of their identifiers."""
        for key in sorted(self._slot):
            yield self._decode(self._blob[self._slot[key]])

    def slot(self, identifier: str) -> int | None:
        """Return a record's slot."""
        key = key_of(identifier)
        return None if key is None else self._slot.get(key)

    def at(self, slot: int) -> R:
        """Return the record of a slot in use."""
        return self._decode(self._blob[slot])

    def get(self, identifier: str) -> R | None:
        """Return a record."""
        slot = self.slot(identifier)
        return None if slot is None else self._decode(self._blob[slot])

    def end_us(self, slot: int) -> int:
        """Return when the record of a slot ends, microseconds since 1970 UTC."""
        return self._expiry.end_us(slot)

    def put(self, record: R, ready: Sequence[Prepared] | None = None) -> R | None:
        """Put a record, and return the one that it replaces.

        Parameters
        ----------
        record
            What is put.
        ready
            Its volumes, if they are prepared already.
        """
        key = sure_key_of(record.id)
        blob = _ENCODER.encode(record)
        slot = self._slot.get(key)
        old: R | None = None
        # All that may fail comes before the first change.
        if slot is None:
            volumes = prepare(record.volumes) if ready is None else ready
            slot = self._new_slot(key)
            self._place(slot, volumes)
        else:
            if self._blob[slot] == blob:
                return record
            old = self._decode(self._blob[slot])
            if old.volumes != record.volumes:
                volumes = prepare(record.volumes) if ready is None else ready
                self._unplace(slot, len(old.volumes))
                self._place(slot, volumes)
        self._blob[slot] = blob
        self._expiry.put(slot, record.end_us)
        return old

    def rewrite(self, slot: int, record: R) -> None:
        """Put another record into a slot, whose identifier, volumes and end are the same."""
        self._blob[slot] = _ENCODER.encode(record)

    def remove(self, identifier: str) -> R | None:
        """Take a record out, and return it."""
        slot = self.slot(identifier)
        if slot is None:
            return None
        self._expiry.discard(slot)
        return self._take(slot)

    def expire(self, before_us: int) -> list[R]:
        """Take out what ends before an instant, and return it."""
        return [self._take(slot) for slot in self._expiry.due(before_us)]

    def next_end_us(self) -> int | None:
        """Return the earliest end of all."""
        return self._expiry.next_us()

    def meeting(self, volumes: Iterable[Prepared]) -> set[int]:
        """Return the slots of the records of which a volume meets one of these, exactly."""
        self.queries += 1
        if self._volumes is None:
            return set()
        met = self._volumes.query_all(volumes, most_exact=MOST_EXACT)
        return set(map(slot_of, met))

    def content(self) -> ShelfContent:
        """Return all that it holds; what is returned does not change with the shelf."""
        slots = np.array(list(self._slot.values()), np.int64)
        renumbered = np.empty(len(self._blob), np.int64)
        renumbered[slots] = np.arange(len(slots))
        keys, table = ([], VolumeTable.of(())) if self._volumes is None else self._volumes.table()
        index_keys = np.array(keys, np.int64)
        index_keys = (renumbered[index_keys >> VOLUME_BITS] << VOLUME_BITS) | (
            index_keys & VOLUME_MASK
        )
        return ShelfContent(
            list(self._slot),
            [self._blob[slot] for slot in slots.tolist()],
            np.array([self._expiry.end_us(slot) for slot in slots.tolist()], np.int64),
            index_keys,
            table.owner,
            table.rows,
        )

    @classmethod
    def of(cls, kind: type[R], content: ShelfContent) -> Shelf[R]:
        """Return the shelf that holds this."""
        made = cls(kind)
        made._slot = dict(zip(content.keys, range(len(content.keys)), strict=True))
        made._blob = content.blobs
        made._expiry = Expiry.of(content.ends_us)
        index_keys: list[int] = content.index_keys.tolist()
        if index_keys:
            table = VolumeTable(
                content.rows,
                content.owner,
                len(index_keys),
                lambda number: made._volume_of(index_keys[number]),
            )
            made._volumes = Index(index_keys, table, resolve=made._volume_of, group=slot_of)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Shelf):
            return NotImplemented
        if self._slot.keys() != other._slot.keys():
            return False
        for key, slot in self._slot.items():
            mine, theirs = self._blob[slot], other._blob[other._slot[key]]
            # 1 and 1.0 are written differently and are the same number.
            if mine != theirs and self._decode(mine) != other._decode(theirs):
                return False
            if self.end_us(slot) != other.end_us(other._slot[key]):
                return False
        return _same_boxes(self.content(), other.content())

    __hash__ = None  # type: ignore[assignment]

    def _new_slot(self, key: int) -> int:
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self._blob)
            self._blob.append(b"")
        self._slot[key] = slot
        return slot

    def _take(self, slot: int) -> R:
        record = self._decode(self._blob[slot])
        self._unplace(slot, len(record.volumes))
        del self._slot[sure_key_of(record.id)]
        self._blob[slot] = b""
        self._free.append(slot)
        return record

    def _place(self, slot: int, volumes: Sequence[Prepared]) -> None:
        if self._volumes is None:
            self._volumes = Index(resolve=self._volume_of, group=slot_of)
        first = slot << VOLUME_BITS
        for number, volume in enumerate(volumes):
            self._volumes.insert(first | number, volume)

    def _unplace(self, slot: int, count: int) -> None:
        if self._volumes is None:
            raise RuntimeError("a shelf has records and no index")
        first = slot << VOLUME_BITS
        for number in range(count):
            self._volumes.remove(first | number)

    def _volume_of(self, key: int) -> Volume4D:
        blob = self._blob[slot_of(key)]
        if self._resolved is None or self._resolved[0] is not blob:
            # A record of many volumes is asked for one after the other of them.
            self._resolved = blob, self._decode(blob)
        return volume_of(self._resolved[1].volumes[key & VOLUME_MASK])


def slot_of(key: int) -> int:
    """Return the slot of an index key."""
    return key >> VOLUME_BITS


def prepare(records: Iterable[VolumeRecord]) -> tuple[Prepared, ...]:
    """Return volumes ready to be asked about and to be put."""
    return tuple(prepared(volume_of(record)) for record in records)


def _same_boxes(a: ShelfContent, b: ShelfContent) -> bool:
    """Return whether two indices hold the same volumes at the same places and times.

    Middles and radii may differ by rounding, where one processor computed them and another
    loads them.
    """
    names_a, real_a, whole_a = _boxes(a)
    names_b, real_b, whole_b = _boxes(b)
    return (
        names_a == names_b
        and np.array_equal(whole_a, whole_b)
        and np.allclose(real_a, real_b, rtol=0.0, atol=1e-6)
    )


def _boxes(content: ShelfContent) -> tuple[list[tuple[int, int]], Floats, Integers]:
    owner, rows = content.owner, content.rows
    names = [
        (content.keys[key >> VOLUME_BITS], key & VOLUME_MASK)
        for key in content.index_keys[owner].tolist()
    ]
    # Legs of one volume stand in their order, which a stable sort keeps.
    order = sorted(range(len(names)), key=names.__getitem__)
    return [names[row] for row in order], rows.real[order], rows.whole[order, :RING]
