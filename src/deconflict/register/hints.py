"""Which slip of the pen would put a place where it was meant to be."""

from __future__ import annotations

from deconflict.geo.position import LatLon
from deconflict.geo.separation import separation
from deconflict.geo.volume import Circle, Polygon, Volume4D
from deconflict.register.entity import Entity


def reference_points(entity: Entity) -> tuple[tuple[LatLon, float], ...]:
    """Return the points that stand for an entity, each with its uncertainty in metres.

    The first position that was read; without any, the centres of circles. A polygon or a route
    of plain numbers has no such point.
    """
    if entity.positions:
        first = entity.positions[0]
        return ((first.lat_lon, first.uncertainty_m),)
    return tuple(
        (volume.footprint.center, volume.uncertainty_m)
        for volume in entity.volumes
        if isinstance(volume.footprint, Circle)
    )


def misplaced(entity: Entity, area: Volume4D) -> list[str]:
    """Return a sentence for each slip whose correction moves the entity into the area.

    Parameters
    ----------
    entity
        What lies outside.
    area
        Where it should be, without heights and window.
    """
    points = [point for point, _ in reference_points(entity)] or _first_vertex(entity)
    if not points:
        return []
    lat, lon = points[0]
    slips: list[tuple[str, LatLon]] = [
        ("with latitude and longitude swapped", (lon, lat)),
        ("with the other sign of the latitude", (-lat, lon)),
        ("with the other sign of the longitude", (lat, -lon)),
        ("with the other signs of latitude and longitude", (-lat, -lon)),
        ("in the next UTM zone to the east", (lat, _turned(lon + 6.0))),
        ("in the next UTM zone to the west", (lat, _turned(lon - 6.0))),
    ]
    return [
        f"{entity.id} would lie inside {slip}."
        for slip, (new_lat, new_lon) in slips
        if abs(new_lat) <= 90.0
        and separation(Volume4D(footprint=Circle((new_lat, new_lon), 0.0)), area).meets
    ]


def _first_vertex(entity: Entity) -> list[LatLon]:
    footprint = entity.volumes[0].footprint
    if isinstance(footprint, Circle):
        return [footprint.center]
    return [footprint.shell[0] if isinstance(footprint, Polygon) else footprint.points[0]]


def _turned(lon: float) -> float:
    return (lon + 180.0) % 360.0 - 180.0
