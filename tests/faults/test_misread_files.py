"""Files that a careless reader takes for something else: what is not understood is refused."""

from __future__ import annotations

import json

import pytest

from deconflict.files import read_bytes, read_file
from deconflict.formats import csv_text
from deconflict.formats.reading import Defaults
from deconflict.geo.errors import InputError
from deconflict.register.entity import Kind

POINT = {"type": "Point", "coordinates": [1.5, 2.5]}
TIME = {"format": "RFC3339"}
VOLUME = {
    "volume": {
        "outline_circle": {
            "center": {"lat": 2.5, "lng": 1.5},
            "radius": {"value": 100, "units": "M"},
        },
        "altitude_lower": {"value": 0, "reference": "W84", "units": "M"},
        "altitude_upper": {"value": 100, "reference": "W84", "units": "M"},
    },
    "time_start": {**TIME, "value": "2026-11-22T08:00:00Z"},
    "time_end": {**TIME, "value": "2026-11-22T09:00:00Z"},
}


def feature(geometry=POINT, **properties):
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"kind": "site", "uncertainty_m": 1, **properties},
    }


def collection(*features, **members):
    return json.dumps({"type": "FeatureCollection", "features": features, **members}).encode()


def placemark(body):
    kind = '<ExtendedData><Data name="kind"><value>zone</value></Data></ExtendedData>'
    return f"<kml><Placemark>{kind}{body}</Placemark></kml>".encode()


def ring(coordinates):
    return f"<LinearRing><coordinates>{coordinates}</coordinates></LinearRing>"


def intent(**changes):
    reference = {
        "id": "2f8343be-6482-4d1b-a474-16847e01af1e",
        "manager": "uss1",
        "state": "Accepted",
        "time_start": VOLUME["time_start"],
        "time_end": VOLUME["time_end"],
    }
    return {"reference": {**reference, **changes}, "details": {"volumes": [VOLUME]}}


def read(data, name="x", **defaults):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return read_bytes(data, name=name, defaults=Defaults(**defaults))


def refusal(result):
    (problem,) = result.problems
    return problem


def test_a_file_on_another_system_leaves_no_entity_to_check_when_parts_are_skipped():
    crs = {"type": "name", "properties": {"name": "EPSG:4284"}}
    result = read(collection(feature(), crs=crs))
    assert result.entities == ()
    assert refusal(result).field == "crs"


@pytest.mark.parametrize(
    "member", [{"extent": {"subType": "Circle", "radius": 5000}}, {"layer": {"upper": 100}}]
)
def test_a_circle_of_ed318_behind_a_plain_feature_is_not_read_as_a_point(member):
    result = read(collection(feature(), feature({**POINT, **member})), kind=Kind.ZONE)
    assert len(result.entities) == 1
    assert refusal(result).place == "feature 2"


def test_a_site_behind_a_feature_of_ed318_is_not_read_as_a_zone():
    circle = {**POINT, "extent": {"subType": "Circle", "radius": 5}, "layer": {"uom": "m"}}
    area = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    zone = {"type": "Feature", "geometry": circle, "properties": {"identifier": "z"}}
    result = read(collection(zone, feature(area)))
    assert [entity.id for entity in result.entities] == ["z"]
    assert refusal(result).field == "kind"


def test_a_fault_in_front_of_the_features_costs_none_of_them():
    data = b'{"type":"FeatureCollection","made":{"a":1,"a":2},' + collection(feature())[30:]
    result = read(data)
    assert len(result.entities) == 1
    assert "twice" in refusal(result).what


@pytest.mark.parametrize(
    "body",
    [
        "<LineString><coordinates>1,2 3,4<b/> 5,6</coordinates></LineString>",
        "<LineString><coordinates>1,2 3,4</coordinates><coordinates>5,6</coordinates></LineString>",
    ],
)
def test_no_part_of_a_line_in_kml_is_dropped(body):
    assert not read(placemark(body)).entities


