"""Handlers of constraint references."""

from __future__ import annotations

from deconflict.register.entity import Kind
from deconflict.standards.f3548 import answers, commands
from deconflict.standards.f3548.identifier import identifier_of
from deconflict.standards.service import Call, Reply, RequestError, Service, Submission


async def query(service: Service, call: Call) -> Reply:
    """Return the references of constraints that meet an area, altitudes and times."""
    view = service.view()
    area = await service.aside(
        call, lambda: commands.area_of_interest(call, view.policy, too_large=400)
    )
    found = view.zones_meeting(area)
    service.answered(call, [zone.id for zone in found])
    return answers.zones(call.caller.party, view, found)


async def get(service: Service, call: Call) -> Reply:
    """Return one reference."""
    identifier = identifier_of(call.path["entityid"], "entityid")
    view = service.view()
    zone = view.entity(identifier)
    if zone is None or zone.kind is not Kind.ZONE:
        raise RequestError(404, f"there is no constraint {identifier}; check its ID")
    if zone.party != call.caller.party:
        service.answered(call, [identifier])
    return answers.one_zone(call.caller.party, view, zone)


async def create(service: Service, call: Call) -> Reply:
    """Create a constraint."""
    view, entropy = service.view(), service.entropy()
    command = await service.aside(call, lambda: commands.put_zone(call, view, entropy))
    answer = answers.zone_changed(call, 201)
    return await service.submit(Submission(command, call, command.id, answer))


async def update(service: Service, call: Call) -> Reply:
    """Change a constraint."""
    view, entropy = service.view(), service.entropy()
    command = await service.aside(call, lambda: commands.put_zone(call, view, entropy))
    answer = answers.zone_changed(call, 200)
    return await service.submit(Submission(command, call, command.id, answer))


async def delete(service: Service, call: Call) -> Reply:
    """Delete a constraint."""
    command = commands.remove_zone(call, service.entropy())
    answer = answers.zone_changed(call, 200)
    return await service.submit(Submission(command, call, command.id, answer))
