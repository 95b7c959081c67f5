from __future__ import annotations

import importlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.packed.margins import Margins
from deconflict.geo.separation import meets
from deconflict.geo.sweep import sweep
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEVER = float("nan")


def circle(lat_deg: float, lon_deg: float, radius_m: float = 100.0, **more) -> Volume4D:
    return Volume4D(footprint=Circle((lat_deg, lon_deg), radius_m), **more)


def scattered(count: int) -> list[Volume4D]:
    random = np.random.default_rng(1)
    volumes = []
    for _ in range(count):
        lat, lon = random.normal(0, 0.05, 2)
        lon = (lon + 360.0) % 360.0 - 180.0
        start = NOON + timedelta(seconds=int(random.integers(0, 3_600)))
        low = float(random.integers(0, 200))
        volumes.append(
            circle(
                float(lat),
                float(lon),
                float(random.uniform(10, 1_500)),
                start=start,
                end=start + timedelta(minutes=10),
                band=AltitudeBand(Height(low), Height(low + 60)),
            )
        )
    return volumes


@pytest.fixture(params=["few", "many"])
def way(request, monkeypatch) -> None:
    """Each test runs with the comparison of few volumes and with the compiled one."""
    if request.param == "many":
        module = importlib.import_module("deconflict.geo.sweep")
        monkeypatch.setattr(module, "FEW_ROWS", -1)


@pytest.mark.usefixtures("way")
def test_both_ways_find_what_each_pair_by_itself_gives() -> None:
    volumes = scattered(250)
    expected = [
        [i, j] for i in range(250) for j in range(i + 1, 250) if meets(volumes[i], volumes[j])
    ]
    assert len(expected) > 100
    assert sweep(volumes).tolist() == expected


@pytest.mark.usefixtures("way")
def test_nothing_and_one_volume_have_no_pairs() -> None:
    assert sweep([]).shape == (0, 2)
    assert sweep([circle(0, 0)]).shape == (0, 2)


@pytest.mark.usefixtures("way")
def test_touching_volumes_are_found() -> None:
    square = Polygon(((0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.1, 0.0)))
    beside = Polygon(((0.0, 0.1), (0.0, 0.2), (0.1, 0.2), (0.1, 0.1)))
    along = Polygon(((-0.1, 0.02), (0.0, 0.02), (0.0, 0.03)))
    volumes = [Volume4D(footprint=f) for f in (square, beside, along)]
    assert sweep(volumes).tolist() == [[0, 1], [0, 2]]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("lat_deg", [0.0, 70.0, 89.9999])
def test_the_seam_is_no_border(lat_deg: float) -> None:
    volumes = [circle(lat_deg, 180.0), circle(lat_deg, -179.9995), circle(lat_deg, 179.9995)]
    assert sweep(volumes).tolist() == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.usefixtures("way")
def test_a_pole_is_one_place() -> None:
    volumes = [circle(90.0, 0.0), circle(89.9995, 120.0), circle(90.0, -77.0)]
    assert sweep(volumes).tolist() == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.usefixtures("way")
def test_volumes_of_every_size_meet_each_other() -> None:
    sizes = [0.0, 3.0, 50.0, 900.0, 20_000.0, 700_000.0, 1_900_000.0]
    volumes = [circle(36.37, 37.515, size) for size in sizes]
    volumes.append(circle(36.37 + 1.0, 37.515, 1.0))  # 111 km away
    found = sweep(volumes).tolist()
    assert found == [
        *([i, j] for i in range(7) for j in range(i + 1, 8 if i >= 5 else 7)),
    ]


@pytest.mark.usefixtures("way")
def test_time_without_end_meets_all_times_and_windows_touch() -> None:
    later = NOON + timedelta(hours=1)
    volumes = [
        circle(1, 1),
        circle(1, 1, start=NOON, end=later),
        circle(1, 1, start=later, end=later + timedelta(hours=1)),
        circle(1, 1, start=later + timedelta(microseconds=1)),
        circle(1, 1, end=datetime(1, 1, 1, tzinfo=UTC)),
    ]
    assert sweep(volumes).tolist() == [[0, 1], [0, 2], [0, 3], [0, 4], [1, 2], [2, 3]]


@pytest.mark.usefixtures("way")
def test_only_the_leg_that_is_occupied_meets() -> None:
    times = (NOON, NOON + timedelta(minutes=30), NOON + timedelta(minutes=60))
    route = Volume4D(footprint=Route(((1.0, 1.0), (1.0, 1.1), (1.1, 1.1)), 100.0, times))
    early = {"start": NOON, "end": NOON + timedelta(minutes=10)}
    late = {"start": NOON + timedelta(minutes=50), "end": NOON + timedelta(minutes=90)}
    volumes = [
        route,
        circle(1.0, 1.05, **early),
        circle(1.05, 1.1, **early),
        circle(1.05, 1.1, **late),
        circle(1.0, 1.1, 50_000.0),
    ]
    assert [pair for pair in sweep(volumes).tolist() if 0 in pair] == [[0, 1], [0, 3], [0, 4]]


