"""The backlog: commands that wait for the next group, bounded in number and bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from deconflict.standards.service import Reply, Submission


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait, and how much is decided and committed at once.

    Attributes
    ----------
    queued_commands, queued_bytes
        Of all that wait, bodies of requests.
    group_commands, group_bytes
        Of one group; a single command may exceed the bytes.
    """

    queued_commands: int = 10_000
    queued_bytes: int = 64 * 2**20
    group_commands: int = 512
    group_bytes: int = 4 * 2**20


DEFAULT_BOUNDS = Bounds()


class Waiting:
    """A submission, and the future of its caller."""

    __slots__ = ("forwarded", "future", "said", "submission")

    def __init__(
        self,
        submission: Submission,
        future: asyncio.Future[Reply],
        *,
        said: bool = True,
        forwarded: bool = False,
    ) -> None:
        self.submission = submission
        self.future = future
        self.said = said
        """Whether somebody asked; the service's own commands say nothing."""
        self.forwarded = forwarded
        """Whether another node sent it, so that it is decided here or not at all."""

    def answer(self, reply: Reply) -> None:
        """Give the caller its reply, if it still waits."""
        if not self.future.done():
            self.future.set_result(reply)

    def refuse(self, error: Exception) -> None:
        """Refuse the command, if the caller still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Backlog:
    """Commands in the order in which they came.

    Parameters
    ----------
    bounds
        Of the queue and of a group.
    """

    def __init__(self, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self._bounds = bounds
        self._queue: deque[Waiting] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    def full(self, size: int) -> bool:
        """Whether a command with a body of `size` bytes finds no place."""
        bounds = self._bounds
        return (
            len(self._queue) >= bounds.queued_commands or self._bytes + size > bounds.queued_bytes
        )

    def add(self, waiting: Waiting) -> None:
        """Put a command behind all others."""
        self._queue.append(waiting)
        self._bytes += len(waiting.submission.call.body)

    def put_back(self, group: list[Waiting]) -> None:
        """Put commands in front of all others, whatever the bounds."""
        self._queue.extendleft(reversed(group))
        self._bytes += sum(len(waiting.submission.call.body) for waiting in group)

    def take(self) -> list[Waiting]:
        """Take the next group; callers that have gone are left out."""
        group: list[Waiting] = []
        room = self._bounds.group_bytes
        while self._queue and len(group) < self._bounds.group_commands:
            size = len(self._queue[0].submission.call.body)
            if group and size > room:
                break
            waiting = self._queue.popleft()
            self._bytes -= size
            if not waiting.future.cancelled():
                room -= size
                group.append(waiting)
        return group

    def clear(self) -> list[Waiting]:
        """Take everything."""
        everything = list(self._queue)
        self._queue.clear()
        self._bytes = 0
        return everything
