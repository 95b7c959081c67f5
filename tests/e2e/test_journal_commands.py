"""`deconflict journal` on the folder of a running service, and on what it left."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus
from deconflict.journal.checkpoint import Checkpoint, origin
from deconflict.journal.keys import Keys
from deconflict.standards.f3548.identifier import NULL_SUBSCRIPTION
from serving import PATIENCE_S, Service, own_environment, service_in

DECONFLICT = Path(sys.executable).with_name("deconflict")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Journal = Callable[..., Done]


@pytest.fixture
def journal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Return a function that runs a command of the journal in this process."""

    def call(data: Path, *words: str | Path) -> Done:
        monkeypatch.setenv("DECONFLICT_DATA", str(data))
        capsys.readouterr()
        status = run(["journal", *map(str, words)])
        return Done(status, *capsys.readouterr())

    return call


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


def suffix() -> str:
    """Return a UUID of version 7, of now."""
    text = str(uuid.uuid4())
    now = f"{int(datetime.now(UTC).timestamp() * 1000):012x}"
    return f"{now[:8]}-{now[8:]}-7{text[15:]}"


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
            self.suffix = suffix()
            in_lines = json.dumps(intent(48.0, requested_ovn_suffix=self.suffix), indent=2)
            headers = {"content-type": "application/json"}
            far = force.put(path(self.far), content=in_lines, headers=headers)
            assert far.status_code == 201
            self.token = force.headers["authorization"].split()[1]


def ovn_of(reply) -> str:
    assert reply.status_code in {200, 201}, reply.text
    return reply.json()["operational_intent_reference"]["ovn"]


@pytest.fixture
def story(service: Service) -> Story:
    return Story(service)


@dataclass(frozen=True)
class Left:
    """The data folder of a service that was stopped after the story, for tests that only read."""

    data: Path
    story: Story


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory, authority_key: bytes) -> Left:
    service = service_in(tmp_path_factory.mktemp("left") / "data", authority_key)
    try:
        story = Story(service.start())
        assert service.stop() == 0  # so that the reads are in the journal
    finally:
        service.close()
    return Left(service.data, story)


@pytest.fixture
def again(left: Left, tmp_path: Path) -> Iterator[Service]:
    """Return a service, not started yet, on a copy of what was left."""
    service = Service(Path(shutil.copytree(left.data, tmp_path / "again")))
    yield service
    service.close()


def test_all_that_only_reads_works_beside_the_service(
    service: Service, story: Story, journal: Journal
) -> None:
    data = service.data
    process = subprocess.run(  # as its users run it; the others are run within this process
        [str(DECONFLICT), "journal", "verify"],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        env={**own_environment(), "DECONFLICT_DATA": str(data)},
    )
    assert process.returncode == ExitStatus.CLEAR
    shown = journal(data, "show", "--entity", story.mine, "--json")
    entries = [json.loads(line) for line in shown.stdout.splitlines()]
    assert entries[0]["subject"] == story.mine
    assert story.ovn not in shown.stdout
    assert story.ovn in journal(data, "show", "--entity", story.mine, "--with-secrets").stdout
    stats = json.loads(journal(data, "stats", "--json").stdout)
    assert stats["live"]["operations"] == 3
    assert stats["kept"] == stats["entries"] >= 5
    assert journal(data, "snapshot").returncode == ExitStatus.CLEAR
    assert list((data / "snapshots").glob("*.snapshot"))
    for refused in (("prune", "--keep", "0"), ("restore", data)):
        done = journal(data, *refused)
        assert (done.returncode, done.stderr.count("\n")) == (ExitStatus.BAD_INPUT, 1)


def test_a_body_of_many_lines_is_shown_in_one_and_steers_nothing(
    left: Left, journal: Journal
) -> None:
    text = journal(left.data, "show", "--entity", left.story.far).stdout
    said = next(line for line in text.splitlines() if line.lstrip().startswith("said"))
    assert json.loads(said.split(maxsplit=1)[1])["uss_base_url"] == "https://uss.example.org"
    assert "\ufffd" not in text


def test_a_young_journal_tells_no_rate_and_what_each_size_is(left: Left, journal: Journal) -> None:
    told = json.loads(journal(left.data, "stats", "--json").stdout)
    assert (told["entries_per_day"], told["expected_bytes"]) == (None, None)
    assert 500 < told["entry_bytes"] < 5_000 < told["bytes_per_entry"]
    text = journal(left.data, "stats").stdout
    assert "less than an hour" in text
    assert not re.search(r"bytes$", text, re.MULTILINE), "a size that is not explained"


