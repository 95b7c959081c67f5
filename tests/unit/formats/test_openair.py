"""OpenAir airspaces become zones that hold the true airspace, or are refused by themselves."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.formats.openair import read
from deconflict.formats.openair_limit import read_limit
from deconflict.formats.reading import Defaults, Limits
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon, Route
from deconflict.register.entity import Kind, ZoneRule

MADE_UP = Path(__file__).parents[2] / "data" / "openair" / "made_up.openair.txt"
SQUARE = """DP 50:00:00 N 008:00:00 E
DP 50:10:00 N 008:00:00 E
DP 50:10:00 N 008:10:00 E
DP 50:00:00 N 008:10:00 E
"""
HEAD = "AC R\nAN Test\nAL GND\nAH FL100\n"


def result(text, **kwargs):
    return read(text.encode(), name="x.txt", **kwargs)


def only(text, **kwargs):
    read_ = result(text, **kwargs)
    assert not read_.problems, [str(problem) for problem in read_.problems]
    (entity,) = read_.entities
    return entity


def refused(text):
    read_ = result(text)
    assert not read_.entities
    (problem,) = read_.problems
    assert problem.remedy
    return problem


def test_an_airspace_is_a_zone_to_keep_out_of_and_what_is_assumed_is_said():
    entity = only(HEAD + SQUARE)
    assert entity.kind is Kind.ZONE
    assert entity.rule is ZoneRule.KEEP_OUT
    assert entity.applies_to is None
    assert entity.name == "Test (R)"
    assert entity.source == "x.txt, line 1"
    for word in ("WGS 84", "keep out", "last digit"):
        assert any(word in sentence for sentence in entity.assumed), word


def test_a_ring_is_read_point_by_point_closed_or_not():
    corners = ((50.0, 8.0), (50 + 1 / 6, 8.0), (50 + 1 / 6, 8 + 1 / 6), (50.0, 8 + 1 / 6))
    for text in (SQUARE, SQUARE + SQUARE.splitlines()[0]):
        footprint = only(HEAD + text).volumes[0].footprint
        assert isinstance(footprint, Polygon)
        assert [c for point in footprint.shell for c in point] == pytest.approx(
            [c for point in corners for c in point], abs=1e-12
        )


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        ("50:30:36 N 007:45:18 E", 50.51, 7.755),
        ("50:30:36N 007:45:18E", 50.51, 7.755),
        ("50:30:36.00 S, 007:45:18.0 W", -50.51, -7.755),
        ("50:30.600 N 7:45.300 E", 50.51, 7.755),
        ("00:00:00 n 180:00:00 w", 0.0, -180.0),
    ],
)
def test_a_point_may_have_seconds_or_decimal_minutes(text, lat, lon):
    footprint = only(f"{HEAD}V X={text}\nDC 1\n").volumes[0].footprint
    assert footprint.center == pytest.approx((lat, lon), abs=1e-12)


def test_the_uncertainty_is_half_of_the_last_digit_north_and_east():
    # One second is 30.9 m north and 19.9 m east at 50 N: half of the diagonal is 18.4 m.
    entity = only(f"{HEAD}V X=50:00:00 N 008:00:00 E\nDC 1\n")
    assert entity.volumes[0].uncertainty_m == pytest.approx(18.4, abs=0.1)


@pytest.mark.parametrize(
    "text",
    [
        "50:60:00 N 008:00:00 E",
        "50:00:60 N 008:00:00 E",
        "50:00.5:10 N 008:00:00 E",
        "91:00:00 N 008:00:00 E",
        "50:00:00 N 181:00:00 E",
        "50:00:00 008:00:00",
        "50.5 N 8.5 E",
        "008:00:00 E 50:00:00 N",
        "50:00:00 N",
        "",
    ],
)
def test_a_point_that_is_none_is_refused_with_its_line(text):
    problem = refused(HEAD + SQUARE + f"DP {text}\n")
    assert problem.place == "line 9"
    assert problem.field == "DP"


def test_a_circle_has_its_radius_in_nautical_miles():
    footprint = only(f"{HEAD}V X=50:00:00 N 008:00:00 E\nDC 2.5\n").volumes[0].footprint
    assert footprint == Circle((50.0, 8.0), 4630.0)


def test_several_circles_count_each_by_itself():
    text = f"{HEAD}V X=50:00:00 N 008:00:00 E\nDC 1\nV X=51:00:00 N 008:00:00 E\nDC 1\n"
    assert len(only(text).volumes) == 2


@pytest.mark.parametrize("radius", ["0", "-1", "1000.1", "5 km", "1e3", ""])
def test_a_radius_that_is_none_is_refused(radius):
    assert refused(f"{HEAD}V X=50:00:00 N 008:00:00 E\nDC {radius}\n").field == "DC"


def farthest_m(volume, points):
    """Return how far the farthest of these points lies outside a ring grown as it is checked.

    The oracle is GeographicLib: each point's distance from the nearest of many points of the ring.
    """
    ring = volume.footprint.shell
    worst = 0.0
    for lat, lon in points:
        nearest = min(
            distance_to_edge_m((lat, lon), before, after)
            for before, after in zip(ring, (*ring[1:], ring[0]), strict=True)
        )
        worst = max(worst, nearest)
    return worst


def distance_to_edge_m(point, start, end):
    line = Geodesic.WGS84.InverseLine(*start, *end)
    low, high = 0.0, line.s13
    for _ in range(30):
        third = (high - low) / 3
        one, two = low + third, high - third
        if along_m(line, one, point) < along_m(line, two, point):
            high = two
        else:
            low = one
    return along_m(line, (low + high) / 2, point)


def along_m(line, s, point):
    place = line.Position(s)
    return Geodesic.WGS84.Inverse(*point, place["lat2"], place["lon2"])["s12"]


CENTER = "V X=50:00:00 N 008:00:00 E\n"


@pytest.mark.parametrize("radius_nm", [1, 50])
@pytest.mark.parametrize(("direction", "end"), [("+", 27), ("-", 13)])
def test_every_point_of_a_true_arc_lies_within_its_chords_and_their_uncertainty(
    radius_nm, direction, end
):
    arc = f"{CENTER}V D={direction}\nDA {radius_nm}, 20, {end}\n"
    volume = only(f"{HEAD}{arc}DP 50:00:00 N 008:00:00 E\n").volumes[0]
    radius_m = radius_nm * 1852.0
    bearings = [20 + (end - 20) * i / 12 for i in range(13)]
    true = [Geodesic.WGS84.Direct(50, 8, bearing, radius_m) for bearing in bearings]
    outside_m = farthest_m(volume, [(place["lat2"], place["lon2"]) for place in true])
    assert 0 < outside_m <= radius_m * 0.00016  # the chords are not coarser than said
    assert outside_m <= volume.uncertainty_m - 18.3  # the last digit has its own share


@pytest.mark.parametrize(
    ("direction", "start", "end", "turn"), [("+", 350, 10, 20), ("-", 10, 350, -20)]
)
def test_an_arc_turns_the_way_it_says(direction, start, end, turn):
    text = f"{HEAD}{CENTER}V D={direction}\nDA 5, {start}, {end}\nDP 50:00:00 N 008:00:00 E\n"
    ring = only(text).volumes[0].footprint.shell
    assert step_deg(ring) * turn > 0
    assert len(ring) == 12


@pytest.mark.parametrize(("direction", "start", "end"), [("+", 0, 360), ("-", 90, 90)])
def test_an_arc_all_the_way_round_is_a_ring_by_itself(direction, start, end):
    ring = only(f"{HEAD}{CENTER}V D={direction}\nDA 5, {start}, {end}\n").volumes[0].footprint.shell
    assert len(ring) == 180
    assert (step_deg(ring) > 0) == (direction == "+")


def step_deg(ring):
    """Return by how much the bearing from the centre turns from one vertex to the next."""
    bearings = [Geodesic.WGS84.Inverse(50, 8, lat, lon)["azi1"] for lat, lon in ring[1:3]]
    return (bearings[1] - bearings[0] + 180) % 360 - 180


def test_an_arc_between_points_ends_in_these_very_points():
    text = (
        f"{HEAD}DP 50:00:00 N 008:00:00 E\n{CENTER}"
        "DB 50:05:00 N 008:00:00 E, 50:00:00 N 008:07:45 E\n"
    )
    ring = only(text).volumes[0].footprint.shell
    assert ring[1] == (50 + 5 / 60, 8.0)
    assert ring[-1] == pytest.approx((50.0, 8 + 7.75 / 60), abs=1e-12)


def test_ends_at_different_distances_widen_the_uncertainty_by_the_difference():
    text = (
        f"{HEAD}DP 50:00:00 N 008:00:00 E\n{CENTER}"
        "DB 50:05:00 N 008:00:00 E, 50:00:00 N 008:07:50 E\n"
    )
    entity = only(text)
    north = Geodesic.WGS84.Inverse(50, 8, 50 + 5 / 60, 8)["s12"]
    east = Geodesic.WGS84.Inverse(50, 8, 50, 8 + 7 / 60 + 50 / 3600)["s12"]
    assert entity.volumes[0].uncertainty_m > 18 + abs(north - east)


@pytest.mark.parametrize(
    "record",
    [
        "DB 50:05:00 N 008:00:00 E, 50:00:00 N 008:20:00 E",  # ends at 9 km and 24 km
        "DB 50:00:00 N 008:00:00 E, 50:00:00 N 008:07:50 E",  # an end in the centre
        "DB 50:05:00 N 008:00:00 E",
        "DA 5, 20",
        "DA 5, 20, 361",
        "DA 5, east, 20",
    ],
)
def test_an_arc_that_can_not_be_is_refused(record):
    problem = refused(f"{HEAD}{SQUARE}{CENTER}{record}\n")
    assert problem.field in {"DA", "DB"}


@pytest.mark.parametrize(
    "record", ["DC 1", "DA 1, 10, 20", "DB 50:05:00 N 008:00:00 E, 50:00:00 N 008:07:50 E"]
)
def test_a_centre_belongs_to_one_airspace_only(record):
    text = f"{HEAD}{CENTER}DC 1\n{HEAD}{record}\n"
    read_ = result(text)
    assert len(read_.entities) == 1
    assert "centre" in read_.problems[0].what


def test_the_direction_is_clockwise_again_in_the_next_airspace():
    first = f"{HEAD}{CENTER}V D=-\nDA 5, 20, 10\nDP 50:00:00 N 008:00:00 E\n"
    second = f"{HEAD}{CENTER}DA 5, 10, 20\nDP 50:00:00 N 008:00:00 E\n"
    one, two = result(first + second).entities
    assert len(one.volumes[0].footprint.shell) == len(two.volumes[0].footprint.shell) == 7


def test_an_airway_is_a_route_with_its_full_width():
    text = f"{HEAD}V W=4\nDY 50:00:00 N 008:00:00 E\nDY 51:00:00 N 008:00:00 E\n"
    assert only(text).volumes[0].footprint == Route(((50.0, 8.0), (51.0, 8.0)), 7408.0)


AGL, MSL, FL = AltitudeReference.AGL, AltitudeReference.MSL, AltitudeReference.FL


@pytest.mark.parametrize(
    ("text", "height"),
    [
        ("GND", Height(0.0, AGL)),
        ("sfc", Height(0.0, AGL)),
        ("UNL", None),
        ("UNLIM", None),
        ("FL 95", Height(2895.6, FL)),
        ("FL195", Height(5943.6, FL)),
        ("4500ft AMSL", Height(1371.6, MSL)),
        ("4500 MSL", Height(1371.6, MSL)),
        ("4500ALT", Height(1371.6, MSL)),
        ("1000F GND", Height(304.8, AGL)),
        ("1000 ft AGL", Height(304.8, AGL)),
        ("1000 ASFC", Height(304.8, AGL)),
        ("3600m MSL", Height(3600.0, MSL)),
        ("500 M AGL", Height(500.0, AGL)),
        ("6000ft STD", Height(1828.8, FL)),
        ("2500", Height(762.0, MSL)),
    ],
)
def test_a_limit_is_read_in_feet_above_the_sea_unless_it_says_more(text, height):
    limit = read_limit(text).height
    if height is None:
        assert limit is None
    else:
        assert limit.reference is height.reference
        assert limit.value_m == pytest.approx(height.value_m, abs=1e-9)


def test_what_a_limit_leaves_open_is_said():
    assert len(read_limit("2500").assumed) == 2
    assert len(read_limit("2500 ft").assumed) == 1
    assert not read_limit("2500 ft MSL").assumed


@pytest.mark.parametrize(
    "text", ["", "100m AGL/423m AMSL", "FL195 Max", "Ask on 122.8", "FL", "ft", "10.000 ft MSL x"]
)
def test_a_limit_that_could_be_anything_is_refused(text):
    with pytest.raises(InputError):
        read_limit(text)


def test_limits_bound_the_zone():
    text = HEAD.replace("GND", "900 m AGL") + SQUARE
    expected = AltitudeBand(Height(900.0, AGL), Height(3048.0, FL))
    assert only(text).volumes[0].band == expected


def test_a_missing_limit_is_unbounded_and_said():
    entity = only("AC R\nAN Test\nAH FL100\n" + SQUARE)
    assert entity.volumes[0].band.lower is None
    assert any("unbounded downward" in sentence for sentence in entity.assumed)


@pytest.mark.parametrize(
    ("lower", "upper"), [("UNL", "UNL"), ("GND", "GND"), ("FL120", "FL100"), ("3000", "2000")]
)
def test_limits_that_leave_no_room_are_refused(lower, upper):
    refused(f"AC R\nAL {lower}\nAH {upper}\n{SQUARE}")


def test_a_second_limit_is_refused():
    assert refused(HEAD + "AL FL50\n" + SQUARE).field == "AL"


def test_each_time_of_activation_is_a_volume():
    times = "AA 2026-11-22T08:00Z/2026-11-22T10:00Z\nAA 2026-11-23T00:00Z/2026-11-23T24:00Z\n"
    first, second = only(HEAD + times + SQUARE).volumes
    assert (first.start.hour, first.end.hour) == (8, 10)
    assert second.end == datetime(2026, 11, 24, tzinfo=UTC)


def test_a_side_without_time_is_open_and_times_not_known_are_always():
    text = HEAD + "AA 2026-11-22T08:00Z/NONE\n" + SQUARE
    (volume,) = only(text).volumes
    assert volume.start is not None
    assert volume.end is None
    entity = only(HEAD + "AA NONE\n" + SQUARE)
    assert entity.volumes[0].start is None
    assert any("active always" in sentence for sentence in entity.assumed)


@pytest.mark.parametrize(
    "text", ["", "daily", "2026-11-22T10:00Z/2026-11-22T08:00Z", "2026-11-22T10:00/NONE"]
)
def test_a_time_of_activation_that_is_none_is_refused(text):
    assert refused(f"{HEAD}AA {text}\n{SQUARE}").field == "AA"


def test_records_that_bear_on_nothing_and_comments_are_passed_over():
    text = "* a comment\n\n" + HEAD + "AF 123.5\nAG Tower\nAX 7000\nSP 0,1,2\n" + SQUARE
    assert only(text.replace("DP 50:10", "dp 50:10")).source == "x.txt, line 3"


def test_terrain_is_no_airspace():
    text = f"{HEAD}{SQUARE}TO Lake\nDP 50:00:00 N 008:00:00 E\n"
    assert len(only(text).volumes[0].footprint.shell) == 4


def test_an_unknown_record_refuses_its_airspace_because_a_point_may_be_lost():
    problem = refused(HEAD + SQUARE + "PD 50:05:00 N 008:00:00 E\n")
    assert problem.place == "line 9"
    assert '"PD"' in problem.what


def test_one_bad_airspace_does_not_hide_the_others():
    bow_tie = "\n".join(SQUARE.splitlines()[i] for i in (0, 2, 1, 3)) + "\n"
    read_ = result(HEAD + SQUARE + HEAD + bow_tie + HEAD + "DP x\n" + HEAD + SQUARE)
    assert [entity.id for entity in read_.entities] == ["x.txt, airspace 1", "x.txt, airspace 4"]
    assert [problem.place for problem in read_.problems] == ["line 9", "line 21"]


@pytest.mark.parametrize(
    "shape",
    [
        "",
        "DP 50:00:00 N 008:00:00 E\nDP 50:10:00 N 008:00:00 E\n",
        SQUARE + CENTER + "DC 1\n",
        "DY 50:00:00 N 008:00:00 E\nDY 51:00:00 N 008:00:00 E\n",
    ],
)
def test_a_shape_that_is_none_or_two_is_refused(shape):
    refused(HEAD + shape)


def test_an_identifier_of_the_file_is_kept():
    assert only(HEAD + "AI 67fc5d9f\n" + SQUARE).id == "67fc5d9f"


def test_a_party_is_filled_in_and_a_kind_is_not_needed():
    entity = only(HEAD + SQUARE, defaults=Defaults(kind=Kind.SITE, party="AIS"))
    assert entity.party == "AIS"
    assert entity.kind is Kind.ZONE


def test_a_file_in_an_old_encoding_is_read_and_the_letters_doubted():
    data = (HEAD.replace("Test", "München") + SQUARE).encode("latin-1")
    (entity,) = read(data, name="x.txt").entities
    assert any("UTF-8" in sentence for sentence in entity.assumed)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"* only a comment\n", b"\0\1\2", b"hello\n" * 99])
def test_what_is_no_openair_file_is_refused(data):
    read_ = read(data, name="x.txt")
    assert not read_.entities
    assert read_.problems


def test_an_airspace_of_too_many_points_is_refused_by_itself():
    read_ = result(HEAD + SQUARE + HEAD + CENTER + "DC 1\n", limits=Limits(vertices=3))
    assert len(read_.entities) == 1
    assert "vertices" in read_.problems[0].what


def test_the_made_up_file_is_read_whole():
    read_ = read(MADE_UP.read_bytes(), name=MADE_UP.name)
    assert not read_.problems
    assert [len(entity.volumes) for entity in read_.entities] == [1, 1, 2]
