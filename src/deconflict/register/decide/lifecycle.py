"""The life of an operation: one table of the states that may follow one another.

Theory of operation. An operational intent has four states that a party can ask for; the fifth,
Ended, is the operation's absence: it was deleted, or its last volume's end is past. What may
follow what rests on these sentences of ASTM F3548-21's interface description
(``OperationalIntentState`` and ``UssAvailabilityState``):

- "'Accepted': Operational intent is created and shared, but not yet in use". So a new operation
  begins as Accepted and as nothing else.
- "'Contingent': UA is considered unrecoverably unable to conform with its coordinate operational
  intent [...] This state must transition to Ended." So from Contingent only Contingent (with
  other volumes, "adjusted as flown") and deletion remain.
- "'Nonconforming': UA is temporarily outside its volumes, but the situation is expected to be
  recoverable". So it leads back to Accepted and Activated as well as on to Contingent.
- Of Accepted and Activated nothing is forbidden, and what the standard does not forbid isn't
  refused: an operation that is refused its true state is one that others aren't told of.

Two properties of a state decide what else is asked of a command:

- "The create or update request for this operational intent reference must include a Key
  containing all OVNs for all relevant Entities" stands at Accepted and Activated; at the other
  two the request "may omit a Key in this case because the operational intent is being adjusted
  as flown and cannot necessarily deconflict". The same two states are those that a party marked
  as Down may not bring an operation into.
- "If this field is not provided when the operational intent is in the Activated, Nonconforming,
  or Contingent state, then the `new_subscription` field must be provided". So only Accepted does
  without a subscription.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decision import Reason
from deconflict.register.state.held import State

FOLLOWING: Final[Mapping[State | None, frozenset[State]]] = MappingProxyType(
    {
        None: frozenset({State.ACCEPTED}),
        State.ACCEPTED: frozenset(State),
        State.ACTIVATED: frozenset(State),
        State.NONCONFORMING: frozenset(State),
        State.CONTINGENT: frozenset({State.CONTINGENT}),
    }
)
"""The states that may follow each state; ``None``: before the operation is created."""

DECONFLICTED: Final = frozenset({State.ACCEPTED, State.ACTIVATED})
"""The states that need a complete key, and that a party marked as Down may not ask for."""

UNSUBSCRIBED: Final = frozenset({State.ACCEPTED})
"""The states that do without a subscription."""


def check_transition(present: State | None, asked: State) -> None:
    """Refuse a state that may not follow the present one (``None``: not created yet)."""
    if asked in FOLLOWING[present]:
        return
    if present is None:
        raise RefusedError(
            Reason.INVALID,
            f"a new operation can't begin as {asked}",
            f"create it as {State.ACCEPTED} and change its state then",
        )
    raise RefusedError(
        Reason.INVALID,
        f"an operation that is {present} can't become {asked}",
        "leave it as it is until it is over, then delete it",
    )
