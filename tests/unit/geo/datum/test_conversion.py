"""Datums; oracles: GeographicLib for distances, and shifts computed here from their parameters."""

import math
import random

import numpy as np
import pyproj
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from deconflict.geo.datum import (
    WGS84,
    Datum,
    crs_to_wgs84,
    datum_named,
    from_wgs84,
    to_wgs84,
    to_wgs84_many,
    wgs84_to_crs,
)
from deconflict.geo.datum.shift import shift_of
from deconflict.geo.errors import InputError

AL_BAB = (36.37, 37.515)
BERLIN = (52.52, 13.405)
ANKARA = (39.93, 32.86)
MOSCOW = (55.75, 37.62)

WGS84_ELLIPSOID = (6378137.0, 1 / 298.257223563)
HAYFORD = (6378388.0, 1 / 297.0)
KRASSOWSKY = (6378245.0, 1 / 298.3)


def distance_m(a, b):
    return Geodesic.WGS84.Inverse(a[0], a[1], b[0], b[1])["s12"]


def similarity(point, source, shift, rotation_arcsec=(0.0, 0.0, 0.0), scale_ppm=0.0):
    """Bring a point to WGS 84 by a position vector transformation, height 0 on the source."""
    a, f = source
    e2 = f * (2 - f)
    lat, lon = map(math.radians, point)
    n = a / math.sqrt(1 - e2 * math.sin(lat) ** 2)
    x = np.array(
        [
            n * math.cos(lat) * math.cos(lon),
            n * math.cos(lat) * math.sin(lon),
            n * (1 - e2) * math.sin(lat),
        ]
    )
    rx, ry, rz = (math.radians(r / 3600) for r in rotation_arcsec)
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    x = np.array(shift) + (1 + scale_ppm * 1e-6) * turn @ x
    a, f = WGS84_ELLIPSOID
    e2 = f * (2 - f)
    p = math.hypot(x[0], x[1])
    lat = math.atan2(x[2], p * (1 - e2))
    for _ in range(10):
        n = a / math.sqrt(1 - e2 * math.sin(lat) ** 2)
        height = p / math.cos(lat) - n
        lat = math.atan2(x[2], p * (1 - e2 * n / (n + height)))
    return math.degrees(lat), math.degrees(math.atan2(x[1], x[0]))


@pytest.mark.parametrize(
    ("text", "name", "epsg"),
    [
        ("WGS 84", "WGS 84", 4326),
        ("wgs84", "WGS 84", 4326),
        ("WGS-84", "WGS 84", 4326),
        ("SK-42", "Pulkovo 1942", 4284),
        ("sk42", "Pulkovo 1942", 4284),
        ("СК-42", "Pulkovo 1942", 4284),
        ("ск 42", "Pulkovo 1942", 4284),
        ("CK-42", "Pulkovo 1942", 4284),
        ("Pulkovo 1942 datum", "Pulkovo 1942", 4284),
        ("СК-95", "Pulkovo 1995", 4200),
        ("ПЗ-90.11", "PZ-90.11", 9475),
        ("ED 50", "ED50", 4230),
        ("European Datum 1950", "ED50", 4230),
        ("Deir-ez-Zor", "Deir ez Zor", 4227),
        ("Palestine 1923", "Palestine 1923", 4281),
        ("Ain el Abd 1970", "Ain el Abd", 4204),
        ("Adindan", "Adindan", 4201),
        ("Kandawala", "Kandawala", 4244),
        ("EPSG:4284", "Pulkovo 1942", 4284),
        ("epsg:4326", "WGS 84", 4326),
        ("Yacare", "Yacare", 4309),
    ],
)
def test_a_datum_is_known_by_its_names(text, name, epsg):
    assert datum_named(text) == Datum(name, epsg)


@pytest.mark.parametrize(
    "text", ["Clarke 1880", "Everest", "Indian", "S-42", "Krassowsky", "SK-63"]
)
def test_a_name_that_stands_for_several_datums_is_refused_with_them(text):
    with pytest.raises(InputError, match="stands for several datums") as caught:
        datum_named(text)
    assert caught.value.remedy.startswith("write which") or "Pulkovo" in caught.value.remedy


@pytest.mark.parametrize("text", ["", "nonsense", "EPSG:28407", "EPSG:999999", "WGS 85"])
def test_an_unknown_datum_is_refused_and_an_example_given(text):
    with pytest.raises(InputError) as caught:
        datum_named(text)
    assert "EPSG:4284" in caught.value.remedy


