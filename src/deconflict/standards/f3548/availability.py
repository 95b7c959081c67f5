"""Handlers of parties' availability."""

from __future__ import annotations

from deconflict.standards.f3548 import answers, commands
from deconflict.standards.service import Call, Reply, Service, Submission


async def get(service: Service, call: Call) -> Reply:
    """Return a party's availability; unknown if it was never set."""
    party = commands.party_named(call)
    if party != call.caller.party:
        service.answered(call, ())
    return answers.availability(service.view().availability(party))


async def put(service: Service, call: Call) -> Reply:
    """Set a party's availability."""
    command = commands.set_availability(call, service.entropy())
    answer = answers.availability_set(call)
    return await service.submit(Submission(command, call, command.of, answer))
