"""Following: entries of the journal applied to the register, one's own and those of other nodes.

Nothing is decided here. The register is changed by this alone, in the sequencer's task.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.errors import RolledBackError
from deconflict.register.event import Decided
from deconflict.server.backlog import Waiting
from deconflict.server.fault import described
from deconflict.server.group import Group
from deconflict.server.health import Standing, State
from deconflict.server.replay import NewerEntryError, decided_of

if TYPE_CHECKING:
    from deconflict.journal.log import Opened
    from deconflict.register.state.register import Register

SLICE_S: Final = 0.005
"""How long is decided or applied before others on the event loop have a turn."""
READ_AT_ONCE: Final = 2_000
"""Entries that are read at a time when others appended."""


class Readable(Protocol):
    """What is asked of a `deconflict.journal.log.Log`."""

    def first(self) -> int:
        """Return the first position that is still kept."""
        ...

    def head(self) -> int:
        """Return the number of entries."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        """Yield entries."""
        ...


class Following:
    """Applies entries in order, and tells who waits for them.

    Parameters
    ----------
    register
        The state of the entries applied so far.
    journal
        Where those of others are read.
    standing
        Becomes `State.BROKEN` when the register can't take an entry.
    in_thread
        Runs a function of the journal in its thread.
    committed
        Called when entries of others are applied.
    """

    def __init__(
        self,
        register: Register,
        journal: Readable,
        standing: Standing,
        in_thread: Callable[..., Any],
        committed: Callable[[], None] | None,
    ) -> None:
        self._register = register
        self._journal = journal
        self._standing = standing
        self._in_thread = in_thread
        self._committed = committed
        self._reaching: list[tuple[int, asyncio.Future[None]]] = []
        self._log = structlog.get_logger("deconflict.coordinator")

    async def reach(self, position: int) -> None:
        """Return when the register holds all entries before a position.

        Raises
        ------
        EngineError, LogError
            If the journal can't be read now.
        """
        if self._register.head < position:
            reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._reaching.append((position, reached))
            await reached

    async def apply(self, group: Group, callers: list[Waiting]) -> None:
        """Show what is durable, and answer."""
        until = time.perf_counter() + SLICE_S
        for made, caller in zip(group.made, callers, strict=True):
            if self._standing.state is not State.BROKEN:
                self._apply_one(group.time_us, made.decided)
            caller.answer(made.reply)  # it is durable, whatever the register makes of it
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + SLICE_S
        if self._reaching:
            self._told()

    def _apply_one(self, time_us: int, decided: Decided) -> None:
        position = self._register.head
        try:
            self._register.apply(position, time_us, decided)
        except Exception as error:  # noqa: BLE001 - whatever failed, the register can't be trusted
            self._log.error("fault while applying", position=position, error=described(error))
            self._break(
                f"the register could not take entry {position:,} of the journal "
                f"({type(error).__name__}); start the service again, and keep its log"
            )

    async def follow(self) -> None:
        """Apply what is in the journal and was not applied yet.

        Raises
        ------
        EngineError, LogError
            If the journal can't be read to its end now; what was read is applied.
        """
        while self._standing.state is not State.BROKEN:
            try:
                unread = await self._in_thread(self._unread)
            except UnreachableError:
                raise
            except EngineError:
                first = await self._in_thread(self._journal.first)
                if first > self._register.head:
                    self._standing.end(
                        f"the journal begins with entry {first:,}, and this node had read it to "
                        f"entry {self._register.head:,}: what lies between was pruned while it was "
                        "stopped or cut off; when it is started again, it takes log and register "
                        "from another node"
                    )
                raise
            await self._apply_all(unread)
            if len(unread) < READ_AT_ONCE:
                break
        self._told()

    async def _apply_all(self, unread: Sequence[Opened]) -> None:
        until = time.perf_counter() + SLICE_S
        for opened in unread:
            if self._standing.state is State.BROKEN:
                return
            try:
                decided = decided_of(opened)
            except NewerEntryError as error:
                self._break(str(error))
                return
            self._apply_one(opened.time_us, decided)
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + SLICE_S
        if unread and self._committed is not None:
            self._committed()

    def _unread(self) -> list[Opened]:
        applied = self._register.head
        unread = list(islice(self._journal.read(applied), READ_AT_ONCE))
        if not unread and (head := self._journal.head()) < applied:
            # A primary came back that lacked the end, or somebody restored an older copy. On this
            # end another node may have gone on by now, so nothing may be put behind it any more.
            raise RolledBackError(
                f"the journal holds {head:,} entries, but {applied:,} were committed: "
                f"{applied - head:,} are missing; find out which server or copy took the place of "
                "the right one, and bring that back or restore the log",
                applied - head,
            )
        return unread

    def _told(self) -> None:
        head = self._register.head
        left = []
        for position, reached in self._reaching:
            if position > head:
                left.append((position, reached))
            elif not reached.done():
                reached.set_result(None)
        self._reaching = left

    def fail(self, error: Exception) -> None:
        """Tell those who wait for a position that the journal can't be read now."""
        reaching, self._reaching = self._reaching, []
        for _, reached in reaching:
            if not reached.done():
                reached.set_exception(error)

    def _break(self, reason: str) -> None:
        self._standing.set(State.BROKEN, reason)
