from __future__ import annotations

import subprocess
import sys

import pytest

from deconflict import __version__
from deconflict.cli import main
from deconflict.cli.status import ExitStatus


def modules_loaded_by(arguments: list[str]) -> set[str]:
    program = (
        "import sys; from deconflict.cli.main import run; "
        f"run({arguments!r}); sys.stderr.write('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines())


def test_the_version_is_answered_without_loading_the_argument_parser() -> None:
    assert "cyclopts" not in modules_loaded_by(["--version"])


def test_converting_loads_nothing_that_compiles_or_reads_sheets() -> None:
    loaded = modules_loaded_by(["convert", "37S CA 66801 26131"])
    assert "deconflict.geo.reader" in loaded
    assert not loaded & {"numba", "openpyxl", "lxml"}


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == ExitStatus.CLEAR
    assert capsys.readouterr().out == f"deconflict {__version__}\n"


@pytest.mark.parametrize("arguments", [["chekc"], ["check"], ["convert", "--nonsense", "1"], []])
def test_a_wrong_command_line_never_ends_in_the_status_of_a_conflict(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main.run(arguments)
    assert status == (ExitStatus.BAD_INPUT if arguments else ExitStatus.CLEAR)
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == (1 if arguments else 0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["check", "plans.csv", "--nonsense"], "--nonsense"),
        (["check", "--against", "a.csv", "plans.csv"], "--against"),
        (["convert", "37S", "CA", "--json"], "--json"),
        (["compare", "37S CA", "37S CB", "37S CC"], "37S CC"),
        (["compare", "37S CA", "nowhere"], "the second text"),
    ],
)
def test_a_word_that_the_command_does_not_know_is_named(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == ExitStatus.BAD_INPUT
    assert named in capsys.readouterr().err


def test_an_internal_error_is_status_70_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: list[str]) -> int:
        raise ZeroDivisionError(arguments)

    monkeypatch.setattr(main, "_command", broken)
    assert main.run(["check"]) == ExitStatus.INTERNAL_ERROR
    complaint = capsys.readouterr().err
    assert complaint.startswith("deconflict: internal error, no verdict: ZeroDivisionError")
    assert complaint.count("\n") == 1


def test_ctrl_c_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt(arguments)

    monkeypatch.setattr(main, "_command", interrupted)
    assert main.run(["check"]) == ExitStatus.INTERRUPTED
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["\x1b[31m"], ["check", "x.csv", "--kind", "\x1b[31m"], ["export", "--to", "\u202e", "\x9bm"]],
)
def test_what_was_typed_is_repeated_without_what_steers_a_terminal(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == ExitStatus.BAD_INPUT
    captured = capsys.readouterr()
    assert not set(captured.out + captured.err) & set("\x1b\x9b\u202e")


@pytest.mark.parametrize(
    ("arguments", "closed", "status"),
    [
        ("check -", "<&-", ExitStatus.BAD_INPUT),
        ("convert '37S CA 66801 26131'", ">&-", ExitStatus.CLEAR),
        ("convert x", "2>&-", ExitStatus.BAD_INPUT),
    ],
)
def test_a_stream_that_the_caller_closed_is_no_internal_error(
    arguments: str, closed: str, status: ExitStatus
) -> None:
    program = "from deconflict.cli.main import main; main()"
    command = f"'{sys.executable}' -c '{program}' {arguments} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert done.returncode == status
