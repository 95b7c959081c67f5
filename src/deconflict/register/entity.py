"""Entities: what parties register, and what is checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deconflict.geo.position import Position
from deconflict.geo.volume import Volume4D


class Kind(StrEnum):
    """The four kinds of entity."""

    SITE = "site"
    MOVEMENT = "movement"
    OPERATION = "operation"
    ZONE = "zone"


class ZoneRule(StrEnum):
    """What a zone demands of those whom it binds."""

    KEEP_OUT = "keep_out"
    KEEP_IN = "keep_in"
    CORRIDOR = "corridor"
    CEASEFIRE = "ceasefire"
    AREA_OF_OPERATIONS = "area_of_operations"
    """Declared by a party of itself: what it registers lies inside, else a coordinate is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A site, movement, operation or zone.

    Attributes
    ----------
    id
        Unique among the entities of one check.
    kind
        Which of the four it is.
    volumes
        At least one; the entity is their union, each judged by itself.
    party
        Who registered it; ``None``: a party unlike any other.
    name
        For people; may be empty.
    hazardous
        Whether an operation is dangerous to what it meets (it states a danger radius, 0
        included).
    rule, applies_to
        Of a zone: its rule, and the parties or entity ids whom it binds; ``None``: everyone.
    priority
        Of an operation: the greater one goes first.
    positions
        The positions that the footprint was made from, as read; the first is the entity's own
        reference point. Empty where a format gives plain numbers.
    also_at
        Further statements of the same place, in other notations; they must agree with the first
        position.
    own_position
        Where the submitter itself was when it gave this operation, if stated.
    obtained, obtained_at, reach_m
        How the position was obtained (free text; words such as ``interpolated`` are judged),
        when, and how far the entity may since be from it, metres.
    assumed
        Everything that was assumed rather than read, one sentence each.
    source
        File and line or feature, for messages: ``plans.csv, row 7``.
    """

    id: str
    kind: Kind
    volumes: tuple[Volume4D, ...]
    party: str | None = None
    name: str = ""
    hazardous: bool = False
    rule: ZoneRule | None = None
    applies_to: tuple[str, ...] | None = None
    priority: int = 0
    positions: tuple[Position, ...] = ()
    also_at: tuple[Position, ...] = ()
    own_position: Position | None = None
    obtained: str | None = None
    obtained_at: datetime | None = None
    reach_m: float | None = None
    assumed: tuple[str, ...] = ()
    source: str = ""
