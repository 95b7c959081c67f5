"""Zones: created, changed and deleted."""

from __future__ import annotations

from deconflict.register.command import PutZone, RemoveZone
from deconflict.register.decide.current import check_free, current
from deconflict.register.decide.extent import extent_of
from deconflict.register.decide.notices import notices, old_volumes, with_old_volumes
from deconflict.register.decide.unpredictable import new_ovn
from deconflict.register.decision import Decision
from deconflict.register.entity import Kind
from deconflict.register.event import Put, Removed
from deconflict.register.state.held import Held
from deconflict.register.state.view import View


def put_zone(view: View, command: PutZone) -> Decision:
    """Create or change a zone; no key, since a zone stands whatever it meets."""
    extent = extent_of(view, command.volumes)
    version, volumes = 1, command.volumes
    if command.ovn is None:
        check_free(view, command.id, command.party)
    else:
        held = current(view, Kind.ZONE, command.id, command.party, command.ovn)
        version = held.version + 1
        volumes = with_old_volumes(volumes, extent, held)
    entity = Held(
        id=command.id,
        kind=Kind.ZONE,
        party=command.party,
        version=version,
        ovn=new_ovn(command),
        base_url=command.base_url,
        start_us=extent.start_us,
        end_us=extent.end_us,
        volumes=extent.records,
    )
    told = notices(view, Kind.ZONE, volumes)
    return Decision(events=(Put(entity), *told.events), entity=entity, notify=told.subscriptions)


def remove_zone(view: View, command: RemoveZone) -> Decision:
    """Delete a zone."""
    held = current(view, Kind.ZONE, command.id, command.party, command.ovn)
    told = notices(view, Kind.ZONE, old_volumes(held))
    return Decision(events=(Removed(held.id), *told.events), entity=held, notify=told.subscriptions)
