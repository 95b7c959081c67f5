"""Entries as they are read back: compared with their leaf, and opened where a key is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deconflict.journal.engine import Engine, EngineError, Row
from deconflict.journal.entry import RECORD_VERSION, Entry, Part
from deconflict.journal.errors import AlteredLogError, LogError, ProofError
from deconflict.journal.leaf import key_hash, leaf, verify_leaf
from deconflict.journal.merkle import HASH_BYTES
from deconflict.journal.opening import RESTORE, hash_of
from deconflict.journal.seal import Sealer
from deconflict.journal.tile import WIDTH
from deconflict.journal.tree import Tree

AHEAD_ROWS: Final = 128
AHEAD_BYTES: Final = 1024 * 1024
"""How much is read ahead of what was asked for."""

_RECORD_START: Final = b'{"v":' + str(RECORD_VERSION).encode() + b',"time_us":%d,'
"""How each record of this version begins: the time is in what the leaf is over."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One entry as read back.

    Attributes
    ----------
    position
        Its place, counted from 0.
    time_us
        Its time, microseconds since 1970 UTC.
    record
        The record's JSON bytes.
    signature
        The service's signature of the leaf.
    decided, said, told
        The parts; ``None`` and ``()`` where they were erased.
    erased
        Whether the key of the entry's subject is destroyed.
    subject
        What the entry is about; ``None`` if erased.
    """

    position: int
    time_us: int
    record: bytes
    signature: bytes
    decided: Part | None
    said: Part | None
    told: tuple[Part, ...]
    erased: bool
    subject: bytes | None


class EntryReader:
    """Reads the entries of a log.

    Parameters
    ----------
    engine, tree, sealer
        The log's.
    sealing
        Held while the sealer works.
    public_key
        The log's key, 32 bytes.
    """

    def __init__(
        self,
        engine: Engine,
        tree: Tree,
        sealer: Sealer,
        sealing: threading.Lock,
        public_key: bytes,
    ) -> None:
        self._engine = engine
        self._tree = tree
        self._sealer = sealer
        self._sealing = sealing
        self._hashed = hash_of(key_hash(public_key))

    def read(self, start: int, stop: int | None) -> Iterator[Opened]:
        """Yield entries, as `deconflict.journal.log.Log.read` says.

        Some are read ahead, so that one question finds the keys of all of them.
        """
        rows = self.checked(start, stop)
        while True:
            batch, trouble = _some(rows)
            if batch:
                with self._sealing:
                    key_ids = [row.key_id for _, row in batch]
                    self._sealer.open_keys(key_ids, self._engine.wrapped_keys)
            for position, row in batch:
                yield self._opened(position, row)
            if trouble is not None:
                raise trouble
            if not batch:
                return

    def checked(self, start: int, stop: int | None) -> Iterator[tuple[int, Row]]:
        """Yield positions and rows, each compared with its leaf if the tree has it.

        Raises
        ------
        AlteredLogError
            If a row does not hash to its leaf, or its time is not the record's.
        EngineError
            If the engine fails.
        """
        covered = self._tree.size
        tile, leaves = -1, b""
        for position, row in self._engine.read(start, stop):
            if position < covered:
                index, offset = divmod(position, WIDTH)
                if index != tile:
                    tile, leaves = index, self._tree.leaf_tile(index)
                at = offset * HASH_BYTES
                if self._hashed(row) != leaves[at : at + HASH_BYTES]:
                    raise _altered(position, "it does not hash to its leaf")
            if not row.record.startswith(_RECORD_START % row.time_us):
                raise _altered(position, "its record states another version or time")
            yield position, row

    def _opened(self, position: int, row: Row) -> Opened:
        try:
            with self._sealing:
                parts = self._sealer.open(row.key_id, row.record, row.sealed)
        except AlteredLogError as error:
            raise _altered(position, str(error)) from None
        return Opened(
            position=position,
            time_us=row.time_us,
            record=row.record,
            signature=row.signature,
            decided=None if parts is None else parts.decided,
            said=None if parts is None else parts.said,
            told=() if parts is None else parts.told,
            erased=parts is None,
            subject=None if parts is None else parts.subject,
        )


def _some(
    rows: Iterator[tuple[int, Row]],
) -> tuple[list[tuple[int, Row]], LogError | EngineError | None]:
    """Return the next rows, and what came in their way: those before it are still good."""
    batch: list[tuple[int, Row]] = []
    size = 0
    try:
        for position, row in rows:
            batch.append((position, row))
            size += len(row.sealed)
            if len(batch) == AHEAD_ROWS or size >= AHEAD_BYTES:
                break
    except (LogError, EngineError) as error:
        return batch, error
    return batch, None


def verify_opened(entry: Opened, public_key: bytes) -> None:
    """Check an entry in itself: its leaf's signature, and its parts against its record.

    Parameters
    ----------
    entry
        The entry; of an erased one only record, time and signature are left to check.
    public_key
        The log's key, 32 bytes.

    Raises
    ------
    AlteredLogError
        If something does not agree.
    """
    try:
        content = leaf(entry.record, entry.signature, key_hash(public_key))
        verify_leaf(content, entry.record, public_key)
    except ProofError as error:
        raise _altered(entry.position, str(error)) from None
    if not entry.record.startswith(_RECORD_START % entry.time_us):
        raise _altered(entry.position, "its record states another version or time")
    if entry.decided is None or entry.subject is None:
        return
    made = Entry(entry.time_us, entry.subject, entry.decided, entry.said, entry.told)
    if made.record() != entry.record:
        raise _altered(entry.position, "its parts do not hash to its record")


def _altered(position: int, why: str) -> AlteredLogError:
    return AlteredLogError(
        f"entry {position} of the journal is altered or damaged: {why}; put a good copy back, or "
        + RESTORE
    )
