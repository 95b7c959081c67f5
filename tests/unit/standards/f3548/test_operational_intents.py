"""Operational intent references: created with a key, changed by their owner, seen by all."""

import json

import pytest

INTENT = "/dss/v1/operational_intent_references"
SUBSCRIPTION = "/dss/v1/subscriptions"
A = f"{INTENT}/00000000-0000-4000-8000-00000000000a"
B = f"{INTENT}/00000000-0000-4000-8000-00000000000b"
SUB = "00000000-0000-4000-8000-0000000000ff"
NULL = "00000000-0000-4000-8000-000000000000"
NEW = {"new_subscription": {"uss_base_url": "https://uss.example.com/sub"}}


def reference(answer):
    assert answer.status in {200, 201}, answer.bytes
    return answer.json["operational_intent_reference"]


def ovn_of(answer):
    return reference(answer)["ovn"]


def test_creating_answers_201_with_the_reference(uss1, say):
    answer = uss1("PUT", A, say.intent())
    assert answer.status == 201
    ovn = ovn_of(answer)
    assert 16 <= len(ovn) <= 128
    assert answer.json == {
        "subscribers": [],
        "operational_intent_reference": {
            "id": A.rpartition("/")[2],
            "manager": "uss1",
            "uss_availability": "Unknown",
            "version": 1,
            "state": "Accepted",
            "ovn": ovn,
            "time_start": {"value": "2026-11-22T13:00:00Z", "format": "RFC3339"},
            "time_end": {"value": "2026-11-22T14:00:00Z", "format": "RFC3339"},
            "uss_base_url": "https://uss.example.com/utm",
            "subscription_id": NULL,
        },
    }


def test_times_keep_their_microseconds(uss1, say):
    body = say.intent()
    body["extents"][0]["time_start"]["value"] = "2026-11-22T13:00:00.123456Z"
    body["extents"][0]["time_end"]["value"] = "2026-11-22T13:59:59.5Z"
    made = reference(uss1("PUT", A, body))
    assert made["time_start"]["value"] == "2026-11-22T13:00:00.123456Z"
    assert made["time_end"]["value"] == "2026-11-22T13:59:59.500000Z"


def test_the_times_of_a_reference_span_all_extents(uss1, say):
    body = say.intent(extents=[say.volume(0, hours=(3, 4)), say.volume(1, hours=(1, 2))])
    made = reference(uss1("PUT", A, body))
    assert made["time_start"]["value"] == "2026-11-22T13:00:00Z"
    assert made["time_end"]["value"] == "2026-11-22T16:00:00Z"


def test_updating_answers_200_with_the_next_version_and_another_ovn(uss1, say):
    first = ovn_of(uss1("PUT", A, say.intent()))
    answer = uss1("PUT", f"{A}/{first}", say.intent(x=1))
    assert answer.status == 200
    assert reference(answer)["version"] == 2
    assert ovn_of(answer) != first


def test_an_identifier_without_dashes_is_the_same_identifier(uss1, say):
    answer = uss1("PUT", A.replace("-", ""), say.intent())
    assert reference(answer)["id"] == A.rpartition("/")[2]
    assert uss1("GET", A).status == 200


