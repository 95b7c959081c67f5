"""Whatever is written as GeoJSON or KML reads back as the same entities."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deconflict.formats import geojson, kml
from deconflict.formats.reading import NO_DEFAULTS
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
from deconflict.register.entity import Entity, Kind, ZoneRule

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
LENGTHS = st.floats(0, 5000)
INSTANTS = st.datetimes(timezones=st.just(UTC))
HEIGHTS = st.builds(Height, st.floats(-400, 20_000), st.sampled_from(AltitudeReference))


@st.composite
def bands(draw):
    lower, upper = draw(st.none() | HEIGHTS), draw(st.none() | HEIGHTS)
    if lower and upper and lower.reference is upper.reference and lower.value_m > upper.value_m:
        lower, upper = upper, lower
    return AltitudeBand(lower, upper, draw(st.none() | st.floats(-400, 8000)))


def wrapped(lon_deg):
    return math.remainder(lon_deg, 360.0)


@st.composite
def footprints(draw):
    lat, lon = draw(st.floats(-80, 80)), draw(st.sampled_from([-180.0, -179.95, 0.0, 37.5, 179.99]))
    size = draw(st.floats(0.001, 0.5))
    shape = draw(st.sampled_from(["circle", "point", "route", "timed", "polygon", "holed"]))
    if shape in {"circle", "point"}:
        return Circle((lat, lon), draw(LENGTHS) if shape == "circle" else 0.0)
    if shape in {"route", "timed"}:
        points = ((lat, lon), (lat + size, wrapped(lon + size)), (lat, wrapped(lon + 2 * size)))
        times = tuple(sorted(draw(st.tuples(INSTANTS, INSTANTS, INSTANTS))))
        return Route(points, draw(LENGTHS), times if shape == "timed" else ())
    corners = draw(st.integers(3, 9))
    turn = draw(st.sampled_from([-1, 1]))

    def ring(radius_deg):
        return tuple(
            (
                lat + radius_deg * math.sin(turn * 2 * math.pi * corner / corners),
                wrapped(lon + radius_deg * math.cos(turn * 2 * math.pi * corner / corners)),
            )
            for corner in range(corners)
        )

    return Polygon(ring(size), (ring(size / 3),) if shape == "holed" else ())


@st.composite
def entities(draw):
    kind = draw(st.sampled_from(Kind))
    hazardous = kind is Kind.OPERATION and draw(st.booleans())
    volumes = []
    for footprint in draw(st.lists(footprints(), min_size=1, max_size=3)):
        timed = isinstance(footprint, Route) and footprint.times
        start, end = sorted(draw(st.tuples(INSTANTS, INSTANTS)))
        volumes.append(
            Volume4D(
                footprint=footprint,
                band=draw(bands()),
                start=draw(st.sampled_from([None, footprint.times[0] if timed else start])),
                end=draw(st.sampled_from([None, footprint.times[-1] if timed else end])),
                uncertainty_m=draw(LENGTHS),
                danger_radius_m=draw(LENGTHS) if hazardous else 0.0,
            )
        )
    if draw(st.booleans()):
        first = volumes[0]
        timed = any(isinstance(v.footprint, Route) and v.footprint.times for v in volumes)
        rest = [] if timed else [replace(first, footprint=v.footprint) for v in volumes[1:]]
        volumes = [first, *rest]
    zone = kind is Kind.ZONE
    return Entity(
        id=draw(TEXTS),
        kind=kind,
        volumes=tuple(volumes),
        party=draw(st.none() | TEXTS),
        name=draw(st.just("") | TEXTS),
        hazardous=hazardous,
        rule=draw(st.sampled_from(ZoneRule)) if zone else None,
        applies_to=draw(st.none() | st.just(("Party A", "op-1"))) if zone else None,
        priority=draw(st.integers(-3, 3)) if kind is Kind.OPERATION else 0,
        obtained=draw(st.none() | st.just("gps")),
        obtained_at=draw(st.none() | INSTANTS),
        reach_m=draw(st.none() | LENGTHS),
        assumed=("the map was old",),
    )


def plain(entity):
    """Return an entity as it is to be compared: polygons wound one way, no file named."""
    volumes = []
    for volume in entity.volumes:
        footprint = volume.footprint
        if isinstance(footprint, Polygon):
            rings = [
                min(ring, (ring[0], *reversed(ring[1:])))
                for ring in (footprint.shell, *footprint.holes)
            ]
            footprint = Polygon(rings[0], tuple(rings[1:]))
        volumes.append(replace(volume, footprint=footprint))
    return replace(entity, volumes=tuple(volumes), source="", assumed=())


@pytest.mark.parametrize("form", [geojson, kml])
@settings(max_examples=150)
@given(entity=entities())
def test_a_written_entity_reads_back(form, entity):
    data = form.write([entity])
    result = form.read(data, name="written", defaults=NO_DEFAULTS)
    assert result.problems == ()
    (again,) = result.entities
    # Identifiers and names are composed (NFC) and trimmed on reading.
    assert plain(again) == plain(replace(entity, id=again.id, party=again.party))
    assert set(entity.assumed) <= set(again.assumed)
    assert form.write([replace(again, source="")]) == form.write([again])