def test_every_tabled_datum_has_the_name_and_code_of_the_epsg_data_set():
    from deconflict.geo.datum.names import tabled_datum, tabled_names

    seen = set()
    for text in tabled_names():
        try:
            found = tabled_datum(text)
        except InputError:
            continue
        seen.add(found)
    for name, epsg in seen:
        assert pyproj.CRS.from_epsg(epsg).name == name
    assert len(seen) > 80


def test_wgs84_stays_as_it_is():
    assert to_wgs84(WGS84, 12.5, -170.25) == (12.5, -170.25, 0.0, "", ())
    assert from_wgs84(WGS84, 12.5, -170.25)[:3] == (12.5, -170.25, 0.0)


@pytest.mark.parametrize(
    ("name", "point", "oracle"),
    [
        # EPSG: ED50 to WGS 84 (2); Pulkovo 1942 to WGS 84 (16) and (20); Adindan (7)
        ("ED50", BERLIN, lambda p: similarity(p, HAYFORD, (-87, -96, -120))),
        (
            "SK-42",
            AL_BAB,
            lambda p: similarity(p, KRASSOWSKY, (25, -141, -78.5), (0, 0.35, 0.736)),
        ),
        (
            "SK-42",
            MOSCOW,
            lambda p: similarity(p, KRASSOWSKY, (23.57, -140.95, -79.8), (0, 0.35, 0.79), -0.22),
        ),
    ],
)
def test_the_shift_is_that_of_the_published_parameters(name, point, oracle):
    shifted = to_wgs84(datum_named(name), *point)
    assert distance_m(shifted[:2], oracle(point)) < 0.01


def test_sk42_at_al_bab_moves_by_116_metres_to_the_west_south_west():
    shifted = to_wgs84(datum_named("SK-42"), *AL_BAB)
    move = Geodesic.WGS84.Inverse(*AL_BAB, shifted.lat_deg, shifted.lon_deg)
    assert move["s12"] == pytest.approx(116.5, abs=0.5)
    assert move["azi1"] % 360 == pytest.approx(255, abs=1)


@pytest.mark.parametrize(
    ("name", "point", "uncertainty_m", "why"),
    [
        ("ED50", BERLIN, 6.0, "accuracy of ED50 to WGS 84 (2); the spread is 2.0 m"),
        ("ED50", ANKARA, 4.3, "spread of two operations; the accuracy is 2 m"),
        ("SK-42", MOSCOW, 8.8, "spread of three operations; the accuracy is 3 m"),
        ("SK-42", AL_BAB, 50.0, "no operation is made for Syria, and all spread over 41 m"),
    ],
)
def test_the_uncertainty_is_the_spread_the_accuracy_or_what_is_least_uncovered(
    name, point, uncertainty_m, why
):
    shifted = to_wgs84(datum_named(name), *point)
    assert shifted.uncertainty_m == pytest.approx(uncertainty_m, abs=0.06), why


@pytest.mark.parametrize(
    ("epsg", "point", "spread_m"),
    [(4230, BERLIN, 43.0), (4230, ANKARA, 74.0), (4284, AL_BAB, 41.0)],
)
def test_all_operations_of_a_datum_together_spread_over_tens_of_metres(epsg, point, spread_m):
    shift = shift_of(epsg)
    answers = [
        operation.transformer.transform(point[1], point[0])[::-1] for operation in shift.operations
    ]
    greatest = max(distance_m(a, b) for a in answers for b in answers)
    assert greatest == pytest.approx(spread_m, abs=1.0)


def test_a_place_outside_the_countries_an_operation_is_made_for_is_said():
    shifted = to_wgs84(datum_named("SK-42"), *AL_BAB)
    assert any("made for another" in sentence for sentence in shifted.assumed)
    assert to_wgs84(datum_named("SK-42"), *MOSCOW).assumed == ()


def test_an_accuracy_that_nobody_knows_is_not_taken_for_zero():
    damascus = to_wgs84(datum_named("ED50"), 33.5, 36.9)
    assert damascus.uncertainty_m >= 50.0
    assert any("accuracy" in sentence and "unknown" in sentence for sentence in damascus.assumed)


