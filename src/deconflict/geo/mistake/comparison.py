"""Compares two positions of one place, and ranks the mistakes that explain a difference.

A mistake is a map from the right position to the wrong one. For each of the two positions taken
as right, each mistake says where the other should be; what is left between that and where it is
is the residual. A mistake is named if its residual is no more than the noise of such pairs, and
ranked by how common it is times how densely it predicts what is seen: a mistake that would
explain anything nearby (a datum far from home, a free angle) is worth less than one that hits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from deconflict.geo.errors import InputError
from deconflict.geo.mistake.grid import distance_m
from deconflict.geo.mistake.guess import NOISE_M, SIGMAS_OF_95, Guess, Pair
from deconflict.geo.mistake.table import KINDS
from deconflict.geo.position import Notation, Position, checked_lat_lon

_AGREE_M = 15.0
"""Least tolerance of an agreement, metres: 99 % of pairs with 5 m of noise a side lie within."""

_GATE_SIGMAS = 3.3
"""A residual beyond it is no noise: it happens to 4 of 1,000 circular normal errors."""

_CLOSE_M = 2.0
"""What the first choice of a published transformation leaves open, standard deviation, metres."""

_IMPROVEMENT = 0.5
"""A correction that does not halve the distance explains nothing."""

_LOG_HOPELESS = 7.0
"""A mistake a thousand times less likely than the best is not worth a tired reader's time."""

_LOG_NOTATION_FITS = 1.0
_LOG_NOTATION_AGAINST = -2.0


