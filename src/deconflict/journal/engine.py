"""What every engine promises: three verbs, a place for wrapped keys, and a lease.

An engine keeps groups of rows in order, durably, and knows nothing of what is in them. Positions
count entries from 0; the head is the number of entries ever appended, pruned ones included.

Several nodes may use one engine at once, where it is `Engine.shared`. The lease names the one that
decides, so that the others need not try; no promise rests on it. What keeps two writers apart is
`expected_head` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

Forgetting: TypeAlias = Callable[[Collection[bytes]], AbstractContextManager[None]]
"""Entered with the identifiers of keys while these are destroyed; nothing is sealed meanwhile."""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as an engine keeps it.

    Attributes
    ----------
    time_us
        The entry's time, microseconds since 1970 UTC.
    record
        The record's JSON bytes.
    signature
        The service's Ed25519 signature of the leaf, 64 bytes.
    key_id
        Identifier of the key under which the parts are sealed, 16 bytes.
    sealed
        The envelopes of all parts, opaque here.
    """

    time_us: int
    record: bytes
    signature: bytes
    key_id: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Group:
    """What one append commits: all of it or nothing.

    Attributes
    ----------
    id
        16 random bytes by which an append of unknown outcome is found again.
    rows
        At least one.
    keys
        New wrapped keys by their identifiers, there no later than the rows. An engine may keep
        those of a group that it refused, unused. An identifier whose key was erased may come
        again with another key.
    """

    id: bytes
    rows: tuple[Row, ...]
    keys: tuple[tuple[bytes, bytes], ...] = ()


class Outcome(Enum):
    """How an append ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The head was not the expected one, or a new key is there with another value; no row was
    written. Decided again on what is there now, it may be accepted."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Which node decides, as the engine last heard.

    Attributes
    ----------
    node
        The node's name.
    address
        Where the others reach it: a URL.
    """

    node: str
    address: str


class EngineError(Exception):
    """The engine can't do what was asked, in a sentence for an operator.

    Attributes
    ----------
    outcome_known
        Whether it is certain that nothing was written. If not, the group is looked for with
        `Engine.find` once the engine answers again.
    must_reopen
        Whether the engine takes no write until it is closed, opened again and verified
        (after an fsync error).
    """

    def __init__(
        self, sentence: str, *, outcome_known: bool = True, must_reopen: bool = False
    ) -> None:
        super().__init__(sentence)
        self.outcome_known = outcome_known
        self.must_reopen = must_reopen


class NoSpaceError(EngineError):
    """The disk is full; nothing was written, and a later append may succeed."""


class UnreachableError(EngineError):
    """The engine can't be reached, or can't promise what was asked; a later call may succeed."""


class DamagedError(EngineError):
    """What the engine keeps is not what was appended."""


class GroupTooLargeError(EngineError):
    """The group is larger than the engine takes at once; nothing was written, a part may be."""


class KeyGoneError(EngineError):
    """Rows are sealed under a key that was destroyed meanwhile; nothing was written.

    Whoever appends forgets the keys that it keeps at hand, and seals again.
    """


class Engine(Protocol):
    """A journal engine. `append` is for one thread at a time; all else may run beside it.

    Attributes
    ----------
    shared
        Whether other processes may append while this one does. If not, what this one appended is
        all there is.
    doubt
        What an operator has to know before trusting it, in a sentence; empty: nothing.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes may append while this one does."""
        ...

    @property
    def doubt(self) -> str:
        """What an operator has to know before trusting it, in a sentence; empty: nothing."""
        ...

    def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group behind position `expected_head` - 1, durably; all of it or nothing.

        It never waits for another writer: if one was faster, or is at it, it is refused.

        Raises
        ------
        GroupTooLargeError
            If a smaller group may be taken.
        EngineError
            If it failed; `EngineError.outcome_known` tells whether nothing was written.
        """
        ...

    def find(self, group_id: bytes) -> int | None:
        """Return the position of a group's first entry, or ``None`` if it was never committed.

        The answer is final: a group of which ``None`` is said, and which is not appended again,
        never is committed later.

        Raises
        ------
        EngineError
            If that can't be told yet.
        """
        ...

    def read(self, start: int, stop: int | None = None) -> Iterator[tuple[int, Row]]:
        """Yield position and row from `start` to before `stop` (the head), committed ones only.

        Raises
        ------
        EngineError
            If `start` lies before `first`, or the engine fails.
        """
        ...

    def head(self) -> int:
        """Return a position no lower than that of any append acknowledged before the call.

        Acknowledged to anyone, and also when the server that is asked was deposed meanwhile.

        Raises
        ------
        EngineError
            If the engine can't promise that now.
        """
        ...

    def wait(self, position: int, seconds: float) -> None:
        """Return when the head may lie beyond a position, or after some seconds.

        It may return early for no reason, and returns soon after `close`. For one thread, beside
        all else.
        """
        ...

    def lease(self, node: str, address: str, seconds: float) -> Lease:
        """Take the lease if it is free or already this node's, for some seconds from now on.

        Returns
        -------
        Lease
            Whose it is. It is never given to two nodes whose clocks run at the same pace, however
            far apart they are set.

        Raises
        ------
        EngineError
            If the engine fails; then nobody knows.
        """
        ...

    def release(self, node: str) -> None:
        """Give the lease back if it is this node's, so that another need not wait for its end."""
        ...

    def begin(self, first: int) -> None:
        """Have an empty journal begin at a position, as if all before it had been pruned.

        Raises
        ------
        EngineError
            If it holds or held entries.
        """
        ...

    def first(self) -> int:
        """Return the first position that is still kept; 0 until entries were pruned."""
        ...

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it never was or is erased."""
        ...

    def wrapped_keys(self, key_ids: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return those of some wrapped keys that there are, found with one question."""
        ...

    def erase(self, key_ids: Sequence[bytes]) -> None:
        """Destroy wrapped keys, so that nobody can open what is sealed under them."""
        ...

    def prune(self, before: int, forgetting: Forgetting | None = None) -> None:
        """Remove the rows before a position, and the keys that no row uses any more.

        Appends come in between its steps. So whoever seals with a key that it keeps at hand
        gives `forgetting`, or an append could use a key that is destroyed at that moment.
        """
        ...

    def reopen(self) -> None:
        """Close, open again and verify what is kept, so that appends may go on.

        Raises
        ------
        EngineError
            If it can't be opened, or what is kept is damaged.
        """
        ...

    def close(self) -> None:
        """Let go of the engine. Closing twice is no error."""
        ...
