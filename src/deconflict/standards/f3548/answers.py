"""From decisions and what is held to the bytes of answers.

An OVN proves that its holder asked the entity's manager for its details, so it is told to the
manager alone. Whoever else sees the reference sees `HIDDEN_OVN` in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Final, TypeVar

import msgspec

from deconflict.register.decision import Decision, Reason, Refusal
from deconflict.register.state import held
from deconflict.register.state.held import Held
from deconflict.register.state.view import View
from deconflict.standards.f3548 import replies, wire_requests
from deconflict.standards.f3548.errors import DELETE_STATUS, PUT_STATUS, error
from deconflict.standards.f3548.identifier import NULL_SUBSCRIPTION
from deconflict.standards.service import Call, Reply, Told

HIDDEN_OVN: Final = "Available from USS"
"""In the place of an OVN that is not the reader's: the words of the existing service."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENCODER = msgspec.json.Encoder()
_RAW_REPORT = msgspec.json.Decoder(wire_requests.RawReport)

Answer = Callable[[Decision, View], Sequence[Told]]
"""Makes what is told from a decision and the draft before it."""

T = TypeVar("T")


class _Readiness(dict[str, held.Readiness]):
    """The availability of each manager, asked for once."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def __missing__(self, party: str) -> held.Readiness:
        readiness = self[party] = self._view.availability(party).readiness
        return readiness


class References:
    """Makes references for one reader.

    Parameters
    ----------
    reader
        The party that will read them.
    view
        Where managers' availabilities are asked for.
    """

    __slots__ = ("_reader", "_readiness")

    def __init__(self, reader: str, view: View) -> None:
        self._reader = reader
        self._readiness = _Readiness(view)

    def operation(self, operation: Held) -> replies.OperationalIntentReference:
        """Return the reference of an operation."""
        party = operation.party
        return replies.OperationalIntentReference(
            operation.id,
            party,
            self._readiness[party],
            operation.version,
            operation.state,
            operation.ovn if party == self._reader else HIDDEN_OVN,
            _instant(operation.start_us),
            _instant(operation.end_us),
            operation.base_url,
            operation.subscription or NULL_SUBSCRIPTION,
        )

    def zone(self, zone: Held) -> replies.ConstraintReference:
        """Return the reference of a zone."""
        party = zone.party
        return replies.ConstraintReference(
            zone.id,
            party,
            self._readiness[party],
            zone.version,
            zone.ovn if party == self._reader else HIDDEN_OVN,
            _instant(zone.start_us),
            _instant(zone.end_us),
            zone.base_url,
        )


def one_operation(reader: str, view: View, operation: Held) -> Reply:
    """Return the answer to a GET of an operational intent."""
    reference = References(reader, view).operation(operation)
    return _reply(200, replies.OneOperationalIntent(reference))


def operations(reader: str, view: View, found: Iterable[Held]) -> Reply:
    """Return the answer to a query of operational intents."""
    return _reply(
        200, replies.OperationalIntents([*map(References(reader, view).operation, found)])
    )


def one_zone(reader: str, view: View, zone: Held) -> Reply:
    """Return the answer to a GET of a constraint."""
    return _reply(200, replies.OneConstraint(References(reader, view).zone(zone)))


def zones(reader: str, view: View, found: Iterable[Held]) -> Reply:
    """Return the answer to a query of constraints."""
    return _reply(200, replies.Constraints([*map(References(reader, view).zone, found)]))


def one_subscription(view: View, subscription: held.Subscription) -> Reply:
    """Return the answer to a GET of a subscription by its own party."""
    return _reply(200, replies.OneSubscription(_subscription(view, subscription)))


def subscriptions(view: View, found: Iterable[held.Subscription]) -> Reply:
    """Return the answer to a query of subscriptions by their own party."""
    return _reply(200, replies.Subscriptions([_subscription(view, one) for one in found]))


def availability(found: held.Availability) -> Reply:
    """Return the answer to a GET of a party's availability."""
    status = replies.AvailabilityStatus(found.party, found.readiness)
    return _reply(200, replies.OneAvailability(found.version, status))


def operation_changed(call: Call, status: int) -> Answer:
    """Return what answers a change of an operational intent, a deletion too, with a status."""

    def carried_out(decision: Decision, view: View) -> Reply:
        reference = References(call.caller.party, view).operation(_given(decision.entity))
        subscribers = _subscribers(decision.notify)
        return _reply(status, replies.ChangedOperationalIntent(subscribers, reference))

    return partial(_told, call, carried_out)


