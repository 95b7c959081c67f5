"""Subscriptions: at most a day long, for their own party's eyes, bound to what they serve."""

import pytest

SUBSCRIPTION = "/dss/v1/subscriptions"
S = f"{SUBSCRIPTION}/00000000-0000-4000-8000-0000000000ff"
NULL = f"{SUBSCRIPTION}/00000000-0000-4000-8000-000000000000"
INTENT = "/dss/v1/operational_intent_references/00000000-0000-4000-8000-00000000000a"


def subscription(answer):
    assert answer.status == 200, answer.bytes
    return answer.json["subscription"]


def test_creating_answers_200_with_the_subscription_and_what_it_covers(uss1, say):
    made = uss1("PUT", INTENT, say.intent()).json["operational_intent_reference"]
    answer = uss1("PUT", S, say.subscription(notify_for_constraints=True))
    version = subscription(answer)["version"]
    assert version
    assert answer.json == {
        "subscription": {
            "id": S.rpartition("/")[2],
            "version": version,
            "notification_index": 0,
            "time_start": {"value": "2026-11-22T12:00:00Z", "format": "RFC3339"},
            "time_end": {"value": "2026-11-22T17:00:00Z", "format": "RFC3339"},
            "uss_base_url": "https://uss.example.com/utm",
            "notify_for_operational_intents": True,
            "notify_for_constraints": True,
            "implicit_subscription": False,
            "dependent_operational_intents": [],
        },
        "operational_intent_references": [made],
        "constraint_references": [],
    }


def test_life_of_a_subscription_answers_as_the_standard_says(uss1, say):
    assert uss1("GET", S).status == 404
    assert uss1("PUT", f"{S}/none", say.subscription()).status == 400
    assert uss1("DELETE", f"{S}/none").status == 404
    first = subscription(uss1("PUT", S, say.subscription()))
    assert uss1("PUT", S, say.subscription()).status == 409
    assert uss1("PUT", f"{S}/none", say.subscription()).status == 409
    second = subscription(uss1("PUT", f"{S}/{first['version']}", say.subscription(x=1)))
    assert second["version"] != first["version"]
    assert uss1("DELETE", f"{S}/{first['version']}").status == 409
    assert subscription(uss1("DELETE", f"{S}/{second['version']}")) == second
    assert uss1("GET", S).status == 404


def test_a_notification_raises_the_index_and_leaves_the_version(uss1, uss2, say):
    made = subscription(uss1("PUT", S, say.subscription()))
    assert uss2("PUT", INTENT, say.intent()).status == 201
    assert subscription(uss1("GET", S)) == {**made, "notification_index": 1}


def test_another_partys_subscription_is_not_shown_changed_or_deleted(uss1, uss2, say, service):
    version = subscription(uss1("PUT", S, say.subscription()))["version"]
    shown = uss2("GET", S)
    assert shown.status == 403
    assert set(shown.json) == {"message"}
    assert uss2("PUT", f"{S}/{version}", say.subscription()).status == 403
    assert uss2("DELETE", f"{S}/{version}").status == 403
    assert service.reads == [("uss2", f"GET {S}", [])]


def test_a_query_finds_the_callers_alone(uss1, uss2, say, service):
    mine = subscription(uss1("PUT", S, say.subscription()))
    uss2("PUT", S.replace("ff", "fe"), say.subscription())
    answer = uss1("POST", f"{SUBSCRIPTION}/query", say.area())
    assert answer.json == {"subscriptions": [mine]}
    assert service.reads == [("uss1", f"POST {SUBSCRIPTION}/query", [mine["id"]])]


def test_an_area_that_is_too_large_is_413_on_a_query_and_400_on_a_subscription(uss1, say):
    large = {"outline_polygon": say.ring(size=0.7)}
    assert uss1("POST", f"{SUBSCRIPTION}/query", say.area(**large)).status == 413
    body = say.subscription(extents=say.volume(hours=(0, 5), **large))
    assert uss1("PUT", S, body).status == 400


@pytest.mark.parametrize("flags", [{}, {"notify_for_constraints": False}])
def test_a_subscription_to_nothing_is_refused(uss1, say, flags):
    body = say.subscription(**flags)
    body["notify_for_operational_intents"] = None
    answer = uss1("PUT", S, body)
    assert answer.status == 400
    assert "notify_for_operational_intents" in answer.message


@pytest.mark.parametrize(
    ("flag", "needed", "other"),
    [
        (
            "notify_for_operational_intents",
            "utm.strategic_coordination",
            "utm.constraint_processing",
        ),
        ("notify_for_constraints", "utm.constraint_processing", "utm.strategic_coordination"),
    ],
)
def test_each_kind_of_notification_needs_its_scope(client, say, flag, needed, other):
    body = say.subscription(notify_for_operational_intents=False)
    body[flag] = True
    refused = client("uss1", other)("PUT", S, body)
    assert refused.status == 403
    assert needed in refused.message
    assert client("uss1", needed)("PUT", S, body).status == 200


def test_times_and_altitudes_may_be_left_out(uss1, say):
    body = say.subscription(extents=say.volume(hours=None, heights=None))
    made = subscription(uss1("PUT", S, body))
    assert made["time_start"]["value"] == "2026-11-22T12:00:00Z"
    assert made["time_end"]["value"] == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize("hours", [(0, 24.1), (-0.1, 5), (-2, -1)])
def test_a_subscription_of_more_than_a_day_or_from_the_past_is_refused(uss1, say, hours):
    body = say.subscription(extents=say.volume(hours=hours))
    assert uss1("PUT", S, body).status == 400


def test_a_subscription_may_start_five_minutes_ago_and_last_a_day(uss1, say):
    body = say.subscription(extents=say.volume(hours=(-1 / 12, 24 - 1 / 12)))
    assert uss1("PUT", S, body).status == 200


def test_a_subscription_goes_on_to_cover_what_it_serves(uss1, say):
    first = subscription(uss1("PUT", S, say.subscription()))
    served = say.intent(subscription_id=first["id"])
    assert uss1("PUT", INTENT, served).status == 201
    path = f"{S}/{first['version']}"
    assert uss1("PUT", path, say.subscription(x=3)).status == 400
    assert uss1("DELETE", path).status == 400
    again = subscription(uss1("PUT", path, say.subscription()))
    assert again["dependent_operational_intents"] == [INTENT.rpartition("/")[2]]


def test_the_null_subscription_can_not_be_made(uss1, say):
    assert uss1("PUT", NULL, say.subscription()).status == 400
    assert uss1("GET", NULL).status == 404


def test_a_place_in_a_message_is_the_bodys(uss1, say):
    body = say.subscription()
    body["extents"]["volume"] = {}
    assert uss1("PUT", S, body).message.startswith("extents.volume: ")
    answer = uss1("POST", f"{SUBSCRIPTION}/query", {"area_of_interest": {"volume": {}}})
    assert answer.message.startswith("area_of_interest.volume: ")
