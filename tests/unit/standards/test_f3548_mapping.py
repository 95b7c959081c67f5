"""F3548-21 entities become what the rules judge, or are refused with the path of the fault."""

import copy
from datetime import UTC, datetime

import pytest

from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon
from deconflict.register.entity import Kind, ZoneRule
from deconflict.standards.f3548 import wire
from deconflict.standards.f3548.mapping import (
    MAX_VERTICES,
    constraint_entity,
    operational_intent_entity,
)


def time(text):
    return {"value": text, "format": "RFC3339"}


def altitude(metres):
    return {"value": metres, "reference": "W84", "units": "M"}


def square(lat=47.0, lng=7.0):
    return {
        "vertices": [
            {"lat": lat, "lng": lng},
            {"lat": lat, "lng": lng + 0.01},
            {"lat": lat + 0.01, "lng": lng + 0.01},
            {"lat": lat + 0.01, "lng": lng},
        ]
    }


def volume(**outline):
    return {
        "volume": {
            **(outline or {"outline_polygon": square()}),
            "altitude_lower": altitude(100),
            "altitude_upper": altitude(200.5),
        },
        "time_start": time("2026-11-22T08:00:00Z"),
        "time_end": time("2026-11-22T09:00:00Z"),
    }


def intent():
    return {
        "reference": {
            "id": "2f8343be-6482-4d1b-a474-16847e01af1e",
            "manager": "uss1",
            "uss_availability": "Normal",
            "version": 1,
            "state": "Accepted",
            "time_start": time("2026-11-22T08:00:00Z"),
            "time_end": time("2026-11-22T09:00:00Z"),
            "uss_base_url": "https://uss1.example",
            "subscription_id": "00000000-0000-4000-8000-000000000000",
        },
        "details": {"volumes": [volume()], "off_nominal_volumes": [], "priority": 3},
    }


def constraint():
    item = intent()
    del item["reference"]["state"], item["reference"]["subscription_id"]
    item["details"] = {"volumes": [volume()], "type": "com.example.fire"}
    return item


def as_operation(item):
    return operational_intent_entity(wire.convert(item, wire.OperationalIntent), source="x.json")


def as_zone(item):
    return constraint_entity(wire.convert(item, wire.Constraint), source="x.json")


def changed(item, path, value):
    """Return a copy with the value at a path of keys replaced, or taken out for `del`."""
    result = copy.deepcopy(item)
    target = result
    for key in path[:-1]:
        target = target[key]
    if value is del_:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return result


del_ = object()
V0 = ("details", "volumes", 0)


def test_an_operational_intent_is_an_operation_of_its_manager():
    entity = as_operation(intent())
    assert entity.id == "2f8343be-6482-4d1b-a474-16847e01af1e"
    assert entity.kind is Kind.OPERATION
    assert entity.party == "uss1"
    assert entity.priority == 3
    assert not entity.hazardous
    assert entity.source == "x.json"


def test_its_volume_is_kept_as_stated_without_further_uncertainty():
    (read,) = as_operation(intent()).volumes
    assert read.footprint == Polygon(((47.0, 7.0), (47.0, 7.01), (47.01, 7.01), (47.01, 7.0)))
    assert read.band == AltitudeBand(
        Height(100.0, AltitudeReference.W84), Height(200.5, AltitudeReference.W84)
    )
    assert read.start == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert read.end == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert read.uncertainty_m == 0
    assert any("uncertainty is 0 m" in sentence for sentence in as_operation(intent()).assumed)


def test_a_circle_is_a_circle():
    item = changed(
        intent(),
        V0,
        volume(
            outline_circle={
                "center": {"lat": 47, "lng": 7},
                "radius": {"value": 300.183, "units": "M"},
            }
        ),
    )
    assert as_operation(item).volumes[0].footprint == Circle((47.0, 7.0), 300.183)


def test_off_nominal_volumes_count_each_by_itself():
    item = changed(intent(), ("details", "off_nominal_volumes"), [volume(), volume()])
    item["reference"]["state"] = "Nonconforming"
    assert len(as_operation(item).volumes) == 3


