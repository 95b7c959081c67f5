"""From requests to commands: what can be judged without the register is judged here.

What a state, a flag or a volume demands of the request itself ends in a refusal here, and is
counted; whatever depends on the register or the time goes to `decide`, and is journalled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from deconflict.formats.instant import read_instant
from deconflict.formats.names import CONTROL
from deconflict.geo.errors import InputError
from deconflict.geo.figure.area import ring_exceeds
from deconflict.geo.volume import Polygon, Volume4D
from deconflict.register import command
from deconflict.register.policy import Policy
from deconflict.register.state.held import State
from deconflict.register.state.view import View
from deconflict.standards.f3548 import wire, wire_requests
from deconflict.standards.f3548.base_url import checked_base_url
from deconflict.standards.f3548.identifier import (
    NULL_SUBSCRIPTION,
    checked_ovn_suffix,
    identifier_of,
)
from deconflict.standards.f3548.requests import decoded
from deconflict.standards.f3548.scopes import Scope
from deconflict.standards.f3548.volumes import volume_of
from deconflict.standards.service import Call, RequestError

LONGEST_NAME_BYTES: Final = 200
"""Bytes of a party's name in a path; a journal entry's subject is no longer."""

_OPERATIONAL_INTENT = msgspec.json.Decoder(wire_requests.PutOperationalIntent)
_CONSTRAINT = msgspec.json.Decoder(wire_requests.PutConstraint)
_SUBSCRIPTION = msgspec.json.Decoder(wire_requests.PutSubscription)
_AVAILABILITY = msgspec.json.Decoder(wire_requests.SetAvailability)
_REPORT = msgspec.json.Decoder(wire_requests.ErrorReport)
_QUERY = msgspec.json.Decoder(wire_requests.Query)

_Volumes = tuple[Volume4D, ...]
_OFF_NOMINAL = frozenset({State.NONCONFORMING, State.CONTINGENT})


def put_operation(call: Call, view: View, entropy: bytes) -> command.PutOperation:
    """Return the command to create or change an operational intent.

    Raises
    ------
    InputError
        If the standard does not allow the request.
    RequestError
        403, if the token does not allow what is asked.
    """
    identifier = identifier_of(call.path["entityid"], "entityid")
    ovn = _version(call, "ovn")
    body = decoded(_OPERATIONAL_INTENT, call.body)
    policy = view.policy
    if body.state in _OFF_NOMINAL:
        _need(call, Scope.CONFORMANCE_MONITORING, f"the state {body.state}")
    if ovn is None and body.state is not State.ACCEPTED:
        raise InputError(
            f"a new operational intent can't be {body.state}",
            "create it as Accepted, and change it then",
            field="state",
        )
    subscription = _subscription_named(body.subscription_id)
    new_subscription = None
    if body.new_subscription is not None:
        if subscription is not None:
            raise InputError(
                "both subscription_id and new_subscription are given", "keep the one meant"
            )
        zones = bool(body.new_subscription.notify_for_constraints)
        if zones:
            _need(call, Scope.CONSTRAINT_PROCESSING, "new_subscription.notify_for_constraints")
        new_subscription = command.NewSubscription(
            base_url=checked_base_url(
                body.new_subscription.uss_base_url,
                "new_subscription.uss_base_url",
                plain_http=policy.plain_http,
            ),
            zones=zones,
        )
    elif subscription is None and body.state is not State.ACCEPTED:
        raise InputError(
            f"an operational intent that is {body.state} needs a subscription",
            "give subscription_id or new_subscription",
        )
    suffix = body.requested_ovn_suffix
    if suffix is not None:
        suffix = checked_ovn_suffix(suffix, view.now_us, policy.ovn_suffix_skew_s)
    return command.PutOperation(
        party=call.caller.party,
        entropy=entropy,
        id=identifier,
        ovn=ovn,
        volumes=_extents(body.extents, policy, altitudes=True),
        state=body.state,
        base_url=checked_base_url(body.uss_base_url, "uss_base_url", plain_http=policy.plain_http),
        key=frozenset(body.key) if body.key else frozenset(),
        subscription=subscription,
        new_subscription=new_subscription,
        ovn_suffix=suffix,
    )


def remove_operation(call: Call, entropy: bytes) -> command.RemoveOperation:
    """Return the command to delete an operational intent.

    Raises
    ------
    InputError
        If the identifier or the OVN is none.
    """
    return command.RemoveOperation(
        party=call.caller.party,
        entropy=entropy,
        id=identifier_of(call.path["entityid"], "entityid"),
        ovn=_version(call, "ovn") or "",
    )


def put_zone(call: Call, view: View, entropy: bytes) -> command.PutZone:
    """Return the command to create or change a constraint.

    Raises
    ------
    InputError
        If the standard does not allow the request.
    """
    identifier = identifier_of(call.path["entityid"], "entityid")
    ovn = _version(call, "ovn")
    body = decoded(_CONSTRAINT, call.body)
    policy = view.policy
    return command.PutZone(
        party=call.caller.party,
        entropy=entropy,
        id=identifier,
        ovn=ovn,
        volumes=_extents(body.extents, policy, altitudes=False),
        base_url=checked_base_url(body.uss_base_url, "uss_base_url", plain_http=policy.plain_http),
    )


def remove_zone(call: Call, entropy: bytes) -> command.RemoveZone:
    """Return the command to delete a constraint.

    Raises
    ------
    InputError
        If the identifier or the OVN is none.
    """
    return command.RemoveZone(
        party=call.caller.party,
        entropy=entropy,
        id=identifier_of(call.path["entityid"], "entityid"),
        ovn=_version(call, "ovn") or "",
    )


def put_subscription(call: Call, view: View, entropy: bytes) -> command.PutSubscription:
    """Return the command to create or change a subscription.

    Raises
    ------
    InputError
        If the standard does not allow the request.
    RequestError
        403, if the token does not allow the notifications asked for.
    """
    identifier = identifier_of(call.path["subscriptionid"], "subscriptionid")
    if identifier == NULL_SUBSCRIPTION:
        raise InputError(
            f"{identifier} stands for no subscription",
            "choose another identifier",
            field="subscriptionid",
        )
    version = _version(call, "version")
    body = decoded(_SUBSCRIPTION, call.body)
    operations = bool(body.notify_for_operational_intents)
    zones = bool(body.notify_for_constraints)
    if operations:
        _need(call, Scope.STRATEGIC_COORDINATION, "notify_for_operational_intents")
    if zones:
        _need(call, Scope.CONSTRAINT_PROCESSING, "notify_for_constraints")
    if not (operations or zones):
        raise InputError(
            "the subscription asks for no notifications",
            "set notify_for_operational_intents or notify_for_constraints to true",
        )
    policy = view.policy
    (volume,) = _volumes((body.extents,), ("extents",), policy, times=False, altitudes=False)
    return command.PutSubscription(
        party=call.caller.party,
        entropy=entropy,
        id=identifier,
        version=version,
        volume=volume,
        base_url=checked_base_url(body.uss_base_url, "uss_base_url", plain_http=policy.plain_http),
        operations=operations,
        zones=zones,
    )


def remove_subscription(call: Call, entropy: bytes) -> command.RemoveSubscription:
    """Return the command to delete a subscription.

    Raises
    ------
    InputError
        If the identifier or the version is none.
    """
    return command.RemoveSubscription(
        party=call.caller.party,
        entropy=entropy,
        id=identifier_of(call.path["subscriptionid"], "subscriptionid"),
        version=_version(call, "version") or "",
    )


def set_availability(call: Call, entropy: bytes) -> command.SetAvailability:
    """Return the command to set a party's availability.

    Raises
    ------
    InputError
        If the standard does not allow the request.
    """
    of = party_named(call)
    body = decoded(_AVAILABILITY, call.body)
    return command.SetAvailability(
        party=call.caller.party,
        entropy=entropy,
        of=of,
        old_version=body.old_version or "",
        readiness=body.availability,
    )


def file_report(call: Call, entropy: bytes) -> command.FileReport:
    """Return the command to archive a report.

    Raises
    ------
    InputError
        If the standard does not allow the request.
    """
    report = decoded(_REPORT, call.body)
    for name in ("request_time", "response_time"):
        time: wire.Time | None = getattr(report.exchange, name)
        if time is not None:
            read_instant(time.value, "floor", field=f"exchange.{name}.value")
    if report.report_id is not None:
        raise InputError(
            "the report has a report_id, which only the service that archives it gives",
            "leave it out",
            field="report_id",
        )
    return command.FileReport(party=call.caller.party, entropy=entropy)


def area_of_interest(call: Call, policy: Policy, *, too_large: int) -> _Volumes:
    """Return the volume that a query asks about.

    Parameters
    ----------
    call
        The call.
    policy
        The policy in force.
    too_large
        The status of a refusal of an area that is too large.

    Raises
    ------
    InputError
        If the standard does not allow the request.
    RequestError
        If the area is too large.
    """
    body = decoded(_QUERY, call.body)
    return _volumes(
        (body.area_of_interest,),
        ("area_of_interest",),
        policy,
        times=False,
        altitudes=False,
        too_large=too_large,
    )


def party_named(call: Call) -> str:
    """Return the party that a path names.

    Raises
    ------
    InputError
        If it can be no token's subject.
    """
    party = call.path["uss_id"]
    try:
        fits = 0 < len(party.encode()) <= LONGEST_NAME_BYTES
    except UnicodeEncodeError:
        fits = False
    if not fits or CONTROL.search(party):
        raise InputError(
            "the path names no party",
            f"give the subject of its tokens, at most {LONGEST_NAME_BYTES} bytes",
            field="uss_id",
        )
    return party


def _need(call: Call, scope: Scope, what: str) -> None:
    if scope not in call.caller.scopes:
        raise RequestError(
            403, f"{what} needs the scope {scope}, which the token lacks; ask for a token with it"
        )


def _version(call: Call, name: str) -> str | None:
    """Return the OVN or version in a path; ``None`` where the path has none."""
    text = call.path.get(name)
    if text is not None and not 0 < len(text) <= wire_requests.LONGEST_OVN:
        raise InputError(
            f"an {name} of {len(text):,} characters",
            f"give 1 to {wire_requests.LONGEST_OVN}",
            field=name,
        )
    return text


def _subscription_named(text: str | None) -> str | None:
    """Return a named subscription; what stands for none in our answers stands for none here."""
    if not text:
        return None
    identifier = identifier_of(text, "subscription_id")
    return None if identifier == NULL_SUBSCRIPTION else identifier


def _volumes(
    items: Sequence[wire.Volume4D],
    places: Sequence[str],
    policy: Policy,
    *,
    times: bool,
    altitudes: bool,
    too_large: int = 400,
) -> _Volumes:
    """Return a request's volumes, which have to be no more and no larger than the policy allows."""
    vertices = 0
    for item, place in zip(items, places, strict=True):
        if item.volume.outline_polygon is not None:
            vertices += len(item.volume.outline_polygon.vertices)
        for time in (item.time_start, item.time_end):
            if time is not None and time.value[-1:] != "Z":
                raise InputError(
                    "a time is not in UTC as F3548-21 writes it",
                    "write it with Z at its end: 2026-11-22T08:40:00Z",
                    field=place,
                )
    if vertices > policy.most_vertices:
        raise InputError(
            f"{vertices:,} vertices are more than the {policy.most_vertices:,} allowed",
            "give a coarser outline that contains this one",
        )
    volumes = tuple(
        volume_of(item, place, times=times, altitudes=altitudes)
        for item, place in zip(items, places, strict=True)
    )
    limit_m2 = policy.largest_area_km2 * 1e6
    for volume, place in zip(volumes, places, strict=True):
        footprint = volume.footprint
        if isinstance(footprint, Polygon) and ring_exceeds(footprint.shell, limit_m2):
            raise RequestError(
                too_large,
                f"{place}: the polygon is larger than the {policy.largest_area_km2:,g} km² "
                "allowed; cut it into smaller ones",
            )
    return volumes


def _extents(items: Sequence[wire.Volume4D], policy: Policy, *, altitudes: bool) -> _Volumes:
    """Return the volumes of an entity, which all need their times."""
    if len(items) > policy.most_volumes:
        raise InputError(
            f"{len(items):,} volumes are more than the {policy.most_volumes:,} allowed",
            "give fewer that contain these",
            field="extents",
        )
    places = [f"extents[{number}]" for number in range(len(items))]
    return _volumes(items, places, policy, times=True, altitudes=altitudes)
