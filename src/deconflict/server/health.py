"""How the coordinator is: what it can do now, and why not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

import structlog


class State(StrEnum):
    """What the coordinator can do."""

    WORKING = "working"
    NO_SPACE = "no space"
    """The last append found the disk full; each next one is tried in place."""
    FAILING = "failing"
    """The last append failed and nothing of it was written; each next one is tried in place."""
    RECOVERING = "recovering"
    """The journal is closed, opened again and verified before anything is written."""
    UNREACHABLE = "engine unreachable"
    """The engine that several nodes share can't be reached from this one; it is asked on."""
    CLOCK_AHEAD = "clock ahead"
    BROKEN = "broken"
    """The register could not take what is in the journal: neither read nor written."""
    STOPPING = "stopping"
    """What was taken is finished, nothing more is taken."""


REFUSES_AT_ONCE = frozenset(
    {State.RECOVERING, State.UNREACHABLE, State.CLOCK_AHEAD, State.BROKEN, State.STOPPING}
)
"""States in which a command is refused before it is queued."""

SENTENCES = {
    State.NO_SPACE: (
        "the disk of the service is full, so nothing of this was written; try again when its "
        "operator has made room"
    ),
    State.FAILING: (
        "the journal of the service could not be written, so nothing of this was written; try "
        "again, and tell its operator if that goes on"
    ),
    State.RECOVERING: (
        "the journal of the service failed and is being verified, so nothing of this was written; "
        "try again in a minute"
    ),
    State.UNREACHABLE: (
        "this node of the service can't reach the journal, so nothing of this was written; ask "
        "another node, or try again soon"
    ),
    State.CLOCK_AHEAD: (
        "the clock of the service can't be trusted, so nothing of this was written; tell its "
        "operator"
    ),
    State.BROKEN: (
        "the service can't go on with what is in its journal and has to be started again, so "
        "nothing of this was done; tell its operator"
    ),
    State.STOPPING: "the service is being stopped, so nothing of this was written; try again soon",
}
"""What a caller is told; an operator's reason stands in `Health.reason`."""

QUEUE_FULL = "too many requests wait already, so nothing of this was written; try again soon"
FAULT = (
    "the service could not decide this because of a fault of its own, so nothing of it was "
    "written; tell its operator when it was sent"
)
NOT_WRITTEN = (
    "the journal of the service failed, and nothing of this was written; it works again, so send "
    "it once more"
)
OVERTAKEN = (
    "another writer of the journal was faster again and again, so nothing of this was written; "
    "try again"
)
NOT_KNOWN = (
    "the service was stopped before it could find out whether this was written; read it again "
    "before you send it once more"
)
NO_ANSWER = (
    "the node of the service that decides gave no answer, so it is not known whether this was "
    "written; read it again before you send it once more"
)
NO_SEQUENCER = (
    "no node of the service decides at the moment, so nothing of this was written; try again in a "
    "few seconds"
)
NOT_CURRENT = (
    "this node of the service can't find out whether what it knows is the newest, so it shows "
    "nothing; ask another node, or try again soon"
)
TOO_LARGE = (
    "this is larger than the journal of the service takes at once, so nothing of it was written; "
    "send fewer or simpler volumes"
)
READS_FULL = (
    "what was read can't be recorded while the journal can't be written, so nothing is shown; try "
    "again later"
)


@dataclass(frozen=True, slots=True)
class Health:
    """The coordinator's state, for /readyz and metrics.

    Attributes
    ----------
    state
        What it can do.
    reason
        Why not more, in a sentence for an operator; empty if it works.
    head
        Entries applied.
    queued
        Commands that wait.
    clock_behind_s
        By how many seconds the clock is before the last entry.
    """

    state: State
    reason: str
    head: int
    queued: int
    clock_behind_s: float

    @property
    def ready(self) -> bool:
        """Whether commands are taken and written."""
        return self.state is State.WORKING


class Standing:
    """The state as it changes, each change logged once.

    Attributes
    ----------
    state
        What the coordinator can do.
    reason
        Why not more, in a sentence for an operator; empty if it works.
    over
        Set when this process can't go on, and another start of the service does.
    """

    def __init__(self) -> None:
        self.state = State.WORKING
        self.reason = ""
        self.over = asyncio.Event()
        self._log = structlog.get_logger("deconflict.coordinator")

    def set(self, state: State, reason: str = "") -> None:
        """Go over to a state; nothing follows `State.BROKEN`."""
        if self.state is State.BROKEN or (state, reason) == (self.state, self.reason):
            return
        self.state, self.reason = state, reason
        tell = self._log.info if state is State.WORKING else self._log.error
        tell("state of the service", state=state.value, reason=reason)

    def end(self, reason: str) -> None:
        """Go over to `State.BROKEN`, out of which another start of the service leads."""
        self.set(State.BROKEN, reason)
        self.over.set()
