"""Operations: created, changed and deleted."""

from __future__ import annotations

from deconflict.register.command import PutOperation, RemoveOperation
from deconflict.register.decide.attachment import abandoned, attach, check_asked
from deconflict.register.decide.current import check_free, current
from deconflict.register.decide.extent import extent_of
from deconflict.register.decide.key import check_key
from deconflict.register.decide.lifecycle import DECONFLICTED, check_transition
from deconflict.register.decide.notices import notices, old_volumes, with_old_volumes
from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decide.unpredictable import new_ovn
from deconflict.register.decision import Decision, Reason
from deconflict.register.entity import Kind
from deconflict.register.event import Event, Put, Removed, Subscribed, Unsubscribed
from deconflict.register.state.held import Held, Readiness
from deconflict.register.state.view import View


def put_operation(view: View, command: PutOperation) -> Decision:
    """Create or change an operation.

    What the request alone tells comes first, then whose the operation is and its OVN, its life,
    whether its party is Down, its subscription, and last the key, which costs most.
    """
    extent = extent_of(view, command.volumes)
    check_asked(command)
    held = _present(view, command)
    check_transition(None if held is None else held.state, command.state)
    if command.state in DECONFLICTED:
        _check_up(view, command.party, f"make an operation {command.state}")
    ovn = _next_ovn(command, held)
    attachment = attach(view, command, extent)
    subscription = attachment.subscription
    met: list[Held] | None = None
    if command.state in DECONFLICTED:
        met = check_key(view, command, zones=subscription is not None and subscription.zones)

    served_by = None if subscription is None else subscription.id
    entity = Held(
        id=command.id,
        kind=Kind.OPERATION,
        party=command.party,
        version=1 if held is None else held.version + 1,
        ovn=ovn,
        base_url=command.base_url,
        start_us=extent.start_us,
        end_us=extent.end_us,
        volumes=extent.records,
        state=command.state,
        subscription=served_by,
        ovn_suffix=command.ovn_suffix or (None if held is None else held.ovn_suffix),
    )
    gone = abandoned(view, held, served_by)
    volumes = command.volumes
    if held is not None:
        volumes = with_old_volumes(volumes, extent, held)
    told = notices(
        view,
        Kind.OPERATION,
        volumes,
        made=subscription if attachment.changed else None,
        gone=gone,
        met=met if volumes is command.volumes else None,
    )
    events: list[Event] = []
    if subscription is not None and attachment.changed:
        events.append(Subscribed(subscription))
    events.append(Put(entity))
    if gone is not None:
        events.append(Unsubscribed(gone))
    return Decision(events=(*events, *told.events), entity=entity, notify=told.subscriptions)


def remove_operation(view: View, command: RemoveOperation) -> Decision:
    """Delete an operation, and its implicit subscription if nothing else depends on it."""
    held = current(view, Kind.OPERATION, command.id, command.party, command.ovn)
    _check_up(view, command.party, "delete an operation")
    gone = abandoned(view, held, None)
    told = notices(view, Kind.OPERATION, old_volumes(held), gone=gone)
    events: list[Event] = [Removed(held.id)]
    if gone is not None:
        events.append(Unsubscribed(gone))
    return Decision(events=(*events, *told.events), entity=held, notify=told.subscriptions)


def _present(view: View, command: PutOperation) -> Held | None:
    if command.ovn is not None:
        return current(view, Kind.OPERATION, command.id, command.party, command.ovn)
    check_free(view, command.id, command.party)
    return None


def _check_up(view: View, party: str, deed: str) -> None:
    """Refuse what a party that is marked as Down may not do."""
    if view.availability(party).readiness is Readiness.DOWN:
        raise RefusedError(
            Reason.DOWN,
            f"{party} is marked as Down, so it can't {deed}",
            "have its availability set to Normal first",
        )


def _next_ovn(command: PutOperation, held: Held | None) -> str:
    """Return the OVN of the new version, which no version before has had.

    Whoever knows the OVN of other volumes must not pass for one who knows these. Suffixes begin
    with their time, so each is later than those requested before it.
    """
    suffix = command.ovn_suffix
    if suffix is None:
        return new_ovn(command)
    last = None if held is None else held.ovn_suffix
    if last is not None and suffix.lower() <= last.lower():
        raise RefusedError(
            Reason.INVALID,
            "the OVN requested is not later than one that was requested for the operation before",
            "make a new suffix for each version, or leave it out",
        )
    return f"{command.id}_{suffix}"
