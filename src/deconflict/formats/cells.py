"""An entity as the cells of one row, for every kind of table that is written."""

from __future__ import annotations

from collections.abc import Sequence

from deconflict.formats.instant import write_instant
from deconflict.formats.numbers import NumberText
from deconflict.formats.row import SENTENCE_BREAK
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.position import LatLon, Position
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
from deconflict.register.entity import Entity, Kind

WRITTEN = (
    "id",
    "kind",
    "party",
    "name",
    "position",
    "datum",
    "shape",
    "radius_m",
    "width_m",
    "start",
    "end",
    "times",
    "lower_m",
    "upper_m",
    "altitude_reference",
    "lower",
    "upper",
    "ground_m",
    "uncertainty_m",
    "danger_radius_m",
    "rule",
    "applies_to",
    "priority",
    "also_at",
    "own_position",
    "obtained",
    "obtained_at",
    "reach_m",
    "assumed",
)
"""The columns, in the order in which they are written."""

_REMEDY = "write GeoJSON, which can hold it"


def cells_of(entity: Entity) -> dict[str, str | NumberText]:
    """Return the cells of an entity's row, by column; those that are missing are empty.

    Coordinate texts are written as typed, plain numbers in decimal degrees with 12 decimals (a
    tenth of a micrometre). Read back, the row gives the same entity.

    Raises
    ------
    InputError
        If one row can't hold it: several volumes, holes, texts with semicolons, coordinate texts
        on datums of which only one fits into the row.
    """
    try:
        return _cells(entity)
    except InputError as error:
        raise InputError(
            f"entity {entity.id} does not fit into one row: {error.what}",
            error.remedy,
            field=error.field,
        ) from None


def _cells(entity: Entity) -> dict[str, str | NumberText]:
    if len(entity.volumes) != 1:
        raise InputError(f"it has {len(entity.volumes)} volumes", _REMEDY)
    volume = entity.volumes[0]
    texts = _position_texts(entity, volume)
    datum, added_m = _datum(entity, texts)
    cells: dict[str, str | NumberText | None] = {
        "id": entity.id,
        "kind": entity.kind.value,
        "party": entity.party,
        "name": entity.name,
        "position": "; ".join(texts),
        "datum": datum,
        **_shape(volume),
        **_heights(volume.band),
        "uncertainty_m": _number(_stated_m(entity, volume, added_m)),
        "danger_radius_m": _number(volume.danger_radius_m) if entity.hazardous else None,
        "rule": entity.rule.value if entity.rule else None,
        "applies_to": _joined(entity.applies_to or (), "applies_to"),
        "priority": NumberText(entity.priority)
        if entity.priority and entity.kind is Kind.OPERATION
        else None,
        "also_at": _joined([place.text for place in entity.also_at], "also_at"),
        "own_position": entity.own_position.text if entity.own_position else None,
        "obtained": entity.obtained,
        "obtained_at": write_instant(entity.obtained_at) if entity.obtained_at else None,
        "reach_m": None if entity.reach_m is None else _number(entity.reach_m),
        "assumed": SENTENCE_BREAK.join(text.replace("|", "/") for text in entity.assumed),
    }
    if entity.applies_to is not None and not entity.applies_to:
        raise InputError("it is a zone that binds nobody", _REMEDY, field="applies_to")
    return {name: cell for name, cell in cells.items() if cell is not None and cell != ""}


def _number(value: float) -> NumberText:
    return NumberText(repr(float(value)).removesuffix(".0"))


def _joined(texts: Sequence[str], field: str) -> str:
    if any(";" in text for text in texts):
        raise InputError("a text holds a semicolon, which separates texts", _REMEDY, field=field)
    return "; ".join(texts)


def _vertices(volume: Volume4D) -> tuple[LatLon, ...]:
    footprint = volume.footprint
    if isinstance(footprint, Circle):
        return (footprint.center,)
    if isinstance(footprint, Route):
        return footprint.points
    if footprint.holes:
        raise InputError("its polygon has holes", _REMEDY, field="position")
    return footprint.shell


