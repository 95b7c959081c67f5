"""Availability: set by an arbiter who names the version that is in force."""

import pytest

USS = "/dss/v1/uss_availability"


def test_a_party_is_unknown_until_its_availability_is_set(uss1):
    answer = uss1("GET", f"{USS}/uss9")
    assert answer.status == 200
    assert answer.json == {"version": "", "status": {"uss": "uss9", "availability": "Unknown"}}


@pytest.mark.parametrize("word", ["Unknown", "Normal", "Down"])
@pytest.mark.parametrize("version", [{"old_version": ""}, {"old_version": None}, {}])
def test_setting_it_answers_200_with_a_version(uss1, word, version):
    answer = uss1("PUT", f"{USS}/uss9", {"availability": word, **version})
    assert answer.status == 200
    assert answer.json["status"] == {"uss": "uss9", "availability": word}
    assert answer.json["version"]
    assert uss1("GET", f"{USS}/uss9").json == answer.json


def test_a_stale_version_is_refused_with_409(uss1):
    body = {"availability": "Down", "old_version": ""}
    version = uss1("PUT", f"{USS}/uss9", body).json["version"]
    assert uss1("PUT", f"{USS}/uss9", body).status == 409
    assert uss1("PUT", f"{USS}/uss9", {**body, "old_version": version}).status == 200


def test_references_show_the_managers_availability(uss1, say):
    uss1("PUT", f"{USS}/uss1", {"availability": "Normal", "old_version": ""})
    path = "/dss/v1/operational_intent_references/00000000-0000-4000-8000-00000000000a"
    made = uss1("PUT", path, say.intent()).json["operational_intent_reference"]
    assert made["uss_availability"] == "Normal"


@pytest.mark.parametrize("body", [{}, {"availability": "Up"}, {"availability": None}])
def test_another_word_is_refused(uss1, body):
    assert uss1("PUT", f"{USS}/uss9", body).status == 400


@pytest.mark.parametrize("name", ["x" * 201, "ü" * 101, "a\nb", "\ud800"])
def test_a_name_that_can_be_no_partys_is_refused(uss1, name):
    assert uss1("GET", f"{USS}/{name}").status == 400
    body = {"availability": "Down", "old_version": ""}
    assert uss1("PUT", f"{USS}/{name}", body).status == 400


def test_asking_about_another_party_is_journalled(uss1, service):
    uss1("GET", f"{USS}/uss1")
    uss1("GET", f"{USS}/uss9")
    assert service.reads == [("uss1", f"GET {USS}/uss9", [])]
