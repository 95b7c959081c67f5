"""`deconflict journal` on a journal that stands in an engine, beside the node that writes it."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus
from journalling import add
from postgres_server import PostgresServer
from serving import Service, service_in

INTENTS = "/dss/v1/operational_intent_references"
NOWHERE = "postgresql://duty:hush@127.0.0.1:1/dss"


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs a command, in this process."""
    for name in [name for name in os.environ if name.startswith("DECONFLICT_")]:
        monkeypatch.delenv(name)

    def call(*words: object) -> Done:
        capsys.readouterr()
        status = run([*map(str, words)])
        return Done(status, *capsys.readouterr())

    return call


@dataclass(frozen=True)
class Shared:
    """A node that runs over an engine, and an entity of which its journal tells."""

    node: Service
    url: str
    entity: str


def new_database(postgres: PostgresServer) -> str:
    """Return the URL of an empty database."""
    name = f"journal_{os.urandom(6).hex()}"
    postgres.database(name)
    return postgres.url(name)


def new_journal(request: pytest.FixtureRequest, engine: str) -> str:
    """Return the URL of an empty place for a journal in an engine."""
    if engine == "jetstream":
        return request.getfixturevalue("nats_server").url(f"journal_{os.urandom(6).hex()}")
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture(scope="module", params=["postgres", "jetstream"])
def shared(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    authority_key: bytes,
):
    url = new_journal(request, request.param)
    data = tmp_path_factory.mktemp("shared") / "data"
    node = service_in(data, authority_key, "--journal", url, "--trial").start()
    entity = str(uuid.uuid4())
    try:
        with node.client("Relief") as client:
            for _ in range(3):
                gone = client.delete(f"{INTENTS}/{entity}/none-such-ovn-0000")
                assert gone.status_code == 404
        yield Shared(node, url, entity)
    finally:
        node.close()


def test_what_reads_a_journal_reads_an_engine_beside_the_node(
    shared: Shared, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    data = shared.node.data
    monkeypatch.setenv("DECONFLICT_DATA", str(data))
    monkeypatch.setenv("DECONFLICT_JOURNAL", shared.url)
    verified = command("journal", "verify")
    assert verified.returncode == ExitStatus.CLEAR, verified.stdout + verified.stderr
    assert "all is right" in verified.stdout
    told = json.loads(command("journal", "stats", "--json").stdout)
    assert told["kept"] == told["entries"] >= 4
    assert told["entry_bytes"] > 500
    assert ("engine" in told["bytes"]) is shared.url.startswith("postgresql")
    assert command("journal", "stats").returncode == ExitStatus.CLEAR
    shown = command("journal", "show", "--party", "Relief", "--last", "1", "--json").stdout
    assert json.loads(shown)["subject"] == shared.entity
    scene = json.loads(command("journal", "replay", "--party", "Relief", "--json").stdout)
    assert [moment["status"] for moment in scene["moments"]] == [404] * 3
    export = tmp_path / "export"
    assert command("journal", "export", "--to", export).returncode == ExitStatus.CLEAR
    assert command("journal", "verify", export).returncode == ExitStatus.CLEAR
    assert command("journal", "snapshot").returncode == ExitStatus.CLEAR
    assert list((data / "snapshots").glob("*.snapshot"))
    shown = command("configure")
    assert "most_volumes=" in shown.stdout, shown.stderr
    for words in (("stats",), ("verify",), ("verify", "--json")):
        assert PostgresServer.PASSWORD not in command("journal", *words).stdout


def test_the_place_is_taken_from_the_flag_or_the_settings_of_the_folder(
    shared: Shared, command: Command
):
    data = shared.node.data
    last = ("journal", "show", "--last", "1", "--data", data)
    alone = command(*last)
    assert (alone.returncode, alone.stderr.count("\n")) == (ExitStatus.BAD_INPUT, 1)
    assert command(*last, "--journal", shared.url).returncode == ExitStatus.CLEAR
    assert command("journal", "verify", data, "--journal", shared.url).returncode == 0
    (data / "deconflict.toml").write_text(f'journal = "{shared.url}"\n')
    try:
        assert command(*last).returncode == ExitStatus.CLEAR
        assert command("journal", "verify", data).returncode == ExitStatus.CLEAR
    finally:
        (data / "deconflict.toml").unlink()


def test_what_changes_a_journal_is_refused_while_a_node_decides(shared: Shared, command: Command):
    data = shared.node.data
    before = sorted(path for path in data.rglob("*") if "snapshots" not in str(path))
    there = ("--data", data)
    for words in (
        ("prune", "--keep", "0", "--journal", shared.url, *there),
        ("restore", shared.url, "--replace", *there),
    ):
        done = command("journal", *words)
        assert (done.returncode, done.stderr.count("\n")) == (ExitStatus.BAD_INPUT, 1)
        assert f"the node at {shared.node.base_url} decides" in done.stderr
        assert PostgresServer.PASSWORD not in done.stderr
    assert sorted(path for path in data.rglob("*") if "snapshots" not in str(path)) == before


@pytest.mark.parametrize("engine", ["postgres", "jetstream"])
def test_when_the_last_node_was_killed_the_journal_is_pruned_and_joined(
    make_nodes, command: Command, request: pytest.FixtureRequest, engine: str
):
    url = new_journal(request, engine)
    several = make_nodes(url)
    (node,) = several.start(1)
    with node.client("Relief") as client:
        assert client.delete(f"{INTENTS}/{uuid.uuid4()}/none-such-ovn-0000").status_code == 404
    node.kill()
    done = command("journal", "prune", "--keep", "0", "--journal", url, "--data", node.data)
    assert done.returncode == ExitStatus.CLEAR, done.stderr
    node.start()
    node.kill()
    other = several.add()
    status, lines = other.refused_start()
    assert status == ExitStatus.TRY_AGAIN
    assert "start another node first" in " ".join(lines)
    other.start("--join")


@pytest.mark.parametrize(
    "words",
    [
        ("verify",),
        ("stats",),
        ("show", "--last", "1"),
        ("replay",),
        ("export", "--to", "-"),
        ("snapshot",),
        ("prune", "--keep", "0"),
    ],
    ids=lambda words: words[0],
)
def test_an_engine_that_is_not_there_is_named_and_may_be_tried_again(
    command: Command, tmp_path: Path, words: tuple[str, ...]
):
    add(tmp_path / "data", "one")
    done = command("journal", *words, "--data", tmp_path / "data", "--journal", NOWHERE)
    assert (done.returncode, done.stderr.count("\n")) == (ExitStatus.TRY_AGAIN, 1), done.stderr
    assert "127.0.0.1" in done.stderr
    assert "hush" not in done.stdout + done.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    add(folder, *(f"uss{number}" for number in range(300)))
    return folder


@pytest.fixture
def url(data: Path, postgres: PostgresServer, command: Command) -> str:
    """Return the URL of a database that holds the journal of a data folder, which lacks it."""
    place = new_database(postgres)
    assert command("journal", "copy", f"sqlite:{data}", place).returncode == ExitStatus.CLEAR
    for name in ("journal.db", "head"):
        (data / name).unlink()
    return place


@pytest.mark.parametrize("position", [7, 300], ids=["within", "last"])
def test_an_altered_row_is_found_and_named(data: Path, url: str, command: Command, position: int):
    statement = "UPDATE deconflict_entries SET record = record || ' ' WHERE position = %s"
    with psycopg.connect(url) as connection:
        connection.execute(statement, [position])
    done = command("journal", "verify", data, "--journal", url)
    assert done.returncode == ExitStatus.CONFLICT
    assert f"{position} " in done.stdout


@pytest.mark.parametrize("nth", [0, -1], ids=["first", "last"])
def test_a_group_that_does_not_follow_is_found_and_named(
    data: Path, url: str, command: Command, nth: int
):
    with psycopg.connect(url) as connection:
        groups = connection.execute("SELECT first FROM deconflict_groups ORDER BY first").fetchall()
        connection.execute(
            "UPDATE deconflict_groups SET id = decode(md5('other'), 'hex') WHERE first = %s",
            groups[nth],
        )
    done = command("journal", "verify", data, "--journal", url)
    assert done.returncode == ExitStatus.CONFLICT
    assert "does not follow the one before" in done.stdout


def test_what_is_left_of_an_engine_whose_last_entry_is_damaged_goes_on_as_a_new_log(
    data: Path, url: str, command: Command
):
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE deconflict_entries SET sealed = sealed || 'x'::bytea WHERE position = 300"
        )
    refused = command("journal", "restore", url, "--data", data)
    assert refused.returncode == ExitStatus.BAD_INPUT
    assert "--until 300" in refused.stderr
    done = command("journal", "restore", url, "--data", data, "--until", "300")
    assert done.returncode == ExitStatus.CLEAR, done.stderr
    assert "300 entries" in done.stdout
    assert command("journal", "verify", data).returncode == ExitStatus.CLEAR


