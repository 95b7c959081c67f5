"""What is left out of an export."""

from __future__ import annotations

import json

import pytest

from deconflict.server.secrets_within import redacted, redacted_text

SECRET = "TfitnyXHF8sshwHidR84yQ"  # noqa: S105 - made up
UUID = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    "content",
    [
        {"key": [SECRET]},
        {"events": [{"entity": {"ovn": SECRET}}]},
        {"OVN": SECRET},
        {"request": f"PUT /dss/v1/operational_intent_references/{UUID}/{SECRET}"},
        {"request": f"PUT /dss/v1/constraint_references/{UUID.replace('-', '')}/{SECRET}"},
        {"request": f"DELETE /dss/v1/operational_intent_references/%30{UUID[1:]}/{SECRET}"},
        {"request": f"DELETE /dss/v1/constraint_references/{UUID}/{SECRET}"},
        {"headers": [f"Authorization: Bearer {SECRET}"]},
        {"body": json.dumps({"key": [SECRET]})},
        {"exchange": {"response_body": SECRET}},
        {"uss_base_url": f"https://user:{SECRET}@example.org"},
        {"url": f"https://example.org/?access_token={SECRET}&a=b"},
        {"token": {"of": SECRET}},
    ],
)
def test_a_secret_is_left_out_wherever_it_stands(content: dict[str, object]) -> None:
    clean = redacted(json.dumps(content).encode())
    assert clean is not None
    assert SECRET.encode() not in clean
    json.loads(clean)


def test_a_field_given_twice_hides_no_secret() -> None:
    clean = redacted(b'{"key": ["%s"], "key": null}' % SECRET.encode())
    assert clean is not None
    assert SECRET.encode() not in clean


def test_what_is_no_json_is_searched_too() -> None:
    clean = redacted(f"Bearer {SECRET}".encode() + b"\xff")
    assert clean is not None
    assert SECRET.encode() not in clean


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b'{"key": [], "ovn": "Available from USS", "state": "Accepted"}',
        b'{"key": null, "lat": 46.5, "id": "00000000-0000-4000-8000-000000000001"}',
        b'{"text": "\\ud800"}',
    ],
)
def test_a_part_without_secrets_stays_whole(content: bytes) -> None:
    assert redacted(content) is None


def test_a_path_keeps_its_identifier() -> None:
    clean = redacted_text(f"GET /dss/v1/operational_intent_references/{UUID}")
    assert clean.endswith(UUID)
