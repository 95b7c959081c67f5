"""JSON files of F3548-21 entities: one or many, wrapped or not, each refused by itself."""

import json

import pytest

from deconflict.formats.reading import Defaults, Limits
from deconflict.register.entity import Kind
from deconflict.standards.f3548.files import read

ID = "2f8343be-6482-4d1b-a474-16847e01af1{}"


def time(text):
    return {"value": text, "format": "RFC3339"}


VOLUME = {
    "volume": {
        "outline_circle": {
            "center": {"lat": 47.0, "lng": 7.0},
            "radius": {"value": 300.0, "units": "M"},
        },
        "altitude_lower": {"value": 100, "reference": "W84", "units": "M"},
        "altitude_upper": {"value": 200, "reference": "W84", "units": "M"},
    },
    "time_start": time("2026-11-22T08:00:00Z"),
    "time_end": time("2026-11-22T09:00:00Z"),
}
REFERENCE = {
    "manager": "uss1",
    "time_start": time("2026-11-22T08:00:00Z"),
    "time_end": time("2026-11-22T09:00:00Z"),
}


def intent(digit="0"):
    return {
        "reference": {**REFERENCE, "id": ID.format(digit), "state": "Activated"},
        "details": {"volumes": [VOLUME]},
    }


def constraint(digit="1"):
    return {
        "reference": {**REFERENCE, "id": ID.format(digit)},
        "details": {"volumes": [VOLUME]},
    }


def result(value, **kwargs):
    return read(json.dumps(value).encode(), name="plan.json", **kwargs)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (intent(), Kind.OPERATION),
        ({"operational_intent": intent()}, Kind.OPERATION),
        (constraint(), Kind.ZONE),
        ({"constraint": constraint()}, Kind.ZONE),
    ],
)
def test_one_entity_is_read_wrapped_or_not(value, kind):
    read_ = result(value)
    assert not read_.problems
    assert [entity.kind for entity in read_.entities] == [kind]
    assert read_.entities[0].source == "plan.json"


def test_a_list_may_mix_them_and_each_knows_its_place():
    read_ = result([intent(), {"constraint": constraint()}])
    assert [entity.source for entity in read_.entities] == [
        "plan.json, item 1",
        "plan.json, item 2",
    ]


def test_lists_may_be_wrapped_by_what_they_hold():
    read_ = result(
        {"operational_intents": [intent("0"), intent("1")], "constraints": [constraint("2")]}
    )
    assert not read_.problems
    assert [entity.kind for entity in read_.entities] == [
        Kind.OPERATION,
        Kind.OPERATION,
        Kind.ZONE,
    ]
    assert read_.entities[1].source == "plan.json, operational_intents 2"


def test_a_notification_names_the_intent_that_it_brings():
    message = {
        "operational_intent_id": ID.format("0"),
        "operational_intent": intent(),
        "subscriptions": [],
    }
    assert result(message).entities[0].id == ID.format("0")


def test_a_bare_intent_is_known_by_its_priority_too_and_its_missing_state_is_refused():
    item = constraint()
    item["details"]["priority"] = 1
    (problem,) = result(item).problems
    assert "state" in problem.what


def test_what_a_client_asks_for_is_read_with_file_and_user_for_id_and_party():
    asked = {"extents": [VOLUME], "state": "Accepted", "uss_base_url": "https://uss.example"}
    (operation,) = result(asked, defaults=Defaults(party="A")).entities
    assert (operation.kind, operation.id, operation.party) == (Kind.OPERATION, "plan.json:1", "A")
    (zone,) = result({"extents": [VOLUME], "uss_base_url": "https://uss.example"}).entities
    assert (zone.kind, zone.party) == (Kind.ZONE, None)
    assert any("party unlike any other" in sentence for sentence in zone.assumed)


def test_what_a_client_asks_for_needs_what_the_standard_requires():
    unbounded = {**VOLUME, "time_end": None}
    (problem,) = result({"extents": [unbounded], "state": "Accepted"}).problems
    assert problem.field == "extents[0]"
    (problem,) = result({"extents": [VOLUME], "key": []}).problems
    assert "`state` is missing" in problem.what


@pytest.mark.parametrize("key", ["operational_intent_reference", "constraint_references"])
def test_references_without_volumes_are_refused_with_what_to_give(key):
    (problem,) = result({key: REFERENCE}).problems
    assert problem.field == key
    assert "details" in problem.remedy


def test_one_bad_item_does_not_hide_the_others():
    bad = intent("2")
    bad["details"] = {"volumes": [{**VOLUME, "time_end": None}], "priority": 0}
    bad["reference"]["state"] = "Accepted"
    read_ = result([intent("0"), bad, 7, intent("3")])
    assert [entity.id for entity in read_.entities] == [ID.format("0"), ID.format("3")]
    assert [problem.place for problem in read_.problems] == ["item 2", "item 3"]
    assert read_.problems[0].field == "details.volumes[0]"
    assert str(read_.problems[0]).startswith("plan.json, item 2, details.volumes[0]: ")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"[]", "empty"),
        (b"{}", "reference"),
        (b"7", "not an object"),
        (b'{"operational_intent": null}', "deleted"),
        (b'{"operational_intent": 7}', "not an object"),
        (b'{"reference": {}, "details": 3}', "not an object"),
        (b'{"reference": {}, "reference": {}, "details": {}}', "twice"),
        (b'{"reference": {"id": NaN}, "details": {}}', "NaN"),
        (b'{"reference": {', "missing"),
        (b"\xff\xfe[\x00", "UTF-16"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
    ],
)
def test_what_is_no_f3548_entity_is_refused_and_never_crashes(data, what):
    read_ = read(data, name="plan.json")
    assert not read_.entities
    assert any(what in problem.what for problem in read_.problems), read_.problems


def test_items_before_the_place_where_a_file_breaks_are_kept():
    read_ = read(json.dumps([intent()]).encode()[:-1] + b", {", name="plan.json")
    assert len(read_.entities) == 1
    assert len(read_.problems) == 1


def test_both_wrappers_at_once_are_refused():
    (problem,) = result({"operational_intent": intent(), "constraint": constraint()}).problems
    assert "both" in problem.what


def test_a_larger_file_than_allowed_is_refused_unread():
    (problem,) = result(intent(), limits=Limits(file_bytes=100)).problems
    assert "bytes" in problem.what
