"""Requests made from an OpenAPI description, valid and invalid ones: ours, and the standard's.

The oracle is the description: every status is one that it lists, every body fits its schema, and
nothing ends in a fault of the server.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

SCHEMATHESIS = Path(sys.executable).with_name("st")
STANDARD = "DECONFLICT_F3548_OPENAPI"
"""Names the variable with the path of the standard's published API description."""
CASES = {False: 5, True: 200}
"""Generated cases an operation and phase, in the short form and in the long one."""
SCOPES = (
    "utm.strategic_coordination",
    "utm.constraint_management",
    "utm.constraint_processing",
    "utm.conformance_monitoring_sa",
    "utm.availability_arbitration",
)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
)
"""All but those that are stricter than the standard.

A request may fit the schema and be refused, and GET and PUT of .../query speak of an entity that is
named so, which is no identifier: 400, not 405.
"""
WITHIN_S = 3600.0


@pytest.fixture
def asked(make_service):
    """Return a service that lets one party ask as often as a generator does."""
    return make_service("--rate-per-party", "100000", "--token-rate-per-address", "100000").start()


@pytest.mark.slow
def test_what_our_own_description_says_holds(asked, tmp_path, long_form) -> None:
    description = httpx.get(f"{asked.base_url}/openapi.json").json()
    operations = sum(len(methods) for methods in description["paths"].values())
    cases = answered(asked, with_examples(description), tmp_path, CHECKS, long_form=long_form)
    assert cases > operations * CASES[long_form]


@pytest.mark.slow
@pytest.mark.skipif(STANDARD not in os.environ, reason=f"{STANDARD} names no file")
def test_what_the_standards_description_says_holds(asked, tmp_path, long_form) -> None:
    import yaml  # comes with the generator

    text = Path(os.environ[STANDARD]).read_text(encoding="utf-8")
    # As published, the pattern of identifiers has two backslashes where it means one.
    description = yaml.safe_load(text.replace(r"\\-", r"\-"))
    served = {path: of for path, of in description["paths"].items() if path.startswith("/dss/v1/")}
    assert len(served) == 11
    description["paths"] = served
    for methods in served.values():
        for operation in methods.values():
            if isinstance(operation, dict) and "responses" in operation:
                answers_beside_the_standard(operation)
    # Null counts as left out, and an availability needs no old_version, as clients are used to.
    checks = [check for check in CHECKS if check != "negative_data_rejection"]
    cases = answered(asked, with_examples(description), tmp_path, checks, long_form=long_form)
    assert cases > len(served) * CASES[long_form]


def answers_beside_the_standard(operation: dict) -> None:
    """Add what docs/reference/f3548.md says that is answered although the standard lists it not.

    405 is HTTP's own, 413 the limit of every body, 409 a stale version of an availability.
    """
    error = {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}
    for status in ("405", "409", "413"):
        operation["responses"].setdefault(status, error)


def answered(
    service, description: dict, folder: Path, checks: Sequence[str], *, long_form: bool
) -> int:
    """Have a service asked after a description; return how many requests it was asked."""
    file = folder / "description.json"
    file.write_text(json.dumps(description), encoding="utf-8")
    (folder / "schemathesis.toml").write_text("", encoding="utf-8")  # and no other
    done = subprocess.run(
        [
            str(SCHEMATHESIS),
            "--no-color",
            "run",
            str(file),
            "--url",
            service.base_url,
            "--header",
            f"Authorization: Bearer {service.token('generator', *SCOPES)}",
            "--phases",
            "examples,coverage,fuzzing,stateful",
            "--mode",
            "all",
            "--max-examples",
            str(CASES[long_form]),
            "--checks",
            ",".join(checks),
            "--seed",
            "3548",
            "--continue-on-failure",
            "--suppress-health-check",
            "all",
            "--request-timeout",
            "60",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")},
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    lines = service.lines()
    assert service.process.poll() is None
    assert not [line for line in lines if '"level":"error"' in line]
    return int(re.search(r"([\d,]+) generated", done.stdout)[1].replace(",", ""))


def with_examples(description: dict) -> dict:
    """Return a description whose bodies have examples that are accepted now."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            made = example(method, path)
            if made is not None:
                operation["requestBody"]["content"]["application/json"]["example"] = made
    return description


def example(method: str, path: str) -> dict | None:
    kind = path.removeprefix("/dss/v1/").partition("/")[0]
    if path.endswith("/query") and method == "post":
        return {"area_of_interest": volume()}
    if method != "put":
        return None
    url = "https://uss.example.org"
    return {
        "operational_intent_references": {
            "extents": [volume()],
            "state": "Accepted",
            "uss_base_url": url,
            "key": [],
            "new_subscription": {"uss_base_url": url, "notify_for_constraints": True},
        },
        "constraint_references": {"extents": [volume()], "uss_base_url": url},
        "subscriptions": {
            "extents": volume(),
            "uss_base_url": url,
            "notify_for_operational_intents": True,
            "notify_for_constraints": True,
        },
        "uss_availability": {"availability": "Down", "old_version": ""},
    }.get(kind)


def volume() -> dict:
    now = datetime.now(UTC)
    start, end = (now + timedelta(minutes=minutes) for minutes in (1, 60))
    height = {"reference": "W84", "units": "M"}
    return {
        "volume": {
            "outline_circle": {
                "center": {"lat": 46.0, "lng": 7.0},
                "radius": {"value": 100.0, "units": "M"},
            },
            "altitude_lower": {"value": 100.0, **height},
            "altitude_upper": {"value": 200.0, **height},
        },
        "time_start": {"value": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "format": "RFC3339"},
        "time_end": {"value": end.strftime("%Y-%m-%dT%H:%M:%SZ"), "format": "RFC3339"},
    }
