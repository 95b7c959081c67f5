"""`deconflict configure`."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from deconflict.cli.configure import configure
from deconflict.geo.errors import InputError
from deconflict.journal.log import Log
from deconflict.register.policy import DEFAULT_POLICY
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


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())


def test_without_a_change_it_shows_the_policy_also_beside_a_server(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = DataFolder.open(data)
    assert configure(data=data) == 0
    server.close()
    expected = msgspec.to_builtins(DEFAULT_POLICY)
    assert {name: msgspec.json.decode(text) for name, text in shown(capsys).items()} == expected


def test_a_change_is_journalled_and_shown(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert configure("kept_after_end_s=60", "plain_http=true", data=data) == 0
    text = shown(capsys)
    assert (text["kept_after_end_s"], text["plain_http"]) == ("60", "true")
    assert text["horizon_s"] == str(DEFAULT_POLICY.horizon_s)
    assert entries(data) == 2
    configure(data=data)
    assert shown(capsys) == text


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
    ],
)
def test_a_change_that_says_nothing_or_nonsense_is_refused_and_not_journalled(
    data: Path, change: tuple[str, ...]
) -> None:
    with pytest.raises(InputError):
        configure(*change, data=data)
    assert entries(data) == 1


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