def test_an_export_is_verified_alone_and_holds_no_secret(
    left: Left, journal: Journal, tmp_path: Path
) -> None:
    one, same, whole = (tmp_path / name for name in ("one.ndjson", "same.ndjson", "whole.ndjson"))
    for target in (one, same):
        assert journal(left.data, "export", "--to", target).returncode == ExitStatus.CLEAR
    assert one.read_bytes() == same.read_bytes()
    assert journal(left.data, "verify", one).returncode == ExitStatus.CLEAR
    text = one.read_text()
    keys = [each.read_text() for each in (left.data / "keys").iterdir()]
    for secret in (left.story.ovn, left.story.other_ovn, left.story.token, *keys):
        assert secret.strip() not in text
    assert journal(left.data, "export", "--with-secrets", "--to", whole).returncode == 0
    assert left.story.ovn in whole.read_text()
    again = journal(left.data, "export", "--to", whole)
    assert again.returncode == ExitStatus.BAD_INPUT
    assert "--force" in again.stderr
    assert left.story.ovn in whole.read_text(), "what was there is still there"
    assert journal(left.data, "export", "--force", "--to", same).returncode == ExitStatus.CLEAR
    assert same.read_bytes() == one.read_bytes()
    assert journal(left.data, "verify", whole).returncode == ExitStatus.CLEAR


def test_an_export_of_a_party_holds_what_it_was_told_and_nothing_of_others(
    left: Left, journal: Journal, tmp_path: Path
) -> None:
    target = tmp_path / "relief.ndjson"
    words = ("export", "--party", "Relief", "--with-secrets", "--to", target)
    assert journal(left.data, *words).returncode == ExitStatus.CLEAR
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    told = [part for line in lines[1:-1] for part in line.get("told", ()) if "content" in part]
    assert any(json.loads(part["content"])["body"] == json.loads(left.story.told) for part in told)
    assert left.story.far not in target.read_text()
    assert "Air Force" not in "".join(
        part["content"]
        for line in lines[1:-1]
        for part in (line["decided"],)
        if "content" in part and "RecordReads" not in part["content"]
    )


def test_of_a_partys_export_it_is_said_whose_entries_these_are_and_which_parts_can_be_proved(
    left: Left, journal: Journal, tmp_path: Path
) -> None:
    target = tmp_path / "relief.ndjson"
    journal(left.data, "export", "--party", "Relief", "--to", target)
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    parts = [
        part
        for line in lines[1:-1]
        for part in (line.get("said"), line["decided"], *line.get("told", ()))
        if part is not None and "withheld" in part
    ]
    salted = sum("salt" in part for part in parts)
    assert 0 < salted < len(parts)
    text = " ".join(journal(left.data, "verify", target).stdout.split())
    assert f"{len(lines) - 2} of Relief, from positions 0 to {lines[0]['stop'] - 1}" in text
    assert f"withheld {len(parts)} parts: of {salted} salt and hash are given" in text
    assert f"of {len(parts) - salted} only the hash is given" in text


