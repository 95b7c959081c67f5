"""Bodies are decoded strictly: what is not the standard's JSON is refused with a sentence."""

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.geo.errors import InputError
from deconflict.standards.f3548 import wire_requests
from deconflict.standards.f3548.requests import decoded
from deconflict.standards.f3548.wire import explained

A = "/dss/v1/operational_intent_references/00000000-0000-4000-8000-00000000000a"

PLAIN = st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.text(':"a\\\n', max_size=4)


class Pairs(list):
    """An object's members as they are written, repeated keys included."""


def pairs(inner):
    return st.lists(st.tuples(st.text(":ab\\", max_size=2), inner), max_size=3).map(Pairs)


def written(value):
    if isinstance(value, Pairs):
        members = (f"{json.dumps(key)}:{written(inner)}" for key, inner in value)
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def repeats(value):
    if isinstance(value, Pairs):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(repeats(inner) for _, inner in value)
    return isinstance(value, list) and any(map(repeats, value))


def all_structs():
    """Return every type that a request is made of."""
    found = {}
    waiting = [
        kind
        for kind in vars(wire_requests).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    ]
    while waiting:
        kind = waiting.pop()
        if kind in found:
            continue
        found[kind] = None
        for field in msgspec.inspect.type_info(kind).fields:
            waiting += structs_in(field.type)
    return sorted(found, key=lambda kind: kind.__name__)


def structs_in(info):
    if isinstance(info, msgspec.inspect.StructType):
        return [info.cls]
    inner = [*getattr(info, "types", ()), getattr(info, "item_type", None)]
    return [kind for one in inner if one is not None for kind in structs_in(one)]


def text(say, old, new, **other):
    """Return a body in which a piece of the text is replaced."""
    body = json.dumps(say.intent(**other))
    assert old in body
    return body.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"0",
        b'"x"',
        b"{",
        b"{} x",
        b"{'a': 1}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"<xml/>",
        b"{}",
    ],
)
def test_what_is_no_request_is_refused(uss1, body):
    answer = uss1("PUT", A, body)
    assert answer.status == 400
    assert answer.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("47.0", "NaN"),
        ("47.0", "Infinity"),
        ("47.0", "1e999"),
        ("47.0", "90.0001"),
        ("47.0", "true"),
        ("47.0", '"47.0"'),
        ("47.0", "null"),
        ("47.0", "4" * 5000),
        ("8.0", "180.5"),
        ('"W84"', '"SFC"'),
        ('"units": "M"', '"units": "FT"'),
        ('"RFC3339"', '"UNIX"'),
        ('"value": 100', '"value": -8001'),
        ('"value": 200', '"value": 100001'),
        ('"value": 200', '"value": 99'),
        ("2026-11-22T13:00:00Z", "2026-11-22T14:00:00.000001Z"),
        ("2026-11-22T13:00:00Z", "2026-11-22T13:00:00"),
        ("2026-11-22T13:00:00Z", "2026-11-22T13:00:00+00:00"),
        ("2026-11-22T13:00:00Z", "2026-11-22T13:00:00z"),
        ("2026-11-22T13:00:00Z", "2026-02-30T13:00:00Z"),
        ("2026-11-22T13:00:00Z", ""),
        ('"Accepted"', '"Ended"'),
        ('"Accepted"', "1"),
        ('"https://uss.example.com/utm"', "null"),
        ('"outline_polygon": {', '"outline_none": {'),
    ],
)
def test_a_value_that_the_standard_does_not_allow_is_refused(uss1, say, old, new, service):
    answer = uss1("PUT", A, text(say, old, new))
    assert answer.status == 400
    assert answer.message
    assert service.submissions == []


@pytest.mark.parametrize("field", ["extents", "state", "uss_base_url"])
@pytest.mark.parametrize("given", [False, True])
def test_a_required_field_is_neither_left_out_nor_null(uss1, say, field, given):
    body = say.intent()
    del body[field]
    if given:
        body[field] = None
    answer = uss1("PUT", A, body)
    assert answer.status == 400
    assert field in answer.message


def test_null_counts_as_left_out(uss1, say):
    body = say.intent(key=None, subscription_id=None, new_subscription=None)
    body["extents"][0]["volume"]["outline_circle"] = None
    assert uss1("PUT", A, body).status == 201


def test_unknown_fields_are_left_alone(uss1, say):
    body = say.intent(flight_type="VLOS", nested={"deep": [1, {"id": None}], "n": 10**30})
    assert uss1("PUT", A, body).status == 201


