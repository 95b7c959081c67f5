"""Mistakes in the digits of latitude and longitude: signs, order, and minutes for decimals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deconflict.geo.mistake.guess import Guess, Pair
from deconflict.geo.position import Notation

_DEGREE_M = 111_320.0
"""One degree on the equator, metres; only ever used for a slack."""

_DECIMAL = frozenset({Notation.DECIMAL_DEGREES})
_MINUTES = frozenset({Notation.DEGREES_MINUTES})
_SECONDS = frozenset({Notation.DEGREES_MINUTES_SECONDS})
_DEGREES = _DECIMAL | _MINUTES | _SECONDS

_WHOLE_SECOND_M = 30.9 / math.sqrt(12.0)
"""Standard deviation of rounding to a whole second of latitude, metres."""

_STEPS = 30
"""Steps each way that a position near a pole may be off, at most."""


@dataclass(frozen=True, slots=True)
class _Digits:
    """A rule that writes an angle in one notation and reads its digits in another.

    `step_deg` is what the notation counts in whole numbers; within a step the wrong angle grows
    `slope` times as fast as the right one, and at each step it jumps.
    """

    given: str
    read: str
    given_notation: frozenset[Notation]
    read_notation: frozenset[Notation]
    step_deg: float
    slope: float
    wrong_start: Callable[[int], float]
    rounding_m: float


def _seconds_as_hundredths(minutes: int) -> float:
    return minutes / 60.0


def _seconds_as_decimals(minutes: int) -> float:
    return minutes // 60 + minutes % 60 / 100.0


_DIGIT_RULES = (
    # 36° 22' 12" read as 36° 22.12'
    _Digits(
        "in degrees, minutes and seconds",
        "as degrees and decimal minutes",
        _SECONDS,
        _MINUTES,
        1.0 / 60.0,
        60.0 / 100.0,
        _seconds_as_hundredths,
        _WHOLE_SECOND_M * 60.0 / 100.0,
    ),
    # 36° 22' 12" read as 36.2212°
    _Digits(
        "in degrees, minutes and seconds",
        "as decimal degrees",
        _SECONDS,
        _DECIMAL,
        1.0 / 60.0,
        3600.0 / 10000.0,
        _seconds_as_decimals,
        _WHOLE_SECOND_M * 3600.0 / 10000.0,
    ),
    # 36.37° read as 36° 37'
    _Digits(
        "in decimal degrees",
        "as degrees and minutes",
        _DECIMAL,
        _MINUTES,
        1.0,
        100.0 / 60.0,
        float,
        0.0,
    ),
)


def misread_digits(pair: Pair) -> Iterator[Guess]:
    """Take degrees, minutes and seconds for decimals, or the reverse.

    Near a whole minute (or degree) the digits of the right position may belong to the step
    beside it; the branch that leads closest to the wrong position is taken, and what the right
    position has to move for it is added to the residual.
    """
    right, wrong = pair.right, pair.wrong
    metres_a_degree = _DEGREE_M * max(math.cos(math.radians(right.lat_deg)), 1e-9)
    for rule in _DIGIT_RULES:
        lat_deg, lat_over = _branch(rule, right.lat_deg, wrong.lat_deg, pair.slack_m / _DEGREE_M)
        lon_deg, lon_over = _branch(
            rule, right.lon_deg, wrong.lon_deg, pair.slack_m / metres_a_degree
        )
        if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:
            continue
        # Meridians converge: a metre east at the right latitude is more of them farther south.
        widening = math.cos(math.radians(lat_deg)) * _DEGREE_M / metres_a_degree
        yield Guess(
            name=f"{rule.given.removeprefix('in ')} read {rule.read}",
            sentence=f"{{wrong}} was given {rule.given} and read {rule.read}",
            either=f"the digits of {{right}}, {rule.given}, were read {rule.read} in {{wrong}}, "
            "or the reverse",
            point=(lat_deg, lon_deg),
            log_prior=-0.3,
            spread_m=rule.rounding_m,
            overflow_m=math.hypot(lat_over * _DEGREE_M, lon_over * metres_a_degree),
            gain=rule.slope * max(1.0, widening),
            given=rule.given_notation,
            read=rule.read_notation,
        )


def _branch(
    rule: _Digits, right_deg: float, wrong_deg: float, slack_deg: float
) -> tuple[float, float]:
    """Return the wrong angle nearest to the one seen, and what the right one exceeds its step by.

    Near a pole a slack in metres is worth many steps of longitude; only so many are tried.
    """
    # Zero has no sign of its own: the seen angle lends it one.
    sign = math.copysign(1.0, right_deg if abs(right_deg) > slack_deg else wrong_deg)
    size_deg, seen_deg = sign * right_deg, sign * wrong_deg
    slack_deg = min(slack_deg, _STEPS * rule.step_deg)
    first = math.floor((size_deg - slack_deg) / rule.step_deg + 1e-12)
    last = math.floor((size_deg + slack_deg) / rule.step_deg + 1e-12)
    best = (math.inf, 0.0, 0.0)
    for count in range(max(first, 0), max(last, 0) + 1):
        rest_deg = size_deg - count * rule.step_deg
        inside_deg = min(max(rest_deg, 0.0), rule.step_deg)
        over_deg = abs(rest_deg - inside_deg)
        angle_deg = rule.wrong_start(count) + rule.slope * inside_deg
        miss_deg = abs(angle_deg - seen_deg) + over_deg
        best = min(best, (miss_deg, angle_deg, over_deg))
    return sign * best[1], best[2]


def swapped(pair: Pair) -> Iterator[Guess]:
    """Put latitude and longitude in the other's place."""
    right = pair.right
    if abs(right.lon_deg) > 90.0:
        return
    yield Guess(
        name="latitude and longitude swapped",
        sentence="latitude and longitude are swapped in one of the two",
        point=(right.lon_deg, right.lat_deg),
        log_prior=0.0,
        # A metre east becomes this many metres north.
        gain=max(1.0, 1.0 / max(math.cos(math.radians(right.lat_deg)), 1e-9)),
        symmetric=True,
        given=_DEGREES,
        read=_DEGREES,
    )


