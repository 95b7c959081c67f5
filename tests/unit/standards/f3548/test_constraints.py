"""Constraint references: managed by one party, seen by those who process them."""

import pytest

CONSTRAINT = "/dss/v1/constraint_references"
A = f"{CONSTRAINT}/00000000-0000-4000-8000-00000000000a"
SUB = "/dss/v1/subscriptions/00000000-0000-4000-8000-0000000000ff"


def reference(answer):
    assert answer.status in {200, 201}, answer.bytes
    return answer.json["constraint_reference"]


def test_creating_answers_201_with_the_reference(uss1, say):
    answer = uss1("PUT", A, say.constraint())
    assert answer.status == 201
    made = reference(answer)
    assert len(made["ovn"]) >= 16
    assert answer.json == {
        "subscribers": [],
        "constraint_reference": {
            "id": A.rpartition("/")[2],
            "manager": "uss1",
            "uss_availability": "Unknown",
            "version": 1,
            "ovn": made["ovn"],
            "time_start": {"value": "2026-11-22T13:00:00Z", "format": "RFC3339"},
            "time_end": {"value": "2026-11-22T14:00:00Z", "format": "RFC3339"},
            "uss_base_url": "https://uss.example.com/utm",
        },
    }


def test_altitudes_may_be_left_out_and_times_may_not(uss1, say):
    body = say.constraint(extents=[say.volume(heights=None)])
    assert uss1("PUT", A, body).status == 201
    body = say.constraint(extents=[say.volume(hours=None)])
    assert uss1("PUT", A, body).status == 400


def test_life_of_a_constraint_answers_as_the_standard_says(uss1, uss2, say):
    assert uss1("GET", A).status == 404
    assert uss1("PUT", f"{A}/{'0' * 32}", say.constraint()).status == 400
    assert uss1("DELETE", f"{A}/{'0' * 32}").status == 404
    first = reference(uss1("PUT", A, say.constraint()))
    assert uss1("PUT", A, say.constraint()).status == 409
    assert uss1("PUT", f"{A}/{'0' * 32}", say.constraint()).status == 409
    assert uss2("PUT", f"{A}/{first['ovn']}", say.constraint()).status == 403
    assert uss2("DELETE", f"{A}/{first['ovn']}").status == 403
    answer = uss1("PUT", f"{A}/{first['ovn']}", say.constraint(x=1))
    assert answer.status == 200
    second = reference(answer)
    assert second["version"] == 2
    assert uss1("DELETE", f"{A}/{first['ovn']}").status == 409
    answer = uss1("DELETE", f"{A}/{second['ovn']}")
    assert answer.status == 200
    assert reference(answer) == second
    assert uss1("GET", A).status == 404


def test_subscribers_to_constraints_are_to_be_told(uss1, uss2, say):
    wish = say.subscription(notify_for_operational_intents=False, notify_for_constraints=True)
    assert uss2("PUT", SUB, wish).status == 200
    told = uss1("PUT", A, say.constraint()).json["subscribers"]
    assert [(one["uss_base_url"], len(one["subscriptions"])) for one in told] == [
        ("https://uss.example.com/utm", 1)
    ]


def test_another_partys_ovn_is_never_shown(uss1, uss2, say):
    ovn = reference(uss1("PUT", A, say.constraint()))["ovn"]
    wish = say.subscription(notify_for_constraints=True)
    answers = [
        uss2("GET", A),
        uss2("POST", f"{CONSTRAINT}/query", say.area()),
        uss2("PUT", SUB, wish),
    ]
    for answer in answers:
        assert b"Available from USS" in answer.bytes
        assert ovn not in answer.bytes.decode()
    (found,) = answers[2].json["constraint_references"]
    assert found["id"] == A.rpartition("/")[2]
    assert reference(uss1("GET", A))["ovn"] == ovn


def test_reads_of_what_is_anothers_are_journalled(uss1, uss2, say, service):
    uss1("PUT", A, say.constraint())
    one = A.rpartition("/")[2]
    uss1("GET", A)
    uss2("GET", A)
    uss2("POST", f"{CONSTRAINT}/query", say.area())
    assert service.reads == [
        ("uss2", f"GET {A}", [one]),
        ("uss2", f"POST {CONSTRAINT}/query", [one]),
    ]


@pytest.mark.parametrize("size", [0.7, 5.0])
def test_an_area_that_is_too_large_is_refused_with_400(uss1, say, size):
    large = {"outline_polygon": say.ring(size=size)}
    assert uss1("POST", f"{CONSTRAINT}/query", say.area(**large)).status == 400
    assert uss1("PUT", A, say.constraint(extents=[say.volume(**large)])).status == 400


def test_an_identifier_of_an_operational_intent_is_no_constraint(uss1, say):
    intent = A.replace("constraint", "operational_intent")
    assert uss1("PUT", intent, say.intent()).status == 201
    assert uss1("GET", A).status == 404


def test_a_missing_constraint_is_named_only_to_those_who_ask_for_constraints(uss1, uss2, say):
    made = reference(uss1("PUT", A, say.constraint()))
    intent = "/dss/v1/operational_intent_references/00000000-0000-4000-8000-00000000000b"
    new = {"uss_base_url": "https://uss.example.com", "notify_for_constraints": True}
    refused = uss2("PUT", intent, say.intent(new_subscription=new))
    assert refused.status == 409
    assert refused.json["missing_operational_intents"] == []
    assert refused.json["missing_constraints"] == [{**made, "ovn": "Available from USS"}]
    assert uss2("PUT", intent, say.intent()).status == 201
