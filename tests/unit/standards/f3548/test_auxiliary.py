"""What clients of the existing service ask beside the standard."""

from importlib import metadata


def test_the_version_is_this_packages(uss1):
    answer = uss1("GET", "/aux/v1/version")
    assert answer.status == 200
    assert answer.json == {"version": f"deconflict/{metadata.version('deconflict')}"}


def test_a_valid_token_is_valid_and_its_owner_is_the_tokens_subject(uss1):
    path = "/aux/v1/validate_oauth"
    assert uss1("GET", path).status == 200
    assert uss1("GET", path, query={"owner": ""}).status == 200
    assert uss1("GET", path, query={"owner": "uss1"}).status == 200
    refused = uss1("GET", path, query={"owner": "uss2"})
    assert refused.status == 403
    assert set(refused.json) == {"message"}


def test_the_service_is_healthy_in_plain_text(uss1):
    answer = uss1("GET", "/healthy")
    assert (answer.status, answer.bytes) == (200, b"ok")
    assert answer.media_type.startswith("text/plain")
