"""The attachment of an operation to the subscription that serves it.

An operation names a subscription of its party's (explicit, or implicit and then extended where it
has to be), has an implicit one made, or, while it is Accepted, goes without. An implicit
subscription goes when the last operation that depends on it has left it or has been deleted.
What has ended depends on nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from deconflict.register.command import PutOperation
from deconflict.register.decide.cover import overhang
from deconflict.register.decide.extent import Extent
from deconflict.register.decide.lifecycle import UNSUBSCRIBED
from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decide.unpredictable import new_identifier, new_version
from deconflict.register.decision import Reason
from deconflict.register.state.held import Held, Subscription, VolumeRecord
from deconflict.register.state.view import View
from deconflict.register.state.volume_record import volume_of

NULL_SUBSCRIPTION: Final = "00000000-0000-4000-8000-000000000000"
"""What clients of the existing service name where they mean no subscription."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """How an operation is served.

    Attributes
    ----------
    subscription
        The subscription as it will be; ``None``: none.
    changed
        Whether it is made or extended by this decision.
    """

    subscription: Subscription | None = None
    changed: bool = False


def check_asked(command: PutOperation) -> None:
    """Refuse a request that asks for two subscriptions, or for none where one is needed."""
    named = named_subscription(command)
    if named is not None and command.new_subscription is not None:
        raise RefusedError(
            Reason.INVALID,
            "both an existing and a new subscription are asked for",
            "name the existing one, or ask for a new one",
        )
    if command.state in UNSUBSCRIBED or named is not None or command.new_subscription is not None:
        return
    raise RefusedError(
        Reason.INVALID,
        f"an operation that is {command.state} needs a subscription",
        "name one of yours, or ask for a new one",
    )


def named_subscription(command: PutOperation) -> str | None:
    """Return the subscription that a command names, if it names one."""
    return None if command.subscription == NULL_SUBSCRIPTION else command.subscription


def attach(view: View, command: PutOperation, extent: Extent) -> Attachment:
    """Return the subscription of an operation as it will be.

    Raises
    ------
    RefusedError
        If the subscription named can't serve the operation.
    """
    if command.new_subscription is not None:
        made = Subscription(
            id=new_identifier(command),
            party=command.party,
            version=new_version(command),
            base_url=command.new_subscription.base_url,
            start_us=extent.start_us,
            end_us=extent.end_us,
            volumes=extent.records,
            operations=True,
            zones=command.new_subscription.zones,
            implicit=True,
        )
        return Attachment(made, changed=True)
    identifier = named_subscription(command)
    if identifier is None:
        return Attachment()
    named = view.subscription(identifier)
    if named is None or named.party != command.party:
        # One sentence for both, so that nobody learns of another party's subscription.
        raise RefusedError(
            Reason.SUBSCRIPTION,
            f"you have no subscription {identifier}",
            "name one of yours that has not ended, or ask for a new one",
        )
    if not named.operations:
        raise RefusedError(
            Reason.SUBSCRIPTION,
            f"the subscription {identifier} does not ask to be told of operations",
            "change it so that it does, or name another",
        )
    covers = tuple(volume_of(record) for record in named.volumes)
    out = overhang(command.volumes, covers, view.now_us)
    if out is None:
        return Attachment(named)
    if named.implicit:
        return Attachment(_extended(view, command, named, extent), changed=True)
    raise RefusedError(
        Reason.SUBSCRIPTION,
        f"the operation sticks out of the subscription {identifier} {out}",
        "extend the subscription first, or ask for a new one",
    )


def _extended(
    view: View, command: PutOperation, subscription: Subscription, extent: Extent
) -> Subscription:
    """Return an implicit subscription that holds the operation and all others that it serves."""
    others = serving(view, subscription.id, besides=command.id)
    records: dict[VolumeRecord, None] = dict.fromkeys(extent.records)
    for held in others:
        records.update(dict.fromkeys(held.volumes))
    return msgspec.structs.replace(
        subscription,
        version=new_version(command),
        start_us=min([extent.start_us, *(held.start_us for held in others)]),
        end_us=max([extent.end_us, *(held.end_us for held in others)]),
        volumes=tuple(records),
    )


def abandoned(view: View, held: Held | None, next_subscription: str | None) -> str | None:
    """Return the implicit subscription that goes because an operation leaves it.

    Parameters
    ----------
    view
        The register before the change.
    held
        The operation as it was; ``None``: it is new.
    next_subscription
        What it is attached to from here on; ``None``: nothing, or it is deleted.
    """
    if held is None or held.subscription is None or held.subscription == next_subscription:
        return None
    left = view.subscription(held.subscription)
    # After its end an operation may name one whose identifier another party has used again.
    if left is None or not left.implicit or left.party != held.party:
        return None
    return None if serving(view, left.id, besides=held.id) else left.id


def serving(view: View, subscription: str, *, besides: str | None = None) -> list[Held]:
    """Return the operations that a subscription serves and that have not ended.

    Parameters
    ----------
    view
        The register.
    subscription
        Its identifier.
    besides
        An operation that is left out.
    """
    found = []
    for identifier in view.dependents(subscription):
        held = view.entity(identifier)
        if held is not None and held.end_us >= view.now_us and identifier != besides:
            found.append(held)
    return found
