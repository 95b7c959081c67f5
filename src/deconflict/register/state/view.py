"""The view: what a decision and a reader may ask of the register, or of a draft of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from deconflict.geo.volume import Volume4D
from deconflict.register.policy import Policy
from deconflict.register.state.held import Availability, Held, Subscription

CLOCK_SLACK_US: Final = 5_000_000
"""How far the clock of the node that decides may be ahead of the right time: what F3548-21 lets
clocks differ, and what the clock guard lets one leap. So nothing is left unprotected."""


class View(Protocol):
    """A consistent state of the register at one instant.

    A subscription that ended before the view's `now_us` meets nothing, and neither does an entity
    that ended more than `CLOCK_SLACK_US` before it: who decides may have a clock that is so much
    fast. Answers come in the order of identifiers, each once.
    """

    @property
    def now_us(self) -> int:
        """The instant that the view is of, microseconds since 1970 UTC."""
        ...

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        ...

    def entity(self, identifier: str) -> Held | None:
        """Return an entity; one that ended at most `Policy.kept_after_end_s` ago is still there."""
        ...

    def subscription(self, identifier: str) -> Subscription | None:
        """Return a subscription that has not ended."""
        ...

    def dependents(self, subscription: str) -> tuple[str, ...]:
        """Return the operations that a subscription serves, sorted."""
        ...

    def availability(self, party: str) -> Availability:
        """Return a party's availability; unknown with an empty version if never set."""
        ...

    def operations_meeting(self, volumes: Sequence[Volume4D]) -> list[Held]:
        """Return the operations of which a volume meets one of these, exactly."""
        ...

    def zones_meeting(self, volumes: Sequence[Volume4D]) -> list[Held]:
        """Return the zones of which a volume meets one of these, exactly."""
        ...

    def subscriptions_meeting(self, volumes: Sequence[Volume4D]) -> list[Subscription]:
        """Return the subscriptions of which a volume meets one of these, exactly."""
        ...
