"""Decisions: the events that follow from a command, and what its answer is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deconflict.register.event import Event
from deconflict.register.state.held import Availability, Held, Subscription


class Reason(StrEnum):
    """Why a command is refused; a standard's interface maps each to its status."""

    INVALID = "invalid"
    """The policy does not allow it, whatever else is registered."""
    EXISTS = "exists"
    ABSENT = "absent"
    """What is to be changed or deleted is not there."""
    NOT_YOURS = "not_yours"
    STALE = "stale"
    """The version or OVN is not the current one."""
    KEY = "key"
    """The key lacks OVNs of what the new volumes meet."""
    DOWN = "down"
    """The party is marked as down."""
    SUBSCRIPTION = "subscription"
    """The subscription named can't serve the operation, or would no longer cover it."""
    IN_USE = "in_use"
    """Operations depend on it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was changed.

    Attributes
    ----------
    reason
        The kind.
    what, remedy
        Clauses without a full stop, as in `deconflict.geo.errors.InputError`.
    missing_operations, missing_zones
        With `Reason.KEY`: what the caller does not know.
    """

    reason: Reason
    what: str
    remedy: str
    missing_operations: tuple[Held, ...] = ()
    missing_zones: tuple[Held, ...] = ()

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""
        return f"{self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of one command.

    Attributes
    ----------
    events
        At least one: a refusal is an event too.
    refusal
        ``None`` if the command was carried out.
    entity
        The entity as it is now, or as it was when it was deleted.
    subscription
        The subscription, likewise.
    notify
        The subscriptions whose parties must be told, with their new indices.
    operations, zones
        What a new or changed subscription covers.
    availability
        As set.
    report
        Identifier of an archived report.
    """

    events: tuple[Event, ...]
    refusal: Refusal | None = None
    entity: Held | None = None
    subscription: Subscription | None = None
    notify: tuple[Subscription, ...] = ()
    operations: tuple[Held, ...] = ()
    zones: tuple[Held, ...] = ()
    availability: Availability | None = None
    report: str | None = None
