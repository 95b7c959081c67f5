"""The page on verifying alone, followed to the letter."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus
from deconflict.identity.caller import Caller
from deconflict.journal.engine import Outcome
from deconflict.register.command import ENTROPY_BYTES, SetAvailability
from deconflict.register.decide import decide
from deconflict.register.state.held import Readiness
from deconflict.server.data_folder import DataFolder
from deconflict.server.group import Group
from deconflict.standards.service import Call, Reply, Submission, Told

PAGE = Path(__file__).parents[2] / "docs/how-to/verify-the-record.md"
BASH = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOOLS = ("bash", "jq", "xxd", "sha256sum", "openssl")


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an export of a party that said something and was told something."""
    data = tmp_path / "data"
    folder = DataFolder.open(data)
    guard = folder.guard()
    folder.begin(guard)
    caller = Caller("Relief", frozenset(), "issuer", 0)
    for number in range(5):
        group = Group(folder.register, guard.entry_time_us(folder.register.time_us), decide)
        command = SetAvailability(
            party="Relief",
            entropy=bytes([number]) * ENTROPY_BYTES,
            of=f"uss {number}",
            old_version="",
            readiness=Readiness.NORMAL,
        )
        told = (Told("Relief", Reply(200, b'{"version":"\xc3\xa4"}')),)
        call = Call(caller, "PUT /dss/v1/uss_availability/x", body=b'{"availability":"Normal"}')
        group.add(Submission(command, call, f"uss {number}", lambda *_, told=told: told))
        assert folder.log.append(folder.register.head, group.entries()) is Outcome.ACCEPTED
        for made in group.made:
            folder.register.apply(folder.register.head, group.time_us, made.decided)
    folder.log.advance()
    folder.close()
    target = tmp_path / "relief.ndjson"
    monkeypatch.setenv("DECONFLICT_DATA", str(data))
    words = ["journal", "export", "--party", "Relief", "--to", str(target)]
    assert run(words) == ExitStatus.CLEAR
    return target


def followed(folder: Path) -> subprocess.CompletedProcess[str]:
    script = "".join(BASH.findall(PAGE.read_text(encoding="utf-8")))
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60
    )


needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="the page needs jq, xxd and openssl"
)


@needs_tools
def test_the_page_proves_an_entry_with_standard_tools(export: Path) -> None:
    done = followed(export.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("a part is right") == 2
    assert done.stdout.count("Signature Verified Successfully") == 2
    assert "the entry stands in the tree" in done.stdout
    assert done.stdout.endswith("entries is signed\n")


@needs_tools
@pytest.mark.parametrize(
    ("what", "by"),
    [("Normal", "Down"), ('\\"time_us\\":1', '\\"time_us\\":2'), ('"proof":["', '"proof":["00')],
)
def test_the_page_finds_what_was_changed(export: Path, what: str, by: str) -> None:
    lines = export.read_text().splitlines(keepends=True)
    changed = lines[1].replace(what, by, 1)
    assert changed != lines[1]
    export.write_text("".join([lines[0], changed, *lines[2:]]))
    assert followed(export.parent).returncode != 0
