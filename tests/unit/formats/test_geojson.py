from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.formats.geojson import read, write
from deconflict.formats.reading import NO_DEFAULTS, Defaults, Limits
from deconflict.geo.height import AltitudeReference
from deconflict.geo.volume import Circle, Polygon, Route
from deconflict.register.entity import Kind, ZoneRule

POINT = {"type": "Point", "coordinates": [37.515, 36.37]}
LINE = {"type": "LineString", "coordinates": [[37.5, 36.3], [37.6, 36.4]]}
SQUARE = [[37.5, 36.3], [37.6, 36.3], [37.6, 36.4], [37.5, 36.4], [37.5, 36.3]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE]}


def feature(geometry=POINT, **properties):
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"kind": "site", **properties},
    }


def read_text(text, *, name="plans.geojson", defaults=NO_DEFAULTS, limits=None):
    data = text if isinstance(text, bytes) else text.encode()
    return read(data, name=name, defaults=defaults, limits=limits or Limits())


def read_features(*features, **options):
    collection = {"type": "FeatureCollection", "features": list(features)}
    return read_text(json.dumps(collection), **options)


def only(result):
    assert result.problems == ()
    (entity,) = result.entities
    return entity


def refused(result):
    assert result.entities == ()
    (problem,) = result.problems
    assert problem.remedy
    assert problem.file == "plans.geojson"
    return problem


def test_every_fixed_property_is_read():
    entity = only(
        read_features(
            feature(
                kind="operation",
                id="op-1",
                party="Party A",
                name="ferry",
                start="2026-11-22T08:00:00Z",
                end="2026-11-22T09:00:00Z",
                lower_m=100,
                upper_m=250.5,
                altitude_reference="MSL",
                ground_m=40,
                uncertainty_m=7,
                radius_m=500,
                danger_radius_m=300,
                priority=2,
                obtained="gps",
                obtained_at="2026-11-21T09:00:00Z",
                reach_m=50,
            )
        )
    )
    (volume,) = entity.volumes
    assert volume.footprint == Circle((36.37, 37.515), 500.0)
    assert volume.start == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert volume.end == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert volume.band.lower is not None
    assert volume.band.lower.value_m == 100.0
    assert volume.band.lower.reference is AltitudeReference.MSL
    assert volume.band.upper is not None
    assert volume.band.upper.value_m == 250.5
    assert volume.band.ground_m == 40.0
    assert (volume.uncertainty_m, volume.danger_radius_m) == (7.0, 300.0)
    assert (entity.id, entity.kind, entity.party) == ("op-1", Kind.OPERATION, "Party A")
    assert (entity.name, entity.priority, entity.hazardous) == ("ferry", 2, True)
    assert (entity.obtained, entity.reach_m) == ("gps", 50.0)
    assert entity.obtained_at == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert entity.assumed == ()


def test_what_is_missing_is_said():
    entity = only(read_features(feature()))
    assert entity.id == "plans.geojson:1"
    assert entity.party is None
    said = " ".join(entity.assumed)
    for word in ("start or end", "lower_m or upper_m", "party", "uncertainty_m", "radius_m"):
        assert word in said


def test_null_is_missing_and_never_zero():
    missing = ("start", "end", "lower_m", "upper_m", "uncertainty_m", "radius_m", "id")
    entity = only(read_features(feature(**dict.fromkeys(missing))))
    assert entity == only(read_features(feature()))
    assert entity.volumes[0].band.lower is None


def test_a_danger_radius_of_zero_still_makes_an_operation_hazardous():
    assert only(read_features(feature(kind="operation", danger_radius_m=0))).hazardous
    assert not only(read_features(feature(kind="operation"))).hazardous


def test_missing_uncertainty_is_half_of_the_last_decimal_as_typed():
    text = json.dumps(feature()).replace("37.515, 36.37", "37.5150, 36.37")
    volume = only(read_text(text)).volumes[0]
    corner_m = Geodesic.WGS84.Inverse(36.37, 37.515, 36.365, 37.51495)["s12"]
    assert corner_m <= volume.uncertainty_m <= 1.02 * corner_m


