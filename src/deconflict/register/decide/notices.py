"""Notices: which subscriptions are told of a change, each once, and their indices.

A subscription is told of what meets its own volumes, and of what meets an operation that it
serves: it may cover that one a little less than wholly (`cover`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from deconflict.geo.volume import Volume4D
from deconflict.register.decide.extent import Extent
from deconflict.register.entity import Kind
from deconflict.register.event import Notified
from deconflict.register.state.held import Held, Subscription
from deconflict.register.state.view import View
from deconflict.register.state.volume_record import volume_of


@dataclass(frozen=True, slots=True)
class Notices:
    """Who is told.

    Attributes
    ----------
    subscriptions
        With their new indices, in the order of identifiers.
    events
        The event that says so; empty if nobody is told.
    """

    subscriptions: tuple[Subscription, ...]
    events: tuple[Notified, ...]


def old_volumes(held: Held) -> tuple[Volume4D, ...]:
    """Return the volumes of an entity."""
    return tuple(volume_of(record) for record in held.volumes)


def with_old_volumes(
    volumes: tuple[Volume4D, ...], extent: Extent, held: Held
) -> tuple[Volume4D, ...]:
    """Return the new volumes, and those of the version before that are not among them.

    Where there are none, it is the very same tuple: a view that has just judged it knows it again.
    """
    left = tuple(volume_of(record) for record in held.volumes if record not in extent.records)
    return (*volumes, *left) if left else volumes


def notices(
    view: View,
    kind: Kind,
    volumes: tuple[Volume4D, ...],
    *,
    made: Subscription | None = None,
    gone: str | None = None,
    met: Sequence[Held] | None = None,
) -> Notices:
    """Return the notices of a change.

    Parameters
    ----------
    view
        The register before the change.
    kind
        What changed.
    volumes
        Where it was and where it is now: whoever subscribes to either is told, its own party too.
    made
        A subscription that this decision makes or extends, so that it holds what changed.
    gone
        The identifier of one that this decision deletes.
    met
        The operations that the volumes meet, if that is known already.
    """
    told = {found.id: found for found in view.subscriptions_meeting(volumes) if _wants(found, kind)}
    for held in view.operations_meeting(volumes) if met is None else met:
        if held.subscription is None or held.subscription in told:
            continue
        serving = view.subscription(held.subscription)
        if serving is not None and serving.party == held.party and _wants(serving, kind):
            told[serving.id] = serving
    if made is not None and _wants(made, kind):
        told[made.id] = made
    if gone is not None:
        told.pop(gone, None)
    if not told:
        return Notices((), ())
    raised = tuple(
        msgspec.structs.replace(told[identifier], index=told[identifier].index + 1)
        for identifier in sorted(told)
    )
    return Notices(raised, (Notified({found.id: found.index for found in raised}),))


def _wants(subscription: Subscription, kind: Kind) -> bool:
    return subscription.operations if kind is Kind.OPERATION else subscription.zones
