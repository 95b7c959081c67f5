"""The key: proof that a party knows all that its operation meets.

Of two parties that plan into one another at the same moment, the second to be decided meets the
first one's operation in the draft, whose OVN it can't know yet: at most one succeeds.
"""

from __future__ import annotations

from deconflict.register.command import PutOperation
from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decision import Reason
from deconflict.register.state.held import Held, Readiness, State
from deconflict.register.state.view import View


def check_key(view: View, command: PutOperation, *, zones: bool) -> list[Held]:
    """Refuse an operation whose key lacks the OVN of something that it meets.

    An Accepted operation of a party marked as Down doesn't count: its manager can't be asked for
    the OVN, and nothing flies yet. The caller's own other operations do count.

    Parameters
    ----------
    view
        The register.
    command
        The operation as it is to be.
    zones
        Whether its subscription asks for zones, by which a party says that it heeds them.

    Returns
    -------
    list of Held
        All operations that the volumes meet.

    Raises
    ------
    RefusedError
        `Reason.KEY`, with all that is missing at once.
    """
    key = command.key
    met = view.operations_meeting(command.volumes)
    operations = tuple(
        held
        for held in met
        if held.ovn not in key and held.id != command.id and not _out_of_reach(view, held)
    )
    constraints: tuple[Held, ...] = ()
    if zones:
        constraints = tuple(
            held for held in view.zones_meeting(command.volumes) if held.ovn not in key
        )
    if operations or constraints:
        raise RefusedError(
            Reason.KEY,
            f"the key lacks the OVN of {_counted(len(operations), len(constraints))} that the "
            "volumes meet",
            "ask the manager of each for its details and its OVN (the identifier of its present "
            "version, which only its manager tells), and repeat the request with these OVNs in "
            "the key if the plans go together",
            missing_operations=operations,
            missing_zones=constraints,
        )
    return met


def _out_of_reach(view: View, held: Held) -> bool:
    if held.state is not State.ACCEPTED:
        return False
    return view.availability(held.party).readiness is Readiness.DOWN


def _counted(operations: int, zones: int) -> str:
    counts = ((operations, "operation"), (zones, "zone"))
    return " and ".join(
        f"{count} {noun}" if count == 1 else f"{count} {noun}s" for count, noun in counts if count
    )
