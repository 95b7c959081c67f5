"""What every engine promises: three verbs, and a place for wrapped keys.

An engine keeps groups of rows in order, durably, and knows nothing of what is in them. Positions
count entries from 0; the head is the number of entries ever appended, pruned ones included.
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
        New wrapped keys by their identifiers, committed with the rows. An identifier whose key
        was erased may come again with another key.
    """

    id: bytes
    rows: tuple[Row, ...]
    keys: tuple[tuple[bytes, bytes], ...] = ()


class Outcome(Enum):
    """How an append ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The head was not the expected one; nothing was written."""


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


class Engine(Protocol):
    """A journal engine. One thread at a time, except that `read` may run beside `append`."""

    def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group behind position `expected_head` - 1, durably; all of it or nothing.

        Raises
        ------
        EngineError
            If it failed; `EngineError.outcome_known` tells whether nothing was written.
        """
        ...

    def find(self, group_id: bytes) -> int | None:
        """Return the position of a group's first entry, or ``None`` if it was never committed."""
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
        """Return a position no lower than that of any append acknowledged before the call."""
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