_Side = Literal["a", "b"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A mistake that explains why two positions of one place differ.

    Attributes
    ----------
    name
        The mistake in a few words: "SK-42 read as WGS 84".
    sentence
        What happened: "a was given on SK-42 and read as WGS 84".
    wrong
        Which of the two is then wrong; ``None`` where the mistake does not tell.
    shift_m
        How far the mistake moves the place here, metres.
    residual_m
        What is left between the two positions after correcting it, metres.
    same_as
        Names of the mistakes that this one cannot be told apart from here.
    assumed
        What had to be assumed for it, one sentence each.
    """

    name: str
    sentence: str
    wrong: Literal["a", "b"] | None
    shift_m: float
    residual_m: float
    same_as: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def distinguishable(self) -> bool:
        """Whether no other known mistake explains the pair as well."""
        return not self.same_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether two positions agree, and what explains it if they do not.

    Attributes
    ----------
    agrees
        Whether the distance is within the tolerance.
    distance_m
        The distance between the two, metres.
    tolerance_m
        The sum of both 95 % uncertainties, at least 15 m.
    likely
        The mistakes that explain the difference, likeliest first; empty if the positions
        agree, and if no known mistake explains it.
    """

    agrees: bool
    distance_m: float
    tolerance_m: float
    likely: tuple[Mistake, ...] = ()

    @property
    def sentence(self) -> str:
        """The outcome for a reader, without a full stop."""
        apart = f"{_metres(self.distance_m)} apart"
        if self.agrees:
            return f"the positions agree: {apart}, within {_metres(self.tolerance_m)}"
        if not self.likely:
            return f"the positions differ: {apart}, and no known mistake explains it"
        first = self.likely[0]
        told = f"{first.sentence}; {_metres(first.residual_m)} are left after correcting it"
        if first.same_as:
            told += f"; here it cannot be told apart from: {', '.join(first.same_as)}"
        return f"the positions differ: {apart}; likely mistake: {told}"


@dataclass(frozen=True, slots=True)
class _Scored:
    """A guess with what the pair says to it."""

    guess: Guess
    wrong: _Side
    told: bool
    shift_m: float
    residual_m: float
    score: float


def compare(
    a: Position | str, b: Position | str, *, origin: Position | str | None = None
) -> Comparison:
    """Compare two statements of one place.

    Parameters
    ----------
    a, b
        Positions, or coordinate texts in any notation.
    origin
        Where bearings were measured from, if they were: only then can magnetic declination be
        the mistake.

    Returns
    -------
    Comparison
        The agreement, or the likely mistakes in order.

    Raises
    ------
    InputError
        If a text is no position, or a position no point of the earth; its `field` begins with
        ``a``, ``b`` or ``origin``.

    Notes
    -----
    Two positions without any stated uncertainty agree within 15 m, since no receiver is better;
    so a mistake that moves the place by less is never named.

    Examples
    --------
    >>> from deconflict.geo.position import Position
    >>> outcome = compare(
    ...     Position(lat_deg=36.37, lon_deg=37.515), Position(lat_deg=37.515, lon_deg=36.37)
    ... )
    >>> outcome.likely[0].name
    'latitude and longitude swapped'
    """
    first, second = _position(a, "a"), _position(b, "b")
    start = None if origin is None else _position(origin, "origin")
    apart_m = distance_m(first.lat_lon, second.lat_lon)
    tolerance_m = max(first.uncertainty_m + second.uncertainty_m, _AGREE_M)
    if apart_m <= tolerance_m:
        return Comparison(agrees=True, distance_m=apart_m, tolerance_m=tolerance_m)
    found: list[_Scored] = []
    roles: tuple[tuple[Position, Position, _Side], ...] = (
        (second, first, "a"),
        (first, second, "b"),
    )
    for right, wrong, accused in roles:
        pair = Pair(
            right, wrong, start, apart_m=apart_m, slack_m=2.5 * NOISE_M + right.uncertainty_m
        )
        for kind in KINDS:
            for guess in kind(pair):
                scored = _score(guess, pair, accused)
                if scored is not None:
                    found.append(scored)
    return Comparison(
        agrees=False, distance_m=apart_m, tolerance_m=tolerance_m, likely=_ranked(found)
    )


def _position(given: Position | str, field: str) -> Position:
    if isinstance(given, Position):
        checked_lat_lon(given.lat_deg, given.lon_deg, field=field)
        return given
    from deconflict.geo.reader import read_position

    try:
        return read_position(given)
    except InputError as error:
        error.field = f"{field}: {error.field}" if error.field else field
        raise


def _score(guess: Guess, pair: Pair, wrong: _Side) -> _Scored | None:
    """Return the guess with its score; ``None`` if it does not explain the pair."""
    shift_m = distance_m(guess.point, pair.right.lat_lon)
    if shift_m <= _AGREE_M:
        return None  # hidden in the noise: it cannot be what makes them differ
    residual_m = math.hypot(distance_m(guess.point, pair.wrong.lat_lon), guess.overflow_m)
    sigma_m = math.hypot(
        NOISE_M * max(1.0, guess.gain),
        pair.right.uncertainty_m * guess.gain / SIGMAS_OF_95,
        pair.wrong.uncertainty_m / SIGMAS_OF_95,
        guess.spread_m,
    )
    if residual_m > min(_GATE_SIGMAS * sigma_m, _IMPROVEMENT * pair.apart_m):
        return None
    # What the mistake leaves open is a doubt which of several published answers was used, and
    # half of all programs use the first: so half of the weight lies close to its answer.
    close_m = math.sqrt(max(sigma_m**2 - guess.spread_m**2, 0.0)) + min(guess.spread_m, _CLOSE_M)
    density = 0.5 * (
        _density(residual_m, sigma_m, guess.arc_m) + _density(residual_m, close_m, guess.arc_m)
    )
    score = guess.log_prior + _fit(guess, pair) + math.log(density)
    # Both texts in the notations that were confused: either may be the one that is wrong.
    both = pair.right.notation in guess.given and pair.wrong.notation in guess.read
    told = not (guess.symmetric or both or _same_numbers(guess))
    return _Scored(guess, wrong, told, shift_m, residual_m, score)


def _density(residual_m: float, sigma_m: float, arc_m: float) -> float:
    """Return the density of a normal error about a point, or across a line of answers."""
    peak = 1.0 / (2.0 * math.pi * sigma_m**2)
    if arc_m:
        peak = math.sqrt(peak) / arc_m
    return peak * math.exp(-0.5 * (residual_m / sigma_m) ** 2)


def _same_numbers(guess: Guess) -> bool:
    """Tell whether the guess itself knows both texts to be the same numbers."""
    return bool(guess.either) and not guess.given


def _fit(guess: Guess, pair: Pair) -> float:
    """Return what the notations of the two texts say for or against the guess."""
    if not guess.read or pair.wrong.notation is Notation.NUMBERS:
        return 0.0
    if pair.wrong.notation not in guess.read:
        return _LOG_NOTATION_AGAINST
    return _LOG_NOTATION_FITS * (2 if pair.right.notation in guess.given else 1)


def _ranked(found: list[_Scored]) -> tuple[Mistake, ...]:
    """Return one mistake a name, likeliest first, without the hopeless."""
    best: dict[str, _Scored] = {}
    # Ties keep the order of the table, so that two runs say the same.
    for scored in sorted(found, key=lambda scored: -scored.score):
        known = best.setdefault(scored.guess.name, scored)
        if known.wrong != scored.wrong and known.told:
            best[scored.guess.name] = replace(known, told=False)
    kept = [
        scored
        for scored in best.values()
        if scored.score >= max(other.score for other in best.values()) - _LOG_HOPELESS
    ]
    names = [scored.guess.name for scored in kept]
    return tuple(
        Mistake(
            name=scored.guess.name,
            sentence=_sentence(scored),
            wrong=scored.wrong if scored.told else None,
            shift_m=scored.shift_m,
            residual_m=scored.residual_m,
            same_as=tuple(name for name in names if name != scored.guess.name),
            assumed=scored.guess.assumed,
        )
        for scored in kept
    )


def _sentence(scored: _Scored) -> str:
    template = scored.guess.sentence
    if not scored.told and scored.guess.either:
        template = scored.guess.either
    wrong, right = ("a", "b") if scored.wrong == "a" else ("b", "a")
    return template.format(wrong=wrong, right=right)


def _metres(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 10_000 else f"{metres:.0f} m"
