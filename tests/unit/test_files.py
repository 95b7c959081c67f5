from __future__ import annotations

import io
import json
import sys
import zipfile

import pytest

from deconflict.files import Format, format_of, read_bytes, read_file, read_files
from deconflict.formats.reading import NO_DEFAULTS, Defaults, Limits
from deconflict.register.entity import Kind

FEATURE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [37.515, 36.37]},
    "properties": {"kind": "site"},
}
ED269 = {"title": "zones", "features": [{"identifier": "Z1", "country": "XYZ", "geometry": []}]}
INTENT = {"operational_intent": {"reference": {}, "details": {}}}
KML = (
    '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark>'
    '<ExtendedData><Data name="kind"><value>site</value></Data></ExtendedData>'
    "<Point><coordinates>37.5,36.3</coordinates></Point></Placemark></kml>"
)
OPENAIR = "* made up\nAC R\nAN TEST\nAL GND\nAH FL100\nV X=36:22:00 N 37:30:00 E\nDC 5\n"
CSV = "id,kind,position\nS1,site,36.37000 N 37.51500 E WGS 84\n"


def zipped(name, content="x"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def feature(name):
    return {**FEATURE, "properties": {"kind": "site", "id": name}}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (collection(FEATURE), Format.GEOJSON),
        (json.dumps(FEATURE).encode(), Format.GEOJSON),
        (b"\xef\xbb\xbf \n" + json.dumps(FEATURE).encode(), Format.GEOJSON),
        (json.dumps({"features": [FEATURE]}).encode(), Format.GEOJSON),
        (b"\x1e" + json.dumps(FEATURE).encode(), Format.GEOJSON),
        (json.dumps(FEATURE).encode() + b"\n" + json.dumps(FEATURE).encode(), Format.GEOJSON),
        (json.dumps(ED269).encode(), Format.ED269),
        (json.dumps(INTENT).encode(), Format.F3548),
        (json.dumps([INTENT]).encode(), Format.F3548),
        (json.dumps({"reference": {}, "details": {}}).encode(), Format.F3548),
        (KML.encode(), Format.KML),
        (zipped("doc.kml"), Format.KMZ),
        (zipped("xl/workbook.xml"), Format.XLSX),
        (OPENAIR.encode(), Format.OPENAIR),
        (b"* comment\r\n" * 1000 + OPENAIR.replace("\n", "\r\n").encode(), Format.OPENAIR),
        (CSV.encode(), Format.CSV),
        (CSV.replace(",", ";").encode(), Format.CSV),
        (b"id,name\nS1,x\nAC Milan,y\n", Format.CSV),
    ],
)
def test_the_content_decides_about_the_format(data, expected):
    assert format_of(data) is expected


@pytest.mark.parametrize("name", ["x.geojson", "x.json", "x.txt", "x", "X.GEOJSON"])
def test_a_name_that_promises_nothing_else_is_accepted(name):
    assert read_bytes(collection(FEATURE), name=name).problems == ()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.csv", collection(FEATURE), (".csv", "GeoJSON")),
        ("x.geojson", CSV.encode(), (".geojson", "CSV")),
        ("x.kml", zipped("doc.kml", KML), (".kml", "KMZ")),
        ("x.xlsx", CSV.encode(), (".xlsx", "CSV")),
        ("x.geojson", json.dumps(INTENT).encode(), (".geojson", "F3548")),
    ],
)
def test_a_name_that_contradicts_the_content_is_refused(name, data, words):
    (problem,) = read_bytes(data, name=name).problems
    assert all(word in problem.what for word in words)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.geojson", json.dumps(FEATURE)), ("a.kml", KML), ("a.txt", OPENAIR), ("a.csv", CSV)],
)
def test_every_format_reads_through_one_door(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    result = read_file(str(path))
    assert result.problems == ()
    assert len(result.entities) == 1


def test_a_table_of_one_column_goes_by_its_name():
    defaults = Defaults(kind=Kind.SITE)
    text = b"position\n36.37000 N 37.51500 E WGS 84\n"
    assert len(read_bytes(text, name="x.csv", defaults=defaults).entities) == 1
    assert len(read_bytes(text, name="x.txt", defaults=defaults).problems) == 1


def test_standard_input_is_read_by_its_content(monkeypatch):
    class Input:
        buffer = io.BytesIO(KML.encode())

    monkeypatch.setattr(sys, "stdin", Input())
    result = read_file("-")
    assert result.problems == ()
    assert result.entities[0].id == "standard input:1"


def test_an_identifier_that_comes_twice_in_a_run_is_refused_with_both_places(tmp_path):
    first, second = tmp_path / "a.geojson", tmp_path / "b.geojson"
    first.write_bytes(collection(feature("S1"), feature("S2"), feature("S1")))
    second.write_bytes(collection(feature("S3"), feature("S2")))
    read = read_files([str(first)], [str(second)], defaults=NO_DEFAULTS)
    assert [entity.id for entity in read.plans] == ["S1", "S2"]
    assert [entity.id for entity in read.against] == ["S3"]
    again, other = read.problems
    assert (again.file, again.place, again.field) == (str(first), "feature 3", "id")
    assert f"{first}, feature 1" in again.what
    assert (other.file, other.place) == (str(second), "feature 2")
    assert f"{first}, feature 2" in other.what


def test_the_same_file_twice_is_refused(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_bytes(collection(FEATURE))
    assert len(read_files([str(path), str(path)]).problems) == 1


def test_progress_ends_at_the_whole(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_bytes(collection(FEATURE))
    shares: list[float] = []
    read_files([str(path)], [str(path)], progress=shares.append)
    assert shares == [0.5, 1.0]


@pytest.mark.parametrize("name", ["missing.geojson", ".", "a\0b"])
def test_a_file_that_cant_be_read_is_a_problem_and_no_crash(tmp_path, name):
    (problem,) = read_file(str(tmp_path / name)).problems
    assert problem.remedy


def test_bad_files_hide_no_good_ones(tmp_path):
    good = tmp_path / "good.geojson"
    good.write_bytes(collection(FEATURE))
    read = read_files([str(tmp_path / "missing"), str(good)])
    assert len(read.plans) == 1
    assert len(read.problems) == 1


@pytest.mark.parametrize(
    "data", [collection(), b'{"type": "FeatureCollection", "features": []}', b"<kml/>"]
)
def test_a_file_of_nothing_doesnt_pass_for_a_file_of_nothing_dangerous(data):
    (problem,) = read_bytes(data, name="x").problems
    assert "no entity" in problem.what


def test_more_bytes_than_the_limit_are_refused():
    (problem,) = read_bytes(collection(FEATURE), name="x", limits=Limits(file_bytes=50)).problems
    assert "50" in problem.what
