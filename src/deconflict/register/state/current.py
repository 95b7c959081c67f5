"""The current view: what the register holds, as seen at one instant."""

from __future__ import annotations

from collections.abc import Sequence

from deconflict.geo.packed.prepared import Prepared, prepared
from deconflict.geo.volume import Volume4D
from deconflict.register.policy import Policy
from deconflict.register.state.held import Availability, Held, Subscription
from deconflict.register.state.holdings import Holdings
from deconflict.register.state.identifier import identifier_of, key_of
from deconflict.register.state.shelf import R, Shelf
from deconflict.register.state.view import CLOCK_SLACK_US


class Current:
    """A `View` of the register itself, good until the next entry is applied.

    Parameters
    ----------
    holdings
        What the register holds.
    now_us
        The instant, microseconds since 1970 UTC.
    """

    def __init__(self, holdings: Holdings, now_us: int) -> None:
        self._holdings = holdings
        self._now_us = now_us
        self._asked: dict[int, Prepared] = {}

    @property
    def now_us(self) -> int:
        """The instant that the view is of, microseconds since 1970 UTC."""
        return self._now_us

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._holdings.policy

    def entity(self, identifier: str) -> Held | None:
        """Return an entity; one that ended at most `Policy.kept_after_end_s` ago is still there."""
        holdings = self._holdings
        return self._unless_gone(
            holdings.operations.get(identifier) or holdings.zones.get(identifier)
        )

    def subscription(self, identifier: str) -> Subscription | None:
        """Return a subscription that has not ended."""
        return self._unless_ended(self._holdings.subscriptions.get(identifier))

    def dependents(self, subscription: str) -> tuple[str, ...]:
        """Return the operations that a subscription serves, sorted."""
        key = key_of(subscription)
        if key is None:
            return ()
        served = map(identifier_of, sorted(self._holdings.dependents.of(key)))
        return tuple(one for one in served if self._is_kept(one))

    def availability(self, party: str) -> Availability:
        """Return a party's availability; unknown with an empty version if never set."""
        return self._holdings.availabilities.get(party) or Availability(party)

    def operations_meeting(self, volumes: Sequence[Volume4D]) -> list[Held]:
        """Return the operations of which a volume meets one of these, exactly."""
        since_us = self._now_us - CLOCK_SLACK_US
        ready = self._prepared(volumes)
        return in_order(self._records_at(self._holdings.operations, ready, since_us))

    def zones_meeting(self, volumes: Sequence[Volume4D]) -> list[Held]:
        """Return the zones of which a volume meets one of these, exactly."""
        since_us = self._now_us - CLOCK_SLACK_US
        return in_order(self._records_at(self._holdings.zones, self._prepared(volumes), since_us))

    def subscriptions_meeting(self, volumes: Sequence[Volume4D]) -> list[Subscription]:
        """Return the subscriptions of which a volume meets one of these, exactly."""
        ready = self._prepared(volumes)
        return in_order(self._records_at(self._holdings.subscriptions, ready, self._now_us))

    def _records_at(
        self,
        shelf: Shelf[R],
        volumes: Sequence[Prepared],
        since_us: int,
        hidden: frozenset[int] | set[int] = frozenset(),
    ) -> list[R]:
        """Return the records of a shelf that meet and end at an instant or later.

        Those of some slots are left out.
        """
        return [
            shelf.at(slot)
            for slot in shelf.meeting(volumes)
            if slot not in hidden and shelf.end_us(slot) >= since_us
        ]

    def _prepared(self, volumes: Sequence[Volume4D]) -> list[Prepared]:
        """Return volumes ready to be asked about; one decision asks thrice about the same."""
        asked = self._asked
        ready: list[Prepared] = []
        for volume in volumes:
            one = asked.get(id(volume))
            if one is None:
                # It keeps its volume, so that no other can have this identity.
                one = asked[id(volume)] = prepared(volume)
            ready.append(one)
        return ready

    def _is_kept(self, operation: str) -> bool:
        slot = self._holdings.operations.slot(operation)
        if slot is None:
            return False
        return self._holdings.operations.end_us(slot) + self._kept_us() >= self._now_us

    def _kept_us(self) -> int:
        return self.policy.kept_after_end_s * 1_000_000

    def _unless_gone(self, entity: Held | None) -> Held | None:
        if entity is None or entity.end_us + self._kept_us() < self._now_us:
            return None
        return entity

    def _unless_ended(self, subscription: Subscription | None) -> Subscription | None:
        if subscription is None or subscription.end_us < self._now_us:
            return None
        return subscription


def in_order(records: list[R]) -> list[R]:
    """Return records in the order of their identifiers."""
    records.sort(key=lambda record: record.id)
    return records
