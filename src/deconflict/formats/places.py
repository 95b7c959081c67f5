"""Positions in text among the properties: the place itself, the same place again, one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deconflict.formats.fields import string
from deconflict.formats.part import Part, Shape
from deconflict.formats.reading import Defaults
from deconflict.geo.errors import InputError
from deconflict.geo.position import Position

_MAX_ALSO_AT = 100
"""More than there are notations, datums and systems to state one place in."""


def position_in(
    text: str, field: str, defaults: Defaults, stated_uncertainty_m: float = 0.0
) -> Position:
    """Return the position that the text of a property says.

    Raises
    ------
    InputError
        If it says none, with the property as its field.
    """
    from deconflict.geo.reader import read_position

    try:
        return read_position(
            text,
            stated_uncertainty_m=stated_uncertainty_m,
            default_datum=defaults.datum,
            bare_datum="refuse" if defaults.strict_datum else "assume",
        )
    except InputError as error:
        where = f"{field}, {error.field}" if error.field else field
        raise InputError(error.what, error.remedy, field=where) from None


def placed(position: Position, parts: Sequence[Part]) -> Part:
    """Return the point that the property ``position`` gives; a geometry must agree with it.

    Raises
    ------
    InputError
        If the geometry is elsewhere, or no point.
    """
    if not parts:
        return Part.at(position)
    if len(parts) != 1 or parts[0].shape is not Shape.POINT:
        raise InputError(
            "position is one place, and the geometry is more than a point",
            "leave one of them out; a second statement of the same place is also_at",
            field="position",
        )
    from pyproj import Geod

    lat_deg, lon_deg = parts[0].rings[0][0]
    apart_m = Geod(ellps="WGS84").inv(lon_deg, lat_deg, position.lon_deg, position.lat_deg)[2]
    # 1 mm: rounding of arithmetic.
    if apart_m > parts[0].typed_precision_m + position.precision_m + 0.001:
        raise InputError(
            f"position and geometry lie {apart_m:,.1f} m apart",
            "leave one of them out, or correct the one that is wrong",
            field="position",
        )
    return Part.at(position)


def also_at(stated: Mapping[str, Any], defaults: Defaults) -> tuple[Position, ...]:
    """Return the positions that the property ``also_at`` gives, a text or a list of texts.

    Raises
    ------
    InputError
        If one of them says no position, or they are too many.
    """
    value = stated.get("also_at")
    if value is None:
        return ()
    texts = value if isinstance(value, list) else [value]
    if len(texts) > _MAX_ALSO_AT:
        raise InputError(
            f"also_at is a list of {len(texts):,} texts",
            f"write the same place in at most {_MAX_ALSO_AT} other notations",
            field="also_at",
        )
    return tuple(position_in(string(text, "also_at"), "also_at", defaults) for text in texts)


def own_position(stated: Mapping[str, Any], defaults: Defaults) -> Position | None:
    """Return where the submitter was, as the property ``own_position`` says.

    Raises
    ------
    InputError
        If it says no position.
    """
    value = stated.get("own_position")
    if value is None:
        return None
    return position_in(string(value, "own_position"), "own_position", defaults)
