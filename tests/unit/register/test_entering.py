"""What brings an entity into a zone: each shift is applied, and the run is checked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deconflict.geo import clearance
from deconflict.geo.height import AltitudeBand, Height
from deconflict.geo.volume import Circle, Volume4D
from deconflict.register.check import check
from deconflict.register.entity import Entity, Kind, ZoneRule

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
HERE = (36.37, 37.515)
NORTH = (36.40, 37.515)
KINDS = {
    "time": clearance.ShiftKind.TIME,
    "height": clearance.ShiftKind.HEIGHT,
    "plan": clearance.ShiftKind.PLAN,
}


def volume(place, radius_m, hours=(0.0, 1.0), heights_m=(100.0, 200.0)) -> Volume4D:
    return Volume4D(
        footprint=Circle(place, radius_m),
        band=AltitudeBand(*(Height(height) for height in heights_m)),
        start=NOON + timedelta(hours=hours[0]),
        end=NOON + timedelta(hours=hours[1]),
    )


def zone(rule=ZoneRule.KEEP_IN) -> Entity:
    held = volume(HERE, 2_000.0, (0.0, 4.0), (0.0, 500.0))
    return Entity(id="zone", kind=Kind.ZONE, rule=rule, applies_to=("A",), volumes=(held,))


def flight(identifier="flight", **where) -> Entity:
    wanted = {"place": HERE, "radius_m": 300.0} | where
    return Entity(id=identifier, kind=Kind.OPERATION, party="A", volumes=(volume(**wanted),))


def offered(*entities: Entity):
    report = check(entities, now=NOON - timedelta(days=1))
    (conflict,) = [found for found in report.conflicts if found.check == "must stay inside"]
    return conflict.clears


def after(entity: Entity, shift) -> Entity:
    change = clearance.Shift(
        kind=KINDS[shift.action],
        seconds=int(shift.time_s or 0),
        metres=shift.height_m or shift.distance_m or 0.0,
        bearing_deg=shift.bearing_deg or 0.0,
    )
    return replace(entity, volumes=clearance.shifted(entity.volumes, change))


@pytest.mark.parametrize(
    ("where", "action"),
    [
        ({"hours": (3.5, 4.5)}, "time"),
        ({"hours": (-0.25, 0.75)}, "time"),
        ({"heights_m": (450.0, 550.0)}, "height"),
        ({"heights_m": (-20.0, 80.0)}, "height"),
        ({"place": NORTH}, "plan"),
    ],
)
def test_what_is_offered_ends_the_conflict(where, action) -> None:
    out = flight(**where)
    (shift,) = offered(zone(), out)
    assert shift.action == action
    assert check([zone(), after(out, shift)], now=NOON).conflicts == ()


def test_the_shift_in_time_is_as_small_as_it_can_be() -> None:
    (shift,) = offered(zone(), flight(hours=(3.5, 4.5)))
    assert shift.time_s == -1800.0


def test_the_shift_in_height_is_as_small_as_it_can_be() -> None:
    (shift,) = offered(zone(), flight(heights_m=(450.0, 550.0)))
    assert shift.height_m == -50.0


def test_nothing_is_offered_to_who_is_out_in_two_ways() -> None:
    assert offered(zone(), flight(place=NORTH, hours=(3.5, 4.5))) == ()


def test_nothing_is_offered_that_would_meet_another() -> None:
    there = flight("other", hours=(2.0, 4.0))
    assert offered(zone(), flight(hours=(3.5, 4.5), heights_m=(100.0, 200.0)), there) == ()


def test_a_hazardous_operation_near_a_site_is_offered_no_place() -> None:
    site = Entity(id="site", kind=Kind.SITE, volumes=(Volume4D(footprint=Circle(NORTH, 50.0)),))
    strike = replace(flight(place=NORTH), hazardous=True)
    for shift in offered(zone(), strike, site):
        assert shift.action == "time"


def test_nothing_is_moved_to_before_the_check() -> None:
    late = flight(hours=(3.5, 4.5))
    report = check([zone(), late], now=NOON + timedelta(hours=3, minutes=15))
    assert report.conflicts[0].clears == ()
