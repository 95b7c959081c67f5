from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest

from deconflict.formats.kml import read, write
from deconflict.formats.reading import NO_DEFAULTS, Defaults, Limits
from deconflict.geo.volume import Circle, Polygon, Route
from deconflict.register.entity import Kind

POINT = "<Point><coordinates>37.515,36.37,0</coordinates></Point>"
KIND = '<Data name="kind"><value>site</value></Data>'
RING = "37.5,36.3 37.6,36.3 37.6,36.4 37.5,36.4 37.5,36.3"
HOLE = "37.54,36.34 37.56,36.34 37.55,36.36 37.54,36.34"


def document(*placemarks, namespace="http://www.opengis.net/kml/2.2", head=""):
    inside = "".join(placemarks)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        f'<kml xmlns="{namespace}"><Document><Folder>{inside}</Folder></Document></kml>'
    ).encode()


def placemark(geometry=POINT, data=KIND, more=""):
    return f"<Placemark>{more}<ExtendedData>{data}</ExtendedData>{geometry}</Placemark>"


def stated(**properties):
    return "".join(
        f'<Data name="{name}"><value>{value}</value></Data>' for name, value in properties.items()
    )


def read_kml(data, *, defaults=NO_DEFAULTS, limits=None, name="plans.kml"):
    return read(data, name=name, defaults=defaults, limits=limits or Limits())


def only(result):
    assert result.problems == ()
    (entity,) = result.entities
    return entity


def refused(result):
    assert result.entities == ()
    (problem,) = result.problems
    assert problem.remedy
    return problem


def kmz(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


def test_a_placemark_is_read_with_its_properties_name_and_times():
    data = stated(kind="operation", id="op", radius_m="500", danger_radius_m="300", lower_m="-5")
    span = "<TimeSpan><begin>2026-11-22T08:00:00Z</begin><end>2026-11-22T09:00:00Z</end></TimeSpan>"
    entity = only(read_kml(document(placemark(data=data, more=f"<name> a\n b </name>{span}"))))
    (volume,) = entity.volumes
    assert (entity.id, entity.kind, entity.name) == ("op", Kind.OPERATION, "a b")
    assert volume.footprint == Circle((36.37, 37.515), 500.0)
    assert volume.start == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert volume.end == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert volume.band.lower is not None
    assert volume.band.lower.value_m == -5.0
    assert any("third coordinates" in sentence for sentence in entity.assumed)


@pytest.mark.parametrize("namespace", ["http://earth.google.com/kml/2.1", ""])
def test_older_namespaces_are_read(namespace):
    only(read_kml(document(placemark(), namespace=namespace)))


def test_properties_of_a_schema_are_read():
    data = '<SchemaData schemaUrl="#s"><SimpleData name="kind">site</SimpleData></SchemaData>'
    assert only(read_kml(document(placemark(data=data)))).kind is Kind.SITE


def test_lists_stand_between_semicolons():
    data = stated(kind="zone", applies_to="Party A; op-1")
    assert only(read_kml(document(placemark(data=data)))).applies_to == ("Party A", "op-1")


def test_an_empty_value_is_missing():
    data = stated(kind="site", lower_m="", id=" ")
    entity = only(read_kml(document(placemark(data=data))))
    assert entity.id == "plans.kml:1"
    assert entity.volumes[0].band.lower is None


def test_a_multigeometry_is_several_volumes():
    polygon = (
        f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{RING}</coordinates></LinearRing>"
        f"</outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>{HOLE}</coordinates>"
        "</LinearRing></innerBoundaryIs></Polygon>"
    )
    line = "<LineString><coordinates>\n37.5,36.3\n37.6,36.4\n</coordinates></LineString>"
    geometry = (
        f"<MultiGeometry>{POINT}<MultiGeometry>{line}{polygon}</MultiGeometry></MultiGeometry>"
    )
    entity = only(read_kml(document(placemark(geometry))))
    footprints = [volume.footprint for volume in entity.volumes]
    assert [type(footprint) for footprint in footprints] == [Circle, Route, Polygon]
    assert len(footprints[2].holes[0]) == 3


def test_an_altitude_mode_is_no_height_and_that_is_said():
    point = POINT.replace("<Point>", "<Point><altitudeMode>absolute</altitudeMode>")
    entity = only(read_kml(document(placemark(point))))
    assert entity.volumes[0].band.upper is None
    assert any("altitudeMode" in sentence for sentence in entity.assumed)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (stated(kind="site", radius_m="5 m"), "radius_m"),
        (stated(kind="site", radius_m="٥"), "radius_m"),
        (stated(kind="site", lower_m="1,5"), "lower_m"),
        (stated(kind="site", radius="5"), "radius"),
        (stated(name="x"), "kind"),
        (KIND + KIND, "kind"),
        (stated(kind="site", start="2026-11-22"), "start"),
    ],
)
def test_a_property_that_cant_be_taken_is_refused_by_name_and_place(data, field):
    problem = refused(read_kml(document("\n", placemark(data=data))))
    assert problem.field == field
    assert problem.place == "placemark 1, line 2"


