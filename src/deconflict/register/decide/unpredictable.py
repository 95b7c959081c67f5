"""What must be unpredictable, drawn from a command's entropy.

Bytes 32 to 47 make an OVN; bytes 48 to 63 make an identifier or a version. A command that needs
both of these takes the version from a hash of the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final
from uuid import UUID

from deconflict.register.command import Command

_OVN: Final = slice(32, 48)
_IDENTIFIER: Final = slice(48, 64)
_VERSION_SEED: Final = b"deconflict subscription version\0"


def _text(drawn: bytes) -> str:
    return base64.urlsafe_b64encode(drawn).rstrip(b"=").decode("ascii")


def new_ovn(command: Command) -> str:
    """Return a new OVN: 22 letters and digits of 128 bits (F3548-21 wants 16 to 128)."""
    return _text(command.entropy[_OVN])


def new_identifier(command: Command) -> str:
    """Return a new identifier: a UUID of version 4."""
    return str(UUID(bytes=command.entropy[_IDENTIFIER], version=4))


def new_version(command: Command) -> str:
    """Return a new opaque version, which tells nothing of a `new_identifier` of this command."""
    seed = _VERSION_SEED + command.entropy[_IDENTIFIER]
    return _text(hashlib.sha256(seed).digest()[:16])
