"""`deconflict serve` as an operator and its clients meet it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from deconflict.cli.status import ExitStatus

DECONFLICT = Path(sys.executable).with_name("deconflict")


def intent(lat: float = 46.0) -> dict[str, object]:
    now = datetime.now(UTC)
    ring = [(lat, 7.0), (lat, 7.01), (lat + 0.01, 7.01), (lat + 0.01, 7.0)]
    height = {"reference": "W84", "units": "M"}
    return {
        "extents": [
            {
                "volume": {
                    "outline_polygon": {"vertices": [{"lat": a, "lng": b} for a, b in ring]},
                    "altitude_lower": {"value": 100, **height},
                    "altitude_upper": {"value": 200, **height},
                },
                "time_start": {"value": stamp(now + timedelta(minutes=1)), "format": "RFC3339"},
                "time_end": {"value": stamp(now + timedelta(minutes=30)), "format": "RFC3339"},
            }
        ],
        "key": [],
        "state": "Accepted",
        "uss_base_url": "https://uss.example.org",
        "new_subscription": {"uss_base_url": "https://uss.example.org"},
    }


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def path(identifier: str) -> str:
    return f"/dss/v1/operational_intent_references/{identifier}"


def failed_start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DECONFLICT), "serve", *arguments], capture_output=True, text=True, timeout=60
    )


def test_what_was_answered_is_there_after_a_stop_and_after_a_kill(service) -> None:
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    with service.client("uss1") as client:
        assert client.put(path(first), json=intent(46)).status_code == 201
        assert service.stop() == ExitStatus.CLEAR
        service.start()
        assert client.put(path(second), json=intent(47)).status_code == 201
        service.kill()
        service.start()
        for identifier in (first, second):
            reply = client.get(path(identifier))
            assert reply.status_code == 200
            assert reply.json()["operational_intent_reference"]["id"] == identifier


def test_a_plan_into_another_is_refused_without_its_version_number(service) -> None:
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    with service.client("uss1") as first, service.client("uss2") as second:
        ovn = first.put(path(one), json=intent()).json()["operational_intent_reference"]["ovn"]
        refused = second.put(path(other), json=intent())
        assert refused.status_code == 409
        assert "its OVN (the identifier of its present version" in refused.json()["message"]
        assert refused.json()["missing_operational_intents"][0]["id"] == one
        assert ovn not in refused.text
        accepted = second.put(path(other), json={**intent(), "key": [ovn]})
        assert accepted.status_code == 201


def test_nobody_asks_without_a_token_or_beyond_it(shared_service) -> None:
    plain = httpx.get(shared_service.base_url + path(str(uuid.uuid4())))
    assert plain.status_code == 401
    assert plain.headers["www-authenticate"].startswith("Bearer")
    assert set(plain.json()) == {"message"}
    with shared_service.client("uss1", "utm.constraint_processing") as client:
        assert client.put(path(str(uuid.uuid4())), json=intent()).status_code == 403


def test_the_start_says_where_it_is_who_may_ask_and_what_is_not_shown_yet(shared_service) -> None:
    line = json.loads(shared_service.lines()[0])
    assert line["address"] == shared_service.base_url
    assert line["data"] == str(shared_service.data)
    assert re.fullmatch(r"[0-9a-f]{64}", line["log_public_key"])
    assert line["authorities"] == ["the built-in authority (1 key)"]
    assert "not shown to F3548 clients yet" in line["note"]


def test_the_log_tells_the_request_and_holds_no_token_body_or_coordinate(service) -> None:
    with service.client("uss1") as client:
        reply = client.put(
            path(str(uuid.uuid4())), json=intent(46.123456), headers={"x-request-id": "mine-1"}
        )
        token = client.headers["authorization"].split()[1]
    assert reply.headers["x-request-id"] == "mine-1"
    assert service.stop() == ExitStatus.CLEAR
    (line,) = (line for line in service.lines() if "mine-1" in line)
    said = json.loads(line)
    assert (said["party"], said["operation"], said["status"]) == (
        "uss1",
        "createOperationalIntentReference",
        201,
    )
    everything = "\n".join(service.lines())
    assert token not in everything
    assert "46.12" not in everything


def test_two_services_on_one_folder_are_refused_in_a_line(shared_service) -> None:
    second = failed_start("--data", str(shared_service.data), "--port", "0")
    assert second.returncode == ExitStatus.START_REFUSED
    assert second.stderr.startswith("deconflict: ")
    assert second.stderr.count("\n") == 1
    assert str(shared_service.data) in second.stderr


def test_a_port_in_use_is_refused_in_a_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = failed_start("--data", str(tmp_path / "data"), "--port", port)
    assert refused.returncode == ExitStatus.BAD_INPUT
    assert port in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_key_that_is_none_is_refused_in_a_line(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key")
    refused = failed_start("--data", str(tmp_path / "data"), "--public-key", str(key))
    assert refused.returncode == ExitStatus.BAD_INPUT
    assert str(key) in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_second_interrupt_ends_it_at_once(make_service) -> None:
    service = make_service("--stop-timeout-s", "60").start()
    with taken_and_waiting(service):
        service.process.send_signal(signal.SIGINT)
        wait_until_closed(service)
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(60) == ExitStatus.INTERRUPTED


def test_a_request_that_was_taken_is_finished_before_it_stops(make_service) -> None:
    service = make_service("--stop-timeout-s", "60").start()
    with taken_and_waiting(service) as slow:
        service.process.send_signal(signal.SIGTERM)
        wait_until_closed(service)
        slow.sendall(b"}")
        assert slow.recv(4000).startswith(b"HTTP/1.1 400")
    assert service.process.wait(60) == ExitStatus.CLEAR


def test_a_reader_of_its_log_that_stalls_does_not_hold_up_a_stop_for_ever(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    stalled = subprocess.Popen(
        [str(DECONFLICT), "serve", "--data", str(tmp_path / "data"), "--port", "0"],
        stderr=writing,
    )
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as unread:
        address = json.loads(unread.readline())["address"]
        with httpx.Client(base_url=address, trust_env=False) as client:
            for _ in range(200):  # many times what the pipe holds
                assert client.get("/healthz").status_code == 200
        stalled.send_signal(signal.SIGTERM)
        assert stalled.wait(60) == ExitStatus.CLEAR


def test_a_request_that_never_ends_does_not_hold_up_a_stop_for_ever(make_service) -> None:
    service = make_service("--stop-timeout-s", "0.2").start()
    with taken_and_waiting(service):
        assert service.stop() == ExitStatus.CLEAR


def taken_and_waiting(service) -> socket.socket:
    """Return a connection whose request the service has taken, and whose body lacks a byte."""
    slow = socket.create_connection(("127.0.0.1", port_of(service)), timeout=60)
    slow.sendall(
        b"POST /dss/v1/reports HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n"
        b"expect: 100-continue\r\nauthorization: Bearer "
        + service.token("uss1").encode()
        + b"\r\n\r\n"
    )
    assert slow.recv(4000).startswith(b"HTTP/1.1 100")
    slow.sendall(b"{")
    return slow


def wait_until_closed(service) -> None:
    """Ask for connections until none is given any more."""
    for _ in range(1_000_000):
        try:
            socket.create_connection(("127.0.0.1", port_of(service)), timeout=60).close()
        except ConnectionError:  # refused, or reset while it waited to be accepted
            return
    raise AssertionError("it goes on listening")


def port_of(service) -> int:
    return int(service.base_url.rpartition(":")[2])


def test_the_documents_describe_every_path_and_load_nothing_from_elsewhere(shared_service) -> None:
    document = httpx.get(f"{shared_service.base_url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    with shared_service.client("uss1") as client:
        for template, methods in document["paths"].items():
            answered = re.sub(r"\{[^}]+\}", "x", template)
            for method in methods:
                status = client.request(method, answered).status_code
                assert status not in {405, 500}, (method, template)
    page = httpx.get(f"{shared_service.base_url}/", follow_redirects=True)
    assert page.url.path == "/docs"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "://" not in page.text.replace("sigsum.org", "")
    for template in document["paths"]:
        assert template in page.text


def test_a_party_gets_a_token_for_its_secret_and_asks_with_it(shared_service) -> None:
    added = subprocess.run(
        [str(DECONFLICT), "party", "add", "relief", "--data", str(shared_service.data), "--json"],
        capture_output=True,
        check=True,
    )
    credentials = json.loads(added.stdout)
    form = {"grant_type": "client_credentials", **credentials}
    granted = httpx.post(f"{shared_service.base_url}/oauth/token", data=form)
    assert granted.status_code == 200
    token = granted.json()["access_token"]
    asked = httpx.get(
        f"{shared_service.base_url}/aux/v1/validate_oauth",
        headers={"authorization": f"Bearer {token}"},
    )
    assert asked.status_code == 200
    wrong = httpx.post(
        f"{shared_service.base_url}/oauth/token", data={**form, "client_secret": "guess"}
    )
    assert wrong.status_code == 401


def test_a_form_that_is_too_large_is_refused_in_a_sentence(shared_service) -> None:
    url = f"{shared_service.base_url}/oauth/token"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for content in (b"a" * 100_000, iter([b"a" * 10_000] * 10)):
        answer = httpx.post(url, content=content, headers=kind)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("the body is larger than 16,384 bytes")


def test_readiness_and_metrics_are_there_for_this_machine(shared_service) -> None:
    assert httpx.get(f"{shared_service.base_url}/healthz").status_code == 200
    ready = httpx.get(f"{shared_service.base_url}/readyz").json()
    assert ready == {"ready": True, "reasons": [], "faults": []}
    text = httpx.get(f"{shared_service.base_url}/metrics").text
    assert 'deconflict_registered{kind="operations"} 0.0' in text


def test_the_log_of_the_journal_is_served_to_whoever_has_a_token(shared_service) -> None:
    assert httpx.get(f"{shared_service.base_url}/log/checkpoint").status_code == 401
    with shared_service.client("uss1") as client:
        note = client.get("/log/checkpoint")
        assert note.status_code == 200
        size = int(note.text.splitlines()[1])
        assert client.get(f"/log/tile/0/000.p/{size}").content.__len__() == 32 * size
        assert client.get("/log/tile/../../keys/signing-key").status_code == 404
        assert client.get("/log/tile/0/%2e%2e%2fkeys").status_code == 404
