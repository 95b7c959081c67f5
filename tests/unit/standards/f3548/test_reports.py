"""Reports: archived as they came, and given an identifier."""

from uuid import UUID

import pytest

REPORTS = "/dss/v1/reports"


@pytest.fixture
def report(say):
    return {
        "exchange": {
            "url": "https://uss2.example.com/uss/v1/operational_intents",
            "method": "POST",
            "headers": ["Authorization: Bearer ..."],
            "recorder_role": "Client",
            "request_time": say.time(-1),
            "request_body": "e30=",
            "response_code": 500,
            "an_extension": {"kept": [1.50, None]},
        }
    }


def test_a_report_is_answered_201_with_its_identifier(uss1, report, service):
    answer = uss1("POST", REPORTS, report)
    assert answer.status == 201
    identifier = answer.json["report_id"]
    assert UUID(identifier).version == 4
    assert answer.json == {**report, "report_id": identifier}
    (submission,) = service.submissions
    assert submission.subject == "uss1"
    assert submission.call.body


def test_a_report_that_has_an_identifier_already_is_refused(uss1, report):
    assert uss1("POST", REPORTS, {**report, "report_id": "x"}).status == 400
    assert uss1("POST", REPORTS, {**report, "report_id": None}).status == 201


@pytest.mark.parametrize("missing", ["url", "method", "recorder_role", "request_time"])
def test_a_report_that_lacks_what_the_standard_requires_is_refused(uss1, report, missing):
    del report["exchange"][missing]
    answer = uss1("POST", REPORTS, report)
    assert answer.status == 400
    assert missing in answer.message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recorder_role", "Witness"),
        ("response_code", 2**31),
        ("headers", "one"),
        ("request_time", "2026-11-22T12:00:00Z"),
        ("request_time", {"value": "yesterday", "format": "RFC3339"}),
        ("response_time", {"value": "", "format": "RFC3339"}),
    ],
)
def test_a_report_of_wrong_types_is_refused(uss1, report, field, value):
    report["exchange"][field] = value
    assert uss1("POST", REPORTS, report).status == 400
    assert uss1("POST", REPORTS, {}).status == 400
