"""A group of rows as one message, with a checksum that is verified whenever it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec

from deconflict.journal.engine import EngineError, Group, Row

_VERSION: Final = 2
_DIGEST_BYTES: Final = 16
"""Of SHA-256: what is to be noticed are accidents, and 128 bits are plenty for those."""
_Fields: TypeAlias = tuple[int, bytes, bytes, bytes, bytes]
_Body: TypeAlias = tuple[int, int, int, bytes, list[_Fields], list[bytes]]
_decode = msgspec.msgpack.Decoder(_Body).decode
_decode_any = msgspec.msgpack.Decoder(list[Any]).decode
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Entries:
    """What a message on the subject of entries holds.

    Attributes
    ----------
    sequence
        Of the message in its stream; 0 before it is there.
    behind
        Sequence of the accepted message that its writer knew as the last one; 0 if there was none.
        It is accepted if that still was the last one before it, and void if not.
    first
        Position of its first row, or of the next one if it has none.
    group_id
        The group's identifier.
    rows
        None, where the message only moves the sequence: so that an append of unknown outcome
        can't be accepted any more, or since keys are about to be destroyed.
    destroyed
        Identifiers of keys that are destroyed behind this message.
    size
        Bytes.
    """

    sequence: int
    behind: int
    first: int
    group_id: bytes
    rows: tuple[Row, ...]
    destroyed: tuple[bytes, ...]
    size: int

    @property
    def stop(self) -> int:
        """The position behind the last row."""
        return self.first + len(self.rows)


def packed(behind: int, first: int, group: Group, destroyed: Collection[bytes] = ()) -> bytes:
    """Return the body of the message that commits a group at a position, behind another message."""
    rows = [(r.time_us, r.record, r.signature, r.key_id, r.sealed) for r in group.rows]
    body = _encode((_VERSION, behind, first, group.id, rows, list(destroyed)))
    return _digest(body) + body


def headers(first: int, group: Group) -> dict[str, str]:
    """Return the headers by which a person or a tool finds its way in the stream."""
    return {
        "Deconflict-Group": group.id.hex(),
        "Deconflict-First": str(first),
        "Deconflict-Count": str(len(group.rows)),
    }


def unpacked(sequence: int, data: bytes, where: str) -> Entries:
    """Return what a message holds.

    Raises
    ------
    EngineError
        If it is damaged, or of a program that writes another form.
    """
    digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if _digest(body) != digest:
        raise EngineError(
            f"message {sequence} of the journal at {where} is damaged: its checksum does not "
            "match; restore the newest copy as a new log"
        )
    try:
        version, behind, first, group_id, rows, destroyed = _decode(body)
    except msgspec.DecodeError as error:
        raise _of_another_version(sequence, body, where) from error
    if version != _VERSION:
        raise _of_another_version(sequence, body, where)
    return Entries(
        sequence,
        behind,
        first,
        group_id,
        tuple(Row(*row) for row in rows),
        tuple(destroyed),
        len(data),
    )


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:_DIGEST_BYTES]


def _of_another_version(sequence: int, body: bytes, where: str) -> EngineError:
    try:
        (version, *_) = _decode_any(body)
    except (msgspec.DecodeError, ValueError):
        version = None
    if isinstance(version, int) and version < _VERSION:
        return EngineError(
            f"message {sequence} of the journal at {where} was written by an older program, in a "
            "form that this one does not read: with that one, copy the journal to another engine "
            "(deconflict journal copy), and from there to a new stream with this one"
        )
    return EngineError(
        f"message {sequence} of the journal at {where} was written by a newer program: update this "
        "one"
    )
