"""Recovering: an append failed in a way that leaves the journal to be closed, opened and verified.

It is done as often as it takes. What became of the group that failed is read back, so that its
callers are told what is true.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from deconflict.server.following import Following
from deconflict.server.health import Standing, State

if TYPE_CHECKING:
    from deconflict.journal.log import Opened
    from deconflict.register.state.register import Register

FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 30.0


class Recoverable(Protocol):
    """What is asked of a `deconflict.journal.log.Log`."""

    def recover(self) -> bool:
        """Close, reopen and verify; whether the last group was committed."""
        ...

    def head(self) -> int:
        """Return the number of entries."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        """Yield entries."""
        ...


class Recovery:
    """Opens a journal again. For the sequencer's task.

    Parameters
    ----------
    journal
        The log.
    register, following
        Brought up to what is in it.
    standing
        Is `State.RECOVERING` meanwhile.
    stopping
        Set when the service is to stop.
    in_thread
        Runs a function of the journal in its thread.
    """

    def __init__(
        self,
        journal: Recoverable,
        register: Register,
        following: Following,
        *,
        standing: Standing,
        stopping: asyncio.Event,
        in_thread: Callable[..., Any],
    ) -> None:
        self._journal = journal
        self._register = register
        self._following = following
        self._standing = standing
        self._stopping = stopping
        self._in_thread = in_thread

    async def settle(self, record: bytes, reason: str) -> bool | None:
        """Recover, and find out whether the group at the register's head was committed.

        Parameters
        ----------
        record
            Of the group's first entry.
        reason
            Why, in a sentence for an operator.

        Returns
        -------
        bool or None
            Whether it was; ``None`` if that is not known, since the service is to stop, or is
            `State.BROKEN` now.
        """
        began, wait_s = self._register.head, FIRST_RETRY_S
        while True:
            try:
                committed, head = await self._in_thread(self._reopen, began, record)
                if head < self._register.head:
                    self._standing.set(
                        State.BROKEN,
                        f"the journal holds {head:,} entries and {self._register.head:,} were "
                        "written; stop the service and restore it",
                    )
                    return None
                await self._following.follow()
            except Exception as error:  # noqa: BLE001 - any failure means: not verified yet
                self._standing.set(State.RECOVERING, f"{reason}; opening it again: {error}")
            else:
                return bool(committed)
            if await self._stopped_within(wait_s):
                return None
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    def _reopen(self, began: int, record: bytes) -> tuple[bool, int]:
        """Return whether a group was committed where it was to begin, and the head.

        Of a group that is not there nothing comes later. A record is made over salts, so no other
        entry has the same. However much is followed meanwhile, the same place is looked at.
        """
        self._journal.recover()
        head = self._journal.head()
        if head <= began:
            return False, head
        (there,) = self._journal.read(began, began + 1)
        return there.record == record, head

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True
