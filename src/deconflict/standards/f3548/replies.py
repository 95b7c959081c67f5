"""Wire types of what the discovery service answers.

Source: the standard's published API description, version 1.0.0 (``utm.yaml``), schemas
``OperationalIntentReference`` to ``UssAvailabilityStatusResponse``.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from deconflict.register.state.held import Readiness, State


class Instant(msgspec.Struct, frozen=True, gc=False):
    """``Time``: written with Z, and with microseconds where there are any."""

    value: datetime
    format: str = "RFC3339"


class OperationalIntentReference(msgspec.Struct, frozen=True, gc=False):
    """What everyone may know of an operational intent, and its OVN if it is the reader's own."""

    id: str
    manager: str
    uss_availability: Readiness
    version: int
    state: State
    ovn: str
    time_start: Instant
    time_end: Instant
    uss_base_url: str
    subscription_id: str


class ConstraintReference(msgspec.Struct, frozen=True, gc=False):
    """The same of a constraint."""

    id: str
    manager: str
    uss_availability: Readiness
    version: int
    ovn: str
    time_start: Instant
    time_end: Instant
    uss_base_url: str


class Subscription(msgspec.Struct, frozen=True):
    """A subscription, as its own party sees it."""

    id: str
    version: str
    notification_index: int
    time_start: Instant
    time_end: Instant
    uss_base_url: str
    notify_for_operational_intents: bool
    notify_for_constraints: bool
    implicit_subscription: bool
    dependent_operational_intents: tuple[str, ...]


class SubscriptionState(msgspec.Struct, frozen=True):
    """Which subscription is to be told of a change, and its how many-eth notification it is."""

    subscription_id: str
    notification_index: int


class SubscriberToNotify(msgspec.Struct, frozen=True):
    """Where a change must be told of."""

    subscriptions: list[SubscriptionState]
    uss_base_url: str


class OneOperationalIntent(msgspec.Struct, frozen=True):
    """``GetOperationalIntentReferenceResponse``."""

    operational_intent_reference: OperationalIntentReference


class OperationalIntents(msgspec.Struct, frozen=True):
    """``QueryOperationalIntentReferenceResponse``."""

    operational_intent_references: list[OperationalIntentReference]


class ChangedOperationalIntent(msgspec.Struct, frozen=True):
    """``ChangeOperationalIntentReferenceResponse``."""

    subscribers: list[SubscriberToNotify]
    operational_intent_reference: OperationalIntentReference


class OneConstraint(msgspec.Struct, frozen=True):
    """``GetConstraintReferenceResponse``."""

    constraint_reference: ConstraintReference


class Constraints(msgspec.Struct, frozen=True):
    """``QueryConstraintReferencesResponse``."""

    constraint_references: list[ConstraintReference]


class ChangedConstraint(msgspec.Struct, frozen=True):
    """``ChangeConstraintReferenceResponse``."""

    subscribers: list[SubscriberToNotify]
    constraint_reference: ConstraintReference


class OneSubscription(msgspec.Struct, frozen=True):
    """``GetSubscriptionResponse`` and ``DeleteSubscriptionResponse``."""

    subscription: Subscription


class Subscriptions(msgspec.Struct, frozen=True):
    """``QuerySubscriptionsResponse``."""

    subscriptions: list[Subscription]


class ChangedSubscription(msgspec.Struct, frozen=True):
    """``PutSubscriptionResponse``."""

    subscription: Subscription
    operational_intent_references: list[OperationalIntentReference]
    constraint_references: list[ConstraintReference]


class AvailabilityStatus(msgspec.Struct, frozen=True):
    """``UssAvailabilityStatus``."""

    uss: str
    availability: Readiness


class OneAvailability(msgspec.Struct, frozen=True):
    """``UssAvailabilityStatusResponse``."""

    version: str
    status: AvailabilityStatus


class Report(msgspec.Struct, frozen=True):
    """``ErrorReport``, archived."""

    report_id: str
    exchange: msgspec.Raw


class Version(msgspec.Struct, frozen=True):
    """The version of this service."""

    version: str


class Error(msgspec.Struct, frozen=True):
    """``ErrorResponse``."""

    message: str


class AirspaceConflict(msgspec.Struct, frozen=True):
    """``AirspaceConflictResponse``; the lists are left out where it is no matter of the key."""

    message: str
    missing_operational_intents: list[OperationalIntentReference] = []
    missing_constraints: list[ConstraintReference] = []
