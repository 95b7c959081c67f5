"""Subscriptions: created, changed and deleted by their parties."""

from __future__ import annotations

from dataclasses import replace

from deconflict.geo.volume import Volume4D
from deconflict.register.command import PutSubscription, RemoveSubscription
from deconflict.register.decide.attachment import serving
from deconflict.register.decide.cover import overhang
from deconflict.register.decide.extent import SECOND_US, at, check_size, told
from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decide.unpredictable import new_version
from deconflict.register.decision import Decision, Reason
from deconflict.register.event import Subscribed, Unsubscribed
from deconflict.register.state.held import Held, Subscription
from deconflict.register.state.view import View
from deconflict.register.state.volume_record import record_of, volume_of
from deconflict.register.words import duration


def put_subscription(view: View, command: PutSubscription) -> Decision:
    """Create or change a subscription, and answer with what it covers.

    An implicit subscription that its party changes stays one, since the standard's word says how
    it came to be, and it still goes with its last operation.
    """
    if not (command.operations or command.zones):
        raise RefusedError(
            Reason.INVALID,
            "the subscription asks to be told of nothing",
            "ask for operational intents, for constraints, or for both",
        )
    check_size((command.volume,), view.policy)
    start_us, end_us = _window(view, command.volume)
    held = _present(view, command)
    volume = replace(command.volume, start=at(start_us), end=at(end_us))
    if held is not None:
        _check_served(view, command, volume)
    subscription = Subscription(
        id=command.id,
        party=command.party,
        version=new_version(command),
        base_url=command.base_url,
        start_us=start_us,
        end_us=end_us,
        volumes=(record_of(volume),),
        index=0 if held is None else held.index,
        operations=command.operations,
        zones=command.zones,
        implicit=held is not None and held.implicit,
    )
    return Decision(
        events=(Subscribed(subscription),),
        subscription=subscription,
        operations=tuple(view.operations_meeting((volume,))) if command.operations else (),
        zones=tuple(view.zones_meeting((volume,))) if command.zones else (),
    )


def remove_subscription(view: View, command: RemoveSubscription) -> Decision:
    """Delete a subscription that no operation depends on."""
    held = _current(view, command.id, command.party, command.version)
    dependents = serving(view, held.id)
    if dependents:
        raise RefusedError(
            Reason.IN_USE,
            f"{_operations(dependents)} on the subscription {held.id}",
            "delete them or attach them to another subscription first",
        )
    return Decision(events=(Unsubscribed(held.id),), subscription=held)


def _window(view: View, volume: Volume4D) -> tuple[int, int]:
    """Return start and end, filled in where they aren't given, microseconds since 1970 UTC."""
    policy, now_us = view.policy, view.now_us
    longest_us = policy.subscription_longest_s * SECOND_US
    asked = record_of(volume)
    start_us = now_us if asked.start_us is None else asked.start_us
    end_us = start_us + longest_us if asked.end_us is None else asked.end_us
    if start_us < now_us - policy.subscription_start_late_s * SECOND_US:
        raise RefusedError(
            Reason.INVALID,
            f"the subscription starts at {told(start_us)}, more than "
            f"{duration(policy.subscription_start_late_s)} before now, {told(now_us)}",
            "leave the start out, or give a later one",
        )
    if end_us < now_us:
        raise RefusedError(
            Reason.INVALID,
            f"the subscription ended at {told(end_us)}, and now it is {told(now_us)}",
            "give an end that is still to come, or leave it out",
        )
    if end_us < start_us:
        raise RefusedError(
            Reason.INVALID,
            f"the subscription ends at {told(end_us)}, before it starts at {told(start_us)}",
            "give an end after the start, or leave it out",
        )
    if end_us - start_us > longest_us:
        raise RefusedError(
            Reason.INVALID,
            f"the subscription lasts longer than {duration(policy.subscription_longest_s)}",
            "give an earlier end, and renew it before then",
        )
    return start_us, end_us


def _present(view: View, command: PutSubscription) -> Subscription | None:
    if command.version is not None:
        return _current(view, command.id, command.party, command.version)
    held = view.subscription(command.id)
    if held is None:
        return None
    if held.party != command.party:
        raise RefusedError(
            Reason.NOT_YOURS,
            f"the identifier {command.id} is in use by another party",
            "create yours under a new identifier",
        )
    raise RefusedError(
        Reason.EXISTS,
        f"you have the subscription {command.id} already",
        "name its version to change it, or create another under a new identifier",
    )


def _current(view: View, identifier: str, party: str, version: str) -> Subscription:
    """Return the subscription that a party wants to change or delete."""
    held = view.subscription(identifier)
    if held is None:
        raise RefusedError(
            Reason.ABSENT,
            f"there is no subscription {identifier}",
            "check the identifier; it may have ended, or been deleted",
        )
    if held.party != party:
        raise RefusedError(
            Reason.NOT_YOURS,
            f"the subscription {identifier} belongs to another party",
            "only that party can change or delete it",
        )
    if held.version != version:
        raise RefusedError(
            Reason.STALE,
            f"the version named is not the current one of the subscription {identifier}",
            "read it again, and repeat the request with the version that it has now",
        )
    return held


def _check_served(view: View, command: PutSubscription, volume: Volume4D) -> None:
    """Refuse a change by which an operation would no longer be served."""
    dependents = serving(view, command.id)
    if not dependents:
        return
    if not command.operations:
        raise RefusedError(
            Reason.SUBSCRIPTION,
            f"{_operations(dependents)} on the subscription {command.id}, so it has to ask for "
            "operational intents",
            "keep asking for them, or attach the operations to another subscription first",
        )
    for held in dependents:
        out = overhang((volume_of(record) for record in held.volumes), (volume,), view.now_us)
        if out is not None:
            raise RefusedError(
                Reason.SUBSCRIPTION,
                f"the operation {held.id} would stick out of the subscription {command.id} {out}",
                "cover it too, or attach it to another subscription first",
            )


def _operations(dependents: list[Held]) -> str:
    """Return "1 operation (...) depends", naming no more than the first."""
    if len(dependents) == 1:
        return f"1 operation ({dependents[0].id}) depends"
    return f"{len(dependents)} operations ({dependents[0].id} and others) depend"
