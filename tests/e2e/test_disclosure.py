"""What one party gets to see of another: never an OVN, in no answer and in no line of the log."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

DECONFLICT = Path(sys.executable).with_name("deconflict")
SCOPES = (
    "utm.strategic_coordination",
    "utm.constraint_management",
    "utm.constraint_processing",
    "utm.conformance_monitoring_sa",
    "utm.availability_arbitration",
)
HIDDEN = "Available from USS"
INTENTS, CONSTRAINTS, SUBSCRIPTIONS = (
    f"/dss/v1/{kind}"
    for kind in ("operational_intent_references", "constraint_references", "subscriptions")
)
LAT, LNG = -46.123457, -77.654321


def volume() -> dict:
    now = datetime.now(UTC)
    height = {"reference": "W84", "units": "M"}
    return {
        "volume": {
            "outline_circle": {
                "center": {"lat": LAT, "lng": LNG},
                "radius": {"value": 300, "units": "M"},
            },
            "altitude_lower": {"value": 100, **height},
            "altitude_upper": {"value": 200, **height},
        },
        "time_start": stamp(now + timedelta(minutes=1)),
        "time_end": stamp(now + timedelta(hours=1)),
    }


def stamp(instant: datetime) -> dict[str, str]:
    return {"value": instant.strftime("%Y-%m-%dT%H:%M:%SZ"), "format": "RFC3339"}


def intent(party: str, **more) -> dict:
    url = f"https://{party}.example.org"
    return {
        "extents": [volume()],
        "key": [],
        "state": "Accepted",
        "uss_base_url": url,
        "new_subscription": {"uss_base_url": url, "notify_for_constraints": True},
        **more,
    }


def subscription(party: str) -> dict:
    return {
        "extents": volume(),
        "uss_base_url": f"https://{party}.example.org",
        "notify_for_operational_intents": True,
        "notify_for_constraints": True,
    }


def uuid7() -> str:
    made = (int(time.time() * 1000) << 80) | (uuid.uuid4().int & (2**80 - 1))
    return str(uuid.UUID(int=made & ~(0xF << 76) & ~(0x3 << 62) | (7 << 76) | (2 << 62)))


class Recorded:
    """A party, and all that it was answered."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.answers: list[str] = []

    def __call__(self, method: str, path: str, content: object = None) -> httpx.Response:
        reply = self._client.request(method, path, json=content)
        self.answers.append(f"{reply.headers}{reply.text}")
        return reply


