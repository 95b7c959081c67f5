"""A check's answer on a terminal, for a tired duty officer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from deconflict.cli.text import printable
from deconflict.formats.reading import Problem
from deconflict.register.entity import Entity
from deconflict.register.report import Check, Conflict, Doubt, Overlap, Report, Verdict

_STYLES = {
    Verdict.CLEAR: "bold green",
    Verdict.CONFLICT: "bold red",
    Verdict.UNKNOWN: "bold yellow",
}
_LABEL_WIDTH = 9
_OUTSIDE = frozenset({Check.MUST_STAY_INSIDE, Check.AREA_OF_OPERATIONS})


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
        console.print(Text(f"{title}  ", style="yellow").append(printable(str(problem)), "default"))


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
    console.print(
        Text(f"Conflict {number}  ", style="bold red").append(
            printable(conflict.sentence), "default"
        )
    )
    _line(console, "", _name(conflict.a))
    if conflict.b is not conflict.a:
        _line(console, "", _name(conflict.b))
    rule = f"{conflict.rule} ({conflict.check.value})"
    if conflict.also:
        rule += "; also found by: " + ", ".join(check.value for check in conflict.also)
    _line(console, "Rule", printable(rule))
    _line(console, "Outside" if conflict.check in _OUTSIDE else "Overlap", _extent(conflict))
    for sentence in conflict.assumed:
        _line(console, "Assumed", printable(sentence), "yellow")
    for shift in conflict.clears:
        _line(console, "Clears", printable(shift.sentence), "green")
    console.print()


def _print_doubt(console: Console, doubt: Doubt) -> None:
    console.print(
        Text("Unknown  ", style="bold yellow").append(printable(doubt.sentence), "default")
    )
    _line(console, "", _name(doubt.a))
    if doubt.b is not None:
        _line(console, "", _name(doubt.b))
    console.print()


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


def _line(console: Console, label: str, value: str, style: str = "default") -> None:
    """Print one labelled line; `value` is printable already."""
    console.print(Text(f"  {label:<{_LABEL_WIDTH}}", style="dim").append(value, style))


def _name(entity: Entity) -> str:
    kind = f"hazardous {entity.kind.value}" if entity.hazardous else entity.kind.value
    owner = f"{kind} of {printable(entity.party)}" if entity.party else kind
    name = f" {printable(entity.name)}" if entity.name else ""
    return f"{printable(entity.id)}{name}, {owner} ({printable(entity.source)})"


def _extent(conflict: Conflict) -> str:
    return f"{_overlap(conflict.overlap)}; {_window(conflict.start, conflict.end)}"


def _overlap(overlap: Overlap) -> str:
    parts = [
        "without bound in plan" if overlap.plan_m is None else f"{_metres(overlap.plan_m)} in plan",
        "at every height" if overlap.height_m is None else f"{_metres(overlap.height_m)} in height",
    ]
    return ", ".join(parts)


def _window(start: datetime | None, end: datetime | None) -> str:
    if start is None and end is None:
        return "at all times"
    if start is None:
        return f"until {_instant(end)}"
    if end is None:
        return f"from {_instant(start)} on"
    return f"from {_instant(start)} to {_instant(end)}"


def _instant(moment: datetime | None) -> str:
    if moment is None:
        return "always"
    utc = moment.astimezone(UTC)
    seconds = utc.strftime(":%S") if utc.second or utc.microsecond else ""
    return f"{utc.year:04d}-{utc.strftime('%m-%d %H:%M')}{seconds}Z"


def _metres(value: float) -> str:
    return f"{value:,.0f} m" if abs(value) >= 10 else f"{value:.1f} m"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
