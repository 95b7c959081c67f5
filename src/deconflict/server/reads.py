"""Answered reads on their way to the journal: one batch a party and second.

A read is answered from durable state before it is journalled. What was answered within the last
second, and not yet journalled, is lost if the process is killed or the power fails; nothing is
lost by a clean stop. While the journal can't be written the batches wait here, within bounds; when
these are full a read is refused rather than shown without a record.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.register.event import Read, ReadBatch
from deconflict.server.health import READS_FULL
from deconflict.standards.service import Call, UnavailableError

_READ_BYTES: Final = 160
"""What a read takes in a batch beside what was shown and its body."""
_SHOWN_BYTES: Final = 40
"""An identifier in a batch: a UUID, quotation marks, comma."""


@dataclass(frozen=True, slots=True)
class ReadBounds:
    """How much is gathered.

    Attributes
    ----------
    batch_reads, batch_bytes
        A batch is cut early when it reaches one of these.
    party_bytes, all_bytes
        Of all reads of one party, and of all parties, that are not journalled yet.
    """

    batch_reads: int = 1_000
    batch_bytes: int = 256 * 2**10
    party_bytes: int = 16 * 2**20
    all_bytes: int = 64 * 2**20


DEFAULT_READ_BOUNDS = ReadBounds()


@dataclass(frozen=True, slots=True)
class Cut:
    """A batch that is ready for the journal, and the bytes that it takes here."""

    batch: ReadBatch
    size: int


class _Gathering:
    """What one party was shown since its last batch was cut."""

    __slots__ = ("bodies", "reads", "size")

    def __init__(self) -> None:
        self.reads: list[tuple[int, str, bytes, tuple[str, ...]]] = []
        self.bodies: dict[bytes, str] = {}
        self.size = 0


class Reads:
    """Gathers reads by party.

    Parameters
    ----------
    bounds
        How much is gathered.
    """

    def __init__(self, bounds: ReadBounds = DEFAULT_READ_BOUNDS) -> None:
        self._bounds = bounds
        self._gathering: dict[str, _Gathering] = {}
        self._ready: deque[Cut] = deque()
        self._party_bytes: dict[str, int] = {}
        self._bytes = 0

    def add(self, call: Call, shown: Sequence[str], at_us: int) -> bool:
        """Gather one read.

        Parameters
        ----------
        call
            Who asked what.
        shown
            Identifiers of the entities that the answer names or depends on.
        at_us
            The instant of the state that was shown, microseconds since 1970 UTC.

        Returns
        -------
        bool
            Whether a batch was cut early, so that `ready` has one.

        Raises
        ------
        UnavailableError
            If no more can be kept until the journal takes some.
        """
        party = call.caller.party
        gathering = self._gathering.get(party)
        if gathering is None:
            gathering = self._gathering[party] = _Gathering()
        body = call.body
        size = _READ_BYTES + len(call.request) + _SHOWN_BYTES * len(shown)
        if body not in gathering.bodies:
            size += 2 * len(body)
        bounds = self._bounds
        of_party = self._party_bytes.get(party, 0) + size
        if of_party > bounds.party_bytes or self._bytes + size > bounds.all_bytes:
            raise UnavailableError(READS_FULL)
        if body not in gathering.bodies:
            gathering.bodies[body] = hashlib.sha256(body).hexdigest()
        gathering.reads.append((at_us, call.request, body, tuple(shown)))
        gathering.size += size
        self._party_bytes[party] = of_party
        self._bytes += size
        if len(gathering.reads) < bounds.batch_reads and gathering.size < bounds.batch_bytes:
            return False
        self._cut(party)
        return True

    def cut(self) -> None:
        """Close the batches of all parties: a second has gone by."""
        for party in list(self._gathering):
            self._cut(party)

    def ready(self) -> list[Cut]:
        """Take the batches that are closed; each is given to `kept` or `put_back` afterwards."""
        ready = list(self._ready)
        self._ready.clear()
        return ready

    def kept(self, cut: Cut) -> None:
        """Forget a batch: it is in the journal."""
        party = cut.batch.party
        left = self._party_bytes[party] - cut.size
        if left:
            self._party_bytes[party] = left
        else:
            del self._party_bytes[party]
        self._bytes -= cut.size

    def put_back(self, cut: Cut) -> None:
        """Keep a batch that the journal did not take for the next attempt."""
        self._ready.append(cut)

    def waiting(self) -> int:
        """Return the bytes of all reads that are not in the journal."""
        return self._bytes

    def _cut(self, party: str) -> None:
        gathering = self._gathering.pop(party)
        hashes = gathering.bodies
        batch = ReadBatch(
            party=party,
            reads=tuple(
                Read(at_us=at_us, request=request, body_hash=hashes[body], shown=shown)
                for at_us, request, body, shown in gathering.reads
            ),
            bodies={
                digest: body.decode(errors="backslashreplace")
                for body, digest in hashes.items()
                if body
            },
        )
        self._ready.append(Cut(batch, gathering.size))
