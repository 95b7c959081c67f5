"""Input made to break a reader: each is refused in a sentence, quickly, and with little memory."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from deconflict import files
from deconflict.files import read_bytes, read_file
from deconflict.formats import geojson, kml
from deconflict.formats.reading import NO_DEFAULTS, Limits

GIGABYTE = 1 << 30


def feature(geometry, **properties):
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"kind": "site", "uncertainty_m": 1, **properties},
    }


def polygon(*rings):
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]}


def read_feature(value, **limits):
    return read_bytes(json.dumps(value).encode(), name="x.geojson", limits=Limits(**limits))


def refusal(result):
    assert result.entities == ()
    (problem,) = result.problems
    assert problem.what
    assert "\n" not in str(problem)
    return problem


def zip_of(name, content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize("name", ["x.geojson", "x.kml", "x.kmz", "x.csv", "x.txt", "x"])
@pytest.mark.parametrize("data", [b"", b"   \n\n ", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(name, data):
    refusal(read_bytes(data, name=name))


@pytest.mark.parametrize("name", ["x.geojson", "x.kml", "x.kmz", "x"])
@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\x7fELF" + bytes(100),
        b"PK\x03\x04" + bytes(100),
        b'{"type": "\xff\xfe"}',
        b"<kml>\xff</kml>",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_a_binary_file_is_refused(name, data):
    refusal(read_bytes(data, name=name))


def test_no_cut_of_a_file_crashes_a_reader():
    whole = json.dumps({"type": "FeatureCollection", "features": [feature(None)] * 2}).encode()
    for end in range(len(whole)):
        result = geojson.read(whole[:end], name="x", defaults=NO_DEFAULTS)
        assert result.problems, whole[:end]
    placemark = b'<?xml version="1.0"?><kml><Placemark><name>x</name></Placemark></kml>'
    for end in range(len(placemark)):
        assert kml.read(placemark[:end], name="x", defaults=NO_DEFAULTS).problems
    packed = zip_of("doc.kml", placemark)
    for end in range(len(packed)):
        assert kml.read(packed[:end], name="x", defaults=NO_DEFAULTS).problems


def test_no_flipped_byte_of_a_kmz_crashes_the_reader():
    packed = zip_of("doc.kml", b"<kml><Placemark><name>x</name></Placemark></kml>")
    for index in range(len(packed)):
        damaged = bytearray(packed)
        damaged[index] ^= 0xFF
        assert read_bytes(bytes(damaged), name="x").problems


def test_a_file_of_a_gigabyte_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "x.geojson"
    with path.open("wb") as file:
        os.truncate(file.fileno(), GIGABYTE)

    def opened(*_arguments, **_options):
        pytest.fail("the file was opened")

    monkeypatch.setattr(Path, "open", opened)
    assert "1,073,741,824 bytes" in refusal(read_file(str(path))).what


def test_an_endless_source_is_read_no_further_than_the_limit():
    refusal(read_file("/dev/zero", limits=Limits(file_bytes=1_000_000)))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"type": "FeatureCollection", "features": [' + b"[" * 200_000,
        b'{"type": "Feature", "properties": {"x": ' + b"[" * 5000 + b"]" * 5000 + b"}}",
    ],
)
def test_deep_nesting_is_refused(data):
    refusal(read_bytes(data, name="x.json"))
    assert geojson.read(data, name="x", defaults=NO_DEFAULTS).problems


def test_deep_collections_are_refused():
    geometry = {"type": "Point", "coordinates": [1, 2]}
    for _ in range(60):
        geometry = {"type": "GeometryCollection", "geometries": [geometry]}
    assert "nested" in refusal(read_feature(feature(geometry))).what


def test_deep_xml_is_refused():
    deep = b"<kml>" + b"<Folder>" * 100_000
    refusal(read_bytes(deep, name="x.kml"))
    geometry = b"<MultiGeometry>" * 60 + b"<Point/>" + b"</MultiGeometry>" * 60
    refusal(read_bytes(b"<kml><Placemark>" + geometry + b"</Placemark></kml>", name="x.kml"))


@pytest.mark.parametrize("head", [b"<kml>", b"<kml><Placemark>"])
def test_countless_elements_of_xml_are_never_one_tree(head):
    # In a process of its own: what the parser holds is no memory of Python's.
    program = f"""