def test_off_nominal_volumes_in_a_state_that_has_none_count_and_are_said():
    item = changed(intent(), ("details", "off_nominal_volumes"), [volume()])
    entity = as_operation(item)
    assert len(entity.volumes) == 2
    assert any("state Accepted" in sentence for sentence in entity.assumed)


def test_a_contingent_intent_is_where_its_off_nominal_volumes_are():
    item = intent()
    item["reference"]["state"] = "Contingent"
    item["details"] = {"off_nominal_volumes": [volume()]}
    assert len(as_operation(item).volumes) == 1


def test_an_intent_without_any_volume_is_refused():
    item = changed(intent(), ("details", "volumes"), [])
    with pytest.raises(InputError, match="no volume"):
        as_operation(item)


def test_a_constraint_is_a_zone_that_everyone_keeps_out_of():
    entity = as_zone(constraint())
    assert entity.kind is Kind.ZONE
    assert entity.rule is ZoneRule.KEEP_OUT
    assert entity.applies_to is None
    assert any("keeps out of" in sentence for sentence in entity.assumed)


def test_a_constraint_without_limits_is_unbounded_and_says_so():
    item = constraint()
    del item["details"]["volumes"][0]["time_end"]
    del item["details"]["volumes"][0]["volume"]["altitude_lower"]
    entity = as_zone(item)
    assert entity.volumes[0].end is None
    assert entity.volumes[0].band.lower is None
    assert sum("without" in sentence for sentence in entity.assumed) == 2


def test_the_restriction_of_a_geozone_is_said():
    item = changed(
        constraint(), ("details", "geozone"), {"restriction": "CONDITIONAL", "name": "Park"}
    )
    entity = as_zone(item)
    assert entity.name == "Park"
    assert any("CONDITIONAL" in sentence for sentence in entity.assumed)


def test_an_identifier_without_dashes_is_the_same_as_with_them():
    item = changed(intent(), ("reference", "id"), "2F8343BE64824D1BA47416847E01AF1E")
    assert as_operation(item).id == "2f8343be-6482-4d1b-a474-16847e01af1e"


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "plan 7",
        "2f8343be-6482-1d1b-a474-16847e01af1e",  # version 1
        "2f8343be-6482-4d1b-2474-16847e01af1e",  # another variant
        "2f8343be-64824d1b-a474-16847e01af1e",  # one dash missing
        "{2f8343be-6482-4d1b-a474-16847e01af1e}",
    ],
)
def test_an_identifier_that_is_no_uuid_of_version_4_is_refused(identifier):
    with pytest.raises(InputError) as caught:
        as_operation(changed(intent(), ("reference", "id"), identifier))
    assert caught.value.field == "reference.id"


POLYGON = (*V0, "volume", "outline_polygon")
VERTICES = (*POLYGON, "vertices")