def zone_changed(call: Call, status: int) -> Answer:
    """Return what answers a change of a constraint, a deletion too, with a status."""

    def carried_out(decision: Decision, view: View) -> Reply:
        reference = References(call.caller.party, view).zone(_given(decision.entity))
        subscribers = _subscribers(decision.notify)
        return _reply(status, replies.ChangedConstraint(subscribers, reference))

    return partial(_told, call, carried_out)


def subscription_put(call: Call) -> Answer:
    """Return what answers the creation or change of a subscription."""

    def carried_out(decision: Decision, view: View) -> Reply:
        references = References(call.caller.party, view)
        return _reply(
            200,
            replies.ChangedSubscription(
                _subscription(view, _given(decision.subscription)),
                [*map(references.operation, decision.operations)],
                [*map(references.zone, decision.zones)],
            ),
        )

    return partial(_told, call, carried_out)


def subscription_removed(call: Call) -> Answer:
    """Return what answers the deletion of a subscription."""

    def carried_out(decision: Decision, view: View) -> Reply:
        return one_subscription(view, _given(decision.subscription))

    return partial(_told, call, carried_out)


def availability_set(call: Call) -> Answer:
    """Return what answers the setting of an availability."""

    def carried_out(decision: Decision, _view: View) -> Reply:
        return availability(_given(decision.availability))

    return partial(_told, call, carried_out)


def report_filed(call: Call) -> Answer:
    """Return what answers a report: the report with its identifier."""

    def carried_out(decision: Decision, _view: View) -> Reply:
        exchange = _RAW_REPORT.decode(call.body).exchange
        return _reply(201, replies.Report(_given(decision.report), exchange))

    return partial(_told, call, carried_out)


def _told(
    call: Call,
    carried_out: Callable[[Decision, View], Reply],
    decision: Decision,
    view: View,
) -> tuple[Told]:
    """Return the caller's answer; those who must be told of a change are told by the caller."""
    refusal = decision.refusal
    if refusal is None:
        reply = carried_out(decision, view)
    elif refusal.reason is Reason.KEY:
        reply = _conflict(call.caller.party, view, refusal)
    else:
        deletion = call.request.startswith("DELETE ")
        statuses = DELETE_STATUS if deletion else PUT_STATUS
        reply = error(statuses[refusal.reason], refusal.sentence)
    return (Told(call.caller.party, reply),)


def _conflict(reader: str, view: View, refusal: Refusal) -> Reply:
    references = References(reader, view)
    return _reply(
        PUT_STATUS[refusal.reason],
        replies.AirspaceConflict(
            refusal.sentence,
            [*map(references.operation, refusal.missing_operations)],
            [*map(references.zone, refusal.missing_zones)],
        ),
    )


def _subscribers(notify: Sequence[held.Subscription]) -> list[replies.SubscriberToNotify]:
    """Return whom to tell of a change: each base URL once, with each of its subscriptions once."""
    by_url: dict[str, dict[str, int]] = {}
    for subscription in notify:
        by_url.setdefault(subscription.base_url, {})[subscription.id] = subscription.index
    return [
        replies.SubscriberToNotify(
            [
                replies.SubscriptionState(identifier, index)
                for identifier, index in sorted(by_url[url].items())
            ],
            url,
        )
        for url in sorted(by_url)
    ]


def _subscription(view: View, subscription: held.Subscription) -> replies.Subscription:
    return replies.Subscription(
        id=subscription.id,
        version=subscription.version,
        notification_index=subscription.index,
        time_start=_instant(subscription.start_us),
        time_end=_instant(subscription.end_us),
        uss_base_url=subscription.base_url,
        notify_for_operational_intents=subscription.operations,
        notify_for_constraints=subscription.zones,
        implicit_subscription=subscription.implicit,
        dependent_operational_intents=view.dependents(subscription.id),
    )


@lru_cache(maxsize=16_384)
def _instant(us: int) -> replies.Instant:
    """Return an instant; those of one airspace come again and again, and mostly are round."""
    return replies.Instant(_EPOCH + timedelta(0, 0, us))


def _given(part: T | None) -> T:
    if part is None:
        raise TypeError("a decision that was carried out lacks what its answer is made of")
    return part


def _reply(status: int, content: msgspec.Struct) -> Reply:
    return Reply(status, _ENCODER.encode(content))
