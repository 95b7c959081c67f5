"""A check's answer on a terminal, for a tired duty officer."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
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
_METRES = re.compile(r"\b([0-9]+(?:\.[0-9]+)?) m\b")


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
    shown = {entity.id for conflict in report.conflicts for entity in (conflict.a, conflict.b)}
    _print_assumptions(
        console, [e for e in (*plans, *against) if e.id not in shown], others=bool(shown)
    )
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
    for line in _grouped(conflict.assumed):
        _line(console, "Assumed", printable(line), "yellow")
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


def _grouped(assumed: Iterable[str]) -> list[str]:
    """Return the assumptions of a conflict, those about one entity on one line."""
    groups: dict[str, list[str]] = {}
    for sentence in assumed:
        entity, colon, rest = sentence.partition(": ")
        groups.setdefault(entity if colon else "", []).append(rest if colon else sentence)
    return [
        f"{entity}: {'; '.join(sentences)}" if entity else "; ".join(sentences)
        for entity, sentences in groups.items()
    ]


def _print_assumptions(console: Console, entities: Sequence[Entity], *, others: bool) -> None:
    """Print each assumption about the entities once, with how many it was made for.

    Sentences that differ in a number of metres alone are one, with the greatest.
    """
    counts: Counter[str] = Counter()
    greatest: dict[str, float] = {}
    for entity in entities:
        for sentence in entity.assumed:
            pattern = _METRES.sub("{} m", sentence, count=1)
            counts[pattern] += 1
            number = _METRES.search(sentence)
            if number is not None:
                greatest[pattern] = max(greatest.get(pattern, 0.0), float(number[1]))
    for pattern, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        who = _count(count, "entity", "entities")
        sentence = pattern
        if pattern in greatest:
            most = f"{greatest[pattern]:g}"
            sentence = pattern.replace("{}", most if count == 1 else f"up to {most}", 1)
        _line(
            console,
            "Assumed",
            f"of {who}{' without a conflict' if others else ''}: {printable(sentence)}",
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
