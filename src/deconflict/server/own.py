"""Commands of the service itself: nobody asked for them, and nobody is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deconflict.identity.caller import NOBODY
from deconflict.register.command import Command
from deconflict.register.decision import Decision
from deconflict.register.state.view import View
from deconflict.standards.service import Call, Submission, Told

SERVICE_SUBJECT: Final = "(the service)"
"""The subject of entries that are about no entity and no party."""


def own(command: Command, subject: str = SERVICE_SUBJECT) -> Submission:
    """Return the submission of a command of the service itself."""
    return Submission(command, Call(NOBODY, request=""), subject, _tell_nobody)


def _tell_nobody(_decision: Decision, _draft: View) -> Sequence[Told]:
    return ()
