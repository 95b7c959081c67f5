"""From F3548-21 wire types to entities.

An operational intent is an operation with all its volumes, the off-nominal ones included. A
constraint is a zone that everyone keeps out of.
"""

from __future__ import annotations

from deconflict.formats.fields import string
from deconflict.formats.names import CONTROL, party_name
from deconflict.formats.numbers import checked_priority
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity, Kind, ZoneRule
from deconflict.standards.f3548 import wire
from deconflict.standards.f3548.identifier import identifier_of
from deconflict.standards.f3548.volumes import check_window, volumes_of

MAX_VERTICES = 10_000
"""Vertices of all polygons of one operational intent (F3548-21, parameter ``MaxVertices``)."""

HOLDS_ITS_UNCERTAINTY = (
    "the uncertainty is 0 m, because an F3548 volume already holds it by the standard's terms"
)


def operational_intent_entity(intent: wire.OperationalIntent, *, source: str = "") -> Entity:
    """Return an operational intent as an operation.

    Every volume, off-nominal ones included and whatever the state, is one volume of the entity:
    the aircraft may be in any of them.

    Parameters
    ----------
    intent
        Reference and details as a service gave them.
    source
        File and place, for messages.

    Raises
    ------
    InputError
        If the standard does not allow it; ``field`` is the path within the object.
    """
    reference, details = intent.reference, intent.details
    identifier = identifier_of(reference.id, "reference.id")
    check_window(reference.time_start, reference.time_end, "reference")
    vertices = sum(
        len(v.volume.outline_polygon.vertices)
        for v in (*details.volumes, *details.off_nominal_volumes)
        if v.volume.outline_polygon is not None
    )
    if vertices > MAX_VERTICES:
        raise InputError(
            f"{vertices} vertices are more than the {MAX_VERTICES} that F3548 allows",
            "give a coarser outline that contains this one",
            field="details",
        )
    volumes = (
        *volumes_of(details.volumes, "details.volumes", times=True, altitudes=True),
        *volumes_of(
            details.off_nominal_volumes, "details.off_nominal_volumes", times=True, altitudes=True
        ),
    )
    if not volumes:
        raise InputError(
            "it has no volume, so where it is can't be known",
            "give its volumes or off_nominal_volumes",
            field="details",
        )
    assumed = [HOLDS_ITS_UNCERTAINTY]
    if details.off_nominal_volumes and reference.state in {"Accepted", "Activated"}:
        assumed.append(
            f"its off-nominal volumes count too, though F3548 has none in state {reference.state}"
        )
    if details.volumes and reference.state == "Contingent":
        assumed.append("its planned volumes count too, though F3548 has none in state Contingent")
    return Entity(
        id=identifier,
        kind=Kind.OPERATION,
        volumes=volumes,
        party=_manager(reference.manager),
        priority=checked_priority(details.priority, "details.priority"),
        assumed=tuple(assumed),
        source=source,
    )


def constraint_entity(constraint: wire.Constraint, *, source: str = "") -> Entity:
    """Return a constraint as a zone that everyone keeps out of.

    Parameters
    ----------
    constraint
        Reference and details as a service gave them.
    source
        File and place, for messages.

    Raises
    ------
    InputError
        If the standard does not allow it; ``field`` is the path within the object.
    """
    reference, details = constraint.reference, constraint.details
    identifier = identifier_of(reference.id, "reference.id")
    check_window(reference.time_start, reference.time_end, "reference")
    volumes = volumes_of(details.volumes, "details.volumes", times=False, altitudes=False)
    assumed = [
        "an F3548 constraint is a zone that everyone keeps out of",
        HOLDS_ITS_UNCERTAINTY,
    ]
    if details.geozone is not None:
        restriction = _line(details.geozone.restriction, "details.geozone.restriction")
        assumed.append(
            f"its restriction {restriction} is read as keep out, because no condition of it can be "
            "checked here"
        )
    if any(v.start is None or v.end is None for v in volumes):
        assumed.append("a volume without a time to begin or end has none")
    if any(v.band.lower is None or v.band.upper is None for v in volumes):
        assumed.append("a volume without a lower or upper altitude is unbounded that way")
    return Entity(
        id=identifier,
        kind=Kind.ZONE,
        volumes=volumes,
        party=_manager(reference.manager),
        name=_line(details.geozone.name, "details.geozone.name")
        if details.geozone is not None
        else "",
        rule=ZoneRule.KEEP_OUT,
        assumed=tuple(assumed),
        source=source,
    )


def requested_entity(
    request: wire.OperationalIntentRequest | wire.ConstraintRequest,
    *,
    fallback_id: str,
    party: str | None,
    source: str = "",
) -> Entity:
    """Return what a client asks of the discovery service, as an operation or a zone.

    Parameters
    ----------
    request
        The body of the request. It states neither identifier nor manager: these stand in its
        address and its token.
    fallback_id, party
        What fills in for them.
    source
        File and place, for messages.

    Raises
    ------
    InputError
        If the standard does not allow it; ``field`` is the path within the object.
    """
    intended = isinstance(request, wire.OperationalIntentRequest)
    assumed = [
        "it is a request, whose extents count as its volumes",
        HOLDS_ITS_UNCERTAINTY,
        "no party stated: taken as a party unlike any other"
        if party is None
        else f"no party stated: taken as {party}, as the user says",
    ]
    if not intended:
        assumed.insert(0, "an F3548 constraint is a zone that everyone keeps out of")
    return Entity(
        id=fallback_id,
        kind=Kind.OPERATION if intended else Kind.ZONE,
        volumes=volumes_of(request.extents, "extents", times=intended, altitudes=intended),
        party=party,
        rule=None if intended else ZoneRule.KEEP_OUT,
        assumed=tuple(assumed),
        source=source,
    )


def _manager(text: str) -> str:
    field = "reference.manager"
    return party_name(string(text, field), field)


def _line(text: str, field: str) -> str:
    """Return a text for people in one line."""
    return " ".join(CONTROL.sub(" ", string(text, field)).split())
