"""Entities at exact distances, placed by GeographicLib."""

from datetime import UTC, datetime, timedelta

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.volume import Circle, Volume4D
from deconflict.register.check import check as run_check
from deconflict.register.entity import Entity, Kind, ZoneRule

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HERE = (36.37, 37.515)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def here():
    return HERE


@pytest.fixture
def away():
    """Return the point at a distance in metres and an azimuth from a point."""

    def place(distance_m, azimuth_deg=90.0, origin=HERE):
        line = Geodesic.WGS84.Direct(*origin, azimuth_deg, distance_m)
        return (line["lat2"], line["lon2"])

    return place


@pytest.fixture
def at():
    """Return the instant some minutes after now."""
    return lambda minutes: NOW + timedelta(minutes=minutes)


@pytest.fixture
def circle():
    """Return a volume of a circle, by default for the hour that begins now."""

    def make(center=HERE, radius_m=0.0, *, minutes=(0, 60), **more):
        window = {}
        if minutes is not None:
            window = {
                "start": NOW + timedelta(minutes=minutes[0]),
                "end": NOW + timedelta(minutes=minutes[1]),
            }
        return Volume4D(footprint=Circle(center, radius_m), **window, **more)

    return make


@pytest.fixture
def entity(circle):
    """Return an entity of one circle."""

    def make(key, kind, center=HERE, radius_m=0.0, *, volumes=None, fields=None, **more):
        if volumes is None:
            minutes = None if kind in {"site", "zone"} else (0, 60)
            more = {"minutes": minutes, **more}
            volumes = (circle(center, radius_m, **more),)
        return Entity(id=key, kind=Kind(kind), volumes=volumes, **(fields or {}))

    return make


@pytest.fixture
def strike(entity):
    """Return a hazardous operation."""

    def make(key="strike", center=HERE, danger_m=500.0, *, fields=None, **more):
        fields = {"hazardous": True, "party": "A", **(fields or {})}
        return entity(key, "operation", center, danger_radius_m=danger_m, fields=fields, **more)

    return make


@pytest.fixture
def zone(entity):
    """Return a zone with a rule."""

    def make(rule, key="zone", center=HERE, radius_m=1000.0, *, fields=None, **more):
        fields = {"rule": ZoneRule(rule), **(fields or {})}
        return entity(key, "zone", center, radius_m, fields=fields, **more)

    return make


@pytest.fixture
def check():
    """Return the check at the tests' own time."""

    def run(plans, against=(), **more):
        return run_check(plans, against, **{"now": NOW, **more})

    return run


@pytest.fixture
def found(check):
    """Return the verdict, and each conflict as (a, b, check)."""

    def run(plans, against=(), **more):
        report = check(plans, against, **more)
        return report.verdict, [(c.a.id, c.b.id, str(c.check)) for c in report.conflicts]

    return run
