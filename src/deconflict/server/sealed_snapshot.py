"""Sealed snapshots: files that shorten a start. Losing every one of them loses nothing.

A file is the magic line, 16 random bytes from which its key is drawn, and blocks, each sealed with
AES-256-GCM after its length in four bytes, big-endian. A block's nonce is its number and whether
it is the last, so that blocks can't be left out, exchanged or cut off unseen. The first block says
which journal the snapshot is of, and how far; the others are what `Register.dump` yields.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deconflict.journal.durable import PRIVATE_FILE, make_folder
from deconflict.journal.keys import Keys
from deconflict.register.state.register import Register

KEPT: Final = 2
"""Snapshots that are kept: the newest, and one more should it be damaged."""
SUFFIX: Final = ".snapshot"
_MAGIC: Final = b"deconflict snapshot 1\n"
_PURPOSE: Final = "snapshot"
_SALT_BYTES: Final = 16
_BLOCK_BYTES: Final = 2**20
_TAG_BYTES: Final = 16
_LENGTH_BYTES: Final = 4


class SnapshotError(Exception):
    """A snapshot that can't be used, in a sentence for an operator."""


class Heading(msgspec.Struct, frozen=True):
    """What a snapshot is of.

    Attributes
    ----------
    head
        Entries that it holds.
    public_key
        Of the log, hex.
    last_record
        SHA-256 of the record of its last entry, hex; empty without an entry.
    """

    head: int
    public_key: str
    last_record: str


def heading(head: int, keys: Keys, last_record: bytes | None) -> Heading:
    """Return the heading of a snapshot of the first `head` entries."""
    digest = "" if last_record is None else hashlib.sha256(last_record).hexdigest()
    return Heading(head, keys.public_key.hex(), digest)


def snapshot_files(folder: Path) -> list[Path]:
    """Return the snapshots in a folder, the newest first."""
    return sorted(folder.glob("*" + SUFFIX), reverse=True)


def write_snapshot(folder: Path, keys: Keys, head: Heading, pieces: Iterable[bytes]) -> Path:
    """Write a snapshot, whole and on the disk or not at all, and keep the newest `KEPT`.

    Raises
    ------
    OSError
        If it can't be written.
    """
    make_folder(folder)
    path = folder / f"{head.head:020d}{SUFFIX}"
    new = folder / f".new-{secrets.token_hex(8)}"
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as stream:
            for block in _sealed(keys, head, pieces):
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _sync(folder)
    for old in snapshot_files(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def read_snapshot(path: Path, keys: Keys) -> tuple[Heading, Register]:
    """Return what a snapshot is of, and its register.

    Raises
    ------
    SnapshotError
        If it was written by another version or under another key, or is damaged.
    OSError
        If it can't be read.
    RegisterError
        If the register in it is of another form.
    """
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise SnapshotError("it is no snapshot of this version")
        blocks = _opened(keys, stream)
        first = next(blocks, b"")
        try:
            head = msgspec.json.decode(first, type=Heading)
        except msgspec.DecodeError:
            raise SnapshotError("its heading can't be understood") from None
        register = Register.load(blocks)
        for _ in blocks:
            raise SnapshotError("it goes on behind its end")
    if register.head != head.head:
        raise SnapshotError("its heading and its content are of different entries")
    return head, register


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for left in folder.glob(".new-*"):
        left.unlink(missing_ok=True)


def _sealed(keys: Keys, head: Heading, pieces: Iterable[bytes]) -> Iterator[bytes]:
    salt = secrets.token_bytes(_SALT_BYTES)
    yield _MAGIC + salt
    cipher = _cipher(keys, salt)
    waiting, number = msgspec.json.encode(head), 0
    for block in _blocks(pieces):
        yield _block(cipher, salt, waiting, number, last=False)
        waiting, number = block, number + 1
    yield _block(cipher, salt, waiting, number, last=True)


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        while len(gathered) >= _BLOCK_BYTES:
            yield bytes(gathered[:_BLOCK_BYTES])
            del gathered[:_BLOCK_BYTES]
    if gathered:
        yield bytes(gathered)


def _block(cipher: AESGCM, salt: bytes, content: bytes, number: int, *, last: bool) -> bytes:
    sealed = cipher.encrypt(_nonce(number, last=last), content, _MAGIC + salt)
    return len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed


def _opened(keys: Keys, stream: BinaryIO) -> Iterator[bytes]:
    salt = stream.read(_SALT_BYTES)
    cipher = _cipher(keys, salt)
    number = 0
    length = stream.read(_LENGTH_BYTES)
    while length:
        size = int.from_bytes(length, "big")
        if size > _BLOCK_BYTES + _TAG_BYTES:
            raise SnapshotError("it is damaged")
        sealed = stream.read(size)
        length = stream.read(_LENGTH_BYTES)
        try:
            yield cipher.decrypt(_nonce(number, last=not length), sealed, _MAGIC + salt)
        except InvalidTag:
            raise SnapshotError("it is damaged, cut off, or sealed under another key") from None
        number += 1
    if not number:
        raise SnapshotError("it is cut off")


def _cipher(keys: Keys, salt: bytes) -> AESGCM:
    return AESGCM(hmac.digest(keys.derived(_PURPOSE), salt, "sha256"))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
