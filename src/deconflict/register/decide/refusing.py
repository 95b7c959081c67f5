"""Refusing: how a rule ends a decision from wherever it is found broken."""

from __future__ import annotations

from deconflict.register.decision import Decision, Reason, Refusal
from deconflict.register.event import Refused
from deconflict.register.state.held import Held


class RefusedError(Exception):
    """A rule is broken. Never leaves this package: `decide` makes a decision of it.

    Parameters
    ----------
    reason, what, remedy, missing_operations, missing_zones
        As in `deconflict.register.decision.Refusal`.
    """

    def __init__(
        self,
        reason: Reason,
        what: str,
        remedy: str,
        *,
        missing_operations: tuple[Held, ...] = (),
        missing_zones: tuple[Held, ...] = (),
    ) -> None:
        super().__init__(what, remedy)
        self.refusal = Refusal(reason, what, remedy, missing_operations, missing_zones)


def refused(refusal: Refusal) -> Decision:
    """Return the decision that a refusal is: one event, and nothing changed."""
    missing = (*refusal.missing_operations, *refusal.missing_zones)
    event = Refused(
        reason=refusal.reason.value,
        sentence=refusal.sentence,
        missing=tuple(entity.id for entity in missing),
    )
    return Decision(events=(event,), refusal=refusal)