def wrong_sign(pair: Pair) -> Iterator[Guess]:
    """Take the other hemisphere: north for south, east for west, or both."""
    lat_deg, lon_deg = pair.right.lat_lon
    for what, point, log_prior in (
        ("latitude (north for south)", (-lat_deg, lon_deg), -0.3),
        ("longitude (east for west)", (lat_deg, -lon_deg), -0.3),
        ("latitude and longitude", (-lat_deg, -lon_deg), -1.5),
    ):
        yield Guess(
            name=f"wrong sign or hemisphere of {what}",
            sentence=f"one of the two has the wrong sign or hemisphere of {what}",
            point=point,
            log_prior=log_prior,
            symmetric=True,
        )


def transposed(pair: Pair) -> Iterator[Guess]:
    """Let two neighbouring characters of one text change places in the other.

    Only two texts in one notation that are otherwise the same character by character count:
    anything weaker explains too much.
    """
    right, wrong = pair.right, pair.wrong
    if right.notation is not wrong.notation or right.notation is Notation.NUMBERS:
        return
    first, second = ("".join(text.split()).upper() for text in (right.text, wrong.text))
    if len(first) != len(second):
        return
    at = [place for place, (x, y) in enumerate(zip(first, second, strict=True)) if x != y]
    if len(at) != 2 or at[1] - at[0] != 1:
        return
    here, there = first[at[0]] + first[at[1]], second[at[0]] + second[at[1]]
    if here != there[::-1] or not here.isalnum():
        return
    yield Guess(
        name="transposed digits",
        sentence=f"two neighbouring characters changed places: {{right}} has {here} "
        f"where {{wrong}} has {there}",
        point=wrong.lat_lon,
        log_prior=-0.7,
        symmetric=True,
    )
