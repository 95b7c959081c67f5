"""The two keys of a service: one signs leaves and checkpoints, one seals what the journal holds.

They are made at the first start and stand in files of their own, outside the journal, so that a
stolen journal or backup tells nothing. Who loses the sealing key can read no entry any more.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deconflict.journal.durable import create_durably, make_folder
from deconflict.journal.errors import KeyFileError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNING_FILE: Final = "signing-key"
SEALING_FILE: Final = "sealing-key"
SEALING_BYTES: Final = 32
_MAX_FILE_BYTES: Final = 4096
_RESTORE = "put the file back from the place where you keep copies of the keys"


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of a service.

    Attributes
    ----------
    signing
        Ed25519 private key.
    sealing
        32 secret bytes; nothing is sealed with them, only with what `derived` makes of them.
    """

    signing: Ed25519PrivateKey
    sealing: bytes

    @property
    def public_key(self) -> bytes:
        """The public key that belongs to `signing`: 32 bytes."""
        return self.signing.public_key().public_bytes_raw()

    def derived(self, purpose: str) -> bytes:
        """Return 32 secret bytes for one purpose (HKDF with SHA-256, RFC 5869)."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

        info = b"deconflict/v1/" + purpose.encode()
        return HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(self.sealing)

    @classmethod
    def load(cls, folder: Path, *, create: bool) -> Keys:
        """Read the keys from their files `signing-key` and `sealing-key`.

        Parameters
        ----------
        folder
            Where they stand.
        create
            Make those that are missing, but never a sealing key beside an old signing key.

        Raises
        ------
        KeyFileError
            If a file is missing, damaged, or open to others.
        """
        signing, sealing = folder / SIGNING_FILE, folder / SEALING_FILE
        if create:
            _create(folder, signing, sealing)
        _check_folder(folder)
        return cls(_signing(_read(signing), signing), _sealing(_read(sealing), sealing))


def _create(folder: Path, signing: Path, sealing: Path) -> None:
    try:
        make_folder(folder)
        # The sealing key comes first, so that a crash between the two leaves the state that a
        # further start completes; the opposite state means that a sealing key was lost.
        if not signing.exists():
            if not sealing.exists():
                create_durably(
                    sealing, base64.b64encode(secrets.token_bytes(SEALING_BYTES)) + b"\n"
                )
            create_durably(signing, _new_signing_key())
    except FileExistsError:
        return  # another process was faster; its keys are read
    except OSError as error:
        raise KeyFileError(
            f"The keys can't be made in {folder}: {error.strerror}. Nothing was started."
        ) from None


def _new_signing_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _check_folder(folder: Path) -> None:
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise KeyFileError(
            f"The folder of the keys, {folder}, can't be read: {error.strerror}; {_RESTORE}."
        ) from None
    if mode & 0o022:
        raise KeyFileError(
            f"Others can write to the folder of the keys, {folder} (mode {mode:04o}), and could "
            f"exchange them. Run: chmod 700 {folder}"
        )


def _read(path: Path) -> bytes:
    try:
        # A pipe in place of the file must not make the start wait for ever.
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"The key {path} is no ordinary file; {_RESTORE}.")
            if status.st_mode & 0o077:
                raise KeyFileError(
                    f"Others can read the key {path} (mode {stat.S_IMODE(status.st_mode):04o}). "
                    f"Run: chmod 600 {path}. If someone else may have read it, take it as known."
                )
            return stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"The key {path} can't be read: {error.strerror}; {_RESTORE}.") from None


def _signing(content: bytes, path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"The signing key {path} is damaged: it is no unencrypted private key in PEM; "
            f"{_RESTORE}."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"The signing key {path} is not of the kind Ed25519; {_RESTORE}.")
    return key


def _sealing(content: bytes, path: Path) -> bytes:
    try:
        key = base64.b64decode(content.removesuffix(b"\n"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != SEALING_BYTES:
        raise KeyFileError(
            f"The sealing key {path} is damaged: it is not one line of base64 for "
            f"{SEALING_BYTES} bytes; {_RESTORE}."
        )
    return key
