"""What was asked and what was told, read back from bodies as the journal keeps them."""

import json

import msgspec
import pytest

from deconflict.register.entity import Kind
from deconflict.standards.f3548.journalled import (
    reads_references,
    reference_of,
    references_in,
    subscribers_in,
    volumes_asked,
)

INTENT = "/dss/v1/operational_intent_references"
CONSTRAINT = "/dss/v1/constraint_references"
SUBSCRIPTION = "/dss/v1/subscriptions"
ID = "00000000-0000-4000-8000-00000000000{}"
NEW = {"new_subscription": {"uss_base_url": "https://uss.example.com/sub"}}


@pytest.fixture
def answers(uss1, uss2, say):
    """Answers that a party got which had nothing registered, by what it asked."""
    uss1("PUT", f"{INTENT}/{ID.format('a')}", say.intent(**NEW))
    uss1("PUT", f"{CONSTRAINT}/{ID.format('b')}", say.constraint())
    return {
        "refused": uss2("PUT", f"{INTENT}/{ID.format('c')}", say.intent()),
        "query": uss2("POST", f"{INTENT}/query", say.area()),
        "get": uss2("GET", f"{INTENT}/{ID.format('a')}"),
        "zones": uss2("POST", f"{CONSTRAINT}/query", say.area()),
        "subscribed": uss2(
            "PUT", f"{SUBSCRIPTION}/{ID.format('d')}", say.subscription(notify_for_constraints=True)
        ),
    }


@pytest.mark.parametrize(
    ("asked", "letters"),
    [("refused", "a"), ("query", "a"), ("get", "a"), ("zones", "b"), ("subscribed", "ab")],
)
def test_every_reference_of_an_answer_is_read_as_it_was_told(answers, asked, letters):
    found = references_in(answers[asked].bytes)
    assert [one.id for one in found] == [ID.format(letter) for letter in letters]
    for one in found:
        assert (one.party, one.version) == ("uss1", 1)
        assert (one.end_us - one.start_us, one.base_url) == (
            3_600_000_000,
            "https://uss.example.com/utm",
        )
        assert one.availability == "Unknown"
        zone = one.kind is Kind.ZONE
        assert (one.state, bool(one.subscription)) == (("", False) if zone else ("Accepted", True))


def test_what_a_read_told_follows_from_what_was_held(answers, service):
    view = service.view()
    for asked in ("query", "get", "zones"):
        (told,) = references_in(answers[asked].bytes)
        assert reference_of(view.entity(told.id)) == msgspec.structs.replace(told, availability="")


def test_references_within_what_a_party_reported_itself_are_not_told():
    quoted = json.dumps({"operational_intent_reference": {"id": ID.format("a")}})
    body = json.dumps({"exchange": {"response_body": quoted}, "report_id": ID.format("a")})
    assert references_in(body.encode()) == ()


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"there is nothing"', b'{"message":"x"}'])
def test_an_answer_without_references_told_none(body):
    assert references_in(body) == ()
    assert subscribers_in(body) == ()
    assert volumes_asked(body) == ()


def test_a_reference_of_a_form_that_is_not_known_is_no_silent_nothing():
    with pytest.raises(msgspec.ValidationError):
        references_in(b'{"operational_intent_references":[{"id":"x"}]}')


def test_it_is_known_whom_an_answer_told_to_notify(uss1, uss2, say):
    subscription = say.subscription(uss_base_url="https://two.example.com")
    uss2("PUT", f"{SUBSCRIPTION}/{ID.format('d')}", subscription)
    made = uss1("PUT", f"{INTENT}/{ID.format('a')}", say.intent())
    assert subscribers_in(made.bytes) == ("https://two.example.com",)


def test_the_volumes_of_every_kind_of_request_are_read(say):
    for body, count in (
        (say.intent(extents=[say.volume(0), say.volume(1)]), 2),
        (say.constraint(), 1),
        (say.subscription(), 1),
        (say.area(outline_circle=say.circle()), 1),
    ):
        volumes = volumes_asked(json.dumps(body).encode())
        assert len(volumes) == count
    assert volumes[0].circle == (47.0, 8.0, 500.0)
    assert (volumes[0].lower.m, volumes[0].upper.m) == (100.0, 200.0)


@pytest.mark.parametrize(
    ("request_line", "references"),
    [
        (f"GET {INTENT}/{ID.format('a')}", True),
        (f"POST {INTENT}/query", True),
        (f"POST {CONSTRAINT}/query", True),
        (f"POST {SUBSCRIPTION}/query", False),
        ("GET /other/v1/operations/x", False),
    ],
)
def test_only_reads_of_references_are_answered_with_them(request_line, references):
    assert reads_references(request_line) is references
