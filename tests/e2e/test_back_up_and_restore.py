"""The page on running the service is followed to the letter: a backup, its restore, its start."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from deconflict.cli.app import app
from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus
from deconflict.journal.engine import EngineError
from deconflict.journal.errors import LogError
from deconflict.server.data_folder import DataFolder
from deconflict.server.restoring import restore
from journalling import add, held
from serving import DECONFLICT

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/run-the-service.md"
UNIT = ROOT / "deploy/deconflict.service"
BASH = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
DATA = "/var/lib/deconflict"
PATIENCE_S = 120.0
AROUND = """
set -eu
systemctl() { :; }
chown() { :; }
sudo() { shift 2; "$@"; }
"""
"""What only root and systemd do is left out."""

needs_sqlite = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("sqlite3") is None,
    reason="the page is typed into bash, and has SQLite's own program copy the journal",
)


def typed(block: str, root: Path) -> subprocess.CompletedProcess[str]:
    for place in (DATA, "/backup", "/safe"):
        block = block.replace(f" {place}", f" {root}{place}")
    block = block.replace("/opt/deconflict/bin/deconflict", str(DECONFLICT))
    return subprocess.run(
        ["bash", "-c", AROUND + block],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@needs_sqlite
def test_the_page_backs_up_and_restores_and_what_was_live_goes_on(tmp_path: Path) -> None:
    back_up, back = BASH.findall(PAGE.read_text(encoding="utf-8"))
    assert "sqlite3" in back_up
    assert "journal restore" in back
    data = tmp_path / DATA.lstrip("/")
    data.parent.mkdir(parents=True)
    add(data, "early", "late")
    (data / "parties.json").write_text('{"version":1,"parties":[]}')
    (data / "parties.json").chmod(0o600)
    (data / "deconflict.toml").write_text("port = 9871\n")
    for _ in range(2):  # a backup is made again over the one before
        done = typed(back_up, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    add(data, "lost")
    newest = (data / "log/checkpoint").read_bytes()
    (tmp_path / "backup/deconflict/log/checkpoint").write_bytes(newest)
    restored = typed(back, tmp_path)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "1 entry that the old log had signed" in restored.stdout
    assert "tell the parties" in restored.stdout
    assert held(data) == {"early", "late"}
    for name in ("parties.json", "deconflict.toml"):
        assert (data / name).exists()
    (before,) = data.parent.glob("deconflict.before-*")
    assert (data / "keys/signing-key").read_bytes() != (before / "keys/signing-key").read_bytes()


@needs_sqlite
def test_a_backup_that_is_put_back_alone_is_refused_with_the_command_that_restores_it(
    tmp_path: Path,
) -> None:
    back_up, _ = BASH.findall(PAGE.read_text(encoding="utf-8"))
    data = tmp_path / DATA.lstrip("/")
    data.parent.mkdir(parents=True)
    add(data, "early")
    for name in ("parties.json", "deconflict.toml"):
        (data / name).touch(0o600)
    assert typed(back_up, tmp_path).returncode == 0
    copy = tmp_path / "backup/deconflict"
    shutil.copytree(tmp_path / "safe/deconflict-keys", copy / "keys")
    for refused in (DataFolder.open, DataFolder.beside):
        with pytest.raises(EngineError, match="looks like a copy") as refusal:
            refused(copy)
    command = str(refusal.value).partition(": deconflict ")[2]
    assert run(shlex.split(command)) == ExitStatus.CLEAR
    assert held(copy) == {"early"}


def test_a_log_that_is_whole_is_not_ended_by_a_backup_unless_that_is_said(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    add(data, "early")
    shutil.copytree(data, backup)
    add(data, "late", "later")
    with pytest.raises(
        LogError, match=r"is whole.*its last 2 entries, written since 20.*--replace"
    ):
        restore(backup, data)
    with pytest.raises(LogError, match="holds nothing that would not be restored"):
        restore(data, data)
    assert held(data) == {"early", "late", "later"}
    other = tmp_path / "other"
    add(other, "another")
    with pytest.raises(LogError, match=r"another one than the backup's: its 2 entries"):
        restore(backup, other)
    assert held(other) == {"another"}
    assert run(["journal", "restore", str(backup), "--data", str(data)]) == ExitStatus.BAD_INPUT
    words = ["journal", "restore", str(backup), "--data", str(data), "--replace"]
    assert run(words) == ExitStatus.CLEAR
    assert held(data) == {"early"}


def test_a_log_that_can_not_go_on_is_replaced_without_a_word(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    add(data, "early")
    shutil.copytree(data, backup)
    add(data, "late")
    (data / "log/checkpoint").unlink()
    assert restore(backup, data).entries == 2
    assert held(data) == {"early"}


def test_the_container_is_started_with_options_that_there_are() -> None:
    (line,) = re.findall(r"^podman run .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    given = shlex.split(line)
    image = len(given) - 1 - given[::-1].index("deconflict")
    app.parse_args(["serve", *given[image + 1 :]], exit_on_error=False, print_error=False)
    contained = (ROOT / "deploy/Containerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["deconflict", "serve"]' in contained
    assert "VOLUME /var/lib/deconflict" in contained


def test_the_unit_refers_to_a_document_that_its_installation_puts_there() -> None:
    unit = UNIT.read_text(encoding="utf-8")
    (document,) = re.findall(r"^Documentation=file:(\S+)$", unit, re.MULTILINE)
    (source,) = re.findall(
        rf"^install -D -m 0644 (\S+) {re.escape(document)}$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert (ROOT / source).samefile(PAGE)