@pytest.mark.parametrize(
    "bad",
    [
        "00000000-0000-1000-8000-00000000000a",
        "00000000-0000-4000-c000-00000000000a",
        "not-a-uuid",
        "00000000-0000-4000-8000-00000000000",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_identifier_that_is_no_uuid_of_version_4_is_refused(uss1, say, bad, method):
    answer = uss1(method, f"{INTENT}/{bad}", say.intent() if method == "PUT" else None)
    assert answer.status == 400
    assert answer.message.startswith("entityid: ")


def test_an_identifier_that_exists_is_refused_with_409(uss1, uss2, say):
    uss1("PUT", A, say.intent())
    assert uss1("PUT", A, say.intent(x=1)).status == 409
    assert uss2("PUT", A, say.intent(x=1)).status in {403, 409}


def test_a_wrong_ovn_is_refused_with_409(uss1, say):
    uss1("PUT", A, say.intent())
    assert uss1("PUT", f"{A}/{'0' * 32}", say.intent()).status == 409
    assert uss1("PUT", f"{A}/short", say.intent()).status == 409
    assert uss1("DELETE", f"{A}/{'0' * 32}").status == 409


def test_an_ovn_of_absurd_length_is_refused(uss1, say):
    uss1("PUT", A, say.intent())
    assert uss1("PUT", f"{A}/{'0' * 129}", say.intent()).status == 400


def test_updating_what_is_absent_is_400_and_deleting_it_404(uss1, say):
    assert uss1("PUT", f"{A}/{'0' * 32}", say.intent()).status == 400
    assert uss1("DELETE", f"{A}/{'0' * 32}").status == 404
    assert uss1("GET", A).status == 404


def test_another_party_may_neither_change_nor_delete(uss1, uss2, say):
    ovn = ovn_of(uss1("PUT", A, say.intent()))
    assert uss2("PUT", f"{A}/{ovn}", say.intent()).status == 403
    assert uss2("DELETE", f"{A}/{ovn}").status == 403


def test_deleting_answers_200_with_the_reference_and_it_is_gone(uss1, say):
    made = reference(uss1("PUT", A, say.intent()))
    answer = uss1("DELETE", f"{A}/{made['ovn']}")
    assert answer.status == 200
    assert reference(answer) == made
    assert uss1("GET", A).status == 404


@pytest.mark.parametrize("state", ["Activated", "Nonconforming", "Contingent"])
def test_a_new_one_must_be_accepted(uss1, say, state):
    assert uss1("PUT", A, say.intent(state=state, **NEW)).status == 400


@pytest.mark.parametrize("state", ["Nonconforming", "Contingent"])
def test_off_nominal_states_need_the_scope_of_conformance_monitoring(client, say, state):
    strategic = client("uss1", "utm.strategic_coordination")
    ovn = ovn_of(strategic("PUT", A, say.intent()))
    refused = strategic("PUT", f"{A}/{ovn}", say.intent(state=state, **NEW))
    assert refused.status == 403
    assert "utm.conformance_monitoring_sa" in refused.message
    monitoring = client("uss1", "utm.conformance_monitoring_sa")
    changed = monitoring("PUT", f"{A}/{ovn}", say.intent(state=state, **NEW))
    # Which changes of state there are is decided by the register; the scope is no obstacle.
    assert changed.status != 403


@pytest.mark.parametrize("state", ["Activated", "Nonconforming", "Contingent"])
@pytest.mark.parametrize("none", [{}, {"subscription_id": NULL}, {"subscription_id": None}])
def test_every_state_but_accepted_needs_a_subscription(uss1, say, state, none):
    ovn = ovn_of(uss1("PUT", A, say.intent()))
    answer = uss1("PUT", f"{A}/{ovn}", say.intent(state=state, **none))
    assert answer.status == 400
    assert "new_subscription" in answer.message


def test_both_kinds_of_subscription_together_are_refused(uss1, say):
    assert uss1("PUT", A, say.intent(subscription_id=SUB, **NEW)).status == 400


def test_an_unknown_subscription_is_refused(uss1, say):
    assert uss1("PUT", A, say.intent(subscription_id=SUB)).status == 400


def test_a_subscription_that_covers_it_serves_it(uss1, say):
    wide = say.subscription(
        extents=say.volume(hours=(0, 5), heights=(0, 500), outline_circle=say.circle(radius=9000))
    )
    assert uss1("PUT", f"{SUBSCRIPTION}/{SUB}", wide).status == 200
    made = reference(uss1("PUT", A, say.intent(subscription_id=SUB)))
    assert made["subscription_id"] == SUB
    shown = uss1("GET", f"{SUBSCRIPTION}/{SUB}").json["subscription"]
    assert shown["dependent_operational_intents"] == [made["id"]]


def test_an_implicit_subscription_comes_and_goes_with_its_operational_intent(uss1, say):
    made = reference(uss1("PUT", A, say.intent(**NEW)))
    path = f"{SUBSCRIPTION}/{made['subscription_id']}"
    shown = uss1("GET", path).json["subscription"]
    assert shown["implicit_subscription"] is True
    assert shown["notify_for_operational_intents"] is True
    assert shown["notify_for_constraints"] is False
    assert shown["uss_base_url"] == "https://uss.example.com/sub"
    uss1("DELETE", f"{A}/{made['ovn']}")
    assert uss1("GET", path).status == 404


def test_an_implicit_subscription_to_constraints_needs_the_scope_of_processing_them(client, say):
    body = say.intent(
        new_subscription={
            "uss_base_url": "https://uss.example.com",
            "notify_for_constraints": True,
        }
    )
    assert client("uss1", "utm.strategic_coordination")("PUT", A, body).status == 403
    both = client("uss1", "utm.strategic_coordination", "utm.constraint_processing")
    assert both("PUT", A, body).status == 201


def test_a_key_that_lacks_what_is_met_is_refused_with_what_is_missing(uss1, uss2, say):
    first = reference(uss1("PUT", A, say.intent()))
    answer = uss2("PUT", B, say.intent())
    assert answer.status == 409
    assert set(answer.json) == {
        "message",
        "missing_operational_intents",
        "missing_constraints",
    }
    assert answer.json["missing_operational_intents"] == [{**first, "ovn": "Available from USS"}]
    assert answer.json["missing_constraints"] == []
    assert first["ovn"] not in answer.bytes.decode()
    assert uss2("PUT", B, say.intent(key=[first["ovn"]])).status == 201


def test_the_subscribers_to_tell_are_grouped_by_base_url(uss1, uss2, say):
    for number in range(3):
        url = f"https://uss2.example.com/{number % 2}"
        body = say.subscription(uss_base_url=url)
        path = f"{SUBSCRIPTION}/00000000-0000-4000-8000-0000000000a{number}"
        assert uss2("PUT", path, body).status == 200
    answer = uss1("PUT", A, say.intent())
    prefix = "00000000-0000-4000-8000-0000000000a"
    assert answer.json["subscribers"] == [
        {
            "subscriptions": [
                {"subscription_id": f"{prefix}0", "notification_index": 1},
                {"subscription_id": f"{prefix}2", "notification_index": 1},
            ],
            "uss_base_url": "https://uss2.example.com/0",
        },
        {
            "subscriptions": [{"subscription_id": f"{prefix}1", "notification_index": 1}],
            "uss_base_url": "https://uss2.example.com/1",
        },
    ]


def test_a_party_that_is_down_may_not_plan(uss1, say):
    uss1("PUT", "/dss/v1/uss_availability/uss1", {"availability": "Down", "old_version": ""})
    assert uss1("PUT", A, say.intent()).status == 412


def test_another_partys_ovn_is_never_shown(uss1, uss2, say):
    ovn = ovn_of(uss1("PUT", A, say.intent()))
    got = uss2("GET", A)
    assert reference(got)["ovn"] == "Available from USS"
    asked = uss2("POST", f"{INTENT}/query", say.area())
    (found,) = asked.json["operational_intent_references"]
    assert found["ovn"] == "Available from USS"
    wish = say.subscription(notify_for_constraints=True)
    told = uss2("PUT", f"{SUBSCRIPTION}/{SUB}", wish)
    (found,) = told.json["operational_intent_references"]
    assert found["ovn"] == "Available from USS"
    for answer in (got, asked, told):
        assert ovn not in answer.bytes.decode()
    assert ovn_of(uss1("GET", A)) == ovn


def test_reads_of_what_is_anothers_are_journalled(uss1, uss2, say, service):
    uss1("PUT", A, say.intent())
    one = A.rpartition("/")[2]
    uss1("GET", A)
    assert service.reads == []
    uss2("GET", A)
    uss2("POST", f"{INTENT}/query", say.area())
    uss2("POST", f"{INTENT}/query", say.area(x=5))
    assert service.reads == [
        ("uss2", f"GET {A}", [one]),
        ("uss2", f"POST {INTENT}/query", [one]),
        ("uss2", f"POST {INTENT}/query", []),
    ]


def test_a_query_needs_neither_altitudes_nor_times(uss1, say):
    uss1("PUT", A, say.intent())
    answer = uss1("POST", f"{INTENT}/query", say.area(hours=None, heights=None))
    assert [one["id"] for one in answer.json["operational_intent_references"]] == [
        A.rpartition("/")[2]
    ]


def test_a_query_may_lie_in_the_past(uss1, say):
    answer = uss1("POST", f"{INTENT}/query", say.area(hours=(-9, -8)))
    assert (answer.status, answer.json) == (200, {"operational_intent_references": []})


@pytest.mark.parametrize("body", [{}, {"area_of_interest": None}, [], None, "x"])
def test_a_query_without_an_area_is_refused(uss1, body):
    assert uss1("POST", f"{INTENT}/query", json.dumps(body).encode()).status == 400


def test_an_area_beyond_2500_square_kilometres_is_refused_with_400(uss1, say):
    # 50 by 50 km are 2,500 square kilometres: 0.45 degrees of latitude, 0.66 of longitude at 47 N.
    large = {"outline_polygon": say.ring(size=0.7)}
    assert uss1("POST", f"{INTENT}/query", say.area(**large)).status == 400
    body = say.intent(extents=[say.volume(**large)])
    refused = uss1("PUT", A, body)
    assert refused.status == 400
    assert "2,500 km²" in refused.message
    small = {"outline_polygon": say.ring(size=0.5)}
    assert uss1("POST", f"{INTENT}/query", say.area(**small)).status == 200


def test_a_circle_of_any_size_is_accepted(uss1, say):
    body = say.intent(extents=[say.volume(outline_circle=say.circle(radius=100_000))])
    assert uss1("PUT", A, body).status == 201


def test_an_identifier_of_a_constraint_is_no_operational_intent(uss1, say):
    one = A.rpartition("/")[2]
    assert uss1("PUT", f"/dss/v1/constraint_references/{one}", say.constraint()).status == 201
    assert uss1("GET", A).status == 404


@pytest.mark.parametrize("missing", ["time_start", "time_end"])
def test_an_extent_without_a_time_is_refused(uss1, say, missing):
    body = say.intent()
    del body["extents"][0][missing]
    answer = uss1("PUT", A, body)
    assert (answer.status, answer.message) == (
        400,
        f"extents[0]: `{missing}` is missing; add `{missing}`",
    )


@pytest.mark.parametrize("missing", ["altitude_lower", "altitude_upper"])
def test_an_extent_without_an_altitude_is_refused(uss1, say, missing):
    body = say.intent()
    body["extents"][0]["volume"][missing] = None
    answer = uss1("PUT", A, body)
    assert answer.status == 400
    assert answer.message.startswith(f"extents[0].volume: `{missing}`")


def test_an_end_in_the_past_is_refused(uss1, say):
    assert uss1("PUT", A, say.intent(extents=[say.volume(hours=(-2, -1))])).status == 400


def test_more_vertices_than_10000_are_refused(uss1, say):
    ring = {"vertices": [{"lat": 47.0, "lng": 8.0 + i * 1e-6} for i in range(5_001)]}
    body = say.intent(extents=[say.volume(outline_polygon=ring)] * 2)
    answer = uss1("PUT", A, body)
    assert answer.status == 400
    assert "10,002 vertices" in answer.message


def test_more_volumes_than_the_policy_allows_are_refused(uss1, say):
    assert uss1("PUT", A, say.intent(extents=[say.volume()] * 1_001)).status == 400


class TestRequestedOvnSuffix:
    """The suffix is a UUID of version 7 whose time is near."""

    # 2026-11-22T12:00:00Z is 1,795,348,800,000 ms since 1970, in hexadecimal 01a20398f400.
    NOON = 1_795_348_800_000

    def suffix(self, ms):
        digits = f"{ms:012x}"
        return f"{digits[:8]}-{digits[8:]}-7abc-8def-0123456789ab"

    def test_the_ovn_is_made_of_identifier_and_suffix(self, uss1, say):
        suffix = self.suffix(self.NOON + 299_000)
        answer = uss1("PUT", A, say.intent(requested_ovn_suffix=suffix))
        assert ovn_of(answer) == f"{A.rpartition('/')[2]}_{suffix}"

    @pytest.mark.parametrize("away_ms", [-301_000, 301_000])
    def test_one_that_is_not_of_now_is_refused(self, uss1, say, away_ms):
        body = say.intent(requested_ovn_suffix=self.suffix(self.NOON + away_ms))
        assert uss1("PUT", A, body).status == 400

    @pytest.mark.parametrize(
        "bad",
        ["", "x", "01a20398-f400-4abc-8def-0123456789ab", "01a20398-f400-7abc-cdef-0123456789ab"],
    )
    def test_one_of_another_version_is_refused(self, uss1, say, bad):
        assert uss1("PUT", A, say.intent(requested_ovn_suffix=bad)).status == 400

    def test_null_is_none(self, uss1, say):
        assert uss1("PUT", A, say.intent(requested_ovn_suffix=None)).status == 201
