from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from deconflict.geo.packed.prepared import prepared
from deconflict.geo.pile import Pile
from deconflict.geo.separation import meets
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def circle(lat_deg: float, lon_deg: float, radius_m: float = 100.0, **more) -> Volume4D:
    return Volume4D(footprint=Circle((lat_deg, lon_deg), radius_m), **more)


def test_an_empty_pile_finds_nothing() -> None:
    pile: Pile[str] = Pile()
    assert pile.query([prepared(circle(0, 0))]) == set()
    assert len(pile) == 0


def test_all_volumes_of_a_key_are_asked_about_and_go_together() -> None:
    pile: Pile[str] = Pile()
    pile.add("two", [prepared(circle(0, 0)), prepared(circle(1, 1))])
    pile.add("one", [prepared(circle(0, 0.0015))])
    assert pile.query([prepared(circle(0, 0.0005))]) == {"one", "two"}
    assert pile.query([prepared(circle(1, 1))]) == {"two"}
    pile.add("two", [prepared(circle(2, 2))])
    assert pile.query([prepared(circle(1, 1)), prepared(circle(0, 0.0005))]) == {"one"}
    pile.remove("one")
    pile.remove("never")
    assert pile.query([prepared(circle(0, 0.0005))]) == set()
    assert pile.query([prepared(circle(2, 2))]) == {"two"}
    assert len(pile) == 1


def test_a_removed_volume_is_in_force_at_no_time_not_even_for_ever() -> None:
    pile: Pile[str] = Pile()
    pile.add("always", [prepared(circle(0, 0))])
    pile.remove("always")
    assert pile.query([prepared(circle(0, 0))]) == set()


def test_what_the_packed_arrays_leave_open_is_decided_exactly() -> None:
    hook = Polygon(((0.0, 0.0), (0.0, 0.1), (0.01, 0.1), (0.01, 0.01), (0.1, 0.01), (0.1, 0.0)))
    pile: Pile[str] = Pile()
    pile.add("hook", [prepared(Volume4D(footprint=hook))])
    touching = Volume4D(footprint=Polygon(((0.1, 0.005), (0.11, 0.0), (0.11, 0.01))))
    assert pile.query([prepared(touching)]) == {"hook"}


def test_a_pile_that_grows_answers_as_each_pair_does() -> None:
    random = np.random.default_rng(3)
    pile: Pile[int] = Pile()
    volumes: dict[int, Volume4D] = {}
    for key in range(400):
        lat, lon = random.normal(0, 0.05, 2).tolist()
        start = NOON + timedelta(seconds=int(random.integers(0, 9_000)))
        times = (start, start + timedelta(minutes=20), start + timedelta(minutes=40))
        shapes = (
            Circle((lat, lon), 900.0),
            Polygon(((lat, lon), (lat, lon + 0.02), (lat + 0.02, lon))),
            Route(((lat, lon), (lat, lon + 0.02), (lat + 0.01, lon)), 90.0, times),
        )
        window = {} if key % 7 == 0 else {"start": times[0], "end": times[-1]}
        volumes[key] = Volume4D(footprint=shapes[key % 3], **window)
        pile.add(key, [prepared(volumes[key])])
        if key % 5 == 4:
            pile.remove(key - 2)
            del volumes[key - 2]
    for volume in list(volumes.values())[::11]:
        expected = {key for key, other in volumes.items() if meets(volume, other)}
        assert pile.query([prepared(volume)]) == expected
