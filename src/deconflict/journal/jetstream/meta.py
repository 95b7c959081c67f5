"""The two facts beside the entries, each changed only from what it was: begin and lease."""

from __future__ import annotations

import json
import time
from typing import Final

from deconflict.journal.engine import EngineError, Lease
from deconflict.journal.jetstream.failure import (
    WRONG_LAST_SEQUENCE,
    RefusalError,
    UnansweredError,
    failure,
)
from deconflict.journal.jetstream.link import Link
from deconflict.journal.jetstream.messages import Messages
from deconflict.journal.jetstream.stream import Names

TRIES: Final = 16


class Meta:
    """The first position that is kept, and the lease. For coroutines that the link runs.

    Parameters
    ----------
    link
        Asks the servers.
    names
        Of the streams.
    messages
        Reads them.
    """

    def __init__(self, link: Link, names: Names, messages: Messages) -> None:
        self._link = link
        self._names = names
        self._messages = messages
        self._seen: tuple[int, float] = (0, 0.0)

    async def first(self) -> int | None:
        """Return the first position that is kept; ``None`` if nothing was ever pruned."""
        found = await self._messages.last(self._names.meta, self._names.first)
        return None if found is None else int(found.data)

    async def raise_first(self, first: int) -> int:
        """Move the first position on, never back; return it."""
        doing = "the journal was not pruned"
        for _ in range(TRIES):
            last = await self._messages.last_sequence(self._names.meta)
            found = await self._messages.last(self._names.meta, self._names.first)
            if found is not None and int(found.data) >= first:
                return int(found.data)
            revision = 0 if found is None else found.sequence
            if await self._change(self._names.first, str(first).encode(), last, revision, doing):
                return first
        raise EngineError(f"{doing}: others change where it begins; try again")

    async def lease(self, node: str, address: str, seconds: float) -> Lease:
        """Take the lease if it is free, this node's, or has not been renewed for its time.

        The time is counted on this node's own clock from when it first saw that renewal.
        """
        doing = "nobody knows which node decides"
        for _ in range(TRIES):
            last = await self._messages.last_sequence(self._names.meta)
            held, revision, lasts_s = await self._held()
            if self._seen[0] != revision:
                self._seen = revision, time.monotonic()
            waited_s = time.monotonic() - self._seen[1]
            if held is not None and held.node != node and waited_s <= lasts_s:
                return held
            data = json.dumps({"node": node, "address": address, "seconds": seconds}).encode()
            if await self._change(self._names.lease, data, last, revision, doing):
                return Lease(node, address)
        raise EngineError(f"{doing}: several nodes want the lease at once; try again")

    async def release(self, node: str) -> None:
        """Give the lease back if it is this node's."""
        last = await self._messages.last_sequence(self._names.meta)
        held, revision, _ = await self._held()
        if held is not None and held.node == node:
            # If it was refused, the lease is another node's by now.
            await self._change(
                self._names.lease, b"", last, revision, "the lease was not given back"
            )

    async def _held(self) -> tuple[Lease | None, int, float]:
        found = await self._messages.last(self._names.meta, self._names.lease)
        if found is None or not found.data:
            return None, 0 if found is None else found.sequence, 0.0
        held = json.loads(found.data)
        return Lease(held["node"], held["address"]), found.sequence, float(held["seconds"])

    async def _change(
        self, subject: str, data: bytes, last: int, revision: int, doing: str
    ) -> bool:
        headers = {
            # That of the stream is compared where all replicas agree, that of the subject before.
            "Nats-Expected-Last-Sequence": str(last),
            "Nats-Expected-Last-Subject-Sequence": str(revision),
        }
        try:
            await self._link.publish(subject, data, headers)
        except RefusalError as error:
            if error.code == WRONG_LAST_SEQUENCE:
                return False
            raise failure(error, self._link.where, doing) from error
        except UnansweredError as error:
            raise UnansweredError(f"{doing}: NATS at {self._link.where}: {error}") from error
        return True
