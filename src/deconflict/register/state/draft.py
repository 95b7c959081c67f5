"""The draft: the register with the events of a group so far, none of which is durable yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from deconflict.geo.packed.prepared import Prepared
from deconflict.geo.volume import Volume4D
from deconflict.register.entity import Kind
from deconflict.register.event import (
    AvailabilitySet,
    Configured,
    Event,
    Notified,
    Put,
    Removed,
    Subscribed,
    Unsubscribed,
)
from deconflict.register.policy import Policy
from deconflict.register.state.current import Current, in_order
from deconflict.register.state.effects import check_known
from deconflict.register.state.held import Availability, Held, Subscription, VolumeRecord
from deconflict.register.state.holdings import Holdings, server_of, with_index
from deconflict.register.state.identifier import identifier_of, key_of
from deconflict.register.state.overlay import Overlay
from deconflict.register.state.ready import Ready
from deconflict.register.state.view import CLOCK_SLACK_US
from deconflict.register.state.volume_record import record_of


class Draft(Current):
    """A `View` to which events can be added; the register stays as it is.

    Good until the next entry is applied.

    Parameters
    ----------
    holdings
        What the register holds.
    now_us
        The instant, microseconds since 1970 UTC.
    ready
        Where prepared volumes are kept for the register.
    """

    def __init__(self, holdings: Holdings, now_us: int, ready: Ready) -> None:
        super().__init__(holdings, now_us)
        self._ready = ready
        self._entities = {
            Kind.OPERATION: Overlay(holdings.operations),
            Kind.ZONE: Overlay(holdings.zones),
        }
        self._subscriptions = Overlay(holdings.subscriptions)
        self._recorded: dict[VolumeRecord, Prepared] = {}
        self._indices: dict[str, int] = {}
        self._served: dict[str, dict[str, bool]] = {}
        self._availabilities: dict[str, Availability] = {}
        self._policy: Policy | None = None

    def add(self, events: Sequence[Event]) -> None:
        """Add the events of a decision.

        Raises
        ------
        RegisterError
            If one of them is of an unknown kind; then none is added.
        """
        check_known(events)
        for event in events:
            change = self._CHANGES.get(type(event))
            if change is not None:
                change(self, event)
        self._asked.clear()
        self._recorded.clear()

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._policy or self._holdings.policy

    def entity(self, identifier: str) -> Held | None:
        """Return an entity; one that ended at most `Policy.kept_after_end_s` ago is still there."""
        return self._unless_gone(self._held(identifier))

    def subscription(self, identifier: str) -> Subscription | None:
        """Return a subscription that has not ended."""
        found = self._subscriptions.get(identifier)
        return None if found is None else self._unless_ended(self._indexed(found))

    def dependents(self, subscription: str) -> tuple[str, ...]:
        """Return the operations that a subscription serves, sorted."""
        key = key_of(subscription)
        if key is None:
            return ()
        served = set(map(identifier_of, self._holdings.dependents.of(key)))
        for operation, joined in self._served.get(subscription, {}).items():
            (served.add if joined else served.discard)(operation)
        return tuple(one for one in sorted(served) if self._is_kept(one))

    def availability(self, party: str) -> Availability:
        """Return a party's availability; unknown with an empty version if never set."""
        return self._availabilities.get(party) or super().availability(party)

    def operations_meeting(self, volumes: Sequence[Volume4D]) -> list[Held]:
        """Return the operations of which a volume meets one of these, exactly."""
        return self._entities_meeting(Kind.OPERATION, volumes)

    def zones_meeting(self, volumes: Sequence[Volume4D]) -> list[Held]:
        """Return the zones of which a volume meets one of these, exactly."""
        return self._entities_meeting(Kind.ZONE, volumes)

    def subscriptions_meeting(self, volumes: Sequence[Volume4D]) -> list[Subscription]:
        """Return the subscriptions of which a volume meets one of these, exactly."""
        ready, overlay = self._prepared(volumes), self._subscriptions
        found = self._records_at(self._holdings.subscriptions, ready, self._now_us, overlay.hidden)
        if self._indices:
            found = [self._indexed(one) for one in found]
        found.extend(overlay.meeting(ready, self._now_us))
        return in_order(found)

    def _entities_meeting(self, kind: Kind, volumes: Sequence[Volume4D]) -> list[Held]:
        ready, overlay = self._prepared(volumes), self._entities[kind]
        since_us = self._now_us - CLOCK_SLACK_US
        found = self._records_at(self._holdings.shelf_of(kind), ready, since_us, overlay.hidden)
        found.extend(overlay.meeting(ready, since_us))
        return in_order(found)

    def _held(self, identifier: str) -> Held | None:
        for overlay in self._entities.values():
            found = overlay.get(identifier)
            if found is not None:
                return found
        return None

    def _indexed(self, subscription: Subscription) -> Subscription:
        index = self._indices.get(subscription.id)
        return subscription if index is None else with_index(subscription, index)

    def _is_kept(self, operation: str) -> bool:
        if operation in self._entities[Kind.OPERATION]:
            return self.entity(operation) is not None
        return super()._is_kept(operation)

    def _leave(self, identifier: str) -> None:
        old = self._held(identifier)
        if old is None:
            return
        self._entities[old.kind].remove(identifier)
        subscription = server_of(old)
        if subscription is not None:
            self._served.setdefault(subscription, {})[identifier] = False

    def _made_ready(self, records: tuple[VolumeRecord, ...]) -> tuple[Prepared, ...]:
        """Return the volumes of a record; most were asked about by the decision that made it."""
        if self._asked and not self._recorded:
            self._recorded.update((record_of(one.volume), one) for one in self._asked.values())
        return self._ready.of(records, self._recorded)

    def _put(self, event: Put) -> None:
        entity = event.entity
        self._leave(entity.id)
        self._entities[entity.kind].put(entity, self._made_ready(entity.volumes))
        subscription = server_of(entity)
        if subscription is not None:
            self._served.setdefault(subscription, {})[entity.id] = True

    def _removed(self, event: Removed) -> None:
        self._leave(event.id)

    def _subscribed(self, event: Subscribed) -> None:
        subscription = event.subscription
        self._indices.pop(subscription.id, None)
        self._subscriptions.put(subscription, self._made_ready(subscription.volumes))

    def _unsubscribed(self, event: Unsubscribed) -> None:
        self._indices.pop(event.id, None)
        self._subscriptions.remove(event.id)

    def _notified(self, event: Notified) -> None:
        for identifier, index in event.indices.items():
            if identifier not in self._subscriptions:
                self._indices[identifier] = index
                continue
            found = self._subscriptions.get(identifier)
            if found is not None:
                self._subscriptions.rewrite(with_index(found, index))

    def _availability_set(self, event: AvailabilitySet) -> None:
        self._availabilities[event.availability.party] = event.availability

    def _configured(self, event: Configured) -> None:
        self._policy = event.policy

    _CHANGES: ClassVar[Mapping[type, Callable[..., None]]] = MappingProxyType(
        {
            Put: _put,
            Removed: _removed,
            Subscribed: _subscribed,
            Unsubscribed: _unsubscribed,
            Notified: _notified,
            AvailabilitySet: _availability_set,
            Configured: _configured,
        }
    )
