"""Writing a journal's streams: each message of entries goes behind a known one, or is void.

The servers are never asked to compare anything. A message says behind which accepted one it goes;
whoever reads the stream in order finds whether something else came first. What lost such a race
stays in the stream, and all pass over it. A server that refuses messages itself, as it does with
`Nats-Expected-Last-Sequence`, counts them, and one of NATS 2.9 that was started again counts
otherwise than the rest: then their copies of the stream differ
(docs/decisions/0015-void-messages.md).

A message without rows goes behind the last one as well. So it makes void what was under way: it
settles an unknown outcome, and lets every appender hear which keys are about to be destroyed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from deconflict.journal.engine import (
    EngineError,
    Group,
    GroupTooLargeError,
    KeyGoneError,
    Outcome,
    UnreachableError,
)
from deconflict.journal.jetstream.failure import (
    STORE_FAILED,
    RefusalError,
    UnansweredError,
    failure,
    unknown,
)
from deconflict.journal.jetstream.keys import Keys
from deconflict.journal.jetstream.link import Link
from deconflict.journal.jetstream.message import headers, packed
from deconflict.journal.jetstream.messages import Messages
from deconflict.journal.jetstream.stream import Names
from deconflict.journal.jetstream.tail import Tail

TRIES: Final = 64
"""Messages of others that may come in between."""
HEADERS_BYTES: Final = 1024
PENDING: Final = 1024
"""Appends of unknown outcome that are remembered."""
_DESTROYED_AT_ONCE: Final = 4096


class Writing:
    """What changes a journal. For coroutines that the link runs.

    Parameters
    ----------
    link
        Asks the servers.
    names
        Of the streams.
    messages
        Reads them.
    tail
        Knows where the journal ends.
    keys
        The wrapped keys.
    """

    def __init__(
        self, link: Link, names: Names, messages: Messages, tail: Tail, keys: Keys
    ) -> None:
        self._link = link
        self._names = names
        self._messages = messages
        self._tail = tail
        self._keys = keys
        self._turn = asyncio.Lock()
        self._behind: dict[bytes, int] = {}

    async def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group as `deconflict.journal.engine.Engine.append` says."""
        count = len(group.rows)
        doing = f"{count} {'entry was' if count == 1 else 'entries were'} not appended"
        size = len(packed(1 << 63, expected_head, group))
        most = await self._link.most_bytes() - HEADERS_BYTES
        if size > most:
            kind = GroupTooLargeError if count > 1 else EngineError
            raise kind(
                f"{doing}: they are {size:,} bytes, and the server takes {most:,} in one "
                "message (max_payload)"
            )
        async with self._turn:
            if expected_head > self._tail.head:
                await self._tail.sync()
            if expected_head != self._tail.head:
                return Outcome.REFUSED
            for _ in range(TRIES):
                if expected_head != self._tail.head:
                    return Outcome.REFUSED
                await self._require_keys(group, doing)
                announced = [self._tail.announced(key_id) for key_id, _ in group.keys]
                if not await self._keys.put(group.keys, self._tail.entries, announced, doing):
                    return Outcome.REFUSED
                if await self._put(expected_head, group, doing):
                    self._tail.brought(key_id for key_id, _ in group.keys)
                    await self._link.hint(self._names.appended)
                    return Outcome.ACCEPTED
        raise EngineError(f"{doing}: others change the journal too fast; try again")

    async def find(self, group_id: bytes) -> int | None:
        """Return the first position of a group, or ``None``, for good."""
        doing = "it is not known what became of an append"
        behind = self._behind.get(group_id)
        async with self._turn:
            await self._tail.sync()
            last = self._tail.entries if behind is None else behind
            for _ in range(TRIES):
                # What is still under way goes behind this one: so it is void behind another.
                if self._tail.entries != last:
                    break
                await self._move((), doing)
        async for found in self._messages.chain(behind or 0, self._tail.entries):
            if found.group_id == group_id:
                self._behind.pop(group_id, None)
                return found.first
            if behind is not None:
                break
        self._behind.pop(group_id, None)
        return None

    async def begin(self, first: int) -> None:
        """Have an empty journal begin at a position."""
        doing = f"the journal does not begin at entry {first}"
        async with self._turn:
            await self._tail.sync()
            if self._tail.entries:
                raise EngineError(f"{doing}: NATS at {self._link.where} holds or held entries")
            if not await self._put(first, Group(os.urandom(16), ()), doing):
                raise EngineError(f"{doing}: another node appends to it")

    async def announce(
        self,
        key_ids: Collection[bytes],
        doing: str,
        spare: Callable[[], Awaitable[bool]] | None = None,
    ) -> int:
        """Let every appender know that keys are about to be destroyed.

        What is sealed under one of them is not accepted any more when this returns.

        Parameters
        ----------
        key_ids
            Of the keys.
        doing
            What is not done if it fails.
        spare
            Takes out the keys that what is appended by now uses; returns whether any is left.

        Returns
        -------
        int
            Sequence of the message that says so; 0 if no key is to be destroyed.
        """
        async with self._turn:
            for _ in range(TRIES):
                if spare is not None and not await spare():
                    return 0
                announced = await self._move(key_ids, doing)
                if announced:
                    return announced
        raise EngineError(f"{doing}: others append too fast; try again")

    async def erase(self, key_ids: Sequence[bytes], doing: str) -> None:
        """Destroy wrapped keys."""
        for at in range(0, len(key_ids), _DESTROYED_AT_ONCE):
            step = key_ids[at : at + _DESTROYED_AT_ONCE]
            await self._keys.destroy(step, await self.announce(step, doing), doing)

    async def _put(
        self, first: int, group: Group, doing: str, destroyed: Collection[bytes] = ()
    ) -> int:
        """Write a message of entries behind the last accepted one; return its sequence, or 0.

        0 says that another one was the next. It is read back at the sequence that was confirmed,
        behind all that is in front of it.
        """
        tail, behind = self._tail, self._tail.entries
        self._remember(group.id, behind)
        with tail.expecting(group.id):
            try:
                sequence = await self._link.publish(
                    self._names.entries,
                    packed(behind, first, group, destroyed),
                    headers(first, group),
                )
            except RefusalError as error:
                raise self._refused(error, group, doing) from error
            except UnansweredError as error:
                raise unknown(self._link.where, doing, str(error)) from error
            except UnreachableError as error:
                self._behind.pop(group.id, None)
                raise UnreachableError(f"{doing}: {error}") from error
            try:
                await tail.reach(sequence)
            except EngineError as error:
                raise unknown(self._link.where, doing, str(error)) from error
            accepted = tail.found(group.id, sequence)
        if accepted is None:
            raise unknown(self._link.where, doing, "another message is where it was confirmed")
        self._behind.pop(group.id, None)
        return sequence if accepted else 0

    def _refused(self, error: RefusalError, group: Group, doing: str) -> EngineError:
        if error.code == STORE_FAILED:  # this replica's disk alone may have failed
            return unknown(self._link.where, doing, str(error))
        self._behind.pop(group.id, None)
        return failure(error, self._link.where, doing)

    async def _move(self, destroyed: Collection[bytes], doing: str) -> int:
        """Write a message without rows behind the last one; return its sequence, or 0."""
        return await self._put(self._tail.head, Group(os.urandom(16), ()), doing, destroyed)

    async def _require_keys(self, group: Group, doing: str) -> None:
        """Refuse a group sealed under a key that is destroyed: nobody could ever open it.

        Who announced that may have died before it was done; so it is done here as well.
        """
        brought = {key_id for key_id, _ in group.keys}
        used = {row.key_id for row in group.rows} - brought
        destroyed = self._tail.destroyed
        announced = {key_id: destroyed[key_id] for key_id in used & destroyed.keys()}
        lost = bool(announced)
        for key_id, sequence in announced.items():
            await self._keys.destroy([key_id], sequence, doing)
        if not lost and self._tail.jumped:
            lost = len(await self._keys.get(list(used))) != len(used)
        if lost:
            raise KeyGoneError(
                f"{doing}: a key that they are sealed under was destroyed through another node; "
                "open the journal again, so that no such key is remembered"
            )

    def _remember(self, group_id: bytes, behind: int) -> None:
        self._behind.pop(group_id, None)
        self._behind[group_id] = behind
        if len(self._behind) > PENDING:
            del self._behind[next(iter(self._behind))]
