"""What the table of mistakes works with: the pair at hand, and where a mistake would lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deconflict.geo.position import LatLon, Notation, Position

NOISE_M = 6.0
"""Standard deviation a side of what is left when two careful people state one place, metres:
5 m of a receiver, and a little for the other side."""

SIGMAS_OF_95 = 2.448
"""Radius that holds 95 % of a circular normal error, in standard deviations a side."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two positions of one place, and the guess which of them is right.

    Attributes
    ----------
    right, wrong
        The position taken as right, and the one that a mistake is looked for in.
    origin
        Where bearings were measured from; ``None`` if nothing is known of it.
    apart_m
        The distance between the two, metres.
    slack_m
        How far the right position may be from where the digits were written, metres.
    """

    right: Position
    wrong: Position
    origin: Position | None
    apart_m: float
    slack_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Where one mistake would have put the right position.

    Attributes
    ----------
    name
        The mistake in a few words, the same for every variant of it.
    sentence
        What happened, with ``{wrong}`` and ``{right}`` where the positions' names go.
    either
        The same where it cannot be told which of the two is wrong.
    point
        Latitude and longitude that the mistake makes of the right position, degrees.
    log_prior
        Natural logarithm of how common it is, the commonest being 0. Free choices count: one
        of four squares is four times less likely than the only one.
    spread_m
        Standard deviation a side of what the mistake itself leaves open, metres.
    overflow_m
        How far the right position has to move for the mistake to apply at all, metres.
    gain
        By how much the mistake multiplies an error of the right position; 0 if its answer
        does not depend on it.
    arc_m
        Length of the line of answers, metres, if a free angle fits itself to the pair.
    symmetric
        Whether the mistake undoes itself, so that either position may be the wrong one.
    given, read
        Notations that the mistake confuses: of the text as it was meant and as it was taken.
        Empty: it can happen in any.
    assumed
        What had to be assumed, one sentence each.
    """

    name: str
    sentence: str
    point: LatLon
    log_prior: float
    either: str = ""
    spread_m: float = 0.0
    overflow_m: float = 0.0
    gain: float = 1.0
    arc_m: float = 0.0
    symmetric: bool = False
    given: frozenset[Notation] = frozenset()
    read: frozenset[Notation] = frozenset()
    assumed: tuple[str, ...] = ()


Kind = Callable[[Pair], Iterator[Guess]]
"""One row of the table of mistakes: its guesses for a pair, none where it cannot apply."""
