"""Wire types of what clients ask of the discovery service.

Source: the standard's published API description, version 1.0.0 (``utm.yaml``), schemas
``Put...Parameters`` to ``ErrorReport``. Null counts as left out. Fields that this module does not
know are left alone, as the standard's extensions need; ``requested_ovn_suffix`` is one in use.

No type writes a field that it was not given (``omit_defaults``): `requests` counts on it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from deconflict.register.state.held import Readiness, State
from deconflict.standards.f3548.wire import Time, Volume4D

LONGEST_OVN = 128
"""Characters of an OVN (``EntityOVN``)."""
LONGEST_KEY = 50_000
"""OVNs in one key."""

Ovn = Annotated[str, msgspec.Meta(max_length=LONGEST_OVN)]
"""One that is shorter than the 16 characters of the standard matches nothing, and is let pass."""
Extents = Annotated[list[Volume4D], msgspec.Meta(min_length=1)]


class ImplicitSubscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """``ImplicitSubscriptionParameters``."""

    uss_base_url: str
    notify_for_constraints: bool | None = None


class PutOperationalIntent(msgspec.Struct, frozen=True, omit_defaults=True):
    """``PutOperationalIntentReferenceParameters``."""

    extents: Extents
    state: State
    uss_base_url: str
    key: Annotated[list[Ovn], msgspec.Meta(max_length=LONGEST_KEY)] | None = None
    subscription_id: str | None = None
    new_subscription: ImplicitSubscription | None = None
    requested_ovn_suffix: str | None = None


class PutConstraint(msgspec.Struct, frozen=True, omit_defaults=True):
    """``PutConstraintReferenceParameters``."""

    extents: Extents
    uss_base_url: str


class PutSubscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """``PutSubscriptionParameters``."""

    extents: Volume4D
    uss_base_url: str
    notify_for_operational_intents: bool | None = None
    notify_for_constraints: bool | None = None


class Query(msgspec.Struct, frozen=True, omit_defaults=True):
    """``QueryOperationalIntentReferenceParameters``, and its likes for the other kinds."""

    area_of_interest: Volume4D


class SetAvailability(msgspec.Struct, frozen=True, omit_defaults=True):
    """``SetUssAvailabilityStatusParameters``."""

    availability: Readiness
    old_version: Annotated[str, msgspec.Meta(max_length=LONGEST_OVN)] | None = None


class ExchangeRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request and its response.

    ``request_source`` is required by the standard's list of required fields and described
    nowhere, so it is let pass in any form, or left out.
    """

    url: str
    method: str
    recorder_role: Literal["Client", "Server"]
    request_time: Time
    headers: list[str] | None = None
    request_body: str | None = None
    response_time: Time | None = None
    response_body: str | None = None
    response_code: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)] | None = None
    problem: str | None = None


class ErrorReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """A report of a communication problem."""

    exchange: ExchangeRecord
    report_id: str | None = None


class RawReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """An `ErrorReport` whose exchange is given back as it came."""

    exchange: msgspec.Raw
