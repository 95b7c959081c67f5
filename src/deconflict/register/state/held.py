"""What the register holds: entities and subscriptions as plain records, ready to be journalled."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from deconflict.register.entity import Kind

Degrees = tuple[float, float]
"""(latitude, longitude), degrees, WGS 84."""


class HeightRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One `deconflict.geo.height.Height`: metres, and the reference's name."""

    m: float
    reference: str = "W84"


class VolumeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One `deconflict.geo.volume.Volume4D`; exactly one of `shell`, `circle` and `route` is given.

    Instants are microseconds since 1970 UTC.
    """

    shell: tuple[Degrees, ...] | None = None
    holes: tuple[tuple[Degrees, ...], ...] = ()
    circle: tuple[float, float, float] | None = None
    """Latitude, longitude, radius in metres."""
    route: tuple[Degrees, ...] | None = None
    width_m: float = 0.0
    times_us: tuple[int, ...] = ()
    lower: HeightRecord | None = None
    upper: HeightRecord | None = None
    ground_m: float | None = None
    start_us: int | None = None
    end_us: int | None = None
    uncertainty_m: float = 0.0
    danger_radius_m: float = 0.0


class State(StrEnum):
    """Where an operation is in its life, in F3548-21's words; a zone is always `ACCEPTED`."""

    ACCEPTED = "Accepted"
    ACTIVATED = "Activated"
    NONCONFORMING = "Nonconforming"
    CONTINGENT = "Contingent"


class Held(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of an entity.

    Attributes
    ----------
    id
        A UUID in lower case with dashes.
    kind
        `Kind.OPERATION` or `Kind.ZONE`; natively registered kinds come with their own interface.
    party
        Who manages it.
    version
        1 for the first, then counting.
    ovn
        Opaque version number; never told to a party that does not manage the entity.
    base_url
        Where the manager answers for details.
    subscription
        Identifier of the subscription that serves an operation, if it has one.
    start_us, end_us
        The earliest beginning and the latest end of all volumes, microseconds since 1970 UTC.
    volumes
        At least one; each judged by itself.
    ovn_suffix
        The last suffix of an OVN that its party requested, of this version or of one before.
    """

    id: str
    kind: Kind
    party: str
    version: int
    ovn: str
    base_url: str
    start_us: int
    end_us: int
    volumes: Annotated[tuple[VolumeRecord, ...], msgspec.Meta(min_length=1)]
    state: State = State.ACCEPTED
    subscription: str | None = None
    ovn_suffix: str | None = None


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A standing wish to be told of changes in a volume.

    Attributes
    ----------
    id
        A UUID in lower case with dashes.
    party
        Whose it is.
    version
        Opaque; another one after each change by its party, the same after a notification.
    index
        How many notifications it has caused.
    base_url
        Where notifications go.
    volumes
        What it covers: one for an explicit subscription, those of the operation for an implicit
        one.
    operations, zones
        Whether changes of operational intents and of constraints count.
    implicit
        Whether it was made with an operation and goes with its last one.
    """

    id: str
    party: str
    version: str
    base_url: str
    start_us: int
    end_us: int
    volumes: Annotated[tuple[VolumeRecord, ...], msgspec.Meta(min_length=1)]
    index: int = 0
    operations: bool = False
    zones: bool = False
    implicit: bool = False


class Readiness(StrEnum):
    """A party's availability, in F3548-21's words."""

    UNKNOWN = "Unknown"
    NORMAL = "Normal"
    DOWN = "Down"


class Availability(msgspec.Struct, frozen=True):
    """A party's availability and the version to name when changing it; empty: never set."""

    party: str
    readiness: Readiness = Readiness.UNKNOWN
    version: str = ""
