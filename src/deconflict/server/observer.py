"""What the coordinator tells of its work: hooks for metrics."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Hooks, called on the event loop's thread except where said otherwise."""

    def queued(self, commands: int) -> None:
        """Say how many commands wait, whenever a group was taken."""
        ...

    def committed(self, entries: int, said_bytes: int, seconds: float) -> None:
        """Say that a group is durable, and how long the append took."""
        ...

    def refused(self, reason: str, commands: int) -> None:
        """Say that commands were refused and not written.

        `reason` is the value of a `State`, "queue full", "fault" or "not written".
        """
        ...

    def reads_recorded(self, reads: int) -> None:
        """Say that answered reads are in the journal."""
        ...

    def checkpointed(self, seconds: float) -> None:
        """Say how long the signed checkpoint lagged; called from the checkpoints' thread."""
        ...


class SilentObserver:
    """An observer that does nothing."""

    def queued(self, commands: int) -> None:
        """Do nothing."""

    def committed(self, entries: int, said_bytes: int, seconds: float) -> None:
        """Do nothing."""

    def refused(self, reason: str, commands: int) -> None:
        """Do nothing."""

    def reads_recorded(self, reads: int) -> None:
        """Do nothing."""

    def checkpointed(self, seconds: float) -> None:
        """Do nothing."""