def test_a_time_span_that_contradicts_the_properties_is_refused():
    span = "<TimeSpan><begin>2026-11-22T08:00:00Z</begin></TimeSpan>"
    data = stated(kind="site", start="2026-11-22T09:00:00Z")
    assert refused(read_kml(document(placemark(data=data, more=span)))).field == "start"


@pytest.mark.parametrize(
    "geometry",
    [
        "",
        "<Model/>",
        "<LinearRing><coordinates>1,2 3,4</coordinates></LinearRing>",
        POINT + POINT,
        "<Point/>",
        "<Point><coordinates>37.5</coordinates></Point>",
        "<Point><coordinates>37.5, 36.3</coordinates></Point>",
        "<Point><coordinates>37.5,nan</coordinates></Point>",
        "<Point><coordinates>37.5,96</coordinates></Point>",
        "<Point><coordinates>37.5,36.3 37.6,36.4</coordinates></Point>",
        "<Polygon/>",
        "<LineString><coordinates>37.5,36.3</coordinates></LineString>",
    ],
)
def test_a_geometry_that_is_none_is_refused(geometry):
    assert refused(read_kml(document(placemark(geometry)))).field.startswith("geometry")


def test_one_bad_placemark_hides_no_other():
    result = read_kml(document(placemark(), placemark("<Model/>"), placemark()))
    assert [entity.id for entity in result.entities] == ["plans.kml:1", "plans.kml:3"]
    assert len(result.problems) == 1


def test_a_link_to_another_file_is_refused_because_it_isnt_followed():
    link = "<NetworkLink><Link><href>file:///etc/passwd</href></Link></NetworkLink>"
    result = read_kml(document(placemark(), link))
    assert len(result.entities) == 1
    assert "NetworkLink" in result.problems[0].what


def test_other_xml_is_refused():
    assert "gpx" in refused(read_kml(b'<gpx version="1.1"><wpt/></gpx>')).what


def test_the_main_document_of_a_kmz_is_read():
    data = kmz(a__png=b"x", doc__kml=document(placemark()))
    assert only(read_kml(data, name="plans.kmz")).id == "plans.kmz:1"


def test_a_second_document_in_a_kmz_is_told():
    data = kmz(a__kml=document(placemark(data=stated(kind="zone"))), doc__kml=document(placemark()))
    result = read_kml(data)
    assert [entity.kind for entity in result.entities] == [Kind.SITE]
    assert "a.kml" in result.problems[0].what


def test_a_zip_file_without_kml_is_refused():
    assert "no KML" in refused(read_kml(kmz(a__txt=b"x"))).what


def test_defaults_fill_what_is_missing():
    data = stated(radius_m=5)
    defaults = Defaults(kind=Kind.SITE, party="WHO")
    assert only(read_kml(document(placemark(data=data)), defaults=defaults)).party == "WHO"


def test_names_with_marks_of_xml_and_right_to_left_read_back():
    name = "مستشفى <b>&amp; \u200fX"
    more = "<name><![CDATA[" + name + "]]></name>"
    entity = only(read_kml(document(placemark(more=more))))
    assert entity.name == name
    assert only(read_kml(write([entity]))).name == name
