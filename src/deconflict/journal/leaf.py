"""Leaves in the format of Sigsum logs, version 1: 128 bytes that tell nothing of a record.

A leaf is a checksum (SHA-256 of the message, and the message is SHA-256 of the record), an Ed25519
signature over the name space and the checksum, and SHA-256 of the key that signed.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from deconflict.journal.errors import ProofError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LEAF_BYTES: Final = 128
SIGNATURE_BYTES: Final = 64
NAMESPACE: Final = b"sigsum.org/v1/tree-leaf\0"


def key_hash(public_key: bytes) -> bytes:
    """Return SHA-256 of an Ed25519 public key of 32 bytes."""
    return sha256(public_key).digest()


def checksum(record: bytes) -> bytes:
    """Return a leaf's checksum: SHA-256 of SHA-256 of the record."""
    return sha256(sha256(record).digest()).digest()


def sign(key: Ed25519PrivateKey, record: bytes) -> bytes:
    """Return the signature of a record's leaf: 64 bytes."""
    return key.sign(NAMESPACE + checksum(record))


def leaf(record: bytes, signature: bytes, signer: bytes) -> bytes:
    """Return a leaf: 128 bytes.

    Parameters
    ----------
    record
        The record's bytes.
    signature
        As `sign` returns it.
    signer
        The `key_hash` of the key that signed.
    """
    return checksum(record) + signature + signer


def verify_leaf(content: bytes, record: bytes, public_key: bytes) -> None:
    """Check that a leaf is over a record and signed by a key.

    Raises
    ------
    ProofError
        If it is not.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(content) != LEAF_BYTES:
        raise ProofError(f"a leaf has {LEAF_BYTES} bytes, this has {len(content)}")
    found, signature, signer = content[:32], content[32:96], content[96:]
    if not hmac.compare_digest(found, checksum(record)):
        raise ProofError("the leaf is over another record")
    if not hmac.compare_digest(signer, key_hash(public_key)):
        raise ProofError("the leaf names another key")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, NAMESPACE + found)
    except InvalidSignature:
        raise ProofError("the leaf's signature is not of its key") from None
