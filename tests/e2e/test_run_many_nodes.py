"""The page on several nodes is typed into a shell, block after block."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from postgres_server import PostgresServer, free_port
from serving import DECONFLICT, own_environment

PAGE = Path(__file__).parents[2] / "docs/how-to/run-many-nodes.md"
BASH = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
PATIENCE_S = 240.0
AROUND = """
set -eu
set -m
trap 'kill -9 $(jobs -p) 2>/dev/null || :' EXIT
"""
"""The shell ends what the page starts."""


@pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("curl") is None,
    reason="the page is typed into bash, and asks with curl",
)
def test_three_nodes_of_the_page_answer_alike_and_outlive_the_first(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    postgres.database("many_nodes")
    text = "".join(BASH.findall(PAGE.read_text(encoding="utf-8")))
    (address,) = re.findall(r"DECONFLICT_JOURNAL=(\S+)", text)
    text = text.replace(address, postgres.url("many_nodes"))
    text = text.replace("/srv/", f"{tmp_path}/").replace("deconflict ", f"{DECONFLICT} ")
    for port in ("8321", "8322", "8323"):
        text = text.replace(port, str(free_port()))
    done = subprocess.run(
        ["bash", "-c", AROUND + text],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env={**own_environment(), "no_proxy": "*"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = re.findall(r'"notification_index":\d+', done.stdout)
    assert len(answers) >= 5  # one write, three reads, and a write after the first was killed
    assert done.stdout.count('"ready":true') == 3