class TestOutlines:
    """Exactly one outline, which bounds a region."""

    @pytest.mark.parametrize(
        "ring",
        [
            [(47.0, 8.0), (47.0, 8.01)],
            [(47.0, 8.0), (47.0, 8.01), (47.01, 8.0), (47.0, 8.0)],
            [(47.0, 8.0), (47.0, 8.01), (47.01, 8.01), (47.0, 8.01), (47.01, 8.0)],
            [(47.0, 8.0), (47.01, 8.01), (47.0, 8.01), (47.01, 8.0)],
            [(47.0, 8.0), (47.01, 8.0), (47.02, 8.0)],
        ],
        ids=["two", "closed", "repeated", "crossing", "flat"],
    )
    def test_a_ring_that_bounds_no_region_is_refused(self, uss1, say, ring):
        polygon = {"vertices": [{"lat": lat, "lng": lng} for lat, lng in ring]}
        body = say.intent(extents=[say.volume(outline_polygon=polygon)])
        answer = uss1("PUT", A, body)
        assert answer.status == 400
        assert "extents[0]" in answer.message or "$.extents[0]" in answer.message

    def test_two_outlines_are_refused(self, uss1, say):
        both = {"outline_polygon": say.ring(), "outline_circle": say.circle()}
        assert uss1("PUT", A, say.intent(extents=[say.volume(**both)])).status == 400

    @pytest.mark.parametrize("radius", [0, -1, 3e7])
    def test_a_circle_has_a_radius(self, uss1, say, radius):
        extents = [say.volume(outline_circle=say.circle(radius=radius))]
        assert uss1("PUT", A, say.intent(extents=extents)).status == 400

    def test_the_greatest_radius_that_a_refusal_names_is_taken(self, uss1, say):
        refused = uss1(
            "PUT", A, say.intent(extents=[say.volume(outline_circle=say.circle(radius=3e7))])
        )
        assert refused.message.endswith("give at most 2,000,000")
        extents = [say.volume(outline_circle=say.circle(radius=2e6))]
        assert uss1("PUT", A, say.intent(extents=extents)).status == 201

    def test_no_extents_are_refused(self, uss1, say):
        assert uss1("PUT", A, say.intent(extents=[])).status == 400


class TestTexts:
    """Every text is one, in UTF-8."""

    @pytest.mark.parametrize(
        "raw", [b'"\\ud800"', b'"\\ud800\\u0041"', b'"\xff"', b'"\xed\xa0\x80"']
    )
    @pytest.mark.parametrize("field", [b"uss_base_url", b"unknown_field"])
    def test_what_is_no_text_is_refused(self, uss1, say, raw, field):
        body = json.dumps(say.intent()).encode()
        if field == b"uss_base_url":
            body = body.replace(b'"https://uss.example.com/utm"', raw)
        else:
            body = body[:-1] + b', "unknown_field": ' + raw + b"}"
        assert raw in body
        assert uss1("PUT", A, body).status == 400


class TestNesting:
    """However deep a body is nested, it is refused and nothing else happens."""

    @pytest.mark.parametrize("piece", [b"[", b'{"a":', b'[{"a":['])
    @pytest.mark.parametrize("depth", [2_000, 500_000])
    def test_a_body_nested_beyond_reading_is_refused(self, uss1, piece, depth):
        assert uss1("PUT", A, piece * depth).status == 400
        assert uss1("PUT", A, b'{"extents": ' + piece * depth).status == 400
        assert uss1("PUT", A, b'{"unknown": ' + piece * depth).status == 400

    def test_a_body_nested_and_closed_is_refused_or_read(self, uss1, say):
        body = json.dumps(say.intent()).encode()[:-1]
        deep = b"[" * 100_000 + b"]" * 100_000
        assert uss1("PUT", A, body + b', "deep": ' + deep + b"}").status == 400