from deconflict.files import read_bytes
from resource import RUSAGE_SELF, getrusage
read_bytes(b"<kml/>", name="x.kml")
before = getrusage(RUSAGE_SELF).ru_maxrss
assert not read_bytes({head!r} + b"<a/>" * 500_000, name="x.kml").entities
print(getrusage(RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40_000, "kilobytes; half a million elements kept take 65,000"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_numbers_that_are_none_are_refused(number):
    text = json.dumps(feature({"type": "Point", "coordinates": [1.5, 2.5]}))
    for typed in ("1.5", "2.5", '"uncertainty_m": 1'):
        replaced = text.replace(typed, typed.replace("1.5", number).replace("2.5", number))
        if typed.startswith('"'):
            replaced = text.replace(typed, f'"uncertainty_m": {number}')
        collected = f'{{"type": "FeatureCollection", "features": [{replaced}]}}'
        refusal(read_bytes(replaced.encode(), name="x"))
        refusal(read_bytes(collected.encode(), name="x"))


@pytest.mark.parametrize(
    "geometry",
    [
        polygon([[0, 0], [1, 1], [1, 0], [0, 1]]),
        polygon([[0, 0], [1, 0], [1, 0], [1, 1]]),
        polygon([[0, 0], [1, 0], [2, 0]]),
        polygon([[0, 0], [1, 0], [0, 0]]),
        polygon([[0, 0], [1, 0], [1, 1]], [[5, 5], [6, 5], [6, 6]]),
    ],
    ids=["bow-tie", "vertex twice", "no area", "there and back", "hole outside"],
)
def test_an_invalid_polygon_is_refused_by_its_place(geometry):
    assert refusal(read_feature(feature(geometry))).field.startswith("geometry")


def test_a_ring_of_a_million_vertices_is_refused_before_any_geometry():
    ring = ",".join(["[0.5,1.5]"] * 1_000_000)
    text = json.dumps(feature({"type": "Polygon", "coordinates": [["ring"]]}))
    problem = refusal(read_bytes(text.replace('"ring"', ring).encode(), name="x.geojson"))
    assert "10,000 vertices" in problem.what
    text = (
        f"<kml><Placemark><LineString><coordinates>{'0.5,1.5 ' * 1_000_000}</coordinates>"
        "</LineString></Placemark></kml>"
    )
    assert "10,000 vertices" in refusal(read_bytes(text.encode(), name="x.kml")).what


def test_many_small_parts_count_together():
    geometry = {"type": "MultiPoint", "coordinates": [[1.5, 2.5]] * 10_001}
    assert "vertices" in refusal(read_feature(feature(geometry))).what


@pytest.mark.parametrize(
    ("start", "end", "good"),
    [
        ("2026-11-22T09:00:00Z", "2026-11-22T08:00:00Z", False),
        ("2026-11-22T09:00:00+00:00", "2026-11-22T10:30:00+02:00", False),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", True),
        ("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59Z", False),
    ],
)
def test_windows_at_the_ends_of_time_and_turned_round(start, end, good):
    point = {"type": "Point", "coordinates": [1.5, 2.5]}
    result = read_feature(feature(point, start=start, end=end))
    if good:
        assert len(result.entities) == 1
    else:
        assert refusal(result).field == "start"


def test_a_zip_bomb_is_refused_by_its_declared_size():
    bomb = zip_of("doc.kml", b"<kml>" + b" " * 30_000_000)
    assert "zip bomb" in refusal(read_bytes(bomb, name="x.kmz")).what


def test_a_zip_bomb_that_declares_a_small_size_is_refused_while_inflating():
    content = b"<kml>" + b" " * 50_000_000
    bomb = bytearray(zip_of("doc.kml", content))
    small = struct.pack("<I", 1000)
    declared = struct.pack("<I", len(content))
    while (index := bomb.find(declared)) >= 0:
        bomb[index : index + 4] = small
    tracemalloc.start()
    refusal(read_bytes(bytes(bomb), name="x.kmz"))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 10_000_000


def test_a_zip_file_of_countless_members_is_refused_before_they_are_listed():
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 65_535, 65_535, 200_000_000, 0, 0)
    problem = refusal(read_bytes(b"PK\x03\x04" + bytes(100) + end, name="x.kmz"))
    assert "too many members" in problem.what


def test_an_encrypted_kmz_is_refused():
    packed = bytearray(zip_of("doc.kml", b"<kml/>"))
    packed[6] |= 1
    packed[packed.find(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(read_bytes(bytes(packed), name="x.kmz")).what


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE kml SYSTEM "http://localhost/evil.dtd">',
        '<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!-- a --> <?x y?>\n<!DOCTYPE kml [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    ],
)
def test_xml_entities_and_external_files_are_refused(head):
    data = f'<?xml version="1.0"?>{head}<kml><Placemark><name>&a;</name></Placemark></kml>'
    assert "document type" in refusal(read_bytes(data.encode(), name="x.kml")).what


@pytest.mark.parametrize("encoding", ["UTF-7", "windows-1251", "utf-16"])
def test_xml_that_says_it_is_in_another_encoding_is_refused(encoding):
    data = f'<?xml version="1.0" encoding="{encoding}"?><kml/>'
    assert "UTF-8" in refusal(read_bytes(data.encode(), name="x.kml")).remedy


def test_a_document_type_inside_a_description_is_text():
    data = (
        "<kml><Placemark><description><![CDATA[<!DOCTYPE html><p>]]></description>"
        '<ExtendedData><Data name="kind"><value>site</value></Data></ExtendedData>'
        "<Point><coordinates>1.5,2.5</coordinates></Point></Placemark></kml>"
    )
    assert len(read_bytes(data.encode(), name="x.kml").entities) == 1


@pytest.mark.parametrize("digits", ["٣٧", "۳۷", "३७", "３７"])
def test_other_digits_are_refused_where_a_format_has_numbers(digits):
    text = (
        "<kml><Placemark><ExtendedData><Data name='kind'><value>site</value></Data></ExtendedData>"
        f"<Point><coordinates>{digits},36</coordinates></Point></Placemark></kml>"
    )
    refusal(read_bytes(text.encode(), name="x.kml"))
    json_text = (
        f'{{"type": "Feature", "geometry": {{"type": "Point", "coordinates": [{digits}, 1]}}}}'
    )
    refusal(read_bytes(json_text.encode(), name="x.geojson"))


def test_a_changed_drawing_beside_exact_volumes_is_refused():
    # Drawn in two pieces, one on each side of the antimeridian.
    across = polygon([[179.5, 2.5], [-179.5, 2.5], [-179.5, 3.5]])
    (entity,) = read_feature(feature(across)).entities
    written = json.loads(geojson.write([entity]))
    assert "volumes" in written["features"][0]
    assert read_bytes(json.dumps(written).encode(), name="x").entities[0].volumes == entity.volumes
    written["features"][0]["properties"]["lower_m"] = 100
    assert refusal(read_bytes(json.dumps(written).encode(), name="x")).field == "volumes"


@pytest.mark.parametrize(
    "exact",
    [5, {}, {"exact": []}, {"exact": [{}]}, {"exact": [{"footprint": {"center": 5}}]}],
)
def test_exact_volumes_that_cant_be_read_are_refused(exact):
    value = feature({"type": "Point", "coordinates": [1.5, 2.5]})
    value["volumes"] = exact
    assert refusal(read_feature(value)).field == "volumes"


def test_no_json_value_in_any_place_crashes_the_reader():
    values = [None, True, 0, -1.5, "", "x", [], [[]], {}, {"a": 1}]
    whole = {**feature({"type": "Point", "coordinates": [1.5, 2.5]}), "id": 1, "bbox": [], "crs": 1}
    for key in whole:
        for value in values:
            read_feature({**whole, key: value})
            read_feature({"type": "FeatureCollection", "features": [{**whole, key: value}]})
    for key in ("type", "features"):
        for value in values:
            read_feature({"type": "FeatureCollection", "features": [], key: value})


def test_a_member_checksum_is_checked():
    packed = bytearray(zip_of("doc.kml", b"<kml><name>x</name></kml>"))
    checksum = struct.pack("<I", zlib.crc32(b"<kml><name>x</name></kml>"))
    while (index := packed.find(checksum)) >= 0:
        packed[index] ^= 1
    assert "damaged" in refusal(read_bytes(bytes(packed), name="x.kmz")).what


def test_a_file_of_countless_bad_parts_is_left_and_what_was_read_is_said():
    good = json.dumps(feature({"type": "Point", "coordinates": [1.5, 2.5]}))
    bad = "5\n" * 150_000
    result = read_bytes(f"{good}\n{bad}".encode(), name="x.ndjson")
    assert len(result.entities) == 1
    assert len(result.problems) + result.problems_left_out < 102_000
    assert "not read" in result.problems[-1].what


def test_a_place_in_countless_notations_is_refused():
    value = feature({"type": "Point", "coordinates": [1.5, 2.5]}, also_at=["8G83923M+22"] * 1000)
    assert refusal(read_feature(value)).field == "also_at"


def test_a_pipe_into_which_nobody_writes_is_refused_and_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PIPE_PATIENCE_S", 0.0)
    os.mkfifo(tmp_path / "pipe")
    assert "nobody writes" in refusal(read_file(str(tmp_path / "pipe"))).what


def test_a_pipe_is_read_to_its_end():
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(feature({"type": "Point", "coordinates": [1.5, 2.5]})).encode())
    assert len(read_file(f"/dev/fd/{reading}").entities) == 1
    os.close(reading)