def test_without_a_node_it_is_pruned_to_the_folder_of_whoever_did_it(
    data: Path, url: str, command: Command
):
    (data / "deconflict.toml").write_text(f'journal = "{url}"\n')
    done = command("journal", "prune", "--keep", "0", "--data", data)
    assert done.returncode == ExitStatus.CLEAR, done.stderr
    (archive,) = (data / "archive").glob("*.archive")
    assert archive.name.startswith("0" * 20)
    for words in (("verify", data), ("verify", archive)):
        assert command("journal", *words).returncode == ExitStatus.CLEAR
    shown = command("journal", "show", "3", "--data", data, "--json")
    assert json.loads(shown.stdout)["position"] == 3
    assert command("journal", "prune", "--keep", "0", "--data", data).returncode == 0


def test_what_is_left_of_an_engine_goes_on_as_a_new_log(
    data: Path, url: str, command: Command, postgres: PostgresServer
):
    with psycopg.connect(url) as connection:  # as a copy of yesterday has it
        connection.execute("DELETE FROM deconflict_entries WHERE position >= 256")
        connection.execute("DELETE FROM deconflict_groups WHERE first >= 256")
    lost = command("journal", "show", "0", "--data", data, "--journal", url)
    assert "missing" in lost.stderr
    done = command("journal", "restore", url, "--data", data, "--json")
    assert done.returncode == ExitStatus.CLEAR, done.stderr
    assert json.loads(done.stdout)["missing"] == 45
    fresh = new_database(postgres)
    assert command("journal", "copy", f"sqlite:{data}", fresh).returncode == ExitStatus.CLEAR
    assert command("journal", "verify", data, "--journal", fresh).returncode == ExitStatus.CLEAR
    shutil.move(data / "journal.db", data / "before.db")
    service = Service(data, "--journal", fresh)
    try:
        assert service.start().stop() == 0
    finally:
        service.close()


def test_a_whole_journal_in_an_engine_is_not_ended_unasked(data: Path, url: str, command: Command):
    done = command("journal", "restore", url, "--data", data)
    assert (done.returncode, done.stderr.count("\n")) == (ExitStatus.BAD_INPUT, 1)
    assert "whole" in done.stderr
