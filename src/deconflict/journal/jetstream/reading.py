"""Reading rows by their positions out of a stream that counts messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deconflict.journal.engine import EngineError, Row
from deconflict.journal.jetstream.link import Link
from deconflict.journal.jetstream.message import Entries
from deconflict.journal.jetstream.messages import Messages, missing
from deconflict.journal.jetstream.meta import Meta
from deconflict.journal.jetstream.tail import Tail
from deconflict.journal.turn import Turns

AHEAD: Final = 16
"""Messages asked for at a time."""
AHEAD_BYTES: Final = 4 * 1024 * 1024


class Reading:
    """What is asked of a journal. Safe to use from several threads.

    Parameters
    ----------
    link
        Asks the servers.
    messages
        Reads the stream.
    tail
        Knows where it ends.
    meta
        Knows where it begins.
    """

    def __init__(self, link: Link, messages: Messages, tail: Tail, meta: Meta) -> None:
        self._link = link
        self._messages = messages
        self._tail = tail
        self._meta = meta
        self._turns = Turns(lambda: link.run(tail.sync()))

    def head(self) -> int:
        """Return the number of entries ever committed, behind a barrier."""
        return self._turns.ask()

    def first(self) -> int:
        """Return the first position that is kept."""
        return self._link.run(self.first_kept())

    async def first_kept(self) -> int:
        """Return the first position that is kept."""
        first = await self._meta.first()
        if first is None:  # nothing was pruned; but a journal can begin behind 0
            found = await self._messages.next_entries(1)
            first = 0 if found is None else found.first
        return first

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, Row]]:
        """Yield rows from `start` to before `stop`, which all have to be there.

        Raises
        ------
        EngineError
            If one is damaged, missing or pruned meanwhile; the sentence names its position.
        """
        position = start
        groups = [] if start >= stop else [self._link.run(self.holding(start))]
        ahead = 1
        while groups:
            for group in groups:
                if group.rows and group.first > position:
                    raise self._link.run(self._gap(position))
                for row in group.rows[position - group.first :]:
                    if position >= stop:
                        return
                    self._link.refuse_if_closed()
                    yield position, row
                    position += 1
            if position >= stop:
                return
            largest = max(group.size for group in groups)
            ahead = max(1, min(AHEAD, 2 * ahead, AHEAD_BYTES // max(1, largest)))
            groups = self._link.run(self._following(groups[-1], position, ahead))

    async def holding(self, position: int) -> Entries:
        """Return the group that a position is in, by halving what it may be in.

        Raises
        ------
        EngineError
            If it is not there.
        """
        low, high = self._tail.near(position)
        if high is None:
            high = self._tail.entries + 1
        low = min(low, self._tail.entries)
        best: Entries | None = None
        recent = self._tail.recent
        if recent is not None and recent.first <= position < recent.stop:
            return recent
        while low < high:  # of sequences: the group is in [low, high)
            middle = low if best is None else (low + high) // 2
            found = await self._messages.next_entries_certainly(middle)
            while found.sequence < high and not await self._messages.accepted(found):
                found = await self._messages.next_entries_certainly(found.sequence + 1)
            if found.sequence >= high:
                high = middle
                continue
            self._tail.place(found)
            if found.first <= position < found.stop:
                return found
            if found.first > position:
                high = middle
            else:
                low, best = found.sequence + 1, found
        raise await self._gap(position)

    async def _following(self, last: Entries, position: int, count: int) -> list[Entries]:
        """Return at least one of the accepted groups behind one of them, in order."""
        found: list[Entries] = []
        sequence = behind = last.sequence
        for message in await self._messages.some(range(sequence + 1, sequence + 1 + count)):
            if message is None:
                break
            group = self._messages.opened(message)
            if group is not None and group.behind == behind:
                found.append(group)
                behind = group.sequence
            sequence = message.sequence
        if not found:
            async for group in self._messages.chain(last.sequence, self._tail.entries):
                found.append(group)
                break
        if not found:
            raise await self._gap(position)
        for group in found:
            self._tail.place(group)
        return found

    async def _gap(self, position: int) -> EngineError:
        first = await self.first_kept()
        if position < first:
            return EngineError(
                f"entry {position} was pruned: the journal at {self._link.where} begins with entry "
                f"{first}; look for older ones in the archive"
            )
        return missing(position, self._link.where)
