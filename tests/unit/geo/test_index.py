from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.errors import InputError
from deconflict.geo.index import Index
from deconflict.geo.packed.prepared import prepared
from deconflict.geo.packed.table import VolumeTable
from deconflict.geo.pile import Pile
from deconflict.geo.separation import meets
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def circle(lat_deg: float, lon_deg: float, radius_m: float = 100.0, **more) -> Volume4D:
    return Volume4D(footprint=Circle((lat_deg, lon_deg), radius_m), **more)


def test_an_empty_index_finds_nothing() -> None:
    index: Index[str] = Index()
    assert index.query(circle(0, 0)) == index.candidates(circle(0, 0)) == []
    assert len(index) == 0


def test_what_is_inserted_is_found_until_it_is_removed() -> None:
    index: Index[str] = Index()
    index.insert("a", circle(0, 0))
    index.insert("b", circle(0, 0.0015))
    index.insert("far", circle(0, 0.1))
    assert sorted(index.query(circle(0, 0.0005))) == ["a", "b"]
    assert "a" in index
    index.remove("a")
    assert index.query(circle(0, 0.0005)) == ["b"]
    assert "a" not in index
    assert len(index) == 2


def test_candidates_hold_all_that_meet_and_need_not_meet() -> None:
    hook = Polygon(((0.0, 0.0), (0.0, 0.1), (0.01, 0.1), (0.01, 0.01), (0.1, 0.01), (0.1, 0.0)))
    index = Index(["hook"], [Volume4D(footprint=hook)])
    assert index.candidates(circle(0.08, 0.08)) == ["hook"]
    assert index.query(circle(0.08, 0.08)) == []
    assert index.candidates(circle(1, 1)) == []


def test_a_key_names_one_volume() -> None:
    index = Index([1], [circle(0, 0)])
    with pytest.raises(InputError, match="already"):
        index.insert(1, circle(1, 1))
    with pytest.raises(KeyError):
        index.remove(2)
    with pytest.raises(InputError, match="twice"):
        Index([1, 1], [circle(0, 0)] * 2)
    with pytest.raises(InputError):
        Index([1, 2], [circle(0, 0)])
    index.remove(1)
    index.insert(1, circle(1, 1))
    assert index.query(circle(1, 1)) == [1]


def test_a_timed_route_is_one_volume_of_many_legs() -> None:
    times = (NOON, NOON + timedelta(minutes=30), NOON + timedelta(minutes=60))
    route = Volume4D(footprint=Route(((1.0, 1.0), (1.0, 1.1), (1.1, 1.1)), 100.0, times))
    index = Index(["bulk"], VolumeTable.of([route]))
    index.insert("single", route)
    assert sorted(index.query(circle(1.0, 1.1))) == ["bulk", "single"]
    assert index.query(circle(1.05, 1.1, end=NOON)) == []
    assert sorted(index.query(route)) == ["bulk", "single"]
    index.remove("single")
    assert index.query(route) == ["bulk"]
    assert len(index) == 1


def test_volumes_of_every_size_and_duration_are_found_by_each_other() -> None:
    volumes = [
        circle(36.37, 37.515, size, end=end)
        for size in (0.0, 40.0, 5_000.0, 300_000.0, 1_900_000.0)
        for end in (None, NOON)
    ]
    index = Index(range(10), volumes)
    for volume in volumes:
        assert sorted(index.query(volume)) == list(range(10))


def test_edges_longer_than_a_piece_and_many_vertices_take_the_same_way() -> None:
    turns = np.radians(np.arange(5_000) * 360 / 5_000)
    ring = tuple((float(10 * np.sin(t)), float(10 * np.cos(t))) for t in turns)
    country = Polygon(((0.0, 0.0), (0.0, 5.0), (5.0, 5.0), (5.0, 0.0)))
    index: Index[str] = Index()
    index.insert("ring", Volume4D(footprint=Polygon(ring)))
    index.insert("country", Volume4D(footprint=country))
    assert sorted(index.query(circle(2.0, 2.0))) == ["country", "ring"]
    assert index.query(circle(-2.0, -2.0)) == ["ring"]
    assert sorted(index.query(Volume4D(footprint=Polygon(ring)))) == ["country", "ring"]


