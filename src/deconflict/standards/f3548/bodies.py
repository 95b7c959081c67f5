"""What each operation takes and gives, for the documents that are made from the endpoints.

Source: the standard's published API description, version 1.0.0 (``utm.yaml``), paths below
``/dss/v1``. The replies of every refusal but those of 409 and 412 are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from deconflict.standards.f3548 import replies, wire_requests
from deconflict.standards.f3548.wire_requests import LONGEST_OVN

_Identifier = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="A UUID of version 4.",
    ),
]
_Version = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_OVN)]
_Party = Annotated[
    str, msgspec.Meta(min_length=1, description="The subject of the party's tokens.")
]

PARAMETERS: Final = MappingProxyType(
    {
        "entityid": _Identifier,
        "subscriptionid": _Identifier,
        "ovn": _Version,
        "version": _Version,
        "uss_id": _Party,
    }
)
"""The type of each parameter in a path."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """The type of a request's body, and those of its replies by status."""

    takes: type | None
    gives: MappingProxyType[int, type]


def _bodies(takes: type | None, gives: dict[int, type]) -> Bodies:
    return Bodies(takes, MappingProxyType(gives))


_REFUSED_INTENT = {409: replies.AirspaceConflict, 412: replies.Error}
_REFUSED = {409: replies.Error}

BODIES: Final = MappingProxyType(
    {
        "queryOperationalIntentReferences": _bodies(
            wire_requests.Query, {200: replies.OperationalIntents}
        ),
        "getOperationalIntentReference": _bodies(None, {200: replies.OneOperationalIntent}),
        "createOperationalIntentReference": _bodies(
            wire_requests.PutOperationalIntent,
            {201: replies.ChangedOperationalIntent, **_REFUSED_INTENT},
        ),
        "updateOperationalIntentReference": _bodies(
            wire_requests.PutOperationalIntent,
            {200: replies.ChangedOperationalIntent, **_REFUSED_INTENT},
        ),
        "deleteOperationalIntentReference": _bodies(
            None, {200: replies.ChangedOperationalIntent, 409: replies.Error, 412: replies.Error}
        ),
        "queryConstraintReferences": _bodies(wire_requests.Query, {200: replies.Constraints}),
        "getConstraintReference": _bodies(None, {200: replies.OneConstraint}),
        "createConstraintReference": _bodies(
            wire_requests.PutConstraint, {201: replies.ChangedConstraint, **_REFUSED}
        ),
        "updateConstraintReference": _bodies(
            wire_requests.PutConstraint, {200: replies.ChangedConstraint, **_REFUSED}
        ),
        "deleteConstraintReference": _bodies(None, {200: replies.ChangedConstraint, **_REFUSED}),
        "querySubscriptions": _bodies(wire_requests.Query, {200: replies.Subscriptions}),
        "getSubscription": _bodies(None, {200: replies.OneSubscription}),
        "createSubscription": _bodies(
            wire_requests.PutSubscription, {200: replies.ChangedSubscription, **_REFUSED}
        ),
        "updateSubscription": _bodies(
            wire_requests.PutSubscription, {200: replies.ChangedSubscription, **_REFUSED}
        ),
        "deleteSubscription": _bodies(None, {200: replies.OneSubscription, **_REFUSED}),
        "makeDssReport": _bodies(wire_requests.ErrorReport, {201: replies.Report}),
        "setUssAvailability": _bodies(
            wire_requests.SetAvailability, {200: replies.OneAvailability, **_REFUSED}
        ),
        "getUssAvailability": _bodies(None, {200: replies.OneAvailability}),
        "getVersion": _bodies(None, {200: replies.Version}),
    }
)
"""Of each operation, by its name."""
