"""All endpoints of the ASTM F3548-21 discovery and synchronization service.

Source of operations and scopes: the standard's published API description, version 1.0.0
(``utm.yaml``), paths below ``/dss/v1``.
"""

from __future__ import annotations

from functools import wraps
from typing import Final

from deconflict.geo.errors import InputError
from deconflict.standards.f3548 import (
    auxiliary,
    availability,
    constraints,
    operational_intents,
    reports,
    subscriptions,
)
from deconflict.standards.f3548.bodies import BODIES, PARAMETERS
from deconflict.standards.f3548.errors import error
from deconflict.standards.f3548.scopes import Scope
from deconflict.standards.service import (
    Call,
    Endpoint,
    Family,
    Handler,
    Reply,
    RequestError,
    Service,
)

MOST_BODY_BYTES: Final = 4_000_000
"""As the existing service takes."""

_Scopes = tuple[frozenset[str], ...]

_STRATEGIC = frozenset({Scope.STRATEGIC_COORDINATION})
_CONFORMANCE = frozenset({Scope.CONFORMANCE_MONITORING})
_MANAGEMENT = frozenset({Scope.CONSTRAINT_MANAGEMENT})
_PROCESSING = frozenset({Scope.CONSTRAINT_PROCESSING})
_ARBITRATION = frozenset({Scope.AVAILABILITY_ARBITRATION})

_INTENTS: _Scopes = (_STRATEGIC, _CONFORMANCE)
_PUT_INTENTS: _Scopes = (_STRATEGIC, _STRATEGIC | _PROCESSING, _CONFORMANCE)
_READ_CONSTRAINTS: _Scopes = (_MANAGEMENT, _PROCESSING)
_SUBSCRIPTIONS: _Scopes = (_PROCESSING, _STRATEGIC)
_REPORTS: _Scopes = (_MANAGEMENT, _PROCESSING, _STRATEGIC, _CONFORMANCE, _ARBITRATION)
_READ_AVAILABILITY: _Scopes = (_ARBITRATION, _STRATEGIC, _CONFORMANCE)

_INTENT = "/dss/v1/operational_intent_references"
_CONSTRAINT = "/dss/v1/constraint_references"
_SUBSCRIPTION = "/dss/v1/subscriptions"
_CHANGES = ("create", "update", "delete", "set", "make")
"""How the standard's names of operations begin that change something."""
_USS = "/dss/v1/uss_availability/{uss_id}"


def _refusing(handle: Handler) -> Handler:
    """Return a handler that refuses with 400 what the standard does not allow."""

    @wraps(handle)
    async def handled(service: Service, call: Call) -> Reply:
        try:
            return await handle(service, call)
        except InputError as refusal:
            raise RequestError(400, str(refusal)) from None

    return handled


def _endpoint(method: str, path: str, scopes: _Scopes, handle: Handler, operation: str) -> Endpoint:
    bodies = BODIES[operation]
    return Endpoint(
        method,
        path,
        scopes,
        _refusing(handle),
        operation,
        changes=operation.startswith(_CHANGES),
        takes=bodies.takes,
        gives=bodies.gives,
        parameters=PARAMETERS,
    )


_INTENT_ENDPOINTS = (
    _endpoint(
        "POST",
        f"{_INTENT}/query",
        _INTENTS,
        operational_intents.query,
        "queryOperationalIntentReferences",
    ),
    _endpoint(
        "GET",
        f"{_INTENT}/{{entityid}}",
        _INTENTS,
        operational_intents.get,
        "getOperationalIntentReference",
    ),
    _endpoint(
        "PUT",
        f"{_INTENT}/{{entityid}}",
        _PUT_INTENTS,
        operational_intents.create,
        "createOperationalIntentReference",
    ),
    _endpoint(
        "PUT",
        f"{_INTENT}/{{entityid}}/{{ovn}}",
        _PUT_INTENTS,
        operational_intents.update,
        "updateOperationalIntentReference",
    ),
    _endpoint(
        "DELETE",
        f"{_INTENT}/{{entityid}}/{{ovn}}",
        _INTENTS,
        operational_intents.delete,
        "deleteOperationalIntentReference",
    ),
)

_CONSTRAINT_ENDPOINTS = (
    _endpoint(
        "POST",
        f"{_CONSTRAINT}/query",
        _READ_CONSTRAINTS,
        constraints.query,
        "queryConstraintReferences",
    ),
    _endpoint(
        "GET",
        f"{_CONSTRAINT}/{{entityid}}",
        _READ_CONSTRAINTS,
        constraints.get,
        "getConstraintReference",
    ),
    _endpoint(
        "PUT",
        f"{_CONSTRAINT}/{{entityid}}",
        (_MANAGEMENT,),
        constraints.create,
        "createConstraintReference",
    ),
    _endpoint(
        "PUT",
        f"{_CONSTRAINT}/{{entityid}}/{{ovn}}",
        (_MANAGEMENT,),
        constraints.update,
        "updateConstraintReference",
    ),
    _endpoint(
        "DELETE",
        f"{_CONSTRAINT}/{{entityid}}/{{ovn}}",
        (_MANAGEMENT,),
        constraints.delete,
        "deleteConstraintReference",
    ),
)

_SUBSCRIPTION_ENDPOINTS = (
    _endpoint(
        "POST",
        f"{_SUBSCRIPTION}/query",
        _SUBSCRIPTIONS,
        subscriptions.query,
        "querySubscriptions",
    ),
    _endpoint(
        "GET",
        f"{_SUBSCRIPTION}/{{subscriptionid}}",
        _SUBSCRIPTIONS,
        subscriptions.get,
        "getSubscription",
    ),
    _endpoint(
        "PUT",
        f"{_SUBSCRIPTION}/{{subscriptionid}}",
        _SUBSCRIPTIONS,
        subscriptions.put,
        "createSubscription",
    ),
    _endpoint(
        "PUT",
        f"{_SUBSCRIPTION}/{{subscriptionid}}/{{version}}",
        _SUBSCRIPTIONS,
        subscriptions.put,
        "updateSubscription",
    ),
    _endpoint(
        "DELETE",
        f"{_SUBSCRIPTION}/{{subscriptionid}}/{{version}}",
        _SUBSCRIPTIONS,
        subscriptions.delete,
        "deleteSubscription",
    ),
)

_OTHER_ENDPOINTS = (
    _endpoint("POST", "/dss/v1/reports", _REPORTS, reports.make, "makeDssReport"),
    _endpoint("PUT", _USS, (_ARBITRATION,), availability.put, "setUssAvailability"),
    _endpoint("GET", _USS, _READ_AVAILABILITY, availability.get, "getUssAvailability"),
    Endpoint(
        "GET",
        "/aux/v1/version",
        (),
        auxiliary.version,
        "getVersion",
        public=True,
        gives=BODIES["getVersion"].gives,
    ),
    Endpoint("GET", "/aux/v1/validate_oauth", (), auxiliary.validate_oauth, "validateOauth"),
    Endpoint("GET", "/healthy", (), auxiliary.healthy, "healthy", public=True),
)

FAMILY: Final = Family(
    name="ASTM F3548-21 DSS",
    endpoints=(
        *_INTENT_ENDPOINTS,
        *_CONSTRAINT_ENDPOINTS,
        *_SUBSCRIPTION_ENDPOINTS,
        *_OTHER_ENDPOINTS,
    ),
    error=error,
    most_body_bytes=MOST_BODY_BYTES,
)
"""The interface. A path's fixed parts (``query``) come before parameters."""
