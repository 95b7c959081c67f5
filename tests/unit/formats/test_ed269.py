"""ED-269 zones: what can't be checked here errs to the side of a conflict, and is said."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deconflict.files import Format, format_of
from deconflict.formats.ed269 import read
from deconflict.formats.reading import Defaults, Limits
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon
from deconflict.register.entity import Kind, ZoneRule

MADE_UP = (Path(__file__).parents[2] / "data" / "ed269" / "made_up.json").read_bytes()
FEATURE = json.loads(MADE_UP)["features"][0]


def result(*features, **kwargs):
    return read(json.dumps({"features": features}).encode(), name="zones.json", **kwargs)


def changed(path, value):
    """Return the first feature with the value at a path of keys replaced."""
    feature = copy.deepcopy(FEATURE)
    target = feature
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return feature


def only(feature, **kwargs):
    read_ = result(feature, **kwargs)
    assert not read_.problems, [str(problem) for problem in read_.problems]
    (entity,) = read_.entities
    return entity


def refused(feature):
    read_ = result(feature)
    assert not read_.entities
    (problem,) = read_.problems
    assert problem.place == "feature 1"
    assert problem.remedy
    return problem


def test_a_feature_is_a_zone_to_keep_out_of():
    entity = only(FEATURE)
    assert entity.kind is Kind.ZONE
    assert entity.rule is ZoneRule.KEEP_OUT
    assert entity.applies_to is None
    assert entity.name == "Park"
    assert entity.source == "zones.json, feature 1"


def test_its_identifier_is_unique_in_the_world_with_its_country():
    assert only(FEATURE).id == "XXX PRK01"
    feature = copy.deepcopy(FEATURE)
    del feature["identifier"]
    assert only(feature).id == "zones.json, feature 1"


def test_coordinates_are_longitude_first_and_rings_closed():
    footprint = only(FEATURE).volumes[0].footprint
    assert footprint == Polygon(((47.00001, 7.00001), (47.00001, 7.01001), (47.01001, 7.01001)))


def test_the_uncertainty_is_half_of_the_last_decimal_as_typed():
    # Half of 1e-5 degrees at 47 N is 0.56 m north and 0.38 m east: 0.67 m.
    assert only(FEATURE).volumes[0].uncertainty_m == pytest.approx(0.67, abs=0.01)


@pytest.mark.parametrize(
    ("word", "reference"),
    [
        ("AGL", AltitudeReference.AGL),
        ("AMSL", AltitudeReference.MSL),
        ("WGS84", AltitudeReference.W84),
    ],
)
def test_a_limit_has_the_reference_that_it_names(word, reference):
    feature = changed(("geometry", 0, "upperVerticalReference"), word)
    assert only(feature).volumes[0].band.upper == Height(120.0, reference)


def test_limits_in_feet_become_metres():
    feature = changed(("geometry", 0, "uomDimensions"), "FT")
    band = only(feature).volumes[0].band
    assert band.upper.value_m == pytest.approx(36.576)


def test_a_radius_beside_limits_in_feet_is_read_as_the_larger_circle_and_said():
    entity = read(MADE_UP, name="x").entities[1]
    assert entity.volumes[0].footprint == Circle((47.1, 7.1), 5000.0)
    assert any("larger reading" in sentence for sentence in entity.assumed)


def test_a_missing_limit_is_unbounded_and_said():
    feature = copy.deepcopy(FEATURE)
    del feature["geometry"][0]["lowerLimit"]
    entity = only(feature)
    assert entity.volumes[0].band == AltitudeBand(None, Height(120.0, AltitudeReference.AGL))
    assert any("unbounded downward" in sentence for sentence in entity.assumed)


def test_each_geometry_counts_for_each_period():
    feature = copy.deepcopy(FEATURE)
    feature["geometry"] *= 2
    feature["applicability"] = [
        {"startDateTime": "2026-11-22T06:00:00Z", "endDateTime": "2026-11-22T07:00:00Z"},
        {"startDateTime": "2026-11-23T06:00:00+01:00"},
    ]
    volumes = only(feature).volumes
    assert len(volumes) == 4
    assert {volume.start for volume in volumes} == {
        datetime(2026, 11, 22, 6, tzinfo=UTC),
        datetime(2026, 11, 23, 5, tzinfo=UTC),
    }
    assert [volume.end for volume in volumes].count(None) == 2


def test_a_schedule_is_taken_as_the_whole_period_and_said():
    entity = read(MADE_UP, name="x").entities[1]
    (volume,) = entity.volumes
    assert volume.start == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert volume.end == datetime(2026, 12, 22, 18, tzinfo=UTC)
    assert any("schedule" in sentence for sentence in entity.assumed)


@pytest.mark.parametrize("applicability", [None, [], [{}], [{"permanent": "NO"}]])
def test_without_a_period_a_zone_is_always_there_and_that_is_said(applicability):
    entity = only(changed(("applicability",), applicability))
    assert (entity.volumes[0].start, entity.volumes[0].end) == (None, None)
    assert any("taken as" in sentence for sentence in entity.assumed)


def test_one_permanent_period_among_others_is_always():
    periods = [{"startDateTime": "2026-11-22T06:00:00Z"}, {"permanent": "YES"}]
    assert only(changed(("applicability",), periods)).volumes[0].start is None


@pytest.mark.parametrize("restriction", ["REQ_AUTHORISATION", "CONDITIONAL", "SOMETHING_NEW", None])
def test_any_restriction_is_kept_out_of_and_what_can_not_be_checked_is_said(restriction):
    entity = only(changed(("restriction",), restriction))
    assert entity.rule is ZoneRule.KEEP_OUT
    assert entity.applies_to is None
    assert any("restriction" in sentence for sentence in entity.assumed)


def test_a_zone_without_restriction_binds_nobody_and_says_so():
    entity = only(changed(("restriction",), "NO_RESTRICTION"))
    assert entity.applies_to == ()
    assert any("binds nobody" in sentence for sentence in entity.assumed)


def test_a_zone_without_restriction_but_with_conditions_is_kept_out_of():
    feature = changed(("restriction",), "NO_RESTRICTION")
    feature["restrictionConditions"] = ["INFORM_TOWER"]
    assert only(feature).applies_to is None


def test_a_party_is_filled_in_and_a_kind_is_not_needed():
    entity = only(FEATURE, defaults=Defaults(kind=Kind.SITE, party="Authority"))
    assert entity.party == "Authority"
    assert entity.kind is Kind.ZONE


GEOMETRY = ("geometry", 0)
PROJECTION = (*GEOMETRY, "horizontalProjection")


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("geometry",), [], "geometry"),
        (("geometry",), {"type": "Point"}, "geometry"),
        ((*GEOMETRY, "uomDimensions"), "NM", "uomDimensions"),
        ((*GEOMETRY, "uomDimensions"), None, "uomDimensions"),
        ((*GEOMETRY, "lowerVerticalReference"), "QNH", "lowerVerticalReference"),
        ((*GEOMETRY, "upperVerticalReference"), None, "upperVerticalReference"),
        ((*GEOMETRY, "lowerLimit"), 121, "lowerLimit"),
        ((*GEOMETRY, "lowerLimit"), "0", "lowerLimit"),
        (PROJECTION, None, "horizontalProjection"),
        ((*PROJECTION, "type"), "Ellipse", "type"),
        ((*PROJECTION, "coordinates"), [[[7, 47], [7.1, 47], [7, 47]]], "geometry"),
        ((*PROJECTION, "coordinates", 0, 1, 1), 97.0, "geometry"),
        (PROJECTION, {"type": "Circle", "center": [7, 47], "radius": 0}, "radius"),
        (PROJECTION, {"type": "Circle", "center": [7, 47]}, "radius"),
        (PROJECTION, {"type": "Circle", "radius": 5}, "geometry"),
        (("applicability",), "YES", "applicability"),
        (("applicability", 0, "permanent"), "MAYBE", "permanent"),
        (
            ("applicability",),
            [{"startDateTime": "2026-11-23T06:00:00Z", "endDateTime": "2026-11-22T06:00:00Z"}],
            "applicability",
        ),
        (("applicability",), [{"startDateTime": "2026-11-23T06:00:00"}], "startDateTime"),
        (("name",), 7, "name"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_field(path, value, field):
    assert field in refused(changed(path, value)).field


def test_one_bad_feature_does_not_hide_the_others():
    read_ = result(FEATURE, changed(("geometry",), []), 7, FEATURE)
    assert len(read_.entities) == 2
    assert [problem.place for problem in read_.problems] == ["feature 2", "feature 3"]


def test_a_feature_of_too_many_vertices_is_refused():
    assert "vertices" in result(FEATURE, limits=Limits(vertices=2)).problems[0].what


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"features": []}',
        b'{"features": {}}',
        b'{"features": [{"identifier": "a", "identifier": "b"}]}',
        b'{"features": [' + b"[" * 50_000,
        b'{"features": [NaN]}',
        b"\xff\xfe{\0}\0",
    ],
)
def test_what_is_no_ed269_file_is_refused_and_never_crashes(data):
    read_ = read(data, name="x")
    assert not read_.entities
    assert read_.problems


def test_the_made_up_file_is_read_whole():
    read_ = read(MADE_UP, name="made_up.json")
    assert not read_.problems
    assert [entity.id for entity in read_.entities] == ["XXX PRK01", "XXX AIR02", "XXX INF03"]


def ed318(geometry, **properties):
    return {
        "type": "Feature",
        "properties": {"identifier": "X1", "country": "CHE", "type": "PROHIBITED", **properties},
        "geometry": geometry,
    }


LAYER = {"upper": 120, "upperReference": "AGL", "lower": 0, "lowerReference": "AGL", "uom": "m"}
POINT = {
    "type": "Point",
    "coordinates": [7.12345, 47.12345],
    "extent": {"subType": "Circle", "radius": 1500},
    "layer": LAYER,
}
RING = [[7.00001, 47.00001], [7.01001, 47.00001], [7.01001, 47.01001], [7.00001, 47.00001]]


def test_a_point_of_ed318_with_an_extent_is_a_circle():
    entity = only(ed318(POINT, name=[{"text": "Zone", "lang": "en-GB"}]))
    (volume,) = entity.volumes
    assert volume.footprint == Circle((47.12345, 7.12345), 1500.0)
    assert volume.band.upper == Height(120.0, AltitudeReference.AGL)
    assert (volume.start, volume.end) == (None, None)
    assert entity.id == "CHE X1"
    assert entity.name == "Zone"


def test_a_collection_of_ed318_is_as_many_volumes_with_its_layer_where_they_have_none():
    polygon = {"type": "Polygon", "coordinates": [RING]}
    point = {**POINT, "layer": {**LAYER, "upper": 60, "uom": "ft"}}
    collection = {"type": "GeometryCollection", "geometries": [polygon, point], "layer": LAYER}
    first, second = only(ed318(collection)).volumes
    assert isinstance(first.footprint, Polygon)
    assert first.band.upper.value_m == 120.0
    assert second.band.upper.value_m == pytest.approx(18.288)


def test_a_limited_applicability_of_ed318_bounds_the_zone_in_time():
    period = {"startDateTime": "2026-11-22T06:00:00Z", "endDateTime": "2026-11-22T07:00:00Z"}
    (volume,) = only(ed318(POINT, limitedApplicability=[period])).volumes
    assert volume.end == datetime(2026, 11, 22, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("extent", None, "extent"),
        ("extent", {"subType": "Ellipse"}, "extent"),
        ("extent", {"subType": "Circle"}, "radius"),
        ("layer", 7, "layer"),
        ("layer", {**LAYER, "uom": None}, "uomDimensions"),
        ("type", "LineString", "type"),
    ],
)
def test_a_geometry_of_ed318_that_can_not_be_read_is_refused(key, value, field):
    assert field in refused(ed318({**POINT, key: value})).field


@pytest.mark.parametrize("before", [{}, {"bbox": [7, 47, 8, 48]}, {"metadata": {"issued": "x"}}])
def test_a_collection_of_ed318_is_not_taken_for_geojson(before):
    for geometry in (POINT, {"type": "GeometryCollection", "geometries": [POINT]}):
        collection = {"type": "FeatureCollection", **before, "features": [ed318(geometry)]}
        assert format_of(json.dumps(collection).encode(), "x.json") is Format.ED269
    plain = {"type": "Point", "coordinates": [7, 47]}
    collection = {"type": "FeatureCollection", **before, "features": [ed318(plain)]}
    assert format_of(json.dumps(collection).encode(), "x.json") is Format.GEOJSON
