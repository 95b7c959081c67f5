"""Writing a journal's streams: each message of entries goes behind a known sequence, or not at all.

It is that of the whole stream, `Nats-Expected-Last-Sequence`. The one of a subject would let
barriers come in between, but a cluster of NATS 2.9 compares it only before a message is proposed:
of two at once it accepts both. So an append that met a barrier is tried again.

Whatever was to go behind a sequence never is accepted once something else is behind it: so a
barrier settles an unknown outcome, and so every appender has heard which keys are about to be
destroyed, by a message without rows, before its append is accepted.
"""

from __future__ import annotations

import asyncio
import os
import re
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
from deconflict.journal.jetstream_failure import (
    STORE_FAILED,
    WRONG_LAST_SEQUENCE,
    RefusalError,
    UnansweredError,
    failure,
    unknown,
)
from deconflict.journal.jetstream_keys import Keys
from deconflict.journal.jetstream_link import Link
from deconflict.journal.jetstream_message import Entries, headers, packed
from deconflict.journal.jetstream_messages import Messages
from deconflict.journal.jetstream_stream import Names
from deconflict.journal.jetstream_tail import Tail

TRIES: Final = 64
"""Messages of others that may come in between."""
_LAST: Final = re.compile(r"last sequence: (\d+)")
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
        body = packed(expected_head, group)
        most = await self._link.most_bytes() - HEADERS_BYTES
        if len(body) > most:
            kind = GroupTooLargeError if count > 1 else EngineError
            raise kind(
                f"{doing}: they are {len(body):,} bytes, and the server takes {most:,} in one "
                "message (max_payload)"
            )
        async with self._turn:
            if expected_head > self._tail.head:
                await self._tail.sync()
            if expected_head != self._tail.head:
                return Outcome.REFUSED
            await self._require_keys(group, doing)
            if not await self._keys.put(group.keys, doing):
                return Outcome.REFUSED
            for _ in range(TRIES):
                if expected_head != self._tail.head:
                    return Outcome.REFUSED
                if await self._put(expected_head, group, body, doing):
                    self._tail.brought([key_id for key_id, _ in group.keys])
                    await self._link.hint(self._names.appended)
                    return Outcome.ACCEPTED
                await self._require_keys(group, doing)
        raise EngineError(f"{doing}: others change the journal too fast; try again")

    async def find(self, group_id: bytes) -> int | None:
        """Return the first position of a group, or ``None``, for good."""
        behind = self._behind.get(group_id)
        await self._tail.sync()  # whatever was under way is behind it, and refused, or before it
        if behind is None:
            return await self._scan(group_id, self._tail.entries)
        found = None
        if self._tail.entries > behind:
            found = await self._messages.next_entries_certainly(behind + 1)
        self._behind.pop(group_id, None)
        return None if found is None or found.group_id != group_id else found.first

    async def begin(self, first: int) -> None:
        """Have an empty journal begin at a position."""
        doing = f"the journal does not begin at entry {first}"
        async with self._turn:
            await self._tail.sync()
            if self._tail.entries:
                raise EngineError(f"{doing}: NATS at {self._link.where} holds or held entries")
            marker = Group(os.urandom(16), ())
            if not await self._put(first, marker, packed(first, marker), doing):
                raise EngineError(f"{doing}: another node appends to it")

    async def announce(
        self,
        key_ids: Collection[bytes],
        doing: str,
        spare: Callable[[], Awaitable[bool]] | None = None,
    ) -> bool:
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
        bool
            Whether any key is to be destroyed.
        """
        async with self._turn:
            for _ in range(TRIES):
                if spare is not None and not await spare():
                    return False
                if await self._move(key_ids, doing):
                    return True
        raise EngineError(f"{doing}: others append too fast; try again")

    async def erase(self, key_ids: Sequence[bytes], doing: str) -> None:
        """Destroy wrapped keys."""
        for at in range(0, len(key_ids), _DESTROYED_AT_ONCE):
            step = key_ids[at : at + _DESTROYED_AT_ONCE]
            await self.announce(step, doing)
            await self._keys.destroy(step, doing)

    async def _put(
        self,
        first: int,
        group: Group,
        body: bytes,
        doing: str,
        destroyed: Collection[bytes] = (),
    ) -> bool:
        """Write a message of entries behind all that is known; return whether it is there.

        Otherwise the tail knows what came in between, or the server was behind.
        """
        async with self._tail.publishing:
            behind, entries = self._tail.sequence, self._tail.entries
            if first != self._tail.head and entries:
                return False
            self._remember(group.id, entries)
            try:
                sequence = await self._link.publish(
                    self._names.entries,
                    body,
                    headers(first, group) | {"Nats-Expected-Last-Sequence": str(behind)},
                )
            except RefusalError as error:
                if error.code != WRONG_LAST_SEQUENCE:
                    raise self._refused(error, group, doing) from error
                refusal = error
            except UnansweredError as error:
                raise unknown(self._link.where, doing, str(error)) from error
            except UnreachableError as error:
                self._behind.pop(group.id, None)
                raise UnreachableError(f"{doing}: {error}") from error
            else:
                self._behind.pop(group.id, None)
                self._tail.note(
                    Entries(sequence, first, group.id, group.rows, tuple(destroyed), len(body))
                )
                return True
        return await self._look(group.id, entries, refusal, doing)

    def _refused(self, error: RefusalError, group: Group, doing: str) -> EngineError:
        if error.code == STORE_FAILED:  # this replica's disk alone may have failed
            return unknown(self._link.where, doing, str(error))
        self._behind.pop(group.id, None)
        return failure(error, self._link.where, doing)

    async def _look(self, group_id: bytes, entries: int, refusal: RefusalError, doing: str) -> bool:
        """Learn what is there instead of a group that was refused; return whether it is there.

        While leaders change, two of them can take one message: one refuses and one accepts it.
        """
        said = _LAST.search(refusal.said)
        last = int(said[1]) if said else 0
        try:
            if last > self._tail.sequence:
                await self._tail.reach(last)
            else:
                await self._tail.sync()
            if self._tail.entries == entries:
                await self._link.hint(self._names.contended)
                return False
            found = await self._messages.next_entries_certainly(entries + 1)
        except EngineError as error:
            raise unknown(self._link.where, doing, str(error)) from error
        self._behind.pop(group_id, None)
        return found.group_id == group_id

    async def _move(self, destroyed: Collection[bytes], doing: str) -> bool:
        """Write a message without rows behind the last one; return whether it is there."""
        empty = Group(os.urandom(16), ())
        first = self._tail.head
        body = packed(first, empty, destroyed)
        return await self._put(first, empty, body, doing, destroyed)

    async def _scan(self, group_id: bytes, until: int) -> int | None:
        sequence = 0
        while sequence < until:
            found = await self._messages.next_entries_certainly(sequence + 1)
            if found.group_id == group_id:
                return found.first
            sequence = found.sequence
        return None

    async def _require_keys(self, group: Group, doing: str) -> None:
        """Refuse a group sealed under a key that is destroyed: nobody could ever open it."""
        brought = {key_id for key_id, _ in group.keys}
        used = {row.key_id for row in group.rows} - brought
        lost = not self._tail.destroyed.isdisjoint(used)
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
