"""Handlers of operational intent references."""

from __future__ import annotations

from deconflict.register.entity import Kind
from deconflict.standards.f3548 import answers, commands
from deconflict.standards.f3548.identifier import identifier_of
from deconflict.standards.service import Call, Reply, RequestError, Service, Submission


async def query(service: Service, call: Call) -> Reply:
    """Return the references of operational intents that meet an area, altitudes and times."""
    view = service.view()
    area = await service.aside(
        call, lambda: commands.area_of_interest(call, view.policy, too_large=400)
    )
    found = view.operations_meeting(area)
    service.answered(call, [operation.id for operation in found])
    return answers.operations(call.caller.party, view, found)


async def get(service: Service, call: Call) -> Reply:
    """Return one reference."""
    identifier = identifier_of(call.path["entityid"], "entityid")
    view = service.view()
    operation = view.entity(identifier)
    if operation is None or operation.kind is not Kind.OPERATION:
        raise RequestError(404, f"there is no operational intent {identifier}; check its ID")
    if operation.party != call.caller.party:
        service.answered(call, [identifier])
    return answers.one_operation(call.caller.party, view, operation)


async def create(service: Service, call: Call) -> Reply:
    """Create an operational intent."""
    view, entropy = service.view(), service.entropy()
    command = await service.aside(call, lambda: commands.put_operation(call, view, entropy))
    answer = answers.operation_changed(call, 201)
    return await service.submit(Submission(command, call, command.id, answer))


async def update(service: Service, call: Call) -> Reply:
    """Change an operational intent."""
    view, entropy = service.view(), service.entropy()
    command = await service.aside(call, lambda: commands.put_operation(call, view, entropy))
    answer = answers.operation_changed(call, 200)
    return await service.submit(Submission(command, call, command.id, answer))


async def delete(service: Service, call: Call) -> Reply:
    """Delete an operational intent."""
    command = commands.remove_operation(call, service.entropy())
    answer = answers.operation_changed(call, 200)
    return await service.submit(Submission(command, call, command.id, answer))
