"""Commands: what a party asks of the register, decoded and checked for form.

Whatever must be unpredictable comes with the command (`Command.entropy`), so that deciding is
pure. An instant within a command is microseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deconflict.geo.volume import Volume4D
from deconflict.register.event import ReadBatch
from deconflict.register.policy import Policy
from deconflict.register.state.held import Readiness, State

ENTROPY_BYTES = 64
"""Unpredictable bytes of every command: 32 for salts, 16 for an OVN, 16 for an identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command has.

    Attributes
    ----------
    party
        Who asks; empty: the service itself.
    entropy
        `ENTROPY_BYTES` unpredictable bytes.
    """

    party: str
    entropy: bytes


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """What an implicit subscription is made with."""

    base_url: str
    zones: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOperation(Command):
    """Create an operation (`ovn` is ``None``) or change it.

    Attributes
    ----------
    key
        The OVNs that the caller knows.
    ovn_suffix
        A requested suffix of the new OVN, checked already.
    """

    id: str
    ovn: str | None
    volumes: tuple[Volume4D, ...]
    state: State
    base_url: str
    key: frozenset[str] = frozenset()
    subscription: str | None = None
    new_subscription: NewSubscription | None = None
    ovn_suffix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveOperation(Command):
    """Delete an operation."""

    id: str
    ovn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutZone(Command):
    """Create a zone (`ovn` is ``None``) or change it."""

    id: str
    ovn: str | None
    volumes: tuple[Volume4D, ...]
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveZone(Command):
    """Delete a zone."""

    id: str
    ovn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutSubscription(Command):
    """Create a subscription (`version` is ``None``) or change it.

    Attributes
    ----------
    volume
        Without a start it begins when it is decided; without an end it lasts as long as it may.
    """

    id: str
    version: str | None
    volume: Volume4D
    base_url: str
    operations: bool
    zones: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSubscription(Command):
    """Delete a subscription."""

    id: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAvailability(Command):
    """Set the availability of a party."""

    of: str
    old_version: str
    readiness: Readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport(Command):
    """Archive a report; its text is what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReads(Command):
    """Journal what a party was shown within a second."""

    batch: ReadBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure(Command):
    """Put another policy in force."""

    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Command):
    """Let time pass, so that what is due expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideClock(Command):
    """Let the service write although its clock is ahead of the journal.

    Attributes
    ----------
    words
        Who does so and why.
    ahead_s
        By how many seconds the clock was ahead.
    """

    words: str
    ahead_s: int


class Basis(StrEnum):
    """What a `Base` states again."""

    POLICY = "policy"
    AVAILABILITY = "availability"
    ENTITY = "entity"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base(Command):
    """State again what is held, so that older entries about it may be pruned.

    Attributes
    ----------
    before
        The position before which entries may then be pruned.
    basis
        What is stated.
    of
        Identifier of the entity or subscription, name of the party; empty for the policy.
    """

    before: int
    basis: Basis
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue(Command):
    """Begin a log that goes on from another one.

    Attributes
    ----------
    checkpoint
        The other's last checkpoint: a signed note.
    """

    checkpoint: str
