"""The NATS JetStream engine: three streams, and any number of nodes.

An append is one message, which names the accepted one behind which it goes. What is said of the
end of the journal is said behind a message that a majority confirmed
(`deconflict.journal.jetstream.tail`). Any server from version 2.9 on will do; what it does before
an acknowledgement is in docs/reference/jetstream.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Self

from deconflict.journal.engine import (
    EngineError,
    Forgetting,
    Group,
    Lease,
    Outcome,
    Row,
)
from deconflict.journal.jetstream.address import Address, address
from deconflict.journal.jetstream.keys import Keys
from deconflict.journal.jetstream.link import Link
from deconflict.journal.jetstream.messages import Messages
from deconflict.journal.jetstream.meta import Meta
from deconflict.journal.jetstream.pruning import Pruning, refuse_beyond
from deconflict.journal.jetstream.reading import Reading
from deconflict.journal.jetstream.stream import Names, make, recognise
from deconflict.journal.jetstream.tail import Tail
from deconflict.journal.jetstream.versions import doubt_about
from deconflict.journal.jetstream.waiting import Waiting
from deconflict.journal.jetstream.writing import Writing


class JetStreamEngine:
    """A journal engine on streams of NATS JetStream.

    `append` and `prune` are for one thread each; all else may run in any thread.

    Parameters
    ----------
    url
        ``nats://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]]/NAME[?replicas=NUMBER]``.
    create
        Whether to make the streams where there are none.

    Attributes
    ----------
    doubt
        What an operator has to know about the servers that were reached; empty: nothing.

    Raises
    ------
    UnreachableError
        If no server is reached; the sentence names each.
    EngineError
        If it holds no journal, or a damaged one, or one whose settings could lose entries.
    """

    shared: Final = True

    def __init__(self, url: str, *, create: bool = False) -> None:
        self._begin(address(url), create=create)

    @classmethod
    def reader(cls, url: str) -> Self:
        """Open a journal to read it; no stream is made, and every write is refused.

        Raises
        ------
        EngineError
            As for the constructor.
        """
        engine = cls.__new__(cls)
        engine._begin(address(url), create=False, reads_only=True)  # noqa: SLF001  (its own class)
        return engine

    def _begin(self, given: Address, *, create: bool, reads_only: bool = False) -> None:
        self._address = given
        self._reads_only = reads_only
        self._open(create=create)

    def _open(self, *, create: bool = False) -> None:
        names = Names(self._address.name)
        link = Link(self._address)
        try:
            if create:
                link.run(make(link, names))
            link.run(recognise(link, names))
            messages = Messages(link, names)
            tail = Tail(link, names, messages)
            link.run(tail.open())
            self.doubt = doubt_about(link.run(link.versions()))
        except BaseException:
            link.close()
            raise
        keys, meta = Keys(link, names, messages), Meta(link, names, messages)
        writing = Writing(link, names, messages, tail, keys)
        self._link, self._tail, self._keys, self._meta, self._writing = (
            *(link, tail, keys, meta, writing),
        )
        self._reading = Reading(link, messages, tail, meta)
        self._pruning = Pruning(
            link=link,
            names=names,
            messages=messages,
            tail=tail,
            meta=meta,
            keys=keys,
            writing=writing,
        )
        self._waiting = Waiting(link, names, messages, tail)

    def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group behind position `expected_head` - 1, durably; all of it or nothing.

        New keys are there before the rows, and stay if these are refused. If one is there with
        another value, the group is refused: decided again, it is found.
        """
        if not group.rows:
            raise ValueError("a group has at least one row")
        return self._link.run(self._writer("append").append(expected_head, group))

    def find(self, group_id: bytes) -> int | None:
        """Return the position of a group's first entry, or ``None`` if it was never committed.

        Of groups that were pruned nothing is known any more.
        """
        return self._link.run(self._writing.find(group_id))

    def read(self, start: int, stop: int | None = None) -> Iterator[tuple[int, Row]]:
        """Yield position and row from `start` to before `stop` (the head), committed ones only."""
        head = self._tail.head
        if stop is None or stop > head:
            head = self.head()
        first = self.first()
        if start < first:
            raise EngineError(
                f"entry {start} is not kept any more: the journal begins with entry {first}; "
                "look for older ones in the archive"
            )
        return self._reading.entries(start, head if stop is None else min(stop, head))

    def head(self) -> int:
        """Return a position no lower than that of any append acknowledged before the call."""
        self._link.refuse_if_closed()
        return self._reading.head()

    def wait(self, position: int, seconds: float) -> None:
        """Return when the head may lie beyond a position, or after some seconds."""
        if self._link.closed:
            return
        try:
            self._link.run(self._waiting.wait(position, seconds))
        except EngineError:
            if not self._link.closed:
                raise

    def lease(self, node: str, address: str, seconds: float) -> Lease:
        """Take the lease if it is free or already this node's, for some seconds from now on.

        Another node's is taken when it was not renewed for its time, on this node's own clock.
        """
        self._writer("take the lease")
        return self._link.run(self._meta.lease(node, address, seconds))

    def release(self, node: str) -> None:
        """Give the lease back if it is this node's, so that another need not wait for its end."""
        self._writer("give the lease back")
        self._link.run(self._meta.release(node))

    def begin(self, first: int) -> None:
        """Have an empty journal begin at a position, as if all before it had been pruned."""
        self._link.run(self._writer("begin").begin(first))

    def first(self) -> int:
        """Return the first position that is still kept; 0 until entries were pruned."""
        return self._reading.first()

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it never was or is erased."""
        return self.wrapped_keys([key_id]).get(key_id)

    def wrapped_keys(self, key_ids: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return those of some wrapped keys that there are, asked for at once."""
        return self._link.run(self._keys.get(key_ids))

    def erase(self, key_ids: Sequence[bytes]) -> None:
        """Destroy wrapped keys: each server overwrites its message in the stream's file."""
        self._link.run(self._writer("erase").erase(key_ids, "no key was erased"))

    def prune(self, before: int, forgetting: Forgetting | None = None) -> None:
        """Remove the rows before a position, and the keys that no row uses any more."""
        self._writer("prune")
        refuse_beyond(before, self.head())
        self._pruning.prune(before, forgetting)

    def reopen(self) -> None:
        """Close, open again and verify what is kept, so that appends may go on."""
        self.close()
        self._open()

    def close(self) -> None:
        """Let go of the engine. Closing twice is no error."""
        self._link.close()

    def _writer(self, verb: str) -> Writing:
        self._link.refuse_if_closed()
        if self._reads_only:
            raise EngineError(f"the journal was opened to read it, so nothing can {verb} here")
        return self._writing
