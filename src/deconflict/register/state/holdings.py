"""Holdings: everything that the register holds, and the changes that events make to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from deconflict.geo.packed.prepared import Prepared
from deconflict.register.entity import Kind
from deconflict.register.policy import DEFAULT_POLICY, Policy
from deconflict.register.state.dependents import Dependents
from deconflict.register.state.errors import RegisterError
from deconflict.register.state.held import Availability, Held, Subscription
from deconflict.register.state.identifier import sure_key_of
from deconflict.register.state.shelf import Shelf

SECOND_US = 1_000_000


@dataclass(slots=True)
class Holdings:
    """What the register holds.

    Attributes
    ----------
    operations, zones, subscriptions
        The records.
    dependents
        Which operations a subscription serves.
    availabilities
        By party, as far as ever set.
    records_of
        How many records each party has; parties without one aren't named.
    policy
        In force.
    """

    operations: Shelf[Held] = field(default_factory=lambda: Shelf(Held))
    zones: Shelf[Held] = field(default_factory=lambda: Shelf(Held))
    subscriptions: Shelf[Subscription] = field(default_factory=lambda: Shelf(Subscription))
    dependents: Dependents = field(default_factory=Dependents)
    availabilities: dict[str, Availability] = field(default_factory=dict)
    records_of: dict[str, int] = field(default_factory=dict)
    policy: Policy = DEFAULT_POLICY

    @property
    def kept_us(self) -> int:
        """How long an entity stays after its end, microseconds."""
        return self.policy.kept_after_end_s * SECOND_US

    def shelf_of(self, kind: Kind) -> Shelf[Held]:
        """Return where entities of a kind are.

        Raises
        ------
        RegisterError
            If the register holds none of this kind.
        """
        if kind is Kind.OPERATION:
            return self.operations
        if kind is Kind.ZONE:
            return self.zones
        raise RegisterError(
            f"this version's register holds no entity of the kind {kind.value}; use the version "
            "that wrote the journal"
        )

    def put_entity(self, entity: Held, ready: Sequence[Prepared] | None = None) -> None:
        """Put an entity, whatever was held under its identifier.

        Parameters
        ----------
        entity
            What is put.
        ready
            Its volumes, if they are prepared already.
        """
        shelf = self.shelf_of(entity.kind)
        server = server_of(entity)
        subscription = None if server is None else sure_key_of(server)
        other = self.zones if shelf is self.operations else self.operations
        old = shelf.put(entity, ready) or other.remove(entity.id)
        if old is not None:
            self._forget(old)
        self._count(entity.party, 1)
        if subscription is not None:
            self.dependents.add(subscription, sure_key_of(entity.id))

    def remove_entity(self, identifier: str) -> None:
        """Take an entity out, if it is here."""
        old = self.operations.remove(identifier) or self.zones.remove(identifier)
        if old is not None:
            self._forget(old)

    def put_subscription(
        self, subscription: Subscription, ready: Sequence[Prepared] | None = None
    ) -> None:
        """Put a subscription, whatever was held under its identifier."""
        old = self.subscriptions.put(subscription, ready)
        if old is not None:
            self._count(old.party, -1)
        self._count(subscription.party, 1)

    def remove_subscription(self, identifier: str) -> None:
        """Take a subscription out, if it is here."""
        old = self.subscriptions.remove(identifier)
        if old is not None:
            self._count(old.party, -1)

    def notify(self, indices: Mapping[str, int]) -> None:
        """Set the indices of the subscriptions that are here."""
        shelf = self.subscriptions
        for identifier, index in indices.items():
            slot = shelf.slot(identifier)
            if slot is not None:
                shelf.rewrite(slot, with_index(shelf.at(slot), index))

    def expire(self, time_us: int) -> None:
        """Take out what is due at an instant."""
        limit_us = time_us - self.kept_us
        for entity in (*self.operations.expire(limit_us), *self.zones.expire(limit_us)):
            self._forget(entity)
        for subscription in self.subscriptions.expire(time_us):
            self._count(subscription.party, -1)

    def next_due_us(self) -> int | None:
        """Return from when on the next record is due."""
        kept_us = self.kept_us
        ends = (
            (self.operations.next_end_us(), kept_us),
            (self.zones.next_end_us(), kept_us),
            (self.subscriptions.next_end_us(), 0),
        )
        # A record stays at the very instant.
        return min((end + kept + 1 for end, kept in ends if end is not None), default=None)

    def _forget(self, entity: Held) -> None:
        self._count(entity.party, -1)
        subscription = server_of(entity)
        if subscription is not None:
            self.dependents.remove(sure_key_of(subscription), sure_key_of(entity.id))

    def _count(self, party: str, by: int) -> None:
        count = self.records_of.get(party, 0) + by
        if count:
            self.records_of[party] = count
        else:
            del self.records_of[party]


def server_of(entity: Held) -> str | None:
    """Return the identifier of the subscription that serves an entity; only operations have one."""
    return entity.subscription if entity.kind is Kind.OPERATION else None


def with_index(subscription: Subscription, index: int) -> Subscription:
    """Return a subscription with another notification index."""
    return replace(subscription, index=index)