def test_each_feature_counts_its_own_decimals_whatever_came_before():
    exact, rough = feature(uncertainty_m=1), feature()
    uncertainties = [
        [entity.volumes[0].uncertainty_m for entity in read_features(*order).entities]
        for order in ((exact, rough, rough), (rough, exact, rough))
    ]
    rough_m = uncertainties[0][1]
    assert rough_m > 500
    assert uncertainties == [[1.0, rough_m, rough_m], [rough_m, 1.0, rough_m]]


def test_a_line_is_a_route_and_may_state_a_time_a_vertex():
    times = ["2026-11-22T08:00:00Z", "2026-11-22T08:30:00Z"]
    volume = only(read_features(feature(LINE, width_m=200, times=times))).volumes[0]
    assert isinstance(volume.footprint, Route)
    assert volume.footprint.width_m == 200.0
    assert volume.footprint.points == ((36.3, 37.5), (36.4, 37.6))
    assert volume.footprint.times == (volume.start, volume.end)
    assert volume.end == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def test_a_line_without_width_is_said():
    entity = only(read_features(feature(LINE)))
    assert entity.volumes[0].footprint == Route(((36.3, 37.5), (36.4, 37.6)), 0.0)
    assert any("width_m" in sentence for sentence in entity.assumed)


def test_a_polygon_keeps_its_holes_and_loses_its_closing_vertices():
    hole = [[37.54, 36.34], [37.56, 36.34], [37.55, 36.36], [37.54, 36.34]]
    geometry = {"type": "Polygon", "coordinates": [SQUARE, hole]}
    footprint = only(read_features(feature(geometry))).volumes[0].footprint
    assert isinstance(footprint, Polygon)
    assert footprint.shell == ((36.3, 37.5), (36.3, 37.6), (36.4, 37.6), (36.4, 37.5))
    assert footprint.holes == (((36.34, 37.54), (36.34, 37.56), (36.36, 37.55)),)


@pytest.mark.parametrize(
    ("geometry", "shapes"),
    [
        ({"type": "MultiPoint", "coordinates": [[37.5, 36.3], [37.6, 36.4]]}, [Circle, Circle]),
        ({"type": "MultiLineString", "coordinates": [LINE["coordinates"]]}, [Route]),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]}, [Polygon, Polygon]),
        (
            {"type": "GeometryCollection", "geometries": [POINT, LINE, POLYGON]},
            [Circle, Route, Polygon],
        ),
    ],
)
def test_a_geometry_of_several_parts_is_several_volumes_of_one_entity(geometry, shapes):
    entity = only(read_features(feature(geometry)))
    assert [type(volume.footprint) for volume in entity.volumes] == shapes


def test_a_third_coordinate_is_no_height_and_that_is_said():
    geometry = {"type": "Point", "coordinates": [37.515, 36.37, 900]}
    entity = only(read_features(feature(geometry)))
    assert entity.volumes[0].band.lower is None
    assert any("third coordinates" in sentence for sentence in entity.assumed)


def test_a_zone_takes_a_rule_and_whom_it_binds():
    zone = only(read_features(feature(kind="zone", rule="keep_in", applies_to=["A", "op-1"])))
    assert (zone.rule, zone.applies_to) == (ZoneRule.KEEP_IN, ("A", "op-1"))
    everyone = only(read_features(feature(kind="zone", applies_to="*")))
    assert (everyone.rule, everyone.applies_to) == (ZoneRule.KEEP_OUT, ("*",))
    assert any("keep_out" in sentence for sentence in everyone.assumed)


@pytest.mark.parametrize("word", ["all", "Everyone", ["A", "ANYONE"]])
def test_a_zone_for_all_in_words_binds_everyone_and_says_so(word):
    zone = only(read_features(feature(kind="zone", applies_to=word)))
    assert zone.applies_to == ("*",)
    assert any("taken as everyone" in sentence for sentence in zone.assumed)


def test_an_id_typed_as_a_number_can_be_bound_as_a_number():
    bound, zone = read_features(feature(id=17), feature(kind="zone", applies_to=[17])).entities
    assert zone.applies_to == (bound.id,)


@pytest.mark.parametrize("rule", ["keep_in", "keep-in", "Keep in"])
def test_a_rule_is_read_with_whatever_between_its_words(rule):
    assert only(read_features(feature(kind="zone", rule=rule))).rule is ZoneRule.KEEP_IN


