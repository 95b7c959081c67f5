"""What a supervisor goes by: exit statuses, the unit of systemd, settings as variables."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deconflict.cli.status import ExitStatus
from postgres_server import PostgresServer
from serving import DECONFLICT, Service, own_environment

UNIT = Path(__file__).parents[2] / "deploy/deconflict.service"


def unit() -> dict[str, str]:
    """Return what the unit sets, by name."""
    return dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_unit_starts_again_whatever_may_go_better_the_next_time() -> None:
    found = unit()
    assert found["Restart"] == "on-failure"
    assert found["StartLimitIntervalSec"] == "0"  # an engine may be away for a night
    never = {ExitStatus(int(each)) for each in found["RestartPreventExitStatus"].split()}
    assert never == {ExitStatus.BAD_INPUT, ExitStatus.START_REFUSED}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8").replace("/opt/deconflict/bin/deconflict", "/bin/true")
    copy = tmp_path / UNIT.name
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_journal_named_by_a_variable_is_used_and_its_password_shown_nowhere(
    make_service, postgres: PostgresServer
) -> None:
    postgres.database("supervised")
    address, password = postgres.url("supervised"), postgres.PASSWORD
    assert password in address
    service: Service = make_service().start(DECONFLICT_JOURNAL=address)
    assert not (service.data / "journal.db").exists()
    shown = subprocess.run(
        [DECONFLICT, "settings", "--data", service.data],
        capture_output=True,
        text=True,
        check=True,
        env={**own_environment(), "DECONFLICT_JOURNAL": address, "COLUMNS": "200"},
    )
    assert "supervised" in shown.stdout
    assert password not in shown.stdout
    process = Path(f"/proc/{service.process.pid}/cmdline")
    assert not process.exists() or password.encode() not in process.read_bytes()
    assert service.stop() == ExitStatus.CLEAR
    assert password not in "\n".join(service.lines())
