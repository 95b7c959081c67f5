"""Housekeeping: reads answered, policies put in force, time that passes, clocks overridden."""

from __future__ import annotations

from deconflict.register.command import (
    Base,
    Basis,
    Configure,
    Continue,
    OverrideClock,
    RecordReads,
    Tick,
)
from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decision import Decision, Reason
from deconflict.register.event import (
    AvailabilitySet,
    Based,
    ClockOverridden,
    Configured,
    Continued,
    Event,
    Put,
    Subscribed,
    Ticked,
)
from deconflict.register.policy import ABOUT_POLICY, unfit
from deconflict.register.state.view import View


def record_reads(_view: View, command: RecordReads) -> Decision:
    """Journal what a party was shown; it has been answered already, so nothing can refuse it."""
    return Decision(events=(command.batch,))


def configure(view: View, command: Configure) -> Decision:
    """Put another policy in force."""
    if command.policy == view.policy:
        raise RefusedError(
            Reason.INVALID,
            "this policy is in force already",
            "change what is to be different",
        )
    name = unfit(view.policy, command.policy)
    if name is not None:
        about = ABOUT_POLICY[name]
        raise RefusedError(
            Reason.INVALID,
            f"{name} can't be {getattr(command.policy, name):,}",
            f"give {about.least:,} to {about.most:,}{f' {about.unit}' if about.unit else ''}",
        )
    return Decision(events=(Configured(command.policy),))


def tick(_view: View, _command: Tick) -> Decision:
    """Let time pass."""
    return Decision(events=(Ticked(),))


def override_clock(_view: View, command: OverrideClock) -> Decision:
    """Journal that an operator trusts the clock, and the words for it."""
    if not command.words.strip():
        raise RefusedError(
            Reason.INVALID,
            "the clock was overridden without a word",
            "say who does so and why",
        )
    return Decision(events=(ClockOverridden(command.words, command.ahead_s),))


def base(view: View, command: Base) -> Decision:
    """State again what is held now; what has gone meanwhile needs no base."""
    return Decision(events=(Based(command.before), *_stated(view, command)))


def _stated(view: View, command: Base) -> tuple[Event, ...]:
    if command.basis is Basis.POLICY:
        return (Configured(view.policy),)
    if command.basis is Basis.AVAILABILITY:
        return (AvailabilitySet(view.availability(command.of)),)
    if command.basis is Basis.ENTITY:
        entity = view.entity(command.of)
        return () if entity is None else (Put(entity),)
    subscription = view.subscription(command.of)
    return () if subscription is None else (Subscribed(subscription),)


def go_on(_view: View, command: Continue) -> Decision:
    """Journal from which log this one goes on."""
    return Decision(events=(Continued(command.checkpoint),))
