"""`deconflict journal` on the folder of a running service, and on what it left."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deconflict.cli.status import ExitStatus
from serving import PATIENCE_S, Service, own_environment

DECONFLICT = Path(sys.executable).with_name("deconflict")


def journal(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DECONFLICT), "journal", *words],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        env={**own_environment(), "DECONFLICT_DATA": str(service.data)},
    )


def intent(lat: float = 46.0, **more: object) -> dict[str, object]:
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
        **more,
    }


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def path(identifier: str, ovn: str = "") -> str:
    return f"/dss/v1/operational_intent_references/{identifier}" + (f"/{ovn}" if ovn else "")


class Story:
    """What two parties did: one registers, the other is refused, looks, and goes in knowingly."""

    def __init__(self, service: Service) -> None:
        self.mine, self.other, self.far = (str(uuid.uuid4()) for _ in range(3))
        with service.client("Air Force") as force, service.client("Relief") as relief:
            created = force.put(path(self.mine), json=intent())
            self.ovn = ovn_of(created)
            refused = relief.put(path(self.other), json=intent())
            assert refused.status_code == 409
            area = {"area_of_interest": intent()["extents"][0]}
            shown = relief.post(path("query"), json=area)
            assert shown.status_code == 200
            accepted = relief.put(path(self.other), json=intent(key=[self.ovn]))
            self.other_ovn = ovn_of(accepted)
            self.told = accepted.content
            assert force.put(path(self.far), json=intent(48.0)).status_code == 201
            self.token = force.headers["authorization"].split()[1]


def ovn_of(reply) -> str:
    assert reply.status_code in {200, 201}, reply.text
    return reply.json()["operational_intent_reference"]["ovn"]


@pytest.fixture
def story(service: Service) -> Story:
    return Story(service)


def test_all_that_only_reads_works_beside_the_service(service: Service, story: Story) -> None:
    assert journal(service, "verify").returncode == ExitStatus.CLEAR
    shown = journal(service, "show", "--entity", story.mine, "--json")
    entries = [json.loads(line) for line in shown.stdout.splitlines()]
    assert entries[0]["subject"] == story.mine
    assert story.ovn not in shown.stdout
    assert story.ovn in journal(service, "show", "--entity", story.mine, "--with-secrets").stdout
    stats = json.loads(journal(service, "stats", "--json").stdout)
    assert stats["live"]["operations"] == 3
    assert stats["kept"] == stats["entries"] >= 5
    assert journal(service, "snapshot").returncode == ExitStatus.CLEAR
    assert list((service.data / "snapshots").glob("*.snapshot"))
    for refused in (("prune", "--keep", "0"), ("restore", str(service.data))):
        done = journal(service, *refused)
        assert (done.returncode, done.stderr.count("\n")) == (ExitStatus.BAD_INPUT, 1)


def test_an_export_is_verified_alone_and_holds_no_secret(
    service: Service, story: Story, tmp_path: Path
) -> None:
    service.stop()
    one, again, whole = (tmp_path / name for name in ("one.ndjson", "again.ndjson", "whole.ndjson"))
    for target in (one, again):
        assert journal(service, "export", "--to", str(target)).returncode == ExitStatus.CLEAR
    assert one.read_bytes() == again.read_bytes()
    assert journal(service, "verify", str(one)).returncode == ExitStatus.CLEAR
    text = one.read_text()
    keys = [each.read_text() for each in (service.data / "keys").iterdir()]
    for secret in (story.ovn, story.other_ovn, story.token, *keys):
        assert secret.strip() not in text
    assert journal(service, "export", "--with-secrets", "--to", str(whole)).returncode == 0
    assert story.ovn in whole.read_text()
    assert journal(service, "verify", str(whole)).returncode == ExitStatus.CLEAR


def test_an_export_of_a_party_holds_what_it_was_told_and_nothing_of_others(
    service: Service, story: Story, tmp_path: Path
) -> None:
    target = tmp_path / "relief.ndjson"
    words = ("export", "--party", "Relief", "--with-secrets", "--to", str(target))
    assert journal(service, *words).returncode == ExitStatus.CLEAR
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    told = [part for line in lines[1:-1] for part in line.get("told", ()) if "content" in part]
    assert any(json.loads(part["content"])["body"] == json.loads(story.told) for part in told)
    assert story.far not in target.read_text()
    assert "Air Force" not in "".join(
        part["content"]
        for line in lines[1:-1]
        for part in (line["decided"],)
        if "content" in part and "RecordReads" not in part["content"]
    )


def changed(lines: list[dict]) -> dict[str, list[dict]]:
    """Return exports in each of which one thing is not what it was."""

    def copy() -> list[dict]:
        return json.loads(json.dumps(lines))

    found = {}
    found["a part"] = copy()
    found["a part"][1]["decided"]["content"] += " "
    found["a record"] = copy()
    found["a record"][2]["record"] = found["a record"][2]["record"].replace('"v":1', '"v":2')
    found["a leaf"] = copy()
    found["a leaf"][2]["leaf"] = "00" + found["a leaf"][2]["leaf"][2:]
    found["a proof"] = copy()
    found["a proof"][2]["proof"][0] = "00" * 32
    found["a time"] = copy()
    found["a time"][2]["time"] = "2020-01-01T00:00:00.000000Z"
    found["an entry left out"] = copy()
    del found["an entry left out"][2]
    found["two entries exchanged"] = copy()
    swapped = found["two entries exchanged"]
    swapped[1], swapped[2] = swapped[2], swapped[1]
    found["the end left out"] = copy()[:-1]
    found["the root"] = copy()
    found["the root"][-1]["root"] = "00" * 32
    found["the key"] = copy()
    found["the key"][0]["public_key"] = "11" * 32
    found["the checkpoint"] = copy()
    found["the checkpoint"][0]["checkpoint"] = re.sub(
        r"\n\d+\n", "\n999\n", found["the checkpoint"][0]["checkpoint"], count=1
    )
    return found


def test_whatever_is_changed_in_an_export_is_found(
    service: Service,
    story: Story,  # noqa: ARG001 - its entries are meant
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from deconflict.cli.main import run

    target = tmp_path / "all.ndjson"
    assert journal(service, "export", "--to", str(target)).returncode == ExitStatus.CLEAR
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    for what, altered in changed(lines).items():
        target.write_text("".join(json.dumps(line) + "\n" for line in altered))
        assert run(["journal", "verify", str(target)]) == ExitStatus.CONFLICT, what
    target.write_text("{}\n")
    assert run(["journal", "verify", str(target)]) == ExitStatus.BAD_INPUT
    capsys.readouterr()


def test_a_replay_tells_what_a_party_was_refused_shown_and_never_told(
    service: Service, story: Story
) -> None:
    service.stop()  # so that the reads are in the journal
    at = stamp(datetime.now(UTC) + timedelta(seconds=1))
    text = journal(service, "replay", "--at", at, "--party", "Relief")
    assert text.returncode == ExitStatus.CLEAR
    assert "Relief was REFUSED (409)" in text.stdout
    assert story.ovn not in text.stdout
    told = json.loads(journal(service, "replay", "--at", at, "--party", "Relief", "--json").stdout)
    kinds = [moment["kind"] for moment in told["moments"]]
    assert kinds == ["refused", "shown", "answered"]
    for moment in told["moments"][:2]:
        assert [one["id"] for one in moment["entities"]] == [story.mine]
    assert [one["id"] for one in told["unknown_to_party"]] == [story.far]
    assert {one["id"] for one in told["entities"]} == {story.mine, story.other, story.far}
    early = stamp(datetime.now(UTC) - timedelta(days=1))
    assert json.loads(journal(service, "replay", "--at", early, "--json").stdout)["entities"] == []


def fill(service: Service, count: int) -> None:
    """Make so many entries that consist of little."""
    with service.client("Filler", "utm.strategic_coordination") as client:
        for _ in range(count):
            assert client.delete(path(str(uuid.uuid4()), "none-such-ovn-0000")).status_code == 404


def test_a_pruned_journal_serves_as_before_and_its_archive_verifies(
    service: Service, story: Story
) -> None:
    fill(service, 300)
    service.stop()
    pruned = journal(service, "prune", "--keep", "0")
    assert pruned.returncode == ExitStatus.CLEAR, pruned.stderr
    (archive,) = (service.data / "archive").glob("*.archive")
    assert journal(service, "verify").returncode == ExitStatus.CLEAR
    assert journal(service, "verify", str(archive)).returncode == ExitStatus.CLEAR
    service.start()
    with service.client("Air Force") as force:
        changed = force.put(
            path(story.mine, story.ovn), json=intent(key=[story.other_ovn], state="Accepted")
        )
        assert changed.status_code == 200, changed.text
        indices = [
            one["notification_index"]
            for each in changed.json()["subscribers"]
            for one in each["subscriptions"]
        ]
    assert max(indices) >= 2, "the indices went on"
    # What was pruned is still shown, from the archive.
    shown = journal(service, "show", "--entity", story.mine, "--json").stdout.splitlines()
    assert json.loads(shown[0])["position"] < 256
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    assert journal(service, "verify", str(archive)).returncode == ExitStatus.CONFLICT


def test_a_backup_goes_on_as_a_new_log_and_it_is_said_what_was_lost(
    service: Service, story: Story, tmp_path: Path
) -> None:
    service.stop()
    backup = tmp_path / "backup"
    shutil.copytree(service.data, backup)
    service.start()
    fill(service, 7)
    service.stop()
    for name in ("journal.db", "head"):  # yesterday's file is put back
        shutil.copy(backup / name, service.data / name)
    status, lines = service.refused_start()
    assert status == ExitStatus.INTERNAL_ERROR
    assert "missing" in "\n".join(lines)
    restored = journal(service, "restore", str(backup / "journal.db"), "--json")
    assert restored.returncode == ExitStatus.CLEAR, restored.stderr
    told = json.loads(restored.stdout)
    assert told["missing"] >= 7
    assert told["counts"]["operations"] == 3
    first = json.loads(journal(service, "show", "0", "--json").stdout)
    (event,) = json.loads(first["decided"]["content"])["events"]
    aside = service.data / told["aside"]
    assert event["event"] == "continued"
    assert event["checkpoint"] == (aside / "log/checkpoint").read_text()
    assert told["origin"] not in event["checkpoint"]
    service.start()
    with service.client("Air Force") as force:
        assert ovn_of(force.get(path(story.mine))) == story.ovn
        changed = force.put(path(story.mine, story.ovn), json=intent(key=[story.other_ovn]))
        assert changed.status_code == 200, changed.text
    assert journal(service, "verify").returncode == ExitStatus.CLEAR