@pytest.mark.usefixtures("way")
def test_margins_are_those_of_the_two_classes() -> None:
    # Two circles 1,112 m apart, the bands 40 m, the windows 60 s.
    volumes = [
        circle(0.0, 0.0, 0.0, end=NOON, band=AltitudeBand(None, Height(100.0))),
        circle(
            0.01, 0.0, 0.0, start=NOON + timedelta(seconds=60), band=AltitudeBand(Height(140.0))
        ),
    ]
    assert not len(sweep(volumes))
    for plan, height, time, expected in (
        (1_106, 40, 60, 1),
        (1_105, 40, 60, 0),
        (1_106, 39, 60, 0),
        (1_106, 40, 59, 0),
    ):
        margins = Margins.of(
            [[0, plan], [plan, 0]], [[0, height], [height, 0]], [[0, time], [time, 0]]
        )
        assert len(sweep(volumes, classes=[0, 1], margins=margins)) == expected
        assert not len(sweep(volumes, classes=[0, 0], margins=margins))


@pytest.mark.usefixtures("way")
def test_classes_that_never_matter_to_each_other_are_left_out() -> None:
    volumes = [circle(0, 0), circle(0, 0), circle(0, 0), circle(0, 0)]
    margins = Margins.of([[NEVER, 0], [0, 0]])
    pairs = sweep(volumes, classes=[0, 0, 1, 1], margins=margins)
    assert pairs.tolist() == [[0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]


@pytest.mark.usefixtures("way")
def test_groups_and_bystanders_are_not_paired_among_themselves() -> None:
    volumes = [circle(0, 0)] * 4
    assert sweep(volumes, groups=[7, 7, -1, -1]).tolist() == [
        [0, 2], [0, 3], [1, 2], [1, 3], [2, 3],
    ]  # fmt: skip
    assert sweep(volumes, plans=[True, False, False, True]).tolist() == [
        [0, 1], [0, 2], [0, 3], [1, 3], [2, 3],
    ]  # fmt: skip


@pytest.mark.usefixtures("way")
def test_heights_across_references_near_a_pole_are_judged_as_for_one_pair() -> None:
    sea = AltitudeReference.MSL
    near_pole = Polygon(((-89.96, 1.0), (-89.97, 34.0), (-89.99, -49.0), (-89.97, -72.0)))
    volumes = [
        Volume4D(footprint=near_pole, band=AltitudeBand(Height(120.0), Height(250.0))),
        circle(-89.98, -63.0, band=AltitudeBand(Height(30.0, sea), Height(90.0, sea))),
    ]
    assert len(sweep(volumes)) == meets(*volumes)


@pytest.mark.parametrize(
    "more",
    [
        {"classes": [0]},
        {"groups": [0, 1, 2]},
        {"plans": [True]},
        {"classes": [0, 1], "margins": Margins.of([[0.0]])},
    ],
)
def test_arguments_that_do_not_fit_are_refused(more) -> None:
    with pytest.raises(InputError):
        sweep([circle(0, 0), circle(1, 1)], **more)


@pytest.mark.parametrize(
    "matrices",
    [
        ([[0, 1], [2, 0]],),
        ([[0, -1], [-1, 0]],),
        ([[float("inf")]],),
        ([[0.0]], [[NEVER]]),
        ([[0.0]], [[0.0]], [[1e12]]),
        ([[0.0, 0.0]],),
    ],
)
def test_margins_that_say_nothing_clear_are_refused(matrices) -> None:
    with pytest.raises(InputError):
        Margins.of(*matrices)


@pytest.mark.usefixtures("way")
def test_progress_goes_from_nothing_to_all() -> None:
    told: list[float] = []
    sweep(scattered(30), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert min(told) >= 0.0


def test_few_volumes_are_compared_without_loading_numba() -> None:
    code = (
        "import sys\n"
        "from deconflict.geo.sweep import sweep\n"
        "from deconflict.geo.volume import Circle, Volume4D\n"
        "sweep([Volume4D(footprint=Circle((0.0, 0.0), 1.0))] * 20)\n"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_compiling_works_where_no_folder_can_be_written(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    code = (
        "from deconflict.geo.packed.compiled import compiled, kept_in\n"
        "assert kept_in() is None\n"
        "assert compiled(lambda x: x + 1)(1) == 2"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "file" / "below")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
