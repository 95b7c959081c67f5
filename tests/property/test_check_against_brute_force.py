"""The check finds the same as plain loops over every pair, and over every zone."""

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deconflict.geo.containment import containment
from deconflict.geo.separation import separation
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
from deconflict.register.check import check
from deconflict.register.entity import Entity, Kind, ZoneRule

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PLACES = [(36.4, 37.5), (0.0, 179.98), (89.96, 10.0), (-70.0, -120.0)]
PARTIES = ["A", "B", None]


def random_volume(rng, place, size_m, **more):
    lat = max(-89.999, min(89.999, place[0] + rng.uniform(-0.008, 0.008)))
    lon = place[1] + rng.uniform(-0.008, 0.008)
    lon = (lon + 180) % 360 - 180
    start = NOW + timedelta(minutes=rng.randrange(0, 90))
    end = start + timedelta(minutes=rng.randrange(0, 60))
    shape = rng.choice(["circle", "circle", "polygon", "route", "timed"])
    step = size_m / 111_000
    if shape == "circle" or abs(lat) > 89:
        footprint = Circle((lat, lon), rng.uniform(0, size_m))
    elif shape == "polygon":
        footprint = Polygon(((lat, lon), (lat + step, lon), (lat + step / 2, lon + step)))
    else:
        points = ((lat, lon), (lat + step, lon), (lat + step, lon + step))
        times = (start, start + (end - start) / 2, end) if shape == "timed" else ()
        footprint = Route(points, rng.uniform(0, size_m / 5), times)
    if rng.random() < 0.2 and not getattr(footprint, "times", ()):
        start = end = None
    return Volume4D(
        footprint=footprint,
        start=start,
        end=end,
        uncertainty_m=rng.choice([0.0, 10.0]),
        **more,
    )


def random_entity(rng, key):
    place = rng.choice(PLACES)
    kind = rng.choice([Kind.SITE, Kind.MOVEMENT, Kind.OPERATION, Kind.OPERATION, Kind.ZONE])
    count = rng.choice([1, 1, 2])
    if kind is Kind.ZONE:
        size_m = rng.choice([800.0, 4000.0])
        return Entity(
            id=key,
            kind=kind,
            volumes=tuple(random_volume(rng, place, size_m) for _ in range(count)),
            party=rng.choice(PARTIES),
            rule=rng.choice(list(ZoneRule)),
            applies_to=rng.choice([None, None, ("a",), ("B",), (f"e{rng.randrange(70)}",)]),
        )
    hazardous = kind is Kind.OPERATION and rng.random() < 0.5
    danger_m = rng.choice([0.0, 300.0]) if hazardous else 0.0
    return Entity(
        id=key,
        kind=kind,
        volumes=tuple(
            random_volume(rng, place, 500.0, danger_radius_m=danger_m) for _ in range(count)
        ),
        party=rng.choice(PARTIES),
        hazardous=hazardous,
    )


def binds(zone, entity):
    if zone.applies_to is not None:
        names = {name.lower() for name in zone.applies_to}
    elif zone.rule is ZoneRule.AREA_OF_OPERATIONS:
        names = set() if zone.party is None else {zone.party.lower()}
    else:
        return True
    return entity.id in names or (entity.party or "").lower() in names


def any_meeting(a, b):
    return any(separation(v, w).meets for v, w in itertools.product(a.volumes, b.volumes))


def without_times(entity):
    def bare(volume):
        footprint = volume.footprint
        if isinstance(footprint, Route):
            footprint = Route(footprint.points, footprint.width_m)
        return replace(volume, footprint=footprint, start=None, end=None)

    return replace(entity, volumes=tuple(bare(volume) for volume in entity.volumes))


def all_inside(entity, zones):
    return all(
        any(containment(v, w).inside for zone in zones for w in zone.volumes)
        for v in entity.volumes
    )


def forbidden_meetings(plans, against):
    """Return every pair that the sentences of the rules forbid to meet, in plain loops."""
    pairs = [*itertools.combinations(plans, 2), *itertools.product(plans, against)]
    found = set()
    for one, two in pairs:
        for a, b in ((one, two), (two, one)):
            operation = a.kind is Kind.OPERATION
            if b.kind is Kind.ZONE:
                if a.kind is Kind.ZONE or not binds(b, a):
                    continue
                out = b.rule is ZoneRule.KEEP_OUT and a.kind in {Kind.OPERATION, Kind.MOVEMENT}
                peace = b.rule is ZoneRule.CEASEFIRE and a.hazardous
                matters = out or peace
            else:
                matters = (operation and b.kind is Kind.OPERATION) or a.hazardous
            if matters and any_meeting(a, b):
                found.add(frozenset((a.id, b.id)))
    return found


def forbidden_absences(plans, against):
    """Return (entity, rule) for each entity that lies in no zone that should hold it."""
    everyone = [*plans, *against]
    found = set()
    for entity in everyone:
        if entity.kind is Kind.ZONE:
            continue
        for rule in ZoneRule:
            zones = [z for z in everyone if z.rule is rule and binds(z, entity)]
            asked = entity in plans or any(zone in plans for zone in zones)
            if rule is ZoneRule.AREA_OF_OPERATIONS:
                bound = True
            elif rule in {ZoneRule.KEEP_IN, ZoneRule.CORRIDOR}:
                bound = entity.kind is not Kind.SITE
            else:
                bound = False
            if bound and zones and asked and not all_inside(entity, zones):
                found.add((entity.id, rule))
            if rule is not ZoneRule.CEASEFIRE or entity.kind is not Kind.MOVEMENT:
                continue
            relied = []
            for zone in zones:
                if entity not in plans and zone not in plans:
                    continue
                if entity.id in (zone.applies_to or ()):
                    relies = True
                elif zone.applies_to is not None:
                    relies = any_meeting(without_times(entity), without_times(zone))
                else:
                    relies = any_meeting(entity, zone)
                if relies:
                    relied.append(zone)
            if relied and not all_inside(entity, relied):
                found.add((entity.id, rule))
    return found


@pytest.mark.parametrize("seed", range(10))
def test_the_check_finds_what_plain_loops_over_all_pairs_find(seed, monkeypatch):
    # What would clear a conflict has tests of its own, and takes most of the time.
    monkeypatch.setattr("deconflict.register.check.MOST_CLEARED", 0)
    rng = random.Random(seed)
    entities = [random_entity(rng, f"e{n}") for n in range(70)]
    plans, against = entities[:25], entities[25:]
    report = check(plans, against, now=NOW)

    met = {frozenset((c.a.id, c.b.id)) for c in report.conflicts if c.check == "must not meet"}
    expected = forbidden_meetings(plans, against)
    assert met == expected
    assert len(expected) > 10

    outside = {
        (conflict.a.id, conflict.b.rule)
        for conflict in report.conflicts
        if conflict.check in {"must stay inside", "area of operations"}
    }
    assert outside == forbidden_absences(plans, against)
    assert len(outside) > 10
