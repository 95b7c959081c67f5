"""The documents are true: each command, text, link and program in them is tried."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import httpx
import pytest

import deconflict
from deconflict.cli.app import app
from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus
from deconflict.geo.errors import InputError
from deconflict.geo.reader import read_position

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    spans = re.findall(r"`(deconflict [^`]+)`", BLOCK.sub("", text))
    found = [line.strip().removeprefix("$ ").removesuffix(" &") for line in (*lines, *spans)]
    return [line for line in found if re.match(r"deconflict [a-z]", line)]


def is_name(tokens: list[str]) -> bool:
    """Whether these are the words of a command alone, as in running text."""
    group = app
    for token in tokens:
        if token not in group:
            return False
        group = group[token]
    return True


def all_commands() -> list[tuple[str, str]]:
    return sorted({(page_id(page), line) for page in PAGES for line in commands(page)})


@pytest.mark.parametrize(("page", "line"), all_commands())
def test_every_command_in_a_document_is_one_that_exists(page: str, line: str) -> None:
    assert page
    tokens = shlex.split(line)[1:]
    if is_name(tokens):
        return
    assert len(tokens) > 1
    app.parse_args(tokens, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_python_program_in_a_document_runs(page: Path) -> None:
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(block, page.name, "exec"), {"__name__": "documented"})  # noqa: S102


def texts(section: str) -> list[tuple[str, str]]:
    page = (ROOT / "docs/reference/coordinates.md").read_text(encoding="utf-8")
    part = page.split(f"## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \| (.+?) \|$", part, re.MULTILINE)


@pytest.mark.parametrize(("text", "notation"), texts("Read"))
def test_every_text_that_is_said_to_be_read_is_read(text: str, notation: str) -> None:
    position = read_position(text)
    assert position.notation.value == notation
    if notation != "UPS":
        assert position.lat_deg == pytest.approx(36.37, abs=0.003)
        assert position.lon_deg == pytest.approx(37.515, abs=0.003)


@pytest.mark.parametrize(("text", "why"), texts("Refused"))
def test_every_text_that_is_said_to_be_refused_is_refused(text: str, why: str) -> None:
    assert why
    with pytest.raises(InputError) as refusal:
        read_position(text)
    assert refusal.value.remedy


def test_the_page_of_the_command_line_is_what_the_program_says() -> None:
    generate = runpy.run_path(str(ROOT / "docs/generate.py"))
    page = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
    assert generate["command_line"]() == page, "run `make docs`"


def test_the_page_of_the_library_lists_every_public_name() -> None:
    generate = runpy.run_path(str(ROOT / "docs/generate.py"))
    page = (ROOT / "docs/reference/library.md").read_text(encoding="utf-8")
    assert generate["library"]() == page, "run `make docs`"
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted([*listed, "__version__"]) == sorted(deconflict.__all__)


def test_the_page_of_the_settings_is_what_the_program_says() -> None:
    generate = runpy.run_path(str(ROOT / "docs/generate.py"))
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert generate["settings"]() == page, "run `make docs`"


def test_the_page_of_the_metrics_names_each_and_no_other(shared_service) -> None:
    answered = httpx.get(f"{shared_service.base_url}/metrics", trust_env=False).text
    served = set(re.findall(r"^# HELP (\S+)", answered, re.MULTILINE))
    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    # The library adds the time of creation to each of its own counters.
    assert named == {name for name in served if not name.endswith("_created")}
    for kind in set(re.findall(r'kind="(\w+)"', answered)):
        assert f"`{kind}`" in page


def test_the_tutorial_leads_where_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/tutorial/first-check.md").read_text(encoding="utf-8")
    positions, plans, timed = (
        block for language, block in BLOCK.findall(page) if language == "csv"
    )
    monkeypatch.chdir(tmp_path)
    Path("plans.csv").write_text(plans, encoding="utf-8")
    Path("positions.csv").write_text(positions, encoding="utf-8")
    check = "check plans.csv --against positions.csv"
    assert check in page
    assert run(check.split()) == ExitStatus.CONFLICT
    Path("positions.csv").write_text(timed, encoding="utf-8")
    assert run(check.split()) == ExitStatus.CLEAR
    capsys.readouterr()