def test_after_much_coming_and_going_it_holds_what_it_should() -> None:
    random = np.random.default_rng(5)
    live: dict[int, Volume4D] = {}
    index: Index[int] = Index()
    for step in range(4_000):
        if live and random.random() < 0.35:
            key = list(live)[random.integers(len(live))]
            index.remove(key)
            del live[key]
            continue
        lat, lon = random.normal(0, 0.3, 2).tolist()
        start = NOON + timedelta(seconds=int(random.integers(0, 50_000)))
        times = {} if random.random() < 0.1 else {"start": start, "end": start + timedelta(hours=1)}
        shape = Circle((lat, lon), float(random.uniform(1, 3_000)))
        if random.random() < 0.4:
            shape = Polygon(((lat, lon), (lat, lon + 0.02), (lat + 0.02, lon)))
        live[step] = Volume4D(footprint=shape, **times)
        index.insert(step, live[step])
    assert len(index) == len(live) > 1_100
    for step in list(live)[::60]:
        expected = {key for key, volume in live.items() if meets(live[step], volume)}
        assert set(index.query(live[step])) == expected


def test_a_country_finds_what_lies_amid_it_among_a_world_of_others() -> None:
    # Its middle lies 95 km below the ground, far from the cubes where the others are.
    golden = math.pi * (3.0 - math.sqrt(5.0))
    count = 30_000
    lat_deg = np.degrees(np.arcsin(1.0 - (2.0 * np.arange(count) + 1.0) / count))
    lon_deg = np.degrees((np.arange(count) * golden) % (2.0 * math.pi)) - 180.0
    index = Index(
        range(count),
        [circle(*place, 15_000.0) for place in zip(lat_deg, lon_deg, strict=True)],
    )
    for center in ((0.0, 0.0), (45.0, 10.0), (90.0, 0.0)):
        rim = [
            Geodesic.WGS84.Direct(*center, -azimuth, 1_100_000.0) for azimuth in range(0, 360, 15)
        ]
        country = Volume4D(footprint=Polygon(tuple((p["lat2"], p["lon2"]) for p in rim)))
        amid = {
            number
            for number in np.flatnonzero(np.abs(lat_deg - center[0]) < 10.0).tolist()
            if Geodesic.WGS84.Inverse(*center, lat_deg[number], lon_deg[number])["s12"]
            < 1_050_000.0
        }
        assert len(amid) > 100
        assert amid <= set(index.query(country))


def test_an_index_that_resolves_its_keys_keeps_no_volume_and_answers_the_same() -> None:
    hook = Polygon(((0.0, 0.0), (0.0, 0.1), (0.01, 0.1), (0.01, 0.01), (0.1, 0.01), (0.1, 0.0)))
    volumes = {1: Volume4D(footprint=hook), 2: circle(0.05, 0.005), 3: circle(5, 5)}
    asked: list[int] = []

    def resolve(key: int) -> Volume4D:
        asked.append(key)
        return volumes[key]

    index = Index(resolve=resolve)
    for key, volume in volumes.items():
        index.insert(key, volume)
    assert sorted(index.query(circle(0.05, 0.005))) == [1, 2]
    # A corner on an edge is too close for the packed arrays to tell.
    edge = Volume4D(footprint=Polygon(((0.1, 0.005), (0.11, 0.0), (0.11, 0.01))))
    assert index.query(edge) == [1]
    assert asked
    assert sorted(asked) == [1] * len(asked)


def test_what_is_prepared_once_is_asked_and_inserted_like_the_volume_itself() -> None:
    times = (NOON, NOON + timedelta(minutes=30), NOON + timedelta(minutes=60))
    route = Volume4D(footprint=Route(((1.0, 1.0), (1.0, 1.1), (1.1, 1.1)), 100.0, times))
    for volume in (circle(1.0, 1.05), route):
        ready = prepared(volume)
        assert prepared(ready) is ready
        index: Index[str] = Index()
        other: Index[str] = Index(["a"], [volume])
        index.insert("a", ready)
        assert index.query(ready) == other.query(ready) == index.query(volume) == ["a"]
        assert index.candidates(ready) == ["a"]


def test_an_index_made_from_the_table_of_another_answers_the_same() -> None:
    random = np.random.default_rng(11)
    times = (NOON, NOON + timedelta(minutes=30), NOON + timedelta(minutes=60))
    volumes: dict[int, Volume4D] = {}
    for key in range(900):
        lat, lon = random.normal(0, 0.2, 2).tolist()
        shapes = (
            Circle((lat, lon), 900.0),
            Polygon(((lat, lon), (lat, lon + 0.02), (lat + 0.02, lon))),
            Route(((lat, lon), (lat, lon + 0.02), (lat + 0.01, lon)), 90.0, times),
        )
        volumes[key] = Volume4D(footprint=shapes[key % 3])
    index = Index(resolve=volumes.__getitem__)
    for key, volume in volumes.items():
        index.insert(key, volume)
    for key in range(0, 900, 4):
        index.remove(key)
        del volumes[key]
    keys, table = index.table()
    again = Index(keys, table, resolve=volumes.__getitem__)
    assert len(again) == len(index) == 675
    for volume in list(volumes.values())[::25]:
        expected = {key for key, other in volumes.items() if meets(volume, other)}
        assert set(again.query(volume)) == set(index.query(volume)) == expected
    again.insert(0, volumes[1])
    assert set(again.query(volumes[1])) == {0, *index.query(volumes[1])}