def test_no_ovn_reaches_a_party_that_does_not_own_it_nor_the_log(service) -> None:
    one, suffixed, zone, mine = (str(uuid.uuid4()) for _ in range(4))
    suffix = uuid7()
    with service.client("alpha", *SCOPES) as first, service.client("bravo", *SCOPES) as second:
        a, b = Recorded(first), Recorded(second)
        made = a("PUT", f"{INTENTS}/{one}", intent("alpha"))
        ovns = [made.json()["operational_intent_reference"]["ovn"]]
        made = a(
            "PUT",
            f"{INTENTS}/{suffixed}",
            intent("alpha", key=ovns, requested_ovn_suffix=suffix),
        )
        ovns.append(made.json()["operational_intent_reference"]["ovn"])
        assert ovns[1] == f"{suffixed}_{suffix}"
        constraint = {"extents": [volume()], "uss_base_url": "https://alpha.example.org"}
        made = a("PUT", f"{CONSTRAINTS}/{zone}", constraint)
        ovns.append(made.json()["constraint_reference"]["ovn"])
        watch = str(uuid.uuid4())
        made = a("PUT", f"{SUBSCRIPTIONS}/{watch}", subscription("alpha"))
        secrets = [*ovns, suffix, made.json()["subscription"]["version"]]

        area = {"area_of_interest": volume()}
        wrong = "a-version-that-it-never-had"
        for method, path, content, status in (
            ("GET", f"{INTENTS}/{one}", None, 200),
            ("GET", f"{INTENTS}/{suffixed}", None, 200),
            ("GET", f"{CONSTRAINTS}/{zone}", None, 200),
            ("GET", f"{SUBSCRIPTIONS}/{watch}", None, 403),
            ("POST", f"{INTENTS}/query", area, 200),
            ("POST", f"{CONSTRAINTS}/query", area, 200),
            ("POST", f"{SUBSCRIPTIONS}/query", area, 200),
            ("PUT", f"{SUBSCRIPTIONS}/{uuid.uuid4()}", subscription("bravo"), 200),
            ("PUT", f"{SUBSCRIPTIONS}/{watch}", subscription("bravo"), 403),
            ("PUT", f"{SUBSCRIPTIONS}/{watch}/{wrong}", subscription("bravo"), 403),
            ("DELETE", f"{SUBSCRIPTIONS}/{watch}/{wrong}", None, 403),
            ("PUT", f"{INTENTS}/{mine}", intent("bravo"), 409),
            ("PUT", f"{INTENTS}/{mine}", intent("bravo", key=[wrong]), 409),
            ("PUT", f"{INTENTS}/{mine}", intent("bravo", key=[HIDDEN]), 409),
            ("PUT", f"{INTENTS}/{one}", intent("bravo"), 403),
            ("PUT", f"{INTENTS}/{one}/{wrong}", intent("bravo"), 403),
            ("DELETE", f"{INTENTS}/{one}/{wrong}", None, 403),
            ("PUT", f"{CONSTRAINTS}/{zone}/{wrong}", constraint, 403),
            ("DELETE", f"{CONSTRAINTS}/{zone}/{wrong}", None, 403),
            ("GET", "/dss/v1/uss_availability/alpha", None, 200),
            ("GET", "/log/checkpoint", None, 200),
            ("GET", "/metrics", None, 200),
            ("GET", "/readyz", None, 200),
        ):
            reply = b(method, path, content)
            assert reply.status_code == status, (method, path, reply.text)

        shown = "\n".join(b.answers)
        assert [secret for secret in secrets if secret in shown] == []
        assert shown.count(HIDDEN) >= 8
        assert all(ovn in "\n".join(a.answers) for ovn in ovns)

        # With what alpha tells bravo itself the plan is accepted; what alpha is told has no OVN.
        accepted = b("PUT", f"{INTENTS}/{mine}", intent("bravo", key=ovns))
        assert accepted.status_code == 201
        own = accepted.json()["operational_intent_reference"]["ovn"]
        for path in (f"{INTENTS}/{mine}", f"{INTENTS}/query", f"{SUBSCRIPTIONS}/{watch}"):
            reply = a("POST", path, area) if path.endswith("query") else a("GET", path)
            assert reply.status_code == 200
            assert own not in reply.text
        tokens = [client.headers["authorization"].split()[1] for client in (first, second)]
    added = subprocess.run(
        [str(DECONFLICT), "party", "add", "relief", "--data", str(service.data), "--json"],
        capture_output=True,
        check=True,
    )
    credentials = json.loads(added.stdout)
    granted = httpx.post(
        f"{service.base_url}/oauth/token",
        data={"grant_type": "client_credentials", **credentials},
    )
    tokens.append(granted.json()["access_token"])
    assert service.stop() == 0
    log = "\n".join(service.lines())
    hidden = [*secrets, own, *tokens, credentials["client_secret"]]
    assert [text for text in hidden if text in log] == []
    assert str(LAT)[:6] not in log
    assert str(LNG)[:5] not in log


def test_a_stolen_journal_shows_no_coordinate_and_no_ovn(service) -> None:
    with service.client("alpha", *SCOPES) as client:
        made = client.put(f"{INTENTS}/{uuid.uuid4()}", json=intent("alpha"))
    ovn = made.json()["operational_intent_reference"]["ovn"]
    assert service.stop() == 0
    kept = [path for path in service.data.rglob("*") if path.is_file()]
    assert service.data / "journal.db" in kept
    for path in kept:
        content = path.read_bytes()
        for secret in (ovn, str(LAT), str(LNG), "alpha.example.org"):
            assert secret.encode() not in content, path