def test_names_of_parties_are_trimmed_and_composed_so_that_they_meet():
    zone = only(read_features(feature(kind="zone", rule="keep_in", applies_to="  Cafe\u0301 1 ")))
    assert zone.applies_to == ("Café 1",)


def test_a_foreign_file_is_read_with_the_defaults_that_the_user_gives():
    bare = {"type": "Feature", "geometry": POINT, "properties": None}
    entity = only(read_features(bare, defaults=Defaults(kind=Kind.SITE, party="WHO")))
    assert (entity.kind, entity.party) == (Kind.SITE, "WHO")
    assert sum("as the user says" in sentence for sentence in entity.assumed) == 2


def test_a_feature_id_serves_where_the_properties_state_none():
    assert only(read_features({**feature(), "id": 7})).id == "7"
    assert only(read_features({**feature(id="own"), "id": 7})).id == "own"


def test_a_position_in_text_stands_for_a_geometry():
    entity = only(read_features(feature(None, position="36.37000 N 37.51500 E WGS 84")))
    assert entity.volumes[0].footprint == Circle((36.37, 37.515), 0.0)
    assert entity.positions[0].text == "36.37000 N 37.51500 E WGS 84"


def test_a_position_that_contradicts_the_geometry_is_refused_with_the_distance():
    stated = feature(position="36.40000 N 37.51500 E WGS 84")
    assert "apart" in refused(read_features(stated)).what


def test_a_position_agrees_with_a_geometry_within_its_decimals_whatever_came_before():
    point = {"type": "Point", "coordinates": [37.515, 36.37]}
    stated = feature(point, position="36.37012 N 37.51503 E WGS 84", uncertainty_m=1)
    result = read_features(feature(uncertainty_m=1, id="a"), stated)
    assert result.problems == ()
    assert result.entities[1].volumes[0].footprint == Circle((36.37012, 37.51503), 0.0)


def test_further_statements_of_a_place_are_kept():
    entity = only(
        read_features(
            feature(also_at="36.3700 N 37.5150 E WGS 84", own_position="36.4000 N 37.5000 E WGS 84")
        )
    )
    assert entity.also_at[0].lat_lon == (36.37, 37.515)
    assert entity.own_position is not None
    assert entity.own_position.lat_lon == (36.4, 37.5)


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"kind": None}, "kind"),
        ({"kind": "house"}, "kind"),
        ({"kind": 1}, "kind"),
        ({"id": True}, "id"),
        ({"id": "a\x00b"}, "id"),
        ({"party": 5}, "party"),
        ({"party": "a\ud800b"}, "party"),
        ({"start": "yesterday"}, "start"),
        ({"start": 1_700_000_000}, "start"),
        ({"start": "2026-11-22T09:00:00Z", "end": "2026-11-22T08:00:00Z"}, "start"),
        ({"lower_m": "100"}, "lower_m"),
        ({"lower_m": 200, "upper_m": 100}, "lower_m"),
        ({"upper_m": True}, "upper_m"),
        ({"altitude_reference": "QNH"}, "altitude_reference"),
        ({"uncertainty_m": -1}, "uncertainty_m"),
        ({"radius_m": -1}, "radius_m"),
        ({"radius_m": [5]}, "radius_m"),
        ({"width_m": 5}, "width_m"),
        ({"danger_radius_m": 5}, "danger_radius_m"),
        ({"rule": "keep_out"}, "rule"),
        ({"applies_to": "A"}, "applies_to"),
        ({"kind": "zone", "rule": "no_fly"}, "rule"),
        ({"kind": "zone", "applies_to": []}, "applies_to"),
        ({"kind": "zone", "applies_to": [True]}, "applies_to"),
        ({"kind": "operation", "priority": 1.5}, "priority"),
        ({"times": ["2026-11-22T09:00:00Z"]}, "times"),
        ({"reach_m": -3}, "reach_m"),
        ({"obtained_at": "2026"}, "obtained_at"),
        ({"own_position": "over there"}, "own_position"),
        ({"name": 5}, "name"),
    ],
)
def test_a_property_that_cant_be_taken_is_refused_by_name(properties, field):
    problem = refused(read_features(feature(**properties)))
    assert problem.place == "feature 1"
    assert problem.field == field


