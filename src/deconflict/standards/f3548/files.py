"""JSON files of F3548-21 entities: one, or a list of them, each with reference and details.

They may be wrapped as services answer (``{"operational_intent": ...}``, ``{"constraint": ...}``),
alone or in a list. What a client asks of the discovery service, with ``extents``, is read too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from deconflict.formats.jsontext import JsonText
from deconflict.formats.numbers import shown
from deconflict.formats.reading import (
    DEFAULT_LIMITS,
    NO_DEFAULTS,
    Defaults,
    Gathering,
    Limits,
    ReadResult,
)
from deconflict.formats.text import decoded
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity
from deconflict.standards.f3548 import wire
from deconflict.standards.f3548.mapping import (
    constraint_entity,
    operational_intent_entity,
    requested_entity,
)

WRAPPERS = ("operational_intent", "constraint")
"""The keys under which a service answers with one entity."""

LISTS = MappingProxyType({"operational_intents": WRAPPERS[0], "constraints": WRAPPERS[1]})
"""Keys of lists of them, and the key that one of each list would have."""

EXTENTS = "extents"
"""The key of the volumes in what a client asks of the discovery service."""

REFERENCES = (
    "operational_intent_reference",
    "operational_intent_references",
    "constraint_reference",
    "constraint_references",
)
"""The keys under which the discovery service answers: without any volume."""

_ASKED_OF_INTENTS = frozenset({"state", "key", "subscription_id", "new_subscription"})


def read(
    data: bytes,
    *,
    name: str,
    defaults: Defaults = NO_DEFAULTS,
    limits: Limits = DEFAULT_LIMITS,
) -> ReadResult:
    """Return the operational intents and constraints of a file, and what of it is refused.

    Parameters
    ----------
    data
        The file's bytes.
    name
        The file's name, for messages.
    defaults
        Its party fills in for the manager that a request does not state.
    limits
        Limits of size.
    """
    gathering = Gathering(name, limits)
    try:
        limits.refuse_larger(data)
        for place, value, faults in _items(JsonText(decoded(data))):
            try:
                if faults:
                    raise faults[0]
                source = f"{name}, {place}" if place else name
                number = place.rpartition(" ")[2] or "1"
                gathering.add(_entity(value, source, f"{name}:{number}", defaults.party))
            except InputError as error:
                gathering.refuse(error, place)
    except InputError as error:
        gathering.refuse(error)
    return gathering.result()


def _items(text: JsonText) -> Iterator[tuple[str, object, list[InputError]]]:
    """Yield place, value and faults of each entity."""
    if text.text.lstrip()[:1] == "[":
        number = 0
        for number, value in enumerate(text.elements(lambda: False), start=1):
            yield f"item {number}", value, text.faults()
        text.end()
        if not number:
            raise InputError("the list is empty", "give at least one entity")
        return
    text.at = len(text.text) - len(text.text.lstrip())
    value = text.value(typed=False)
    faults = text.faults()
    text.end()
    listed = [key for key in LISTS if isinstance(value, dict) and isinstance(value.get(key), list)]
    if faults or not listed:
        yield "", value, faults
        return
    if unread := sorted({*LISTS, *WRAPPERS, "reference", "details"} & value.keys() - {*listed}):
        # Whichever of them were read, the others would be dropped.
        raise InputError(f"{listed[0]} stands beside {unread[0]}", "give each in a file of its own")
    for key in listed:
        for number, item in enumerate(value[key], start=1):
            yield f"{key} {number}", {LISTS[key]: item}, []


def _entity(value: object, source: str, fallback_id: str, party: str | None) -> Entity:
    """Return one entity, wrapped or not, or one that is only asked for."""
    item = _object(value, "")
    if EXTENTS in item:
        request: wire.OperationalIntentRequest | wire.ConstraintRequest
        if item.keys() & _ASKED_OF_INTENTS:
            request = wire.convert(item, wire.OperationalIntentRequest)
        else:
            request = wire.convert(item, wire.ConstraintRequest)
        return requested_entity(request, fallback_id=fallback_id, party=party, source=source)
    if alone := [key for key in REFERENCES if key in item]:
        raise InputError(
            "a reference says when and whose, and not where",
            "give the details too, as the entity's manager answers them",
            field=alone[0],
        )
    wrapped = [key for key in WRAPPERS if key in item]
    if len(wrapped) > 1:
        raise InputError(
            "both an operational intent and a constraint are given", "give each by itself"
        )
    if wrapped:
        if item[wrapped[0]] is None:
            raise InputError(
                "it is null, which means that the entity was deleted",
                "leave it out",
                field=wrapped[0],
            )
        item = _object(item[wrapped[0]], wrapped[0])
    for key in ("reference", "details"):
        if key not in item:
            raise InputError(
                f"`{key}` is missing",
                "give reference and details, as the entity's manager answers them",
            )
    if wrapped == ["constraint"] or not (wrapped or _is_operational_intent(item)):
        return constraint_entity(wire.convert(item, wire.Constraint), source=source)
    return operational_intent_entity(wire.convert(item, wire.OperationalIntent), source=source)


def _is_operational_intent(item: Mapping[str, Any]) -> bool:
    """Return whether a bare entity has what only operational intents have."""
    reference = _object(item["reference"], "reference")
    details = _object(item["details"], "details")
    return bool(
        reference.keys() & {"state", "subscription_id"}
        or details.keys() & {"off_nominal_volumes", "priority"}
    )


def _object(value: object, field: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise InputError(f"{shown(value)} is not an object", "write it as F3548-21 does", field=field)