class TestRepeatedKeys:
    """A key that is stated twice is refused, since some readers take the first, some the last."""

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"state": ', '"state": "Activated", "state": '),
            ('"lat": 47.0', '"lat": 46.0, "lat": 47.0'),
            ('"lat": 47.0', '"lat": 47.0, "lat": 47.0'),
            ('"state": ', '"x": {"y": 1, "y": 1}, "state": '),
            # A colon that is written as an escape makes up for the one that was dropped.
            ('"state": ', '"x": "\\u003a", "y": 1, "y": 2, "state": '),
            ('"state": ', '"st\\u0061te": "Activated", "state": '),
            ('"state": ', f'"x": {10**30}, "y": 1, "y": 2, "state": '),
            ('"state": ', '"key": null, "key": null, "state": '),
            ('"state": ', '"key": [], "key": [], "state": '),
        ],
    )
    def test_a_repeated_key_is_refused(self, uss1, say, old, new):
        answer = uss1("PUT", A, text(say, old, new))
        assert answer.status == 400
        assert "stated twice" in answer.message

    @pytest.mark.parametrize(
        "extra",
        [
            '"a": {"same": 1}, "b": {"same": 1}',
            '"a": [{"same": 1}, {"same": 1}]',
            '"colons": "a:b:c::", "more:colons": "\\u003a"',
            '"quotes": "\\"state\\": 1, \\"state\\": 2"',
            f'"large": {10**30}',
            '"floats": [1.0, 1e5, 1E-7, -0.0]',
        ],
    )
    def test_keys_that_only_look_repeated_are_read(self, uss1, say, extra):
        assert uss1("PUT", A, text(say, '"state": ', extra + ', "state": ')).status == 201

    @pytest.mark.parametrize("kind", all_structs(), ids=lambda kind: kind.__name__)
    def test_no_type_of_a_request_writes_what_it_was_not_given(self, kind):
        # Else a field that is written could make up for the colon of one that was dropped.
        optional = [field for field in msgspec.structs.fields(kind) if not field.required]
        assert kind.__struct_config__.omit_defaults or not optional

    @given(st.recursive(PLAIN, lambda inner: st.lists(inner) | pairs(inner)))
    def test_exactly_those_bodies_are_refused_that_a_plain_reader_finds_repeated(self, value):
        decoder, body = msgspec.json.Decoder(), written(value).encode()
        if repeats(value):
            with pytest.raises(InputError, match="stated twice"):
                decoded(decoder, body)
        else:
            assert decoded(decoder, body) == json.loads(body)


class TestKey:
    """A key is a list of OVNs of bounded number and length."""

    @pytest.mark.parametrize(
        "key",
        ["x" * 16, [1], [None], ["x" * 129], ["x" * 16] * 50_001, {"a": "b"}],
        ids=["text", "number", "null", "long", "many", "object"],
    )
    def test_what_is_no_key_is_refused(self, uss1, say, key):
        assert uss1("PUT", A, say.intent(key=key)).status == 400

    def test_an_ovn_too_short_to_be_one_matches_nothing(self, uss1, say):
        assert uss1("PUT", A, say.intent(key=["x", "Available from USS"])).status == 201


def test_a_message_stays_short_whatever_it_repeats(uss1, say):
    answer = uss1("PUT", A, say.intent(state="x" * 100_000))
    assert answer.status == 400
    assert len(answer.bytes) < 1_000


def test_numbers_are_read_to_the_last_digit(uss1, say, service):
    body = say.intent()
    corner = body["extents"][0]["volume"]["outline_polygon"]["vertices"][0]
    corner["lat"] = math.nextafter(47.0, 0)
    assert uss1("PUT", A, body).status == 201
    (submission,) = service.submissions
    assert submission.command.volumes[0].footprint.shell[0][0] == math.nextafter(47.0, 0)


def few_values():
    """Return each field of a request that has few values, and these."""
    found = set()
    for kind in all_structs():
        for field in msgspec.inspect.type_info(kind).fields:
            if isinstance(field.type, msgspec.inspect.LiteralType):
                found.add((field.encode_name, field.type.values))
            elif isinstance(field.type, msgspec.inspect.EnumType):
                found.add((field.encode_name, tuple(one.value for one in field.type.cls)))
    return sorted(found)


def test_where_few_values_may_stand_a_refusal_names_all_of_them():
    fields = few_values()
    assert {name for name, _ in fields} >= {"units", "reference", "state", "availability"}
    for name, values in fields:
        refusal = explained(f"Invalid enum value 'FT' - at `$.extents[0].volume.{name}`")
        assert refusal.what.startswith("'FT' is no value")
        for value in values:
            assert f'"{value}"' in refusal.remedy


@pytest.mark.parametrize("value", ["x" * 10_000, " - at `" * 100_000])
def test_a_value_that_is_long_is_shortened_and_what_may_stand_there_is_still_named(value):
    decoder = msgspec.json.Decoder(wire_requests.SetAvailability)
    with pytest.raises(InputError) as refusal:
        decoded(decoder, json.dumps({"availability": value}).encode())
    assert len(str(refusal.value)) < 500
    assert '"Unknown", "Normal" or "Down"' in str(refusal.value)
