"""A data folder at rest, read by the library and compared with itself and with its past.

The tree's root is computed here anew from RFC 9162, section 2.1.1, and signatures are checked with
nothing but Ed25519.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deconflict.register.event import Put, Removed, decode_decided
from deconflict.register.state.register import Register
from deconflict.server.data_folder import DataFolder
from deconflict.server.replay import replayed

NAMESPACE = b"sigsum.org/v1/tree-leaf\0"


class Resting:
    """What a folder that nobody has open says; made anew for each look.

    Attributes
    ----------
    head
        Its entries.
    snapshot_head
        Those that its newest snapshot holds.
    versions
        How often each entity that is there was put.
    """

    def __init__(self, data: Path) -> None:
        folder = DataFolder.beside(data)
        try:
            self.head = folder.log.head()
            self.snapshot_head = folder.snapshot_head
            self._register = folder.register
            self._public_key = folder.log.public_key
            self._checkpoint = folder.log.checkpoint()
            self._entries = list(folder.log.read(folder.log.first()))
            self._from_nothing = replayed(folder.log, Register(first=folder.log.first()))
        finally:
            folder.close()
        puts: Counter[str] = Counter()
        for entry in self._entries:
            assert entry.decided is not None
            for event in decode_decided(entry.decided.content).events:
                if isinstance(event, Put):
                    puts[event.entity.id] += 1
                elif isinstance(event, Removed):
                    del puts[event.id]
        self.versions = dict(puts)

    def verify(self, since: int = 0) -> None:
        """Compare all that can be compared; signatures of the entries from a position on."""
        assert [entry.position for entry in self._entries] == list(range(self.head))
        times = [entry.time_us for entry in self._entries]
        assert times == sorted(times)
        assert self._from_nothing == self._register, "a replay differs from snapshot and rest"
        public = Ed25519PublicKey.from_public_bytes(self._public_key)
        for entry in self._entries[since:]:
            public.verify(entry.signature, NAMESPACE + self._checksum(entry.record))
        size, root = self.checkpoint()
        assert size <= self.head
        assert self.root(size) == root

    def checkpoint(self) -> tuple[int, bytes]:
        """Return size and root of the last checkpoint."""
        assert self._checkpoint is not None
        _, size, root, *_ = self._checkpoint.decode().splitlines()
        return int(size), base64.b64decode(root)

    def extends(self, checkpoint: tuple[int, bytes]) -> bool:
        """Whether the journal begins with all that an earlier checkpoint covered."""
        size, root = checkpoint
        return size <= self.checkpoint()[0] and self.root(size) == root

    def root(self, size: int) -> bytes:
        """Return the root of the tree over the first entries."""
        signer = hashlib.sha256(self._public_key).digest()
        return _root(
            [
                hashlib.sha256(
                    b"\0" + self._checksum(entry.record) + entry.signature + signer
                ).digest()
                for entry in self._entries[:size]
            ]
        )

    @staticmethod
    def _checksum(record: bytes) -> bytes:
        return hashlib.sha256(hashlib.sha256(record).digest()).digest()


def _root(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + _root(hashes[:left]) + _root(hashes[left:])).digest()
