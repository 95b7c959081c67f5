"""Pruning a journal's streams, between the appends of this node and of others.

First the position where the journal begins moves; then keys go, then whole messages. Whatever
interrupts that, the messages that are still there say what is left, and the next pruning does it.
The message that holds the first kept row stays whole, and the last one always.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Final

from deconflict.journal.engine import EngineError, Forgetting
from deconflict.journal.jetstream.failure import RefusalError, failure
from deconflict.journal.jetstream.keys import Keys
from deconflict.journal.jetstream.link import Link
from deconflict.journal.jetstream.messages import MOST_AT_ONCE, Messages
from deconflict.journal.jetstream.meta import Meta
from deconflict.journal.jetstream.stream import Names
from deconflict.journal.jetstream.tail import Tail
from deconflict.journal.jetstream.writing import Writing

STEP_KEYS: Final = 1024
_DOING: Final = "the journal was not pruned"


class Pruning:
    """Removes what is old. For one thread.

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
    meta
        Knows where it begins.
    keys
        The wrapped keys.
    writing
        Lets appenders know of keys that go.
    """

    def __init__(
        self,
        *,
        link: Link,
        names: Names,
        messages: Messages,
        tail: Tail,
        meta: Meta,
        keys: Keys,
        writing: Writing,
    ) -> None:
        self._link = link
        self._names = names
        self._messages = messages
        self._tail = tail
        self._meta = meta
        self._keys = keys
        self._writing = writing

    def prune(self, before: int, forgetting: Forgetting | None = None) -> None:
        """Remove the rows before a position, and the keys that no row uses any more.

        Raises
        ------
        EngineError
            If it fails; what is left to do is done by the next pruning.
        """
        run = self._link.run
        first = run(self._meta.raise_first(before))
        candidates: set[bytes] = set()
        seen, old = run(self._collect(candidates, first))
        void = run(self._void(old, seen)) if seen else []
        seen = run(self._keep_used(candidates, seen))
        left = iter(candidates)
        while step := set(islice(left, STEP_KEYS)):
            with (forgetting or _nothing_kept)(step):
                run(self._destroy(step, seen))
        # What is void first: else it could be taken for what it lost against.
        for gone in (void, old):
            for at in range(0, len(gone), MOST_AT_ONCE):
                run(self._remove(gone[at : at + MOST_AT_ONCE]))

    async def _collect(self, candidates: set[bytes], first: int) -> tuple[int, list[int]]:
        """Take in the keys of rows before a position, but not of rows behind it.

        Returns
        -------
        tuple
            Up to which sequence it looked, and the sequences of the messages that can go.
        """
        sequence = 0
        old: list[int] = []
        used: set[bytes] = set()
        until = self._tail.entries
        async for found in self._messages.chain(0, until):
            gone = max(0, first - found.first)
            candidates.update(row.key_id for row in found.rows[:gone])
            used.update(row.key_id for row in found.rows[gone:])
            sequence = found.sequence
            if found.stop > first or sequence >= until:
                break
            old.append(sequence)
        candidates -= used
        return sequence, old

    async def _keep_used(self, candidates: set[bytes], sequence: int) -> int:
        """Take out the keys that groups behind a sequence use; return that of the last."""
        async for found in self._messages.chain(sequence, self._tail.entries):
            candidates.difference_update(row.key_id for row in found.rows)
            sequence = found.sequence
        return sequence

    async def _void(self, old: Sequence[int], until: int) -> list[int]:
        """Return the sequences of the void messages before one."""
        accepted, sequence = set(old), 0
        void: list[int] = []
        while True:
            found = await self._messages.next_entries_certainly(sequence + 1)
            sequence = found.sequence
            if sequence >= until:
                return void
            if sequence not in accepted:
                void.append(sequence)

    async def _destroy(self, step: set[bytes], seen: int) -> None:
        """Destroy keys, but those that are used behind a sequence."""
        looked = seen

        async def spare() -> bool:
            nonlocal looked
            looked = await self._keep_used(step, looked)
            return bool(step)

        await self._tail.sync()
        announced = await self._writing.announce(step, _DOING, spare)
        if announced:
            await self._keys.destroy(step, announced, _DOING)

    async def _remove(self, sequences: Sequence[int]) -> None:
        journal, delete = self._names.journal, self._messages.delete
        try:
            await asyncio.gather(*(delete(journal, each, erase=False) for each in sequences))
        except RefusalError as error:
            raise failure(error, self._link.where, _DOING) from error


def _nothing_kept(_key_ids: Collection[bytes]) -> AbstractContextManager[None]:
    return nullcontext()


def refuse_beyond(before: int, head: int) -> None:
    """Raise if more is to be pruned than there is."""
    if before > head:
        raise EngineError(
            f"entries before {before} can't be pruned: the journal ends before entry {head}"
        )