def root_of(leaves: list[bytes]) -> bytes:
    """Return the root over some leaves as RFC 9162, section 2.1.1, defines it."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:left]) + root_of(leaves[left:])).digest()


def test_an_export_is_compared_with_every_checkpoint_that_is_given(
    left: Left, journal: Journal, tmp_path: Path
) -> None:
    whole, of_party, note = (tmp_path / name for name in ("whole", "party", "checkpoint"))
    journal(left.data, "export", "--to", whole)
    journal(left.data, "export", "--party", "Relief", "--to", of_party)
    lines = [json.loads(line) for line in whole.read_text().splitlines()][1:-1]
    leaves = [bytes.fromhex(line["leaf"]) for line in lines]
    keys = Keys.load(left.data / "keys", create=False)
    other = Keys.load(tmp_path / "keys", create=True)

    def status(path: Path, size: int, root: bytes, by: Keys = keys, named: Keys = keys) -> int:
        note.write_bytes(Checkpoint(origin(named.public_key), size, root).sign(by.signing))
        return journal(left.data, "verify", path, "--checkpoint", note).returncode

    size = len(leaves)
    for path in (whole, of_party):
        assert status(path, size, root_of(leaves)) == ExitStatus.CLEAR
        assert status(path, size, bytes(32)) == ExitStatus.CONFLICT
        assert status(path, size, root_of(leaves), other, other) == ExitStatus.CONFLICT
        assert status(path, size, root_of(leaves), other) == ExitStatus.CONFLICT
        assert status(path, size + 1, bytes(32)) == ExitStatus.UNKNOWN
    # An earlier one follows from all entries, and not from a party's.
    assert status(whole, 3, root_of(leaves[:3])) == ExitStatus.CLEAR
    assert status(whole, 3, bytes(32)) == ExitStatus.CONFLICT
    assert status(of_party, 3, root_of(leaves[:3])) == ExitStatus.UNKNOWN
    done = journal(left.data, "verify", of_party, "--checkpoint", note)
    assert "covers 3 entries" in done.stdout
    assert "can't be compared" in done.stdout
    assert base64.b64encode(root_of(leaves)).decode() in (left.data / "log/checkpoint").read_text()


@pytest.mark.parametrize("content", [None, b"", b"root:x:0:0:root:/root:/bin/bash\n", b"\xff" * 9])
def test_what_is_no_checkpoint_is_refused_whatever_is_verified(
    left: Left, journal: Journal, tmp_path: Path, content: bytes | None
) -> None:
    export, note = tmp_path / "export", tmp_path / "note"
    journal(left.data, "export", "--to", export)
    if content is None:
        note.mkdir()
    else:
        note.write_bytes(content)
    for path in (export, left.data):
        done = journal(left.data, "verify", path, "--checkpoint", note)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert str(note) in done.stderr


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
    left: Left, journal: Journal, tmp_path: Path
) -> None:
    target = tmp_path / "all.ndjson"
    assert journal(left.data, "export", "--to", target).returncode == ExitStatus.CLEAR
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    for what, altered in changed(lines).items():
        target.write_text("".join(json.dumps(line) + "\n" for line in altered))
        assert journal(left.data, "verify", target).returncode == ExitStatus.CONFLICT, what
    target.write_text("{}\n")
    assert journal(left.data, "verify", target).returncode == ExitStatus.BAD_INPUT


def replayed(journal: Journal, left: Left, at: datetime) -> dict:
    return json.loads(
        journal(left.data, "replay", "--at", stamp(at), "--party", "Relief", "--json").stdout
    )


def test_a_replay_tells_what_a_party_was_refused_shown_and_never_told(
    left: Left, journal: Journal
) -> None:
    story = left.story
    at = datetime.now(UTC) + timedelta(seconds=1)
    text = journal(left.data, "replay", "--party", "Relief")
    assert text.returncode == ExitStatus.CLEAR
    assert "Relief was REFUSED (409)" in text.stdout
    assert story.ovn not in text.stdout
    assert NULL_SUBSCRIPTION not in text.stdout
    told = replayed(journal, left, at)
    kinds = [moment["kind"] for moment in told["moments"]]
    assert kinds == ["refused", "shown", "answered"]
    for moment in told["moments"][:2]:
        assert [one["id"] for one in moment["named"]] == [story.mine]
    assert [one["id"] for one in told["unknown_to_party"]] == [story.far]
    assert {one["id"] for one in told["entities"]} == {story.mine, story.other, story.far}
    early = stamp(datetime.now(UTC) - timedelta(days=1))
    assert (
        json.loads(journal(left.data, "replay", "--at", early, "--json").stdout)["entities"] == []
    )


def test_a_replay_doubts_the_name_of_a_party_that_never_asked_anything(
    left: Left, journal: Journal
) -> None:
    assert "perhaps 'Relief' is meant" in journal(left.data, "replay", "--party", "relieff").stdout
    assert "is the name right?" in journal(left.data, "replay", "--party", "Nobody").stdout
    assert "is the name right?" not in journal(left.data, "replay", "--party", "Relief").stdout


def test_a_replay_keeps_apart_what_was_told_and_what_only_the_register_held(
    left: Left, journal: Journal
) -> None:
    at = datetime.now(UTC) + timedelta(seconds=1)
    refused, shown, answered = replayed(journal, left, at)["moments"]
    (reference,) = json.loads(refused["body"])["missing_operational_intents"]
    for moment in (refused, shown):
        (one,) = moment["named"]
        told, kept_back = one["told"], one["not_told"]
        assert (told["party"], told["version"], told["state"]) == ("Air Force", 1, "Accepted")
        assert told["subscription"] == reference["subscription_id"]
        assert told["base_url"] == reference["uss_base_url"]
        assert (
            stamp(datetime.fromtimestamp(told["start_us"] / 1e6, UTC))
            == (reference["time_start"]["value"])
        )
        # The volumes and the OVN are all that a reference lacks; an OVN is printed nowhere.
        assert list(kept_back) == ["volumes"]
        assert "volumes" not in told
    (own,) = answered["named"]
    assert (own["id"], own["not_told"]) == (left.story.other, {})


def test_a_replay_prints_places_of_others_only_as_not_told_and_where_the_party_meant_to_go(
    left: Left, journal: Journal
) -> None:
    at = stamp(datetime.now(UTC) + timedelta(seconds=1))
    lines = journal(left.data, "replay", "--at", at, "--party", "Relief").stdout.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("What Relief"))
    end = next(n for n, line in enumerate(lines) if line.startswith("Registered by others"))
    places = [n for n in range(begin, end) if "46.00000 N" in lines[n]]
    asked = [n for n in places if "asked: " in lines[n - 2]]
    not_told = [n for n in places if lines[n].lstrip().startswith("not told: ")]
    assert (len(asked), len(not_told)) == (3, 2)
    assert sorted(asked + not_told) == places


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_replay_names_no_suffix_of_an_ovn_as_if_it_were_an_entity(
    left: Left, journal: Journal, how: list[str]
) -> None:
    at = stamp(datetime.now(UTC) + timedelta(seconds=1))
    text = journal(left.data, "replay", "--at", at, "--party", "Air Force", *how).stdout
    assert left.story.far in text
    assert left.story.suffix not in text


def fill(service: Service, count: int) -> None:
    """Make so many entries that consist of little."""
    with service.client("Filler", "utm.strategic_coordination") as client:
        for _ in range(count):
            assert client.delete(path(str(uuid.uuid4()), "none-such-ovn-0000")).status_code == 404


def test_a_pruned_journal_serves_as_before_and_its_archive_verifies(
    again: Service, left: Left, journal: Journal, tmp_path: Path
) -> None:
    data, story = again.data, left.story
    again.start()
    fill(again, 300)
    again.stop()
    pruned = journal(data, "prune", "--keep", "0")
    assert pruned.returncode == ExitStatus.CLEAR, pruned.stderr
    (archive,) = (data / "archive").glob("*.archive")
    assert journal(data, "verify").returncode == ExitStatus.CLEAR
    assert journal(data, "verify", archive).returncode == ExitStatus.CLEAR
    again.start()
    with again.client("Air Force") as force:
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
    shown = journal(data, "show", "--entity", story.mine, "--json").stdout.splitlines()
    assert json.loads(shown[0])["position"] < 256
    # The log's first checkpoint follows from the archive; the data folder knows the newest too.
    kept = left.data / "log/checkpoint"
    assert journal(data, "verify", archive, "--checkpoint", kept).returncode == ExitStatus.CLEAR
    assert journal(data, "verify", "--checkpoint", kept).returncode == ExitStatus.CLEAR
    keys = Keys.load(data / "keys", create=False)
    forged, larger = tmp_path / "forged", tmp_path / "larger"
    for target, size in ((forged, 6), (larger, 100_000)):
        note = Checkpoint(origin(keys.public_key), size, bytes(32)).sign(keys.signing)
        target.write_bytes(note)
    assert journal(data, "verify", archive, "--checkpoint", forged).returncode == 1
    assert journal(data, "verify", archive, "--checkpoint", larger).returncode == 3
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    assert journal(data, "verify", archive).returncode == ExitStatus.CONFLICT


def test_a_backup_goes_on_as_a_new_log_and_it_is_said_what_was_lost(
    again: Service, left: Left, journal: Journal
) -> None:
    data, story = again.data, left.story
    again.start()
    fill(again, 7)
    again.stop()
    for name in ("journal.db", "head"):  # yesterday's file is put back
        shutil.copy(left.data / name, data / name)
    status, lines = again.refused_start()
    assert status == ExitStatus.START_REFUSED
    assert "missing" in "\n".join(lines)
    restored = journal(data, "restore", left.data / "journal.db", "--json")
    assert restored.returncode == ExitStatus.CLEAR, restored.stderr
    told = json.loads(restored.stdout)
    assert told["missing"] >= 7
    assert told["counts"]["operations"] == 3
    first = json.loads(journal(data, "show", "0", "--json").stdout)
    (event,) = json.loads(first["decided"]["content"])["events"]
    aside = data / told["aside"]
    assert event["event"] == "continued"
    assert event["checkpoint"] == (aside / "log/checkpoint").read_text()
    assert told["origin"] not in event["checkpoint"]
    again.start()
    with again.client("Air Force") as force:
        assert ovn_of(force.get(path(story.mine))) == story.ovn
        changed = force.put(path(story.mine, story.ovn), json=intent(key=[story.other_ovn]))
        assert changed.status_code == 200, changed.text
    assert journal(data, "verify").returncode == ExitStatus.CLEAR
