"""The one kind of error that bad input ends in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deconflict.geo.position import Position


class InputError(ValueError):
    """Input that is refused, in a sentence that a tired duty officer understands.

    Parameters
    ----------
    what
        What is wrong, as a clause without a full stop: "latitude 96 lies beyond the pole".
    remedy
        What to write instead, as a clause without a full stop; empty only where
        nothing can be advised.
    field
        The field, vertex or part of the text that is meant, empty if it is the whole.
    """

    def __init__(self, what: str, remedy: str = "", *, field: str = "") -> None:
        super().__init__(what, remedy, field)
        self.what = what
        self.remedy = remedy
        self.field = field

    def __str__(self) -> str:
        place = f"{self.field}: " if self.field else ""
        return f"{place}{self.what}; {self.remedy}" if self.remedy else f"{place}{self.what}"


class AmbiguousTextError(InputError):
    """A coordinate text that two notations could claim.

    Parameters
    ----------
    what, remedy
        As in `InputError`.
    readings
        The positions that the text could mean, at least two.
    distance_m
        The greatest distance between any two of them, metres.
    """

    def __init__(
        self, what: str, remedy: str, *, readings: tuple[Position, ...], distance_m: float
    ) -> None:
        super().__init__(what, remedy)
        self.readings = readings
        self.distance_m = distance_m
