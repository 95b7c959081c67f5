"""What a check answers: the verdict, and every conflict and doubt explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deconflict.geo.position import LatLon
from deconflict.register.entity import Entity


class Verdict(StrEnum):
    """The answer to a check; *clear* is information, never permission."""

    CLEAR = "clear"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


class Check(StrEnum):
    """Which check a finding comes from."""

    MUST_NOT_MEET = "must not meet"
    """Two volumes meet that the rules keep apart."""
    MUST_STAY_INSIDE = "must stay inside"
    """A bound entity is not wholly inside a zone that must hold it."""
    AREA_OF_OPERATIONS = "area of operations"
    """Something lies outside the area that its party declared: a coordinate is probably wrong."""
    TARGET = "target"
    """A target equal or near to a registered position."""
    OWN_POSITION = "own position"
    """A target equal or near to where its own submitter was."""
    TWO_NOTATIONS = "two notations"
    """Two statements of one place that differ."""
    STALE = "stale"
    """A position too old to rely on."""
    INTERPOLATED = "interpolated"
    """A position that nobody measured."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far two entities are into one another, margins of the rule counted in.

    For `Check.MUST_STAY_INSIDE` and `Check.AREA_OF_OPERATIONS`: by how much the bound entity
    lies outside. For `Check.TARGET` and `Check.OWN_POSITION`: by how much the target is nearer
    than allowed. For `Check.TWO_NOTATIONS`: by how much the statements differ beyond what their
    uncertainties explain.

    Attributes
    ----------
    plan_m, height_m
        Metres; ``None``: without bound.
    time_s
        Seconds of the time that both have in common; ``None``: without bound.
    """

    plan_m: float | None
    height_m: float | None
    time_s: float | None


@dataclass(frozen=True, slots=True)
class Shift:
    """One thing that would end a conflict, checked against everything in the run.

    Attributes
    ----------
    entity
        The id of the entity that would move.
    action
        ``"time"``, ``"height"``, ``"plan"``, ``"farther"`` (away from the other, without saying
        where to) or ``"cancel"``.
    sentence
        The proposal in words.
    time_s
        Seconds later (negative: earlier), for ``"time"``.
    height_m
        Metres higher (negative: lower), for ``"height"``.
    distance_m
        Metres, for ``"plan"`` and ``"farther"``.
    bearing_deg
        Whereto, clockwise from true north, for ``"plan"``.
    """

    entity: str
    action: str
    sentence: str
    time_s: float | None = None
    height_m: float | None = None
    distance_m: float | None = None
    bearing_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two entities in a relation that the rules forbid.

    Attributes
    ----------
    a, b
        The two; `a` is the plan, the bound or the hazardous one. A finding about one entity
        alone (two notations, own position) has it as both.
    check
        Which check found it.
    also
        Further checks that found the same.
    rule
        Name of the row of the rules table that forbids it.
    overlap
        How far into one another.
    start, end
        The common window, a margin in time counted in; ``None``: without beginning or end, or of
        no matter.
    nearest
        The nearest points of `a` and `b`, or a point of each in the overlap.
    assumed
        What was assumed, one sentence each.
    clears
        What would end it.
    sentence
        The conflict in words.
    """

    a: Entity
    b: Entity
    check: Check
    rule: str
    overlap: Overlap
    start: datetime | None
    end: datetime | None
    nearest: tuple[LatLon, LatLon] | None
    assumed: tuple[str, ...]
    clears: tuple[Shift, ...]
    sentence: str
    also: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why the answer can't be known for a pair, or (`b` is ``None``) for one entity."""

    a: Entity
    b: Entity | None
    check: Check
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer to a check.

    Attributes
    ----------
    verdict
        Conflict outweighs unknown, unknown outweighs clear.
    conflicts, doubts
        Sorted; two runs give the same.
    entities
        How many entities were in the run.
    notes
        What whoever reads the verdict must know besides, one sentence each.
    """

    verdict: Verdict
    conflicts: tuple[Conflict, ...]
    doubts: tuple[Doubt, ...]
    entities: int
    notes: tuple[str, ...]
