"""Answers are grouped and sorted, and no OVN is in one for whom it is not."""

import json

import pytest

from deconflict.identity.caller import Caller
from deconflict.register.decision import Decision, Reason, Refusal
from deconflict.register.entity import Kind
from deconflict.register.event import Refused
from deconflict.register.state.held import (
    Availability,
    Held,
    Readiness,
    Subscription,
    VolumeRecord,
)
from deconflict.standards.f3548 import answers
from deconflict.standards.f3548.errors import DELETE_STATUS, PUT_STATUS
from deconflict.standards.service import Call

VOLUMES = (VolumeRecord(circle=(47.0, 8.0, 100.0)),)


class View:
    """Nothing but availabilities, and how often they were asked for."""

    def __init__(self):
        self.asked = []

    def availability(self, party):
        self.asked.append(party)
        return Availability(party, Readiness.DOWN if party == "uss2" else Readiness.NORMAL)

    def dependents(self, _subscription):
        return ()


def held(name, party, kind=Kind.OPERATION):
    return Held(
        id=name,
        kind=kind,
        party=party,
        version=7,
        ovn=f"secret of {party} {name}",
        base_url="https://x.example",
        start_us=0,
        end_us=253_402_300_799_999_999,
        volumes=VOLUMES,
    )


def subscription(name, url, index):
    return Subscription(
        id=name,
        party="uss2",
        version="v",
        base_url=url,
        start_us=0,
        end_us=1,
        volumes=VOLUMES,
        index=index,
    )


def call(method="PUT", party="uss1"):
    caller = Caller(party, frozenset(), "https://auth.example.com", 0)
    return Call(caller, f"{method} /dss/v1/...")


def refused(reason, **missing):
    refusal = Refusal(reason, "it is so", "do otherwise", **missing)
    return Decision(events=(Refused(reason, refusal.sentence),), refusal=refusal)


def test_subscribers_are_sorted_and_named_once():
    notify = (
        subscription("s3", "https://b.example", 3),
        subscription("s1", "https://b.example", 1),
        subscription("s2", "https://a.example", 2),
        subscription("s1", "https://b.example", 1),
    )
    decision = Decision(events=(), entity=held("e", "uss1"), notify=notify)
    (told,) = answers.operation_changed(call(), 201)(decision, View())
    assert told.audience == "uss1"
    assert json.loads(told.reply.body)["subscribers"] == [
        {
            "subscriptions": [{"subscription_id": "s2", "notification_index": 2}],
            "uss_base_url": "https://a.example",
        },
        {
            "subscriptions": [
                {"subscription_id": "s1", "notification_index": 1},
                {"subscription_id": "s3", "notification_index": 3},
            ],
            "uss_base_url": "https://b.example",
        },
    ]


def test_missing_lists_hold_the_ovns_of_the_reader_alone():
    decision = refused(
        Reason.KEY,
        missing_operations=(held("a", "uss1"), held("b", "uss2")),
        missing_zones=(held("c", "uss2", Kind.ZONE),),
    )
    (told,) = answers.operation_changed(call(), 201)(decision, View())
    assert told.reply.status == 409
    body = json.loads(told.reply.body)
    assert body["message"] == "it is so; do otherwise"
    assert [one["ovn"] for one in body["missing_operational_intents"]] == [
        "secret of uss1 a",
        "Available from USS",
    ]
    assert [one["ovn"] for one in body["missing_constraints"]] == ["Available from USS"]
    assert b"secret of uss2" not in told.reply.body


def test_the_availability_of_each_manager_is_asked_for_once():
    view = View()
    found = [held(str(number), f"uss{number % 3}") for number in range(9)]
    reply = answers.operations("uss1", view, found)
    assert sorted(view.asked) == ["uss0", "uss1", "uss2"]
    shown = json.loads(reply.body)["operational_intent_references"]
    assert [one["uss_availability"] for one in shown] == ["Normal", "Normal", "Down"] * 3
    assert [one["id"] for one in shown] == [str(number) for number in range(9)]


def test_times_are_exact_to_the_microsecond_at_both_ends_of_the_calendar():
    shown = json.loads(answers.one_zone("uss1", View(), held("e", "uss1", Kind.ZONE)).body)
    reference = shown["constraint_reference"]
    assert reference["time_start"]["value"] == "1970-01-01T00:00:00Z"
    assert reference["time_end"]["value"] == "9999-12-31T23:59:59.999999Z"


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.KEY])
@pytest.mark.parametrize(("method", "table"), [("PUT", PUT_STATUS), ("DELETE", DELETE_STATUS)])
def test_a_refusal_is_the_reasons_status_and_a_message(reason, method, table):
    makers = (
        answers.operation_changed(call(method), 200),
        answers.zone_changed(call(method), 200),
        answers.subscription_put(call(method)),
        answers.subscription_removed(call(method)),
        answers.availability_set(call(method)),
        answers.report_filed(call(method)),
    )
    for maker in makers:
        (told,) = maker(refused(reason), View())
        assert told.reply.status == table[reason]
        assert told.reply.body == b'{"message":"it is so; do otherwise"}'


def test_a_decision_without_what_its_answer_needs_is_an_error_of_the_program():
    with pytest.raises(TypeError):
        answers.operation_changed(call(), 201)(Decision(events=()), View())