def test_where_no_operation_can_be_trusted_the_spread_of_all_counts():
    point = (33.5, 36.9)  # Damascus: the one operation made for it has no known accuracy
    answers = [
        operation.transformer.transform(point[1], point[0])[::-1]
        for operation in shift_of(4230).operations
    ]
    greatest = max(distance_m(a, b) for a in answers for b in answers)
    assert greatest > 60.0
    assert to_wgs84(datum_named("ED50"), *point).uncertainty_m == pytest.approx(greatest, abs=0.1)


@pytest.mark.parametrize(
    ("point", "covered"),
    [
        ((39.0, 43.0), True),  # eastern Turkey, 70 km and more from every border
        ((37.15, 37.9), True),  # Turkey, 35 km from Syria
        ((36.9, 37.9), False),  # Turkey, less than 25 km from Syria: in the rim
        ((36.5, 37.9), False),  # Syria, 15 km from Turkey
    ],
)
def test_the_last_25_km_before_a_border_do_not_count_as_covered(point, covered):
    shifted = to_wgs84(datum_named("ED50"), *point)
    assert (shifted.uncertainty_m < 10.0) is covered


def test_the_operation_names_itself_and_the_versions_that_made_it():
    operation = to_wgs84(datum_named("ED50"), *BERLIN).operation
    assert operation.startswith("ED50 to WGS 84 (2)")
    assert f"PROJ {pyproj.proj_version_str}" in operation
    assert "EPSG v" in operation


@pytest.mark.parametrize("epsg", [4200, 7683])
def test_a_transformation_without_parameters_is_refused_not_used(epsg):
    with pytest.raises(InputError, match="no transformation"):
        to_wgs84(Datum("", epsg), *AL_BAB)
    with pytest.raises(InputError, match="no transformation"):
        crs_to_wgs84(epsg, *AL_BAB)


def test_a_datum_without_any_published_transformation_is_refused():
    with pytest.raises(InputError, match="no transformation from the datum PZ-90"):
        to_wgs84(datum_named("PZ-90.02"), *MOSCOW)


def test_no_position_depends_on_the_network():
    to_wgs84(datum_named("ED50"), *BERLIN)
    assert not pyproj.network.is_network_enabled()


@pytest.mark.parametrize("point", [(math.nan, 1.0), (1.0, math.inf), (96.0, 1.0), (1.0, 400.0)])
def test_what_is_no_point_is_refused(point):
    with pytest.raises(InputError):
        to_wgs84(datum_named("ED50"), *point)


def test_the_antimeridian_is_ordinary():
    west = to_wgs84(datum_named("SK-42"), 67.0, -179.999)
    east = to_wgs84(datum_named("SK-42"), 67.0, 179.999)
    between = distance_m(west[:2], east[:2])
    assert between == pytest.approx(distance_m((67.0, -179.999), (67.0, 179.999)), abs=0.01)
    assert west.uncertainty_m == pytest.approx(east.uncertainty_m, abs=0.02)
    assert west.uncertainty_m < 40.0


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.sampled_from(["SK-42", "ED50", "Tokyo", "NAD27", "EPSG:4807", "Adindan", "SK-95"]),
    st.floats(-60, 80),
    st.floats(-180, 180),
)
def test_there_and_back_ends_at_the_start(name, lat, lon):
    datum = datum_named(name)
    try:
        shifted = to_wgs84(datum, lat, lon)
    except InputError:
        return
    back = from_wgs84(datum, shifted.lat_deg, shifted.lon_deg)
    if back.operation == shifted.operation:
        assert distance_m(back[:2], (lat, lon)) < 1e-4
    else:  # at the edge of an area either operation may be the one
        assert distance_m(back[:2], (lat, lon)) < shifted.uncertainty_m + 1.0


def test_the_kept_spread_is_never_below_the_true_one_and_hardly_above():
    shift = shift_of(4284)
    rng = random.Random(4)
    made_for_russia = [
        operation for operation in shift.operations if "Russia" in operation.area.countries
    ]
    assert len(made_for_russia) == 3
    for _ in range(60):  # in Siberia, far from every border
        lat, lon = rng.uniform(57, 66), rng.uniform(62, 120)
        _, uncertainty_m, _, assumed = shift.choose(lat, lon)
        answers = [operation.transformer.transform(lon, lat)[::-1] for operation in made_for_russia]
        true_m = max(distance_m(a, b) for a in answers for b in answers)
        assert true_m <= uncertainty_m <= true_m + 0.05
        assert assumed == ()