@pytest.mark.parametrize(
    ("word", "allowed"),
    [("kind", "movement"), ("rule", "ceasefire"), ("altitude_reference", "AGL")],
)
def test_an_unknown_word_is_refused_with_those_allowed(word, allowed):
    problem = refused(read_features(feature(**{"kind": "zone", word: "?"})))
    assert allowed in problem.remedy


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("radius", "radius_m"),
        ("radius_km", "radius_m"),
        ("altitude_ref", "altitude_reference"),
        ("lower", "lower_m"),
        ("upper_ft", "upper_m"),
        ("Start", "start"),
        ("end_time", "end"),
        ("dangerRadius", "danger_radius_m"),
        ("Kind", "kind"),
        ("appliesTo", "applies_to"),
        ("uncertainty", "uncertainty_m"),
    ],
)
def test_a_name_that_was_meant_for_a_known_one_is_refused_with_that(name, meant):
    problem = refused(read_features(feature(**{name: 5})))
    assert problem.field == name
    assert meant in problem.remedy


def test_names_that_mean_something_else_are_ignored():
    only(read_features(feature(Name="x", osm_id=5, width=3, height="2 m", start_date="1990")))
    only(read_features(feature(POLYGON, radius=5)))


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point"},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": ["37.5", "36.3"]},
        {"type": "Point", "coordinates": [37.5, None]},
        {"type": "Point", "coordinates": [37.5, True]},
        {"type": "Point", "coordinates": [37.5, 96]},
        {"type": "Point", "coordinates": [400, 36]},
        {"type": "Point", "coordinates": [1, 2, 3, 4]},
        {"type": "Point", "coordinates": {"0": 1, "1": 2}},
        {"type": "LineString", "coordinates": [[37.5, 36.3]]},
        {"type": "LineString", "coordinates": [37.5, 36.3]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [SQUARE[:-1]]},
        {"type": "Polygon", "coordinates": [SQUARE[:2]]},
        {"type": "Polygon", "coordinates": [["ab", "cd", "ef", "ab"]]},
        {"type": "MultiPoint", "coordinates": []},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "GeometryCollection"},
        {"type": "Circle", "coordinates": [37.5, 36.3]},
        {"type": ["Point"], "coordinates": [37.5, 36.3]},
        {"coordinates": [37.5, 36.3]},
        "Point",
        None,
    ],
)
def test_a_geometry_that_is_none_is_refused(geometry):
    problem = refused(read_features(feature(geometry)))
    assert problem.field.startswith("geometry")


def test_a_bad_vertex_is_named():
    ring = [[37.5, 36.3], [37.6, 36.3], [37.6, "36.4"], [37.5, 36.4], [37.5, 36.3]]
    problem = refused(read_features(feature({"type": "Polygon", "coordinates": [ring]})))
    assert problem.field == "geometry, vertex 3"


def test_one_bad_feature_hides_no_other():
    result = read_features(feature(id="a"), feature(id="b", kind="x"), 5, feature(id="c"))
    assert [entity.id for entity in result.entities] == ["a", "c"]
    assert [problem.place for problem in result.problems] == ["feature 2", "feature 3"]


def test_problems_beyond_the_limit_are_counted():
    result = read_features(*[feature(kind="x")] * 10, limits=Limits(problems=3))
    assert len(result.problems) == 3
    assert result.problems_left_out == 7


def test_more_features_than_the_limit_are_refused():
    result = read_features(*[feature()] * 5, limits=Limits(entities=3))
    assert len(result.entities) == 3
    assert "more than 3 entities" in result.problems[0].what


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "Feature", "type": "Feature", "geometry": null, "properties": {"kind": "site"}}',
        json.dumps(feature()).replace('"kind"', '"kind": "zone", "kind"'),
        json.dumps(feature()).replace("36.37", "NaN"),
        json.dumps(feature(lower_m=1)).replace("1}", "Infinity}"),
    ],
)
def test_keys_stated_twice_and_numbers_that_are_none_are_refused(text):
    words = ("stated twice", "no number of JSON")
    assert any(word in refused(read_text(text)).what for word in words)
    collected = f'{{"type": "FeatureCollection", "features": [{text}]}}'
    refused(read_text(collected))


