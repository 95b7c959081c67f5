"""Effects: what each kind of event changes in the register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from deconflict.register.entity import Kind
from deconflict.register.event import (
    AvailabilitySet,
    Based,
    ClockOverridden,
    Configured,
    Continued,
    Event,
    Notified,
    Put,
    ReadBatch,
    Refused,
    Removed,
    Reported,
    Subscribed,
    Ticked,
    Unsubscribed,
)
from deconflict.register.state.errors import RegisterError
from deconflict.register.state.holdings import Holdings
from deconflict.register.state.ready import Ready

HELD_KINDS = frozenset({Kind.OPERATION, Kind.ZONE})
"""The kinds of entity that the register holds."""


def check_known(events: Sequence[Event]) -> None:
    """Refuse events of which it is not known what they change.

    Raises
    ------
    RegisterError
        With the kind.
    """
    for event in events:
        if type(event) not in EFFECTS:
            raise RegisterError(
                f"this version does not know events of the kind {type(event).__name__}; "
                "use the version that wrote the journal"
            )
        if type(event) is Put and event.entity.kind not in HELD_KINDS:
            raise RegisterError(
                f"this version's register holds no entity of the kind {event.entity.kind}; "
                "use the version that wrote the journal"
            )


def _put(holdings: Holdings, event: Put, ready: Ready) -> None:
    holdings.put_entity(event.entity, ready.get(event.entity.volumes))


def _removed(holdings: Holdings, event: Removed, _: Ready) -> None:
    holdings.remove_entity(event.id)


def _subscribed(holdings: Holdings, event: Subscribed, ready: Ready) -> None:
    holdings.put_subscription(event.subscription, ready.get(event.subscription.volumes))


def _unsubscribed(holdings: Holdings, event: Unsubscribed, _: Ready) -> None:
    holdings.remove_subscription(event.id)


def _notified(holdings: Holdings, event: Notified, _: Ready) -> None:
    holdings.notify(event.indices)


def _availability_set(holdings: Holdings, event: AvailabilitySet, _: Ready) -> None:
    holdings.availabilities[event.availability.party] = event.availability


def _configured(holdings: Holdings, event: Configured, _: Ready) -> None:
    holdings.policy = event.policy


def _nothing(_holdings: Holdings, _event: Event, _: Ready) -> None:
    """Leave everything as it is: the event is for those who read the journal."""


EFFECTS: Mapping[type, Callable[..., None]] = MappingProxyType(
    {
        Put: _put,
        Removed: _removed,
        Subscribed: _subscribed,
        Unsubscribed: _unsubscribed,
        Notified: _notified,
        AvailabilitySet: _availability_set,
        Configured: _configured,
        Refused: _nothing,
        Reported: _nothing,
        ReadBatch: _nothing,
        Ticked: _nothing,
        ClockOverridden: _nothing,
        Based: _nothing,
        Continued: _nothing,
    }
)
"""By type. A removal of what is not here changes nothing: where old entries were pruned, a replay
meets the end of what began before it."""
