"""Availability: whether a party can be reached, as an arbiter finds it."""

from __future__ import annotations

from deconflict.register.command import SetAvailability
from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decide.unpredictable import new_version
from deconflict.register.decision import Decision, Reason
from deconflict.register.event import AvailabilitySet
from deconflict.register.state.held import Availability
from deconflict.register.state.view import View


def set_availability(view: View, command: SetAvailability) -> Decision:
    """Set the availability of any party, if its present version is named (empty: never set)."""
    if view.availability(command.of).version != command.old_version:
        raise RefusedError(
            Reason.STALE,
            f"the version named is not the current one of the availability of {command.of}",
            "read it again, and repeat the request with the version that it has now",
        )
    availability = Availability(command.of, command.readiness, new_version(command))
    return Decision(events=(AvailabilitySet(availability),), availability=availability)