def test_many_points_get_the_answers_of_single_ones():
    rng = random.Random(7)
    datum = datum_named("ED50")
    lats = [rng.uniform(30, 60) for _ in range(300)]
    lons = [rng.uniform(-5, 45) for _ in range(300)]
    many = to_wgs84_many(datum, [*lats, math.nan, 95.0], [*lons, 1.0, 1.0])
    refused = 0
    for i, point in enumerate(zip(lats, lons, strict=True)):
        try:
            one = to_wgs84(datum, *point)
        except InputError:
            refused += 1
            assert math.isnan(many.lat_deg[i])
            assert many.which[i] == -1
            continue
        assert (many.lat_deg[i], many.lon_deg[i]) == pytest.approx(one[:2], abs=1e-12)
        assert many.uncertainty_m[i] == one.uncertainty_m
        assert many.how[many.which[i]] == (one.operation, one.assumed)
    assert 0 < refused < 150
    assert np.isnan(many.lat_deg[300:]).all()
    assert to_wgs84_many(WGS84, [1.0], [190.0]).lon_deg[0] == pytest.approx(-170.0)


def test_epsg_28407_has_its_northing_first():
    north_first = crs_to_wgs84(28407, 4027723, 7366842)
    assert distance_m(north_first[:2], AL_BAB) < 1.0
    with pytest.raises(InputError, match="far outside the area") as caught:
        crs_to_wgs84(28407, 7366842, 4027723)
    assert "northing then easting" in caught.value.remedy


def test_grads_from_paris_are_degrees_from_greenwich():
    # 54.2 grads are 48.78 degrees; Paris lies 2 degrees 20' 14.025" east of Greenwich. The
    # shift of NTF is below 150 m.
    shifted = crs_to_wgs84(4807, 54.2, 0.01)
    paris = 2 + 20 / 60 + 14.025 / 3600
    assert distance_m(shifted[:2], (48.78, paris + 0.009)) < 150.0


@pytest.mark.parametrize(
    ("epsg", "kind"), [(5773, "vertical"), (7405, "compound"), (4978, "geocentric"), (4979, "3d")]
)
def test_systems_without_a_place_on_a_map_are_refused(epsg, kind):
    with pytest.raises(InputError, match=kind):
        crs_to_wgs84(epsg, 1.0, 2.0)


def test_a_code_that_epsg_does_not_know_is_refused():
    with pytest.raises(InputError, match="EPSG has no coordinate system 99999"):
        crs_to_wgs84(99999, 1.0, 2.0)


@pytest.mark.parametrize(("first", "second"), [(math.nan, 1.0), (1e9, 1e9), (math.inf, 0.0)])
def test_numbers_that_are_no_place_of_a_system_are_refused(first, second):
    with pytest.raises(InputError):
        crs_to_wgs84(32637, first, second)


@pytest.mark.parametrize(
    ("epsg", "point"),
    [(28407, AL_BAB), (32637, AL_BAB), (3857, (-33.0, 151.0)), (2048, (-30.0, 19.5)),
     (5041, (88.0, -170.0)), (2274, (36.0, -86.0)), (27572, (47.0, 2.5)), (4326, (-5.0, -179.9))],
)  # fmt: skip
def test_wgs84_to_a_system_and_back_ends_at_the_start(epsg, point):
    back = crs_to_wgs84(epsg, *wgs84_to_crs(epsg, *point))
    assert distance_m(back[:2], point) < 1e-3


def test_us_survey_feet_are_not_metres():
    first, second = wgs84_to_crs(2274, 36.0, -86.0)
    farther = crs_to_wgs84(2274, first + 1000.0, second)
    assert distance_m(farther[:2], (36.0, -86.0)) == pytest.approx(304.8, rel=1e-3)


def test_a_datum_is_still_used_somewhat_beyond_its_boxes_and_said_to_be() -> None:
    damascus = to_wgs84(datum_named("SK-42"), 33.5, 36.3)
    moved = Geodesic.WGS84.Inverse(33.5, 36.3, damascus.lat_deg, damascus.lon_deg)["s12"]
    assert 90.0 < moved < 130.0
    assert damascus.uncertainty_m >= 50.0
    assert "made for another" in damascus.assumed[0]


def test_far_beyond_its_boxes_a_datum_is_refused() -> None:
    with pytest.raises(InputError, match="no transformation"):
        to_wgs84(datum_named("SK-42"), -15.0, -50.0)
