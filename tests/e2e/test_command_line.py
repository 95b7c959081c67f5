"""The command line as a user meets it: statuses, output, terminals, pipes and signals."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus

DECONFLICT = Path(sys.executable).with_name("deconflict")
HEAD = "id,kind,party,position,radius_m,danger_radius_m,start,end,obtained,obtained_at,reach_m\n"
SITE = "hospital,site,Aid,36.37000 N 37.51500 E WGS 84,20,,,,,,\n"
NEAR = "strike,operation,A,36.37100 N 37.51500 E WGS 84,,500,,,,,\n"
FAR = "strike,operation,A,36.50000 N 37.51500 E WGS 84,,500,,,,,\n"
STALE = "convoy,movement,Aid,36.37000 N 37.51500 E WGS 84,,,,,gps,2020-01-01T00:00:00Z,20000\n"
BAD = "broken,site,Aid,36.37 37.515,,,,,,,\n"


@pytest.fixture
def table(tmp_path: Path):
    def write(name: str, *rows: str) -> str:
        path = tmp_path / name
        path.write_text(HEAD + "".join(rows), encoding="utf-8")
        return str(path)

    return write


def answered(capsysbinary, arguments: list[str]) -> tuple[int, dict[str, object]]:
    status = run([*arguments, "--format", "json"])
    return status, json.loads(capsysbinary.readouterr().out)


def test_plans_that_do_not_meet_are_clear(table, capsysbinary) -> None:
    status, answer = answered(capsysbinary, ["check", table("plans.csv", SITE, FAR)])
    assert (status, answer["verdict"]) == (ExitStatus.CLEAR, "clear")


def test_a_conflict_names_both_and_says_how_far_and_what_was_assumed(table, capsysbinary) -> None:
    status, answer = answered(capsysbinary, ["check", table("plans.csv", SITE, NEAR)])
    assert (status, answer["verdict"]) == (ExitStatus.CONFLICT, "conflict")
    (conflict,) = answer["conflicts"]
    assert {conflict[side]["id"] for side in "ab"} == {"strike", "hospital"}
    for side in "ab":
        assert set(conflict[side]) >= {"id", "kind", "party", "name"}
    assert set(conflict) >= {"overlap", "from", "to", "assumed", "clears"}
    # 111 m apart; 500 m of danger, 20 m of site, under 2 m of typed decimals
    assert 405 < conflict["overlap"]["plan_m"] < 415
    assert conflict["from"] is None


def test_a_plan_with_bounded_time_says_from_when_to_when(table, capsysbinary) -> None:
    timed = NEAR.replace(",,500,,,", ",,500,2026-12-01T08:00:00+02:00,2026-12-01T09:30:00+02:00,")
    _, answer = answered(capsysbinary, ["check", table("plans.csv", SITE, timed)])
    (conflict,) = answer["conflicts"]
    assert conflict["from"] == "2026-12-01T06:00:00Z"
    assert conflict["to"] == "2026-12-01T07:30:00Z"
    assert conflict["overlap"]["time_s"] == 5400


def test_two_runs_give_the_same_bytes(table, capsysbinary) -> None:
    plans = table("plans.csv", SITE, NEAR, STALE)
    outputs = []
    for _ in range(2):
        run(["check", plans, "--format", "json", "--at", "2026-11-22T00:00:00Z"])
        outputs.append(capsysbinary.readouterr().out)
    assert outputs[0] == outputs[1]


def test_a_stale_position_within_its_reach_of_a_plan_is_unknown(table, capsysbinary) -> None:
    arguments = ["check", table("plans.csv", FAR), "--against", table("convoy.csv", STALE)]
    status, answer = answered(capsysbinary, [*arguments, "--at", "2026-11-22T00:00:00Z"])
    assert (status, answer["verdict"]) == (ExitStatus.UNKNOWN, "unknown")
    assert (
        answer["unknown"][0]["b"]["id"] == "convoy" or answer["unknown"][0]["a"]["id"] == "convoy"
    )


def test_the_same_position_was_not_stale_on_its_day(table, capsysbinary) -> None:
    arguments = ["check", table("plans.csv", FAR), "--against", table("convoy.csv", STALE)]
    status, _ = answered(capsysbinary, [*arguments, "--at", "2020-01-01T06:00:00Z"])
    assert status == ExitStatus.CLEAR


def test_a_conflict_outweighs_a_doubt(table, capsysbinary) -> None:
    arguments = ["check", table("plans.csv", NEAR, SITE), "--against", table("c.csv", STALE)]
    status, answer = answered(capsysbinary, [*arguments, "--at", "2026-11-22T00:00:00Z"])
    assert (status, answer["verdict"]) == (ExitStatus.CONFLICT, "conflict")


def test_one_bad_row_stops_the_check_and_hides_no_other(table, capsysbinary) -> None:
    worse = "worse,site,Aid,96 N 37 E WGS 84,,,,,,,\n"
    status, answer = answered(capsysbinary, ["check", table("plans.csv", BAD, SITE, worse)])
    assert status == ExitStatus.BAD_INPUT
    assert answer["verdict"] is None
    assert [problem["place"] for problem in answer["problems"]] == ["row 2", "row 4"]
    assert all(problem["remedy"] for problem in answer["problems"])


def test_with_bad_rows_skipped_it_is_never_clear_and_they_are_named(table, capsysbinary) -> None:
    status, answer = answered(
        capsysbinary, ["check", table("plans.csv", BAD, SITE, FAR), "--skip-bad"]
    )
    assert (status, answer["verdict"]) == (ExitStatus.UNKNOWN, "unknown")
    assert answer["problems"][0]["place"] == "row 2"


def test_registered_positions_are_not_checked_among_themselves(table, capsysbinary) -> None:
    other = NEAR.replace("strike", "other")
    arguments = ["check", table("plans.csv", FAR), "--against", table("known.csv", SITE, other)]
    assert answered(capsysbinary, arguments)[0] == ExitStatus.CLEAR


def test_an_identifier_that_comes_twice_is_bad_input(table, capsysbinary) -> None:
    status, answer = answered(
        capsysbinary, ["check", table("a.csv", SITE), "--against", table("b.csv", SITE)]
    )
    assert status == ExitStatus.BAD_INPUT
    assert answer["problems"][0]["field"] == "id"


def test_kind_and_party_fill_what_a_foreign_file_lacks(tmp_path, table, capsysbinary) -> None:
    foreign = tmp_path / "foreign.geojson"
    foreign.write_text(
        json.dumps(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [37.51501, 36.37001]},
                "properties": {"amenity": "hospital"},
            }
        )
    )
    plans = table("plans.csv", NEAR)
    arguments = ["check", plans, "--against", str(foreign)]
    assert answered(capsysbinary, arguments)[0] == ExitStatus.BAD_INPUT
    status, answer = answered(capsysbinary, [*arguments, "--kind", "site", "--party", "OSM"])
    assert status == ExitStatus.CONFLICT
    assert "OSM" in {answer["conflicts"][0][side]["party"] for side in "ab"}


def test_geojson_output_is_a_map_of_what_conflicts(table, capsysbinary) -> None:
    assert run(["check", table("plans.csv", SITE, NEAR), "--format", "geojson"]) == 1
    drawn = json.loads(capsysbinary.readouterr().out)
    assert drawn["type"] == "FeatureCollection"
    assert drawn["verdict"] == "conflict"
    assert {f["properties"].get("id") for f in drawn["features"]} == {"strike", "hospital", None}


def test_the_map_names_what_was_skipped(table, capsysbinary) -> None:
    plans = table("plans.csv", SITE, BAD)
    status = run(["check", plans, "--format", "geojson", "--skip-bad"])
    drawn = json.loads(capsysbinary.readouterr().out)
    assert (status, drawn["verdict"]) == (ExitStatus.UNKNOWN, "unknown")
    assert [problem["field"] for problem in drawn["problems"]] == ["position"]


def test_a_table_of_rules_replaces_the_default(tmp_path, table, capsysbinary) -> None:
    from deconflict.register import rules

    default = (Path(rules.__file__).parent / "rules.toml").read_text(encoding="utf-8")
    wider = tmp_path / "rules.toml"
    wider.write_text(default.replace("plan_m = 0", "plan_m = 20000", 1), encoding="utf-8")
    plans = table("plans.csv", SITE, FAR)
    assert answered(capsysbinary, ["check", plans])[0] == ExitStatus.CLEAR
    assert answered(capsysbinary, ["check", plans, "--rules", str(wider)])[0] == ExitStatus.CONFLICT


def test_convert_reads_back_in_every_notation(capsysbinary) -> None:
    status, answer = answered(capsysbinary, ["convert", "37S", "CA", "66801", "26131"])
    assert status == ExitStatus.CLEAR
    assert answer["lat"] == pytest.approx(36.3711, abs=2e-4)
    assert answer["lon"] == pytest.approx(37.5152, abs=2e-4)
    assert 0 < answer["uncertainty_m"] < 1
    assert any("WGS 84" in sentence for sentence in answer["assumed"])
    assert len(answer["notations"]) >= 7


def test_compare_agrees_or_names_the_mistake(capsysbinary) -> None:
    one = "36.37000 N 37.51500 E WGS 84"
    assert run(["compare", one, "36°22′12.0″N 37°30′54.0″E WGS 84"]) == ExitStatus.CLEAR
    capsysbinary.readouterr()
    status, answer = answered(capsysbinary, ["compare", one, "37.51500 N 36.37000 E WGS 84"])
    assert status == ExitStatus.CONFLICT
    assert answer["likely"][0]["name"] == "latitude and longitude swapped"


def test_a_text_that_begins_with_a_sign_is_no_option(capsys) -> None:
    assert run(["convert", "-36.37", "37.515"]) == ExitStatus.BAD_INPUT
    assert "option" not in capsys.readouterr().err


def test_a_refusal_is_one_line_that_says_what_to_write(capsys) -> None:
    assert run(["convert", "36.37 37.515"]) == ExitStatus.BAD_INPUT
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "; " in complaint


def test_a_file_that_is_not_there_is_bad_input(capsys, tmp_path) -> None:
    assert run(["check", str(tmp_path / "none.csv")]) == ExitStatus.BAD_INPUT
    assert "none.csv" in capsys.readouterr().err


def test_a_template_is_not_overwritten_unasked(tmp_path, capsys) -> None:
    path = str(tmp_path / "plans.xlsx")
    assert run(["template", path]) == ExitStatus.CLEAR
    assert run(["template", path]) == ExitStatus.BAD_INPUT
    assert run(["template", path, "--force"]) == ExitStatus.CLEAR
    capsys.readouterr()


@pytest.mark.parametrize("ending", ["geojson", "kml", "csv", "xlsx"])
def test_an_exported_file_is_checked_alike(ending, tmp_path, table, capsysbinary) -> None:
    written = str(tmp_path / f"written.{ending}")
    assert run(["export", table("plans.csv", SITE, NEAR), "--to", written]) == ExitStatus.CLEAR
    capsysbinary.readouterr()
    status, answer = answered(capsysbinary, ["check", written])
    assert status == ExitStatus.CONFLICT
    assert 405 < answer["conflicts"][0]["overlap"]["plan_m"] < 415


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_completion_script(shell, capsys) -> None:
    assert run(["completion", shell]) == ExitStatus.CLEAR
    assert "deconflict" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["check", "convert", "compare", "export", "template", "demo", "completion"]
)
def test_each_help_has_an_example(command, capsys) -> None:
    assert run([command, "--help"]) == ExitStatus.CLEAR
    assert f"Example: deconflict {command}" in capsys.readouterr().out


@pytest.mark.parametrize("group", ["journal", "party"])
def test_the_help_of_a_group_starts_with_its_own_commands(group, capsys) -> None:
    assert run([group, "--help"]) == ExitStatus.CLEAR
    start = capsys.readouterr().out.partition("Start with: ")[2]
    assert re.findall(r"deconflict (\w+)", start) == [group, group]


@pytest.mark.parametrize("command", [["party", "add"], ["token"]])
def test_no_help_shows_a_default_as_the_program_writes_it(command, capsys) -> None:
    assert run([*command, "--help"]) == ExitStatus.CLEAR
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert re.search(r"\[default: (utm\.strategic_coordination|localhost)\]", text)
    assert "('" not in text


def test_standard_input_is_read(table) -> None:
    content = Path(table("plans.csv", SITE, NEAR)).read_bytes()
    done = subprocess.run([DECONFLICT, "check", "-"], input=content, capture_output=True)
    assert done.returncode == ExitStatus.CONFLICT
    assert b"standard input, row 3" in done.stdout


def test_colour_is_for_terminals_only(table) -> None:
    command = [str(DECONFLICT), "check", table("plans.csv", SITE, NEAR)]
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment["TERM"] = "xterm-256color"
    piped = subprocess.run(command, capture_output=True, env=environment)
    assert b"\x1b[" not in piped.stdout
    leader, follower = pty.openpty()
    process = subprocess.Popen(command, stdout=follower, env=environment)
    os.close(follower)
    seen = b""
    try:
        while chunk := os.read(leader, 4096):
            seen += chunk
    except OSError:  # Linux ends a terminal whose other side is closed with EIO
        assert seen
    os.close(leader)
    assert process.wait() == ExitStatus.CONFLICT
    assert b"\x1b[" in seen


def test_ctrl_c_ends_with_one_line_and_status_130() -> None:
    process = subprocess.Popen(
        # A run in the background of a script hands down SIGINT ignored.
        ["env", "--default-signal=INT", DECONFLICT, "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    # More than a pipe holds: once it is written, the command is reading.
    process.stdin.write(b" " * 1_000_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate()
    assert process.returncode == ExitStatus.INTERRUPTED
    assert complaint.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_answer_that_cannot_be_written_is_no_clear(table) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [DECONFLICT, "check", table("plans.csv", SITE, FAR)],
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == ExitStatus.INTERNAL_ERROR
    assert b"No space left" in done.stderr


def test_a_reader_that_goes_away_is_no_error_of_the_program(table) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [DECONFLICT, "check", table("plans.csv", SITE, FAR), "--format", "json"],
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    assert done.returncode == ExitStatus.OUTPUT_CLOSED
    assert done.stderr == b""


def test_the_demo_ends_by_itself_and_says_what_to_try_next(tmp_path) -> None:
    done = subprocess.run([DECONFLICT, "demo"], capture_output=True, cwd=tmp_path)
    assert done.returncode == ExitStatus.CLEAR, done.stderr
    said = done.stdout.decode()
    for words in (
        "ours, for illustration",
        "CLEAR",
        "CONFLICT",
        "Gauss-Krüger",
        "What to try next",
    ):
        assert words in said
