"""Envelopes: how the parts of an entry lie in the journal, sealed under their subject's key.

An envelope is one byte for the algorithm (1: AES-256-GCM), 16 for the key, 12 for the nonce, 16 for
a tag over these and over what the envelope belongs to, and the ciphertext with GCM's own tag. All
parts of an entry share one envelope, as they share one key and are erased together: subject, salts,
contents and signatures are inside, in MessagePack, so that outside it nothing tells what happened.

The record's hash is bound in, so that an envelope can't be put into another entry. The tag over the
header can be checked without the subject's key: where that key was erased, a damaged header is
still told from an erased entry.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deconflict.journal.entry import Entry, Part
from deconflict.journal.errors import AlteredLogError

ALGORITHM: Final = b"\x01"
KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_NONCE_AT: Final = 1 + KEY_ID_BYTES
_TAG_AT: Final = _NONCE_AT + NONCE_BYTES
_CIPHERTEXT_AT: Final = _TAG_AT + _TAG_BYTES


class SubjectKey(NamedTuple):
    """A subject's key, ready for use.

    Attributes
    ----------
    name
        `KEY_ID_BYTES` bytes made of the key, by which an envelope names it.
    cipher
        AES-256-GCM with the key.
    """

    name: bytes
    cipher: AESGCM


@dataclass(frozen=True, slots=True)
class Parts:
    """What an envelope holds."""

    subject: bytes
    decided: Part
    said: Part | None
    told: tuple[Part, ...]


def plain(entry: Entry) -> bytes:
    """Return subject and parts of an entry as they are sealed."""
    said = entry.said
    return msgspec.msgpack.encode(
        (
            entry.subject,
            _fields(entry.decided),
            None if said is None else _fields(said),
            [_fields(part) for part in entry.told],
        )
    )


def _fields(part: Part) -> tuple[bytes, bytes, bytes]:
    return part.salt, part.content, part.signature


_Fields = tuple[bytes, bytes, bytes]
_Plain = tuple[bytes, _Fields, _Fields | None, list[_Fields]]


def seal(
    content: bytes, *, key: SubjectKey, nonce: bytes, header_key: bytes, belongs_to: bytes
) -> bytes:
    """Return the envelope of some content.

    Parameters
    ----------
    content
        As `plain` returns it.
    key
        The subject's key.
    nonce
        `NONCE_BYTES` that were never used with this key.
    header_key
        32 secret bytes for the tag over the header.
    belongs_to
        What the envelope is bound to.
    """
    header = ALGORITHM + key.name + nonce
    tag = _tag(header, header_key, belongs_to)
    return header + tag + key.cipher.encrypt(nonce, content, header + belongs_to)


def key_name(envelope: bytes, *, header_key: bytes, belongs_to: bytes) -> bytes:
    """Return the name of the key under which an envelope is sealed, once its header is checked.

    Raises
    ------
    AlteredLogError
        If the header is damaged, or the envelope belongs to something else.
    """
    header, tag = envelope[:_TAG_AT], envelope[_TAG_AT:_CIPHERTEXT_AT]
    if not hmac.compare_digest(tag, _tag(header, header_key, belongs_to)):
        raise AlteredLogError("its envelope is damaged, or belongs to another entry or key")
    if header[:1] != ALGORITHM:
        raise AlteredLogError(f"its envelope is of kind {header[0]}, made by a later version")
    return header[1:_NONCE_AT]


def opened(envelope: bytes, *, key: SubjectKey, belongs_to: bytes) -> Parts:
    """Return what an envelope holds.

    Raises
    ------
    AlteredLogError
        If it is damaged.
    """
    header = envelope[:_TAG_AT]
    try:
        content = key.cipher.decrypt(
            header[_NONCE_AT:], envelope[_CIPHERTEXT_AT:], header + belongs_to
        )
        subject, decided, said, told = msgspec.msgpack.decode(content, type=_Plain)
    except (InvalidTag, msgspec.MsgspecError):
        raise AlteredLogError("its envelope is damaged") from None
    return Parts(
        subject=subject,
        decided=Part(*decided),
        said=None if said is None else Part(*said),
        told=tuple([Part(*fields) for fields in told]),
    )


def _tag(header: bytes, header_key: bytes, belongs_to: bytes) -> bytes:
    return blake2b(header + belongs_to, key=header_key, digest_size=_TAG_BYTES).digest()
