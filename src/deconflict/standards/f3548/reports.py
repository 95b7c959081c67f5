"""Handler of reports of communication problems, which are archived as they came."""

from __future__ import annotations

from deconflict.standards.f3548 import answers, commands
from deconflict.standards.service import Call, Reply, Service, Submission


async def make(service: Service, call: Call) -> Reply:
    """Archive a report."""
    entropy = service.entropy()
    command = await service.aside(call, lambda: commands.file_report(call, entropy))
    answer = answers.report_filed(call)
    return await service.submit(Submission(command, call, call.caller.party, answer))
