"""Reports: archived under a new identifier."""

from __future__ import annotations

from deconflict.register.command import FileReport
from deconflict.register.decide.unpredictable import new_identifier
from deconflict.register.decision import Decision
from deconflict.register.event import Reported
from deconflict.register.state.view import View


def file_report(_view: View, command: FileReport) -> Decision:
    """Archive a report; its text is what was said."""
    identifier = new_identifier(command)
    return Decision(events=(Reported(identifier),), report=identifier)
