"""A data folder at rest, read by the library and compared with itself and with its past.

The tree's root is computed here anew from RFC 9162, section 2.1.1, and signatures are checked with
nothing but Ed25519.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deconflict.journal.location import location
from deconflict.register.event import Event, Put, Removed, decode_decided
from deconflict.register.state.register import Register
from deconflict.server.data_folder import DataFolder
from deconflict.server.replay import replayed

NAMESPACE = b"sigsum.org/v1/tree-leaf\0"


class Resting:
    """What a folder that nobody has open says; made anew for each look.

    Parameters
    ----------
    data
        The folder.
    journal
        URL of the engine, if nodes share one.

    Attributes
    ----------
    head
        Its entries.
    snapshot_head
        Those that its newest snapshot holds.
    versions
        How often each entity that is there was put.
    live
        The entities that the register holds.
    """

    def __init__(self, data: Path, journal: str | None = None) -> None:
        folder = DataFolder.beside(data, journal=None if journal is None else location(journal))
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
        for _, event in self.events():
            if isinstance(event, Put):
                puts[event.entity.id] += 1
            elif isinstance(event, Removed):
                del puts[event.id]
        self.versions = dict(puts)
        self.live = {held.id: held for held in self._register.live()}

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yield all that was decided, with its position."""
        for entry in self._entries:
            assert entry.decided is not None
            for event in decode_decided(entry.decided.content).events:
                yield entry.position, event

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
        return _root(self._leaves(size))

    def roots(self) -> list[bytes]:
        """Return the root of the tree over each number of first entries."""
        found = [_root([])]
        peaks: list[tuple[int, bytes]] = []
        for leaf in self._leaves(self.head):
            peaks.append((1, leaf))
            while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
                (size, left), (_, right) = peaks[-2:]
                peaks[-2:] = [(2 * size, _parent(left, right))]
            root = peaks[-1][1]
            for _, left in reversed(peaks[:-1]):
                root = _parent(left, root)
            found.append(root)
        return found

    def _leaves(self, size: int) -> list[bytes]:
        signer = hashlib.sha256(self._public_key).digest()
        return [
            hashlib.sha256(b"\0" + self._checksum(entry.record) + entry.signature + signer).digest()
            for entry in self._entries[:size]
        ]

    @staticmethod
    def _checksum(record: bytes) -> bytes:
        return hashlib.sha256(hashlib.sha256(record).digest()).digest()


def _root(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    return _parent(_root(hashes[:left]), _root(hashes[left:]))


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
