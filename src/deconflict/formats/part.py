"""A part: one simple geometry of a feature, before its radius or width is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deconflict.geo.position import LatLon, Position


class Shape(StrEnum):
    """The shapes of which a geometry is made."""

    POINT = "point"
    LINE = "line"
    POLYGON = "polygon"


@dataclass(frozen=True, slots=True)
class Part:
    """One simple geometry before its radius or width is known.

    Attributes
    ----------
    shape
        What it is.
    rings
        (latitude, longitude) in degrees. Of a point one ring of one vertex, of a line one ring, of
        a polygon the shell and then the holes, rings not closed.
    typed_precision_m
        What the decimals of plain numbers leave open, metres; counts only where the submitter
        states no uncertainty.
    added_uncertainty_m
        What notation and datum of a coordinate text leave open, metres; always counts.
    """

    shape: Shape
    rings: tuple[tuple[LatLon, ...], ...]
    typed_precision_m: float = 0.0
    added_uncertainty_m: float = 0.0

    @classmethod
    def at(cls, position: Position) -> Part:
        """Return the point at a position that was read from text."""
        return cls(
            Shape.POINT,
            ((position.lat_lon,),),
            added_uncertainty_m=position.precision_m + position.datum_uncertainty_m,
        )