def _position_texts(entity: Entity, volume: Volume4D) -> list[str]:
    """Return the coordinate texts as typed, or of plain numbers."""
    vertices = _vertices(volume)
    typed = entity.positions
    if isinstance(volume.footprint, Polygon) and len(typed) == len(vertices) + 1:
        typed = typed[:-1]  # the ring was closed
    if len(typed) == len(vertices) and all(
        place.text and place.lat_lon == vertex
        for place, vertex in zip(typed, vertices, strict=True)
    ):
        _joined([place.text for place in typed], "position")
        return [place.text for place in typed]
    return [_degrees(vertex) for vertex in vertices]


def _degrees(point: LatLon) -> str:
    lat, lon = point
    return f"{abs(lat):.12f} {'NS'[lat < 0]} {abs(lon):.12f} {'EW'[lon < 0]}"


def _datum(entity: Entity, texts: Sequence[str]) -> tuple[str | None, float]:
    """Return what the column ``datum`` has to say, and what notation and datum add, metres.

    It is the first, of nothing, WGS 84 and the datums of the entity's positions, with which every
    text of the row is read as the place that it was.
    """
    from deconflict.geo.reader import read_position

    typed = {place.text: place for place in entity.positions}
    further = [*entity.also_at, *([entity.own_position] if entity.own_position else [])]
    wanted = [*((text, typed.get(text)) for text in texts), *((p.text, p) for p in further)]
    candidates: list[str | None] = [None, "WGS 84"]
    candidates += sorted({p.datum for p in (*entity.positions, *further)} - {"WGS 84"})
    for datum in candidates:
        read: list[Position] = []
        try:
            for text, place in wanted:
                position = read_position(text, default_datum=datum)
                if place is not None and position.lat_lon != place.lat_lon:
                    break
                if datum is not None and len(read) < len(texts) and position.datum != datum:
                    break
                read.append(position)
        except InputError:
            continue  # with this datum a text can't be read; the next one may do
        if len(read) == len(wanted):
            return datum, max(p.precision_m + p.datum_uncertainty_m for p in read[: len(texts)])
    raise InputError("its coordinate texts need different datums", _REMEDY, field="datum")


def _stated_m(entity: Entity, volume: Volume4D, added_m: float) -> float:
    """Return the uncertainty to state so that reading adds up to that of the volume, metres."""
    if entity.positions:
        stated_m = entity.positions[0].stated_uncertainty_m
        if added_m + stated_m == volume.uncertainty_m:
            return stated_m
    return max(0.0, volume.uncertainty_m - added_m)


def _shape(volume: Volume4D) -> dict[str, str | NumberText | None]:
    footprint = volume.footprint
    start = write_instant(volume.start) if volume.start else None
    end = write_instant(volume.end) if volume.end else None
    window: dict[str, str | NumberText | None] = {"start": start, "end": end}
    if isinstance(footprint, Circle):
        return {
            "shape": "circle" if footprint.radius_m else "point",
            "radius_m": _number(footprint.radius_m) if footprint.radius_m else None,
            **window,
        }
    if isinstance(footprint, Polygon):
        return {"shape": "polygon", **window}
    if footprint.times:
        window = {"times": "; ".join(map(write_instant, footprint.times))}
    return {"shape": "route", "width_m": _number(footprint.width_m), **window}


def _heights(band: AltitudeBand) -> dict[str, str | NumberText | None]:
    lower, upper = band.lower, band.upper
    ground = None if band.ground_m is None else _number(band.ground_m)
    references = {height.reference for height in (lower, upper) if height is not None}
    if len(references) <= 1:
        return {
            "lower_m": None if lower is None else _number(lower.value_m),
            "upper_m": None if upper is None else _number(upper.value_m),
            "altitude_reference": next((ref.value for ref in references), None),
            "ground_m": ground,
        }
    return {
        "lower": None if lower is None else _height_text(lower),
        "upper": None if upper is None else _height_text(upper),
        "ground_m": ground,
    }


def _height_text(height: Height) -> str:
    from deconflict.geo.height import read_height

    value = _number(height.value_m)
    text = f"{value} m {height.reference.value}"
    if height.reference is AltitudeReference.FL:
        text = f"FL{round(height.value_m / 30.48):03d}"
    if read_height(text) != height:
        raise InputError(
            f"its limit of {value} m {height.reference.value} can't be written as text", _REMEDY
        )
    return text
