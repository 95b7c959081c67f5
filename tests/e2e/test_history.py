"""The ten accidents: what fires is asserted, what does not exist yet is listed."""

import tomllib
from pathlib import Path

import pytest

from deconflict.files import read_file
from deconflict.geo.mistake import compare
from deconflict.register.check import Verdict, check

HISTORY = Path(__file__).parents[2] / "examples" / "history"
CASES = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted(HISTORY.glob("*/case.toml"))
}
RUNS = [
    pytest.param(name, run, id=f"{name}: {run['says']}")
    for name, case in CASES.items()
    for run in case["run"]
]
COMPARISONS = [
    pytest.param(item, id=f"{name}: {item['says']}")
    for name, case in CASES.items()
    for item in case.get("compare", ())
]


def read(name, files):
    entities = []
    for file in files:
        result = read_file(str(HISTORY / name / file))
        assert result.problems == ()
        entities += result.entities
    return entities


def fired(report):
    """Return each finding as (check, a, b)."""
    found = {
        (str(check_name), conflict.a.id, conflict.b.id)
        for conflict in report.conflicts
        for check_name in (conflict.check, *conflict.also)
    }
    return found | {
        (str(doubt.check), doubt.a.id, doubt.b.id if doubt.b else "") for doubt in report.doubts
    }


def test_all_ten_accidents_are_there():
    assert len(CASES) == 10


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_the_accident_is_caught_by_the_check_that_its_case_names(name, run):
    report = check(read(name, run["plans"]), read(name, run["against"]), now=run["at"])
    assert report.verdict == run["verdict"]
    expected = {(item["check"], item["a"], item["b"]) for item in run["fires"]}
    assert expected <= fired(report)
    assert (report.verdict is Verdict.CLEAR) == (fired(report) == set())


@pytest.mark.parametrize("item", COMPARISONS)
def test_the_mistake_behind_the_accident_is_named(item):
    outcome = compare(*item["texts"])
    assert not outcome.agrees
    assert item["likely"] in outcome.likely[0].sentence


@pytest.mark.parametrize("name", CASES)
def test_every_case_has_a_run_that_is_not_clear(name):
    assert any(run["verdict"] != "clear" and run["fires"] for run in CASES[name]["run"])


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_yet_covered_says_which_part_is_missing(name):
    for item in CASES[name].get("not_yet", ()):
        assert item["part"]
        part, needs = item["needs"].split(":")
        assert part
        assert needs.strip().startswith("needs ")


@pytest.mark.parametrize("name", CASES)
def test_the_readme_says_that_positions_are_approximate_and_shows_the_command(name):
    text = (HISTORY / name / "README.md").read_text(encoding="utf-8")
    assert "approximate" in text or "invented" in text
    first = CASES[name]["run"][0]
    assert f"deconflict check {' '.join(first['plans'])}" in text


def test_the_index_links_every_case():
    text = (HISTORY / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}/README.md)" in text for name in CASES)
