"""The fixed properties of an entity, as a written file states them."""

from __future__ import annotations

from typing import Any

from deconflict.formats.drawing import is_plain
from deconflict.formats.instant import write_instant
from deconflict.geo.errors import InputError
from deconflict.geo.position import Notation, Position
from deconflict.geo.volume import Circle, Route
from deconflict.register.entity import Entity


def stated(entity: Entity, *, centers: bool = False) -> tuple[dict[str, Any], bool]:
    """Return the properties of an entity, and whether with the drawing they say all of it.

    Parameters
    ----------
    entity
        Any entity.
    centers
        Whether a circle is not drawn: its center stands for it, and ``radius_m`` makes it round.

    Returns
    -------
    properties, complete
        Properties in the fixed order, the missing left out. They span all volumes: the earliest
        start, the latest end, the greatest uncertainty; heights only where all volumes agree.
        ``complete`` is false if the volumes could not be read back from drawing and properties.
    """
    volumes = entity.volumes
    first = volumes[0]
    footprint = first.footprint
    alike = all(
        (volume.band, volume.start, volume.end, volume.uncertainty_m, volume.danger_radius_m)
        == (first.band, first.start, first.end, first.uncertainty_m, first.danger_radius_m)
        for volume in volumes
    )
    radii = {v.footprint.radius_m for v in volumes if isinstance(v.footprint, Circle)}
    drawable = len(radii) <= 1 and all(
        is_plain(volume.footprint) or (centers and isinstance(volume.footprint, Circle))
        for volume in volumes
    )
    widths = {v.footprint.width_m for v in volumes if isinstance(v.footprint, Route)}
    times = footprint.times if isinstance(footprint, Route) and len(volumes) == 1 else ()
    timed = any(isinstance(v.footprint, Route) and v.footprint.times for v in volumes)
    complete = (
        alike
        and drawable
        and len(widths) <= 1
        and timed == bool(times)
        and (not times or (first.start, first.end) == (times[0], times[-1]))
        and (entity.hazardous or first.danger_radius_m == 0.0)
    )
    properties: dict[str, Any] = {
        "id": entity.id,
        "kind": entity.kind.value,
        "party": entity.party,
        "name": entity.name or None,
    }
    starts = [volume.start for volume in volumes]
    ends = [volume.end for volume in volumes]
    if None not in starts:
        properties["start"] = write_instant(min(start for start in starts if start is not None))
    if None not in ends:
        properties["end"] = write_instant(max(end for end in ends if end is not None))
    if times and complete:
        properties["times"] = [write_instant(time) for time in times]
    band = first.band
    references = {height.reference for height in (band.lower, band.upper) if height is not None}
    if alike and len(references) <= 1:
        properties["lower_m"] = None if band.lower is None else band.lower.value_m
        properties["upper_m"] = None if band.upper is None else band.upper.value_m
        properties["altitude_reference"] = references.pop().value if references else None
        properties["ground_m"] = band.ground_m
    else:
        complete = False
    properties["uncertainty_m"] = max(volume.uncertainty_m for volume in volumes)
    if widths and complete:
        properties["width_m"] = widths.pop()
    if radii and complete:
        properties["radius_m"] = radii.pop()
    if entity.hazardous:
        properties["danger_radius_m"] = max(volume.danger_radius_m for volume in volumes)
    if entity.rule is not None:
        properties["rule"] = entity.rule.value
        properties["applies_to"] = None if entity.applies_to is None else list(entity.applies_to)
    properties["priority"] = entity.priority or None
    _state_positions(entity, properties)
    properties["obtained"] = entity.obtained
    if entity.obtained_at is not None:
        properties["obtained_at"] = write_instant(entity.obtained_at)
    properties["reach_m"] = entity.reach_m
    properties["assumed"] = list(entity.assumed) or None
    return {name: value for name, value in properties.items() if value is not None}, complete


def _state_positions(entity: Entity, properties: dict[str, Any]) -> None:
    """Add the coordinate texts that, alone, still say the same place."""
    volume = entity.volumes[0]
    if len(entity.positions) == 1 and len(entity.volumes) == 1:
        position = entity.positions[0]
        if (
            isinstance(volume.footprint, Circle)
            and position.lat_lon == volume.footprint.center
            and position.uncertainty_m == volume.uncertainty_m
            and _says_the_same(position)
        ):
            properties["position"] = position.text
            # The rest of the uncertainty comes back with the text.
            properties["uncertainty_m"] = position.stated_uncertainty_m
    also_at = [_text_of(position) for position in entity.also_at]
    properties["also_at"] = also_at or None
    if entity.own_position is not None:
        properties["own_position"] = _text_of(entity.own_position)


def _text_of(position: Position) -> str:
    """Return the text as typed if it needs no default datum, else the place in WGS 84."""
    if _says_the_same(position):
        return position.text
    return f"EPSG:4326 {position.lat_deg:.9f} {position.lon_deg:.9f}"


def _says_the_same(position: Position) -> bool:
    from deconflict.geo.reader import read_position

    if position.notation is Notation.NUMBERS or not position.text:
        return False
    try:
        again = read_position(
            position.text,
            stated_uncertainty_m=position.stated_uncertainty_m,
            obtained=position.obtained,
        )
    except InputError:
        return False
    return again == position
