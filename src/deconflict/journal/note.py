"""Signed notes as in C2SP signed-note: a text, and below it who signed it.

Only Ed25519 signatures (type 1) are made and checked; those of other keys, such as witnesses'
cosignatures, are kept as they are.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from deconflict.journal.errors import ProofError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519: Final = 0x01
"""The signature type of Ed25519 in C2SP signed-note."""

MAX_NOTE_BYTES: Final = 1 << 20
MAX_SIGNATURES: Final = 100
"""More than the 16 that each verifier must accept."""

_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line below a note: who signed, with which key (4 bytes), and the signature."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that signs notes, as those know it who check them.

    Attributes
    ----------
    name
        Its name, without spaces and plus signs.
    public_key
        32 bytes.
    """

    name: str
    public_key: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes by which a signature line names the key."""
        content = self.name.encode() + b"\n" + bytes([ED25519]) + self.public_key
        return sha256(content).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([ED25519]) + self.public_key).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends with a line break, and its signatures in their order."""

    text: str
    signatures: tuple[NoteSignature, ...] = ()

    def signed(self, key: Ed25519PrivateKey, name: str) -> Note:
        """Return the note with one more signature."""
        public = NoteKey(_checked_name(name), key.public_key().public_bytes_raw())
        line = NoteSignature(name, public.id, key.sign(_checked_text(self.text).encode()))
        return replace(self, signatures=(*self.signatures, line))

    def encode(self) -> bytes:
        """Return the bytes of the note."""
        lines = [
            f"{_DASH}{line.name} {base64.b64encode(line.key_id + line.signature).decode()}\n"
            for line in self.signatures
        ]
        return f"{self.text}\n{''.join(lines)}".encode()

    def verify(self, key: NoteKey) -> None:
        """Check that a key has signed the text.

        Raises
        ------
        ProofError
            If it hasn't, or if one of its signatures is wrong.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        mine = [line for line in self.signatures if (line.name, line.key_id) == (key.name, key.id)]
        if not mine:
            raise ProofError(f"the note bears no signature of {key.name} with this key")
        public = Ed25519PublicKey.from_public_bytes(key.public_key)
        for line in mine:
            try:
                public.verify(line.signature, self.text.encode())
            except InvalidSignature:
                raise ProofError(f"the note's signature of {key.name} is wrong") from None


def parse_note(content: bytes) -> Note:
    """Read a signed note; who signed it is not yet checked.

    Raises
    ------
    ProofError
        If it is none.
    """
    if len(content) > MAX_NOTE_BYTES:
        raise ProofError(f"the note has {len(content)} bytes, more than {MAX_NOTE_BYTES}")
    try:
        whole = content.decode()
    except UnicodeDecodeError:
        raise ProofError("the note is not UTF-8") from None
    middle = whole.rfind("\n\n")
    if middle < 0 or not whole.endswith("\n"):
        raise ProofError("the note has no empty line before signatures, or was cut off")
    text = _checked_text(whole[: middle + 1])
    lines = whole[middle + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise ProofError(f"the note has {len(lines)} signatures, more than {MAX_SIGNATURES}")
    return Note(text, tuple(_signature(line) for line in lines))


def _signature(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise ProofError("the note has a line below its text that is no signature")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ProofError("the note has a signature that is no base64") from None
    if len(content) < 5 or base64.b64encode(content).decode() != encoded:
        raise ProofError("the note has a signature that is too short or no plain base64")
    return NoteSignature(_checked_name(name), content[:4], content[4:])


def _checked_name(name: str) -> str:
    if not name or "+" in name or any(mark.isspace() or mark < " " for mark in name):
        raise ProofError("a key's name is empty, or holds a space or a plus sign")
    return name


def _checked_text(text: str) -> str:
    if not text.endswith("\n") or any(mark < " " and mark != "\n" for mark in text):
        raise ProofError("a note's text ends with a line break and has no other control characters")
    return text
