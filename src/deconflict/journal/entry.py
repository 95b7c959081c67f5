"""Entries: what was said, what was decided and what was told, and the record of their hashes.

Each part has a salt of its own, so that one of them can be withheld, disclosed to one party or
erased while the leaf over the record stands. A part's hash is SHA-256 over its salt and its bytes;
the record is small JSON that holds these hashes and nothing else that tells what happened.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

RECORD_VERSION: Final = 1
SALT_BYTES: Final = 16
"""Bytes of every salt, a submitter's own too."""
_SALTS_A_BLOCK: Final = 4
"""Drawn from one hash of 64 bytes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an entry, in plain bytes.

    Attributes
    ----------
    salt
        `SALT_BYTES` unpredictable bytes.
    content
        JSON bytes, hashed and kept exactly as they are; may be empty.
    signature
        Of what was said: the submitter's detached signature, if it signs; else empty.
    """

    salt: bytes
    content: bytes
    signature: bytes = b""

    @property
    def hash(self) -> bytes:
        """SHA-256 over salt and content: 32 bytes."""
        return hashlib.sha256(self.salt + self.content).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is appended as one position of the journal.

    Attributes
    ----------
    time_us
        When, microseconds since 1970 UTC; never before the entry in front of it.
    subject
        What the parts are about (an entity's identifier, a party's name), 1 to 200 bytes. All
        parts of one subject are sealed under one key, so they are erased together.
    decided
        The events.
    said
        The request's bytes exactly as received; ``None`` where nobody asked.
    told
        One part an audience: the bytes that this audience may see.
    """

    time_us: int
    subject: bytes
    decided: Part
    said: Part | None = None
    told: tuple[Part, ...] = ()

    def record(self) -> bytes:
        """Return the record: JSON of the parts' hashes, the same bytes for the same entry."""
        # Written as it stands, since a JSON encoder takes three times as long over a dictionary.
        said = "null" if self.said is None else f'"{self.said.hash.hex()}"'
        told = ",".join([f'"{one}"' for one in sorted([part.hash.hex() for part in self.told])])
        return (
            f'{{"v":{RECORD_VERSION},"time_us":{self.time_us},"said":{said},'
            f'"decided":"{self.decided.hash.hex()}","told":[{told}]}}'
        ).encode()


def salts(seed: bytes, count: int) -> tuple[bytes, ...]:
    """Return salts drawn from one unpredictable seed, none of which tells another.

    Parameters
    ----------
    seed
        At least 32 unpredictable bytes, kept nowhere.
    count
        How many.
    """
    blocks = [
        hashlib.sha512(seed + number.to_bytes(4)).digest()
        for number in range((count + _SALTS_A_BLOCK - 1) // _SALTS_A_BLOCK)
    ]
    drawn = b"".join(blocks)
    return tuple([drawn[at : at + SALT_BYTES] for at in range(0, count * SALT_BYTES, SALT_BYTES)])
