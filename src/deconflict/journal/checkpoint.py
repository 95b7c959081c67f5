"""Checkpoints: the size and root of the tree as a signed note (C2SP tlog-checkpoint).

Origin and key name are those by which Sigsum's tools know a log, so that they check it unchanged.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deconflict.journal.errors import ProofError
from deconflict.journal.leaf import key_hash
from deconflict.journal.merkle import HASH_BYTES
from deconflict.journal.note import Note, NoteKey, parse_note

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN_PREFIX: Final = "sigsum.org/v1/tree/"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log.

    Attributes
    ----------
    origin
        Which log.
    size
        Number of its leaves.
    root
        Root of the tree over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note's text: origin, size and root, a line each."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """Return the signed note, under the origin as the key's name."""
        return Note(self.text()).signed(key, self.origin).encode()


def origin(public_key: bytes) -> str:
    """Return the origin of the log whose key this is."""
    return ORIGIN_PREFIX + key_hash(public_key).hex()


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; lines behind the third are left to those who know them.

    Raises
    ------
    ProofError
        If it is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]):
        raise ProofError("a checkpoint has three lines: origin, size and root")
    name, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise ProofError("the checkpoint's size is no plain number")
    try:
        decoded = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        raise ProofError("the checkpoint's root is no base64") from None
    if len(decoded) != HASH_BYTES or base64.b64encode(decoded).decode() != root:
        raise ProofError(f"the checkpoint's root is not {HASH_BYTES} bytes in plain base64")
    return Checkpoint(name, int(size), decoded)


def verify_checkpoint(content: bytes, public_key: bytes) -> Checkpoint:
    """Return the checkpoint of a signed note, if the log with this key made and signed it.

    Parameters
    ----------
    content
        The signed note.
    public_key
        The log's Ed25519 public key, 32 bytes.

    Raises
    ------
    ProofError
        If it is no checkpoint, of another log, or not signed by this key.
    """
    note = parse_note(content)
    found = parse_checkpoint(note.text)
    expected = origin(public_key)
    if found.origin != expected:
        raise ProofError(f"the checkpoint is of the log {found.origin}, not of {expected}")
    note.verify(NoteKey(expected, public_key))
    return found