@pytest.mark.parametrize(
    ("outer", "inner"),
    [(ring("0,0 9,0 9,9 0,0") + ring("1,1 2,1 2,2 1,1"), ""), ("", ring("1,1 2,1 2,2 1,1"))],
    ids=["two shells", "a hole without a shell"],
)
def test_a_shell_in_kml_is_not_taken_for_a_hole_nor_a_hole_for_a_shell(outer, inner):
    result = read(
        placemark(
            f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>"
            f"<innerBoundaryIs>{inner}</innerBoundaryIs></Polygon>"
        )
    )
    assert not result.entities
    assert "outerBoundaryIs" in refusal(result).what


def test_a_placemark_in_another_one_is_not_read_without_what_stands_before_it():
    point = "<Point><coordinates>1.5,2.5</coordinates></Point>"
    radius = '<ExtendedData><Data name="radius_m"><value>100</value></Data></ExtendedData>'
    result = read(placemark(f"{radius}<Placemark>{point}</Placemark>{point}"))
    assert "in another one" in result.problems[0].what


def test_a_value_in_two_pieces_in_kml_is_not_put_together():
    point = "<Point><coordinates>1.5,2.5</coordinates></Point>"
    two = '<Data name="radius_m"><value>1</value><value>00</value></Data>'
    assert refusal(read(placemark(f"{point}<ExtendedData>{two}</ExtendedData>"))).field == (
        "radius_m"
    )


def test_strict_datum_holds_for_the_rows_of_a_table():
    table = b"id,kind,position\na,site,37S CA 66801 26131\n"
    assert read(table).entities
    assert "datum" in refusal(read(table, strict_datum=True)).what


def test_no_f3548_entity_is_dropped_beside_a_list():
    both = {"operational_intents": [intent()], "constraint": {"reference": {}, "details": {}}}
    result = read(both)
    assert not result.entities
    assert "stands beside" in refusal(result).what


@pytest.mark.parametrize("manager", ["", " ", "\x1b[31mA", "\ud800", "x" * 100_000])
def test_a_manager_that_is_no_name_is_refused(manager):
    assert refusal(read(intent(manager=manager))).field == "reference.manager"


def test_half_a_character_in_any_text_of_f3548_is_refused():
    assert not read(intent(state="\ud800")).entities


@pytest.mark.parametrize("priority", [10**30, 10**400, -(10**30)])
def test_a_priority_that_no_answer_can_hold_is_refused(priority):
    value = intent()
    value["details"]["priority"] = priority
    assert "priority" in refusal(read(value)).field
    flight = feature(kind="operation")
    assert refusal(read(collection(flight, feature(kind="operation", priority=priority)))).field


def test_an_integer_beyond_any_float_beside_exact_volumes_is_refused():
    sealed = {**feature(lower_m=10**400), "volumes": {"seal": "", "exact": []}}
    assert refusal(read(collection(feature(), sealed))).field == "lower_m"


@pytest.mark.parametrize("party", ["", "  ", "A\x1b[2J", "\udcff"])
def test_a_party_given_for_all_is_as_strict_as_one_in_a_file(party):
    with pytest.raises(InputError):
        Defaults(party=party)


def test_a_party_given_for_all_is_the_one_that_files_name():
    (entity,) = read(collection(feature(party="Ärzte  ohne"))).entities
    assert Defaults(party=" A\u0308rzte ohne").party == entity.party


def test_a_line_of_openair_ends_where_the_file_ends_it():
    records = "AC R\nAN Danger\x85 area\nAL GND\nAH FL100\nV X=50:00:00 N 008:00:00 E\nDC\t2\n"
    (entity,) = read(records.encode("latin-1"), "x.txt").entities
    assert entity.name.startswith("Danger")


def test_a_name_of_a_file_that_is_no_utf8_can_be_written_into_an_answer(tmp_path):
    path = tmp_path / "\udcff.csv"
    try:
        path.write_bytes(b"kind,position\nsite,37S CA 66801 26131\n")
    except OSError:
        pytest.skip("this file system takes no such name")
    (entity,) = read_file(str(path)).entities
    assert entity.id.encode()
    assert entity.source.encode()


@pytest.mark.parametrize("name", ["=1+1", "\uff1d1+1", "\uff0b1", "\uff20x", "'=1", "-1"])
def test_no_written_cell_begins_a_formula_in_either_width(name):
    (entity,) = read(feature(name=name)).entities
    table = csv_text.write([entity])
    assert f",'{name}," in table.decode("utf-8-sig")
    assert read(table).entities[0].name == name
