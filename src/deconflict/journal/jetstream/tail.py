"""Where the journal ends: known for certain up to some sequence, and moved on behind a barrier.

Every answer about the end of a stream may come from a leader that was deposed. So the end is found
by going on from what is known, message by message, to one that a majority has confirmed: none can
be passed over, since a server that lacks it can't give the one behind it.
"""

from __future__ import annotations

import asyncio
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.jetstream.failure import RefusalError, failure
from deconflict.journal.jetstream.link import Link
from deconflict.journal.jetstream.message import Entries
from deconflict.journal.jetstream.messages import Messages, Stored
from deconflict.journal.jetstream.stream import Names

STEPS_AT_ONCE: Final = 16
JUMP: Final = 64
"""If more messages than this are new, it is worth to ask for the last group first."""
BARRIERS_KEPT: Final = 256
"""Barriers of one node after which the next takes the place of those of all."""
BARRIER_TRIES: Final = 4
"""A barrier may be gone before it is read, since another took the place of all."""
NONCE_BYTES: Final = 16
PLACES: Final = 65_536
"""Groups whose places are remembered."""


class Tail:
    """The end of the stream. For coroutines that the link runs.

    Parameters
    ----------
    link
        Asks the servers.
    names
        Of the streams.
    messages
        Reads them.

    Attributes
    ----------
    sequence
        Up to which all is known.
    head
        The number of entries ever committed, at least.
    entries
        Sequence of the last accepted message of entries, the one behind which the head is.
    destroyed
        Keys whose destruction was announced since the journal was opened, and that no entry
        behind it brought again; with the sequence of the announcement.
    jumped
        Sequence up to which groups were passed over since it was opened, so that more may have
        been announced; 0: none.
    """

    def __init__(self, link: Link, names: Names, messages: Messages) -> None:
        self._link = link
        self._names = names
        self._messages = messages
        self._walking = asyncio.Lock()
        self._mine: dict[bytes, tuple[int, bool]] = {}
        self.sequence = 0
        self._barriers = 0
        self.head = 0
        self.entries = 0
        self.destroyed: dict[bytes, int] = {}
        self.jumped = 0
        self._places: list[tuple[int, int]] = []
        self.moved = asyncio.Event()
        self.recent: Entries | None = None

    async def open(self) -> None:
        """Find the end for the first time, and verify the last group."""
        async with self._walking:
            await self._jump()
        await self.sync()
        self.jumped = 0
        self.destroyed.clear()

    async def sync(self) -> int:
        """Learn of all that was committed before this call; return the head.

        Raises
        ------
        UnreachableError
            If no majority confirms, or no server has what it confirmed.
        """
        for _ in range(BARRIER_TRIES):
            nonce = os.urandom(NONCE_BYTES)
            with self.expecting(nonce):
                barrier = await self._publish_barrier(nonce)
                if barrier - self.sequence > JUMP:
                    async with self._walking:
                        await self._jump()
                await self.reach(barrier)
                if self.found(nonce, barrier) is not None:
                    return self.head
        raise UnreachableError(
            f"it is not certain how far the journal goes: NATS at {self._link.where} does not "
            "have what it confirmed"
        )

    @contextmanager
    def expecting(self, mark: bytes) -> Iterator[None]:
        """Look out for a message that this node is about to add."""
        self._mine[mark] = (0, False)
        try:
            yield
        finally:
            del self._mine[mark]

    def found(self, mark: bytes, sequence: int) -> bool | None:
        """Return whether a message was accepted; ``None`` if it is not at its sequence."""
        at, accepted = self._mine[mark]
        return accepted if at == sequence else None

    def note(self, found: Entries) -> None:
        """Take in a message that is known to be committed, with none unknown before it.

        Raises
        ------
        EngineError
            If it does not begin where the one before ended.
        """
        if found.sequence <= self.sequence:
            return
        if found.behind > self.entries:
            raise _NotThereError(found, self._link.where)
        accepted = found.behind == self.entries
        if accepted:
            if self.entries and found.first != self.head:
                raise EngineError(
                    f"message {found.sequence} of the journal at {self._link.where} begins at "
                    f"entry {found.first} and not at {self.head}: restore the newest copy as a new "
                    "log"
                )
            self._take(found)
        self._meet(found.group_id, found.sequence, accepted=accepted)
        self.sequence = found.sequence

    def _take(self, found: Entries) -> None:
        self.entries, self.head = found.sequence, found.stop
        self.brought(row.key_id for row in found.rows)
        self.destroyed.update(dict.fromkeys(found.destroyed, found.sequence))
        self.recent = found
        self.place(found)
        self.moved.set()

    def _meet(self, mark: bytes, sequence: int, *, accepted: bool) -> None:
        if mark in self._mine:
            self._mine[mark] = sequence, accepted

    async def _jump(self) -> None:
        """Pass over what is old: go on from what the last message goes behind."""
        last = await self._messages.last_entries()
        if last is None or last.behind < self.sequence:
            return
        async for found in self._messages.chain(last.behind, last.sequence):
            self._take(found)
            self.sequence = self.jumped = found.sequence

    def place(self, found: Entries) -> None:
        """Remember where a group is."""
        place = (found.first, found.sequence)
        at = bisect_right(self._places, place)
        if not at or self._places[at - 1] != place:
            self._places.insert(at, place)
        if len(self._places) > PLACES:
            del self._places[::2]

    def near(self, position: int) -> tuple[int, int | None]:
        """Return sequences between which the group of a position is: from, and before (or not)."""
        at = bisect_right(self._places, (position, 1 << 63))
        after = self._places[at][1] if at < len(self._places) else None
        return (self._places[at - 1][1] if at else 1), after

    def brought(self, key_ids: Iterable[bytes]) -> None:
        """Take note that keys are there again."""
        if self.destroyed:
            for key_id in key_ids:
                self.destroyed.pop(key_id, None)

    def announced(self, key_id: bytes) -> int:
        """Return the sequence up to which a key's destruction may have been announced."""
        return max(self.destroyed.get(key_id, 0), self.jumped)

    async def _walk(self, barrier: int) -> None:
        """Go on by some messages."""
        start = self.sequence + 1
        window = range(start, min(barrier, start + STEPS_AT_ONCE))
        for message in await self._messages.some(window):
            if message is None:
                break
            self._pass(message)
        if self.sequence < start:  # a gap that a purge left, or a replica that is behind
            self._pass(await self._messages.next_certainly(start))

    def _pass(self, message: Stored) -> None:
        found = self._messages.opened(message)
        if found is not None:
            self.note(found)
        else:
            self._meet(message.data, message.sequence, accepted=True)
        self.sequence = max(self.sequence, message.sequence)

    async def reach(self, sequence: int) -> None:
        """Learn of all up to a sequence that is known to be there."""
        async with self._walking:
            while self.sequence < sequence:
                try:
                    await self._walk(sequence + 1)
                except _NotThereError as error:
                    if await self._pruned_to() <= self.head:
                        raise EngineError(str(error)) from error
                    found = error.found  # what it goes behind was pruned, and what that did
                    self.entries, self.head, self.jumped = found.behind, found.first, found.behind

    async def _pruned_to(self) -> int:
        found = await self._messages.last(self._names.meta, self._names.first)
        return 0 if found is None else int(found.data)

    async def _publish_barrier(self, nonce: bytes) -> int:
        """Have a majority confirm a message that says nothing; return its sequence."""
        link, doing = self._link, "it is not certain how far the journal goes"
        self._barriers += 1
        headers = None if self._barriers % BARRIERS_KEPT else {"Nats-Rollup": "sub"}
        try:
            return await link.patiently(
                lambda patience_s: link.publish(
                    self._names.barrier, nonce, headers, patience_s=patience_s
                )
            )
        except RefusalError as error:
            raise failure(error, link.where, doing) from error
        except UnreachableError as error:
            raise UnreachableError(f"{doing}: {error}") from error


class _NotThereError(EngineError):
    """A message goes behind one that was not come to."""

    def __init__(self, found: Entries, where: str) -> None:
        super().__init__(
            f"message {found.sequence} of the journal at {where} follows upon message "
            f"{found.behind}, which is not there: restore the newest copy as a new log"
        )
        self.found = found
