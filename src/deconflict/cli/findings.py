"""A check's answer on a terminal, for a tired duty officer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

from deconflict.cli.text import printable
from deconflict.formats.reading import Problem
from deconflict.register.entity import Entity
from deconflict.register.report import Conflict, Doubt, Report, Verdict

_STYLES = {
    Verdict.CLEAR: "bold green",
    Verdict.CONFLICT: "bold red",
    Verdict.UNKNOWN: "bold yellow",
}
_LABEL_WIDTH = 14


def print_report(
    console: Console,
    report: Report,
    *,
    plans: Sequence[Entity],
    against: Sequence[Entity],
    problems: Sequence[Problem] = (),
) -> None:
    """Print the verdict, every conflict and doubt, what was assumed, and the verdict again.

    Parameters
    ----------
    console
        Where to; colour only if it is a terminal.
    report
        The answer.
    plans, against
        What was checked, and against what besides.
    problems
        The rows that were skipped.
    """
    for number, conflict in enumerate(report.conflicts, start=1):
        _print_conflict(console, number, conflict)
    for doubt in report.doubts:
        _print_doubt(console, doubt)
    if problems:
        print_problems(console, problems, title="Skipped")
    _print_assumptions(console, plans, against)
    for note in report.notes:
        _line(console, "Note", printable(note))
    console.print(_summary(report, plans, against, skipped=len(problems)))


def print_problems(console: Console, problems: Iterable[Problem], *, title: str) -> None:
    """Print each refusal on a line of its own."""
    for problem in problems:
        _line(console, title, printable(str(problem)), "default", "yellow")


def _summary(
    report: Report, plans: Sequence[Entity], against: Sequence[Entity], *, skipped: int
) -> Text:
    line = Text(report.verdict.value.upper(), style=_STYLES[report.verdict])
    said = f"  {_count(len(plans), 'entity', 'entities')} checked"
    if against:
        said += f", and against {_count(len(against), 'other')}"
    if report.conflicts:
        said += f": {_count(len(report.conflicts), 'conflict')}"
    if report.doubts:
        said += f", {_count(len(report.doubts), 'doubt')}"
    if skipped:
        said += f", {_count(skipped, 'part')} skipped"
    said += "."
    if report.verdict is Verdict.CLEAR:
        said += " Clear is information, never permission."
    elif report.verdict is Verdict.UNKNOWN:
        said += " This is not clear: find out first."
    return line.append(said, "default")


def _print_conflict(console: Console, number: int, conflict: Conflict) -> None:
    _line(console, f"Conflict {number}", printable(conflict.sentence), "default", "bold red")
    _print_names(console, conflict.a, None if conflict.b is conflict.a else conflict.b)
    for sentence in conflict.assumed:
        _line(console, "Assumed", printable(sentence), "yellow")
    for shift in conflict.clears:
        _line(console, "Clears", printable(shift.sentence), "green")
    console.print()


def _print_doubt(console: Console, doubt: Doubt) -> None:
    _line(console, "Unknown", printable(doubt.sentence), "default", "bold yellow")
    _print_names(console, doubt.a, doubt.b)
    console.print()


def _print_names(console: Console, a: Entity, b: Entity | None) -> None:
    for entity in (a,) if b is None else (a, b):
        _line(console, "From", f"{printable(entity.id)} in {printable(entity.source)}", "dim")


def _print_assumptions(
    console: Console, plans: Sequence[Entity], against: Sequence[Entity]
) -> None:
    """Each assumption once, with how many entities it was made for."""
    counts: dict[str, int] = {}
    for entity in (*plans, *against):
        for sentence in entity.assumed:
            counts[sentence] = counts.get(sentence, 0) + 1
    for sentence, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        _line(
            console, "Assumed", f"of {_count(count, 'entity', 'entities')}: {printable(sentence)}"
        )
    if counts:
        console.print()


def _line(
    console: Console,
    label: str,
    value: str,
    style: str = "default",
    label_style: str = "dim",
) -> None:
    """Print one labelled paragraph, wrapped on a terminal only; `value` is printable already."""
    room = console.width - _LABEL_WIDTH if console.is_terminal else 0
    lines = textwrap.wrap(value, room, break_long_words=False) if room > 20 else [value]
    for shown, line in zip_longest([label], lines, fillvalue=""):
        head = Text(f"{shown:<{_LABEL_WIDTH}}", style=label_style)
        console.print(head.append(line, style), soft_wrap=True)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