@pytest.mark.parametrize(
    ("path", "value", "field", "what"),
    [
        (("reference", "state"), "Ended", "reference.state", "Ended"),
        (("reference", "manager"), del_, "reference", "manager"),
        ((*V0, "time_start"), del_, "details.volumes[0]", "time_start"),
        ((*V0, "time_end"), del_, "details.volumes[0]", "time_end"),
        ((*V0, "volume", "altitude_lower"), del_, "details.volumes[0].volume", "altitude_lower"),
        ((*V0, "volume", "altitude_upper"), None, "details.volumes[0].volume", "altitude_upper"),
        (
            (*V0, "volume", "altitude_lower", "units"),
            "FT",
            "details.volumes[...].volume.altitude_lower.units",
            "FT",
        ),
        (
            (*V0, "volume", "altitude_lower", "reference"),
            "AGL",
            "details.volumes[...].volume.altitude_lower.reference",
            "AGL",
        ),
        ((*V0, "volume", "altitude_lower"), altitude(201), "details.volumes[0].volume", "above"),
        (
            (*V0, "volume", "altitude_lower", "value"),
            -8000.5,
            "details.volumes[...].volume.altitude_lower.value",
            "less than -8,000",
        ),
        ((*V0, "time_end", "value"), "2026-11-22T07:59:59Z", "time_end", "before it starts"),
        ((*V0, "time_end", "value"), "2026-11-22T09:00:00", "time_end.value", "offset"),
        ((*V0, "time_end", "format"), "ISO", "time_end.format", "ISO"),
        ((*V0, "volume", "outline_polygon"), del_, "details.volumes[0].volume", "neither"),
        (VERTICES, square()["vertices"][:2], "vertices", "fewer than 3"),
        ((*VERTICES, 0, "lat"), 90.5, "lat", "more than 90"),
        ((*VERTICES, 0, "lng"), -180.5, "lng", "less than -180"),
        ((*VERTICES, 0, "lat"), "47.0", "lat", "a text stands where a number belongs"),
        ((*VERTICES, 0, "lat"), True, "lat", "true or false stands where a number"),
        ((*VERTICES, 0, "lat"), None, "lat", "null stands where a number belongs"),
    ],
)
def test_what_the_standard_does_not_allow_is_refused_with_its_path(path, value, field, what):
    with pytest.raises(InputError) as caught:
        as_operation(changed(intent(), path, value))
    assert what in caught.value.what
    assert field.split("[")[0] in caught.value.field
    assert caught.value.field.endswith(field.rpartition("]")[2])
    assert caught.value.remedy


@pytest.mark.parametrize("radius", [0, -1, float("inf")])
def test_a_radius_that_is_not_above_zero_or_has_no_end_is_refused(radius):
    outline = {
        "center": {"lat": 47, "lng": 7},
        "radius": {"value": radius, "units": "M"},
    }
    with pytest.raises(InputError) as caught:
        as_operation(changed(intent(), V0, volume(outline_circle=outline)))
    assert "radius" in caught.value.field


def test_both_outlines_are_refused():
    both = volume(
        outline_polygon=square(),
        outline_circle={"center": {"lat": 47, "lng": 7}, "radius": {"value": 9, "units": "M"}},
    )
    with pytest.raises(InputError, match="both outline_circle and outline_polygon"):
        as_operation(changed(intent(), V0, both))


def test_a_repeated_closing_vertex_is_refused_with_its_number():
    ring = square()["vertices"]
    with pytest.raises(InputError, match="repeats the first") as caught:
        as_operation(changed(intent(), VERTICES, [*ring, ring[0]]))
    assert caught.value.field.endswith("vertices[4]")


def test_any_other_repeated_vertex_is_refused_with_its_number():
    ring = square()["vertices"]
    with pytest.raises(InputError, match="earlier in the ring") as caught:
        as_operation(changed(intent(), VERTICES, [*ring[:3], ring[1], ring[3]]))
    assert caught.value.field.endswith("vertices[3]")


def test_crossing_edges_are_refused_with_the_path_of_the_volume():
    a, b, c, d = square()["vertices"]
    with pytest.raises(InputError) as caught:
        as_operation(changed(intent(), VERTICES, [a, c, b, d]))
    assert caught.value.field.startswith("details.volumes[0]")


def test_more_vertices_than_the_standard_allows_are_refused():
    half = [{"lat": 47.0, "lng": 7.0 + i * 1e-6} for i in range(MAX_VERTICES // 2)] + [
        {"lat": 47.01, "lng": 7.0}
    ]
    item = intent()
    item["details"]["volumes"] = [
        volume(outline_polygon={"vertices": half}),
        volume(outline_polygon={"vertices": half}),
    ]
    with pytest.raises(InputError, match="vertices"):
        as_operation(item)


def test_fractions_beyond_microseconds_go_outward():
    item = intent()
    item["details"]["volumes"][0]["time_start"] = time("2026-11-22T07:59:59.9999999Z")
    item["details"]["volumes"][0]["time_end"] = time("2026-11-22T09:00:00.0000001Z")
    read = as_operation(item).volumes[0]
    assert read.start == datetime(2026, 11, 22, 7, 59, 59, 999999, tzinfo=UTC)
    assert read.end == datetime(2026, 11, 22, 9, 0, 0, 1, tzinfo=UTC)