@pytest.mark.parametrize(
    "crs", [None, {"type": "name", "properties": {"name": "EPSG:3857"}}, {"type": "link"}, "x"]
)
def test_another_reference_system_is_refused(crs):
    collection = {"type": "FeatureCollection", "crs": crs, "features": [feature()]}
    result = read_text(json.dumps(collection))
    assert result.problems[-1].field == "crs"


def test_the_older_name_of_wgs_84_is_accepted():
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    collection = {"type": "FeatureCollection", "crs": crs, "features": [feature()]}
    only(read_text(json.dumps(collection)))


def test_the_type_may_stand_behind_the_features():
    only(read_text(json.dumps({"features": [feature()], "type": "FeatureCollection"})))


def test_a_feature_by_itself_is_a_file():
    assert only(read_text(json.dumps(feature()))).source == "plans.geojson, feature 1"


def test_a_bare_geometry_is_refused_with_the_reason():
    assert "bare Point" in refused(read_text(json.dumps(POINT))).what


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_feature_a_line_is_read_and_refused_by_line(newline):
    lines = [json.dumps(feature(id="a")), "", "{bad", json.dumps(feature(id="b"))]
    result = read_text(newline.join(lines) + newline)
    assert [entity.id for entity in result.entities] == ["a", "b"]
    assert [problem.place for problem in result.problems] == ["line 3"]


def test_a_broken_first_line_hides_no_other_in_a_file_named_so():
    result = read_text("{bad\n" + json.dumps(feature(id="b")), name="plans.ndjson")
    assert [entity.id for entity in result.entities] == ["b"]


def test_a_line_separator_inside_a_text_ends_no_line():
    text = json.dumps(feature(name="a\u2028b"), ensure_ascii=False)
    result = read_text(f"{text}\n{text}\n")
    assert len(result.entities) == 2


def test_records_of_rfc_8142_are_read():
    text = "".join(f"\x1e{json.dumps(feature(id=name), indent=1)}\n" for name in "ab")
    assert [entity.id for entity in read_text(text).entities] == ["a", "b"]


def test_a_byte_order_mark_is_passed_over():
    only(read_text(b"\xef\xbb\xbf" + json.dumps(feature()).encode()))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_refused_with_what_to_do(encoding):
    assert "UTF-8" in refused(read_text(json.dumps(feature()).encode(encoding))).remedy


def test_right_to_left_names_pass_unharmed():
    name = "مستشفى الباب \u200f(1)\u200e"
    assert only(read_features(feature(name=name))).name == name


def test_control_characters_in_a_name_become_spaces_and_that_is_said():
    entity = only(read_features(feature(name="a\x1b[31mb")))
    assert entity.name == "a [31mb"
    assert any("control characters" in sentence for sentence in entity.assumed)


@pytest.mark.parametrize(
    ("cut", "line"),
    [(b'"Feature",\n "geome', "line 2"), (b'"FeatureCollection",\n"features": [\n', "line 3")],
)
def test_a_file_cut_off_is_refused_by_line(cut, line):
    problem = refused(read_text(b'{"type": ' + cut))
    assert problem.field == line


def test_features_in_front_of_a_break_are_kept_and_the_break_is_told():
    text = json.dumps({"type": "FeatureCollection", "features": [feature(), feature()]})
    result = read_text(text[:-40])
    assert len(result.entities) == 1
    assert len(result.problems) == 1


def test_a_flight_level_typed_as_its_number_is_said():
    entity = only(read_features(feature(lower_m=100, upper_m=3048, altitude_reference="FL")))
    assert sum("flight level" in sentence for sentence in entity.assumed) == 1


def test_a_circle_is_written_as_the_point_and_radius_that_it_was_read_from():
    circle = only(read_features(feature(radius_m=500, uncertainty_m=5)))
    (written,) = json.loads(write([circle]))["features"]
    assert (written["geometry"], written["properties"]["radius_m"]) == (POINT, 500)
    assert "volumes" not in written


def test_two_runs_write_the_same_bytes():
    entities = read_features(feature(id="b", radius_m=5), feature(LINE, id="a")).entities
    assert write(entities) == write(entities)
