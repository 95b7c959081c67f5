"""`deconflict configure`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from deconflict.cli.configure import configure
from deconflict.geo.errors import InputError
from deconflict.journal.log import Log
from deconflict.register.command import ENTROPY_BYTES, Command, Configure
from deconflict.register.decision import Decision
from deconflict.register.event import Configured
from deconflict.register.policy import ABOUT_POLICY, DEFAULT_POLICY, Policy
from deconflict.register.state.view import View
from deconflict.server.data_folder import DataFolder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = DataFolder.open(tmp_path / "data")
    folder.begin(folder.guard())
    folder.close()
    return tmp_path / "data"


def entries(data: Path) -> int:
    folder = DataFolder.beside(data)
    log: Log = folder.log
    head = log.head()
    folder.close()
    return head


def shown(data: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert configure(data=data) == 0
    return tomllib.loads(capsys.readouterr().out)


def test_without_a_change_it_shows_the_policy_also_beside_a_server(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = DataFolder.open(data)
    found = shown(data, capsys)
    server.close()
    assert found == msgspec.to_builtins(DEFAULT_POLICY)


def test_a_change_is_journalled_and_told_with_units_and_from_when_it_counts(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert configure("kept_after_end_s=90", "plain_http=true", data=data) == 0
    *changes, since = capsys.readouterr().out.splitlines()
    assert changes == [
        "kept_after_end_s: 3,600 s (1 h) -> 90 s (1 min 30 s)",
        "plain_http: false -> true",
    ]
    assert "entry 1" in since
    assert "next start" in since
    assert entries(data) == 2
    found = shown(data, capsys)
    assert found == {
        **msgspec.to_builtins(DEFAULT_POLICY),
        "kept_after_end_s": 90,
        "plain_http": True,
    }


@pytest.mark.parametrize(
    "change",
    [
        ("kept_after_end=60",),
        ("kept_after_end_s",),
        ("kept_after_end_s=soon",),
        ("kept_after_end_s=1", "kept_after_end_s=2"),
        ("kept_after_end_s=3600",),
        ("kept_after_end_s=-1",),
        ("largest_area_km2=nan",),
        ("largest_area_km2=1e999",),
        ("horizon_s=10",),
        ("most_volumes=20", "most_vertices=5"),
        ("most_volumes=1001",),
    ],
)
def test_a_change_that_says_nothing_or_nonsense_is_refused_and_not_journalled(
    data: Path, change: tuple[str, ...]
) -> None:
    with pytest.raises(InputError):
        configure(*change, data=data)
    assert entries(data) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("plain_http=maybe", "plain_http can't be 'maybe'; write true or false"),
        (
            "most_volumes=2.5",
            "most_volumes can't be '2.5'; write a whole number, 10 to 1,000",
        ),
        ("horizon_s=10", "horizon_s can't be 10; give 3,600 to 31,622,400 s"),
    ],
)
def test_a_value_that_is_none_is_refused_with_those_that_are(
    data: Path, change: str, sentence: str
) -> None:
    with pytest.raises(InputError) as refusal:
        configure(change, data=data)
    assert str(refusal.value) == sentence


def test_a_limit_of_a_time_with_other_bounds_stays_when_another_is_changed(data: Path) -> None:
    old = Policy(most_volumes=5_000, horizon_s=60)
    folder = DataFolder.open(data)

    def of_the_past(_view: View, _command: Command) -> Decision:
        return Decision(events=(Configured(old),))

    command = Configure(party="", entropy=bytes(ENTROPY_BYTES), policy=old)
    folder.commit(command, folder.guard(), of_the_past)
    folder.close()
    assert configure("kept_after_end_s=60", data=data) == 0
    folder = DataFolder.beside(data)
    found = folder.register.policy
    folder.close()
    assert found == Policy(most_volumes=5_000, horizon_s=60, kept_after_end_s=60)


def test_every_limit_is_described_and_its_default_can_be_set() -> None:
    assert list(ABOUT_POLICY) == list(Policy.__struct_fields__)
    for name, about in ABOUT_POLICY.items():
        default = getattr(DEFAULT_POLICY, name)
        assert isinstance(default, bool) or about.least <= default <= about.most


def test_it_changes_nothing_while_a_server_has_the_journal(data: Path) -> None:
    server = DataFolder.open(data)
    with pytest.raises(InputError):
        configure("kept_after_end_s=60", data=data)
    server.close()
    assert entries(data) == 1


def test_it_makes_no_journal(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        configure("kept_after_end_s=60", data=tmp_path / "data")
    with pytest.raises(InputError):
        configure(data=tmp_path / "data")
    assert not (tmp_path / "data").exists()
