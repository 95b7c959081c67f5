"""The tutorial of the service is true: its commands are typed into a shell, and answer as shown."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving import DECONFLICT, Service

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tutorial/first-service.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
STOP = "Press Ctrl-C"
SEPARATOR = "=== the next block ==="
ELLIPSIS = "..."
PATIENCE_S = 120.0

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None,
    reason="the tutorial is typed with curl and bash",
)


@dataclass
class Step:
    """Commands of the page, and what it says that they print."""

    commands: str
    printed: str = ""


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    for language, block in BLOCK.findall(text):
        if language == "sh":
            found.append(Step(block))
        elif language == "text":
            found[-1].printed = block
    return found


def typed(these: list[Step], folder: Path, environment: dict[str, str]) -> list[str]:
    """Type the commands of steps into one shell, and return what each step printed."""
    script = f"echo '{SEPARATOR}'\n".join(step.commands for step in these)
    done = subprocess.run(
        ["bash", "-e", "-u", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.split(f"{SEPARATOR}\n")


def is_as_shown(printed: str, shown: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.strip().split(ELLIPSIS))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def shown_otherwise(these: list[Step], printed: list[str]) -> list[tuple[str, str]]:
    return [
        (step.printed, text)
        for step, text in zip(these, printed, strict=True)
        if step.printed and not is_as_shown(text, f"{step.printed.rstrip()}{ELLIPSIS}")
    ]


def test_every_command_of_the_first_service_answers_as_the_page_says(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "deconflict serve --data dss\n" in page
    service = Service(tmp_path / "dss").start()
    try:
        port = service.base_url.rpartition(":")[2]
        before, after = page.replace("localhost:8321", f"localhost:{port}").split(STOP)
        environment = {
            "PATH": f"{DECONFLICT.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "NO_PROXY": "localhost",
        }
        running = steps(before)
        assert shown_otherwise(running, typed(running, tmp_path, environment)) == []
        assert service.stop() == 0
        environment["DECONFLICT_DATA"] = str(tmp_path / "dss")
        stopped = steps(after)
        assert shown_otherwise(stopped, typed(stopped, tmp_path, environment)) == []
    finally:
        service.close()


def test_what_is_shown_is_compared_and_not_only_run() -> None:
    assert is_as_shown('201\n{"ovn": "x"}', '201\n{"ovn": "..."}')
    assert not is_as_shown('409\n{"ovn": "x"}', '201\n{"ovn": "..."}')