def test_the_places_of_what_was_removed_are_used_again() -> None:
    index: Index[int] = Index()
    for key in range(200):
        index.insert(key, circle(0.0, key * 0.01))
    size = len(index._key)
    for turn in range(1, 30):
        for key in range(200):
            index.remove(key)
            index.insert(key, circle(0.0, key * 0.01 + turn * 0.001))
    assert len(index._key) == size
    assert index.query(circle(0.0, 29 * 0.001)) == [0]


def test_a_query_stops_at_the_first_of_a_group_that_meets() -> None:
    volumes = {
        10 * group + n: circle(0.0, group * 0.1 + n * 0.001) for group in range(3) for n in range(5)
    }
    index = Index(resolve=volumes.__getitem__, group=lambda key: key // 10)
    for key, volume in volumes.items():
        index.insert(key, volume)
    for _ in range(2):  # a question leaves nothing behind for the next one
        assert {key // 10 for key in index.query(circle(0.0, 0.002, 5_000.0))} == {0}
        assert len(index.query(circle(0.0, 0.002, 5_000.0))) == 1
        both = index.query_all([circle(0.0, 0.0), circle(0.0, 0.002), circle(0.0, 0.2)])
        assert sorted(key // 10 for key in both) == [0, 2]
    for n in range(5):
        index.remove(n)
    index.insert(33, circle(0.0, 0.0))
    assert index.query(circle(0.0, 0.0)) == [33]


def test_more_than_a_query_has_room_for_is_found_all_the_same_and_again() -> None:
    here = circle(0, 0)
    index: Index[int] = Index(group=lambda key: key // 3)
    for key in range(3 * 500):
        index.insert(key, here)
    for _ in range(2):
        found = index.query(here)
        assert len(found) == 500
        assert {key // 3 for key in found} == set(range(500))
    assert len(index.candidates(here)) == 1500


def test_each_leg_finds_more_than_there_is_room_for_at_first() -> None:
    index: Index[int] = Index()
    for key in range(200):
        index.insert(key, circle(0.01, 0.0 if key % 2 else 0.03))
    points = ((0.01, -0.01), (0.01, 0.01), (0.01, 0.04))
    times = tuple(NOON + timedelta(minutes=10 * number) for number in range(3))
    route = Route(points, 50.0, times)
    assert sorted(index.query(Volume4D(footprint=route))) == list(range(200))


def test_groups_outlast_the_growth_of_an_index() -> None:
    volumes: dict[int, Volume4D] = {}
    index = Index(resolve=volumes.__getitem__, group=lambda key: key // 10)
    for key in range(20_000):
        volumes[key] = circle(0.0, (key // 10) * 0.01)
        index.insert(key, volumes[key])
    assert [key // 10 for key in index.query(circle(0.0, 15.0))] == [1_500]
    keys, table = index.table()
    again = Index(keys, table, resolve=volumes.__getitem__, group=lambda key: key // 10)
    assert [key // 10 for key in again.query(circle(0.0, 15.0))] == [1_500]


def test_beyond_the_bound_of_exact_decisions_what_is_open_counts_as_meeting() -> None:
    # Corners 5 mm off an edge: too close for the packed arrays, and apart.
    edge = Volume4D(footprint=Polygon(((0.0, 0.0), (0.0, 0.1), (-0.1, 0.05))))
    apart_deg = 0.005 / 110_574.0
    near = {
        n: Volume4D(
            footprint=Polygon(
                ((apart_deg, 0.01 * n + 0.005), (0.01, 0.01 * n), (0.01, 0.01 * n + 0.01))
            )
        )
        for n in range(8)
    }
    index = Index(near, near.values())
    assert not any(meets(edge, volume) for volume in near.values())
    assert index.query(edge) == []
    assert len(index.query_all([edge], most_exact=3)) == 5
    pile: Pile[int] = Pile()
    for key, volume in near.items():
        pile.add(key, [prepared(volume)])
    assert pile.query([prepared(edge)]) == set()
    assert len(pile.query([prepared(edge)], most_exact=3)) == 5
