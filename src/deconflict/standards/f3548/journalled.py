"""Bodies of this interface as the journal keeps them: what was asked, and what was told of whom.

An answer tells of an entity of another party only its reference: manager, state, version, times
and where to ask. Volumes and OVN come from the manager alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from deconflict.geo.errors import InputError
from deconflict.geo.packed.table import microseconds
from deconflict.register.entity import Kind
from deconflict.register.state.held import Held, VolumeRecord
from deconflict.register.state.volume_record import record_of
from deconflict.standards.f3548 import replies, wire
from deconflict.standards.f3548.identifier import NULL_SUBSCRIPTION
from deconflict.standards.f3548.volumes import volume_of

_ASKED: Final = ("extents", "area_of_interest")
"""The fields of a request's body that hold volumes."""
_NAMED: Final = {
    "operational_intent_reference": replies.OperationalIntentReference,
    "operational_intent_references": replies.OperationalIntentReference,
    "missing_operational_intents": replies.OperationalIntentReference,
    "constraint_reference": replies.ConstraintReference,
    "constraint_references": replies.ConstraintReference,
    "missing_constraints": replies.ConstraintReference,
}
"""The fields of an answer that hold references, and of what form."""
_READ: Final = re.compile(r"(?:GET|POST) \S*/(?:operational_intent|constraint)_references(?:/|$)")


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer told of an entity.

    Attributes
    ----------
    id, kind, party, version, state, base_url, subscription
        As those of `Held`; of a zone no state is told, and no subscription.
    start_us, end_us
        The window, microseconds since 1970 UTC.
    availability
        Of its manager; empty where the record does not have it.
    """

    id: str
    kind: Kind
    party: str
    version: int
    start_us: int
    end_us: int
    base_url: str
    state: str = ""
    subscription: str = ""
    availability: str = ""


def references_in(body: bytes) -> tuple[Reference, ...]:
    """Return what an answer told of entities.

    Parameters
    ----------
    body
        The answer's body, as a told part holds it.

    Raises
    ------
    msgspec.ValidationError
        If a reference has another form than those of this version.
    """
    return tuple(_references(_object(body)))


def subscribers_in(body: bytes) -> tuple[str, ...]:
    """Return the base URLs that an answer told its reader to notify."""
    given = _object(body).get("subscribers", ())
    return tuple(one["uss_base_url"] for one in given)


def reference_of(held: Held) -> Reference:
    """Return what an answer tells of an entity that is held, but for its manager's availability."""
    return Reference(
        id=held.id,
        kind=held.kind,
        party=held.party,
        version=held.version,
        start_us=held.start_us,
        end_us=held.end_us,
        base_url=held.base_url,
        state=held.state.value if held.kind is Kind.OPERATION else "",
        subscription=held.subscription or "",
    )


def reads_references(request: str) -> bool:
    """Tell whether a read, given as method and path, is answered with references."""
    return _READ.match(request) is not None


def volumes_asked(body: bytes) -> tuple[VolumeRecord, ...]:
    """Return the volumes that a request's body states; none if it states none that can be read.

    Parameters
    ----------
    body
        As it was received.
    """
    said = _object(body)
    given = next((said[name] for name in _ASKED if name in said), ())
    try:
        return tuple(
            record_of(volume_of(wire.convert(one, wire.Volume4D), "", times=False, altitudes=False))
            for one in (given if isinstance(given, list | tuple) else [given])
        )
    except InputError:
        return ()


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _references(answer: dict[str, Any]) -> Iterator[Reference]:
    for name, form in _NAMED.items():
        given = answer.get(name, ())
        for one in given if isinstance(given, list | tuple) else [given]:
            told = msgspec.convert(one, form)
            yield Reference(
                id=told.id,
                kind=Kind.OPERATION if hasattr(told, "state") else Kind.ZONE,
                party=told.manager,
                version=told.version,
                start_us=microseconds(told.time_start.value),
                end_us=microseconds(told.time_end.value),
                base_url=told.uss_base_url,
                state=getattr(told, "state", ""),
                subscription=_subscription(told),
                availability=told.uss_availability,
            )


def _subscription(told: replies.OperationalIntentReference | replies.ConstraintReference) -> str:
    named = getattr(told, "subscription_id", NULL_SUBSCRIPTION)
    return "" if named == NULL_SUBSCRIPTION else named
