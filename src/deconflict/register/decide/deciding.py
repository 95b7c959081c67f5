"""The table of commands: which function decides which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from deconflict.register.command import (
    Base,
    Command,
    Configure,
    Continue,
    FileReport,
    OverrideClock,
    PutOperation,
    PutSubscription,
    PutZone,
    RecordReads,
    RemoveOperation,
    RemoveSubscription,
    RemoveZone,
    SetAvailability,
    Tick,
)
from deconflict.register.decide.availability import set_availability
from deconflict.register.decide.housekeeping import (
    base,
    configure,
    go_on,
    override_clock,
    record_reads,
    tick,
)
from deconflict.register.decide.operations import put_operation, remove_operation
from deconflict.register.decide.refusing import RefusedError, refused
from deconflict.register.decide.reports import file_report
from deconflict.register.decide.subscriptions import put_subscription, remove_subscription
from deconflict.register.decide.zones import put_zone, remove_zone
from deconflict.register.decision import Decision
from deconflict.register.state.view import View

_DECIDERS: Final[Mapping[type[Command], Callable[[View, Any], Decision]]] = MappingProxyType(
    {
        PutOperation: put_operation,
        RemoveOperation: remove_operation,
        PutZone: put_zone,
        RemoveZone: remove_zone,
        PutSubscription: put_subscription,
        RemoveSubscription: remove_subscription,
        SetAvailability: set_availability,
        FileReport: file_report,
        RecordReads: record_reads,
        Configure: configure,
        Tick: tick,
        OverrideClock: override_clock,
        Base: base,
        Continue: go_on,
    }
)


def decide(view: View, command: Command) -> Decision:
    """Return what follows from a command; the view stays as it is.

    Pure: the same view and command give the same decision. Rules: ASTM F3548-21 as its interface
    description states them, and what clients of the existing discovery service rely on.

    Parameters
    ----------
    view
        The register as the command finds it: a draft with the events of its group so far.
    command
        What is asked, its form checked.

    Returns
    -------
    Decision
        With at least one event; a refusal is one too.

    Raises
    ------
    KeyError
        If no function is known for the command, which is a fault of the program.
    """
    try:
        return _DECIDERS[type(command)](view, command)
    except RefusedError as error:
        return refused(error.refusal)
