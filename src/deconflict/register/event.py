"""Events: what was decided. An entry's decided part is JSON of `Decided`.

Events are only ever added to, never changed in meaning: the journals of all past versions must be
read for ever. A decoder refuses a kind of event that it does not know.
"""

from __future__ import annotations

import msgspec

from deconflict.register.policy import Policy
from deconflict.register.state.held import Availability, Held, Subscription

DECIDED_VERSION = 1


class Put(msgspec.Struct, frozen=True, tag_field="event", tag="put"):
    """An entity was created, or has a new version."""

    entity: Held


class Removed(msgspec.Struct, frozen=True, tag_field="event", tag="removed"):
    """An entity was deleted by its party; what ends is not removed, since its end is known."""

    id: str


class Subscribed(msgspec.Struct, frozen=True, tag_field="event", tag="subscribed"):
    """A subscription was created or changed."""

    subscription: Subscription


class Unsubscribed(msgspec.Struct, frozen=True, tag_field="event", tag="unsubscribed"):
    """A subscription was deleted, or went with its last operation."""

    id: str


class Notified(msgspec.Struct, frozen=True, tag_field="event", tag="notified"):
    """The notification indices of some subscriptions grew by one, to these."""

    indices: dict[str, int]


class AvailabilitySet(msgspec.Struct, frozen=True, tag_field="event", tag="availability_set"):
    """A party's availability was set."""

    availability: Availability


class Refused(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="event", tag="refused"):
    """The command was refused; `missing` are the entities that the caller was shown not to know."""

    reason: str
    sentence: str
    missing: tuple[str, ...] = ()


class Reported(msgspec.Struct, frozen=True, tag_field="event", tag="reported"):
    """A report was archived under this identifier; its text is what was said."""

    id: str


class Read(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answered read: what was asked (SHA-256 of the request, hex), and what was shown."""

    at_us: int
    request: str
    body_hash: str
    shown: tuple[str, ...] = ()


class ReadBatch(msgspec.Struct, frozen=True, tag_field="event", tag="answered"):
    """What one party was shown within a second.

    `bodies` holds each different request body once, by its hash, so that a replay can tell what
    was asked.
    """

    party: str
    reads: tuple[Read, ...]
    bodies: dict[str, str] = {}


class Configured(msgspec.Struct, frozen=True, tag_field="event", tag="configured"):
    """A policy is in force from here on."""

    policy: Policy


class Ticked(msgspec.Struct, frozen=True, tag_field="event", tag="ticked"):
    """Time passed."""


class ClockOverridden(msgspec.Struct, frozen=True, tag_field="event", tag="clock_overridden"):
    """An operator let the service write although its clock was ahead."""

    words: str
    ahead_s: int


class Based(msgspec.Struct, frozen=True, tag_field="event", tag="based"):
    """The other events of this entry state again what older entries said: nothing changes."""

    before: int
    """The position before which entries may be pruned."""


class Continued(msgspec.Struct, frozen=True, tag_field="event", tag="continued"):
    """The log goes on from another one, whose last checkpoint is kept here: a signed note."""

    checkpoint: str


Event = (
    Put
    | Removed
    | Subscribed
    | Unsubscribed
    | Notified
    | AvailabilitySet
    | Refused
    | Reported
    | ReadBatch
    | Configured
    | Ticked
    | ClockOverridden
    | Based
    | Continued
)


class Decided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry's decided part.

    Attributes
    ----------
    party
        Who asked; empty: the service itself.
    command
        The command's name: "PutOperation".
    request
        Method and path of the request, if there was one.
    events
        All that follows from it.
    """

    v: int = DECIDED_VERSION
    party: str = ""
    command: str
    request: str = ""
    events: tuple[Event, ...]


_DECODER = msgspec.json.Decoder(Decided)
_ENCODER = msgspec.json.Encoder()


def encode_decided(decided: Decided) -> bytes:
    """Return the JSON bytes of a decided part."""
    return _ENCODER.encode(decided)


def decode_decided(content: bytes) -> Decided:
    """Return what the bytes of a decided part say.

    Raises
    ------
    msgspec.ValidationError
        If this version does not know a kind of event or a field's value.
    """
    return _DECODER.decode(content)
