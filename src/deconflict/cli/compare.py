"""`deconflict compare`: whether two texts mean the same place, or which mistake was likely made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable_json

if TYPE_CHECKING:
    from deconflict.geo.mistake import Comparison, Mistake
    from deconflict.geo.position import Position


def compare(
    a: Annotated[str, Parameter(allow_leading_hyphen=True)],
    b: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    origin: str | None = None,
    format: Literal["table", "json"] = "table",  # noqa: A002 - the option is called --format
    datum: str | None = None,
    strict_datum: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Tell whether two texts mean the same place, or which mistake was likely made.

    Parameters
    ----------
    a
        One text, in quotes, in any notation.
    b
        The other, likewise.
    origin
        Where bearings were measured from, if they were; then magnetic declination is tried too.
    format
        `table` for people, `json` for programs.
    datum
        The datum of a latitude and longitude that names none.
    strict_datum
        Refuse an MGRS, UTM or GEOREF text that names no datum, rather than assume WGS 84.
    """
    from deconflict.geo.errors import InputError
    from deconflict.geo.mistake import compare as judge
    from deconflict.geo.reader import read_position

    def read(text: str, which: str) -> Position:
        try:
            return read_position(
                text, default_datum=datum, bare_datum="refuse" if strict_datum else "assume"
            )
        except InputError as error:
            raise InputError(error.what, error.remedy, field=which) from error

    first, second = read(a, "the first text"), read(b, "the second text")
    start = None if origin is None else read(origin, "--origin")
    outcome = judge(first, second, origin=start)
    if format == "json":
        import msgspec

        encoded = msgspec.json.encode(_object(first, second, outcome))
        sys.stdout.buffer.write(printable_json(msgspec.json.format(encoded, indent=2)) + b"\n")
    else:
        _print(first, second, outcome)
    return ExitStatus.CLEAR if outcome.agrees else ExitStatus.CONFLICT


def _object(first: Position, second: Position, outcome: Comparison) -> dict[str, object]:
    from deconflict.formats.report import position_object

    return {
        "agrees": outcome.agrees,
        "distance_m": round(outcome.distance_m, 2),
        "tolerance_m": round(outcome.tolerance_m, 2),
        "sentence": outcome.sentence,
        "likely": [_mistake_object(mistake) for mistake in outcome.likely],
        "a": position_object(first),
        "b": position_object(second),
    }


def _mistake_object(mistake: Mistake) -> dict[str, object]:
    return {
        "name": mistake.name,
        "sentence": mistake.sentence,
        "wrong": mistake.wrong,
        "shift_m": round(mistake.shift_m, 2),
        "residual_m": round(mistake.residual_m, 2),
        "distinguishable": mistake.distinguishable,
        "same_as": list(mistake.same_as),
        "assumed": list(mistake.assumed),
    }


def _print(first: Position, second: Position, outcome: Comparison) -> None:
    from rich.console import Console
    from rich.text import Text

    from deconflict.cli.text import printable

    console = Console(soft_wrap=True, highlight=False)
    for label, position in (("a", first), ("b", second)):
        console.print(
            Text(f"{label}  ", style="dim")
            .append(printable(position.text))
            .append(
                f"  read as {position.lat_deg:.6f}, {position.lon_deg:.6f} "
                f"± {position.uncertainty_m:,.0f} m (WGS 84)",
                "dim",
            )
        )
        for sentence in position.assumed:
            console.print(Text("   assumed: ", style="dim").append(printable(sentence), "yellow"))
    if outcome.agrees:
        console.print(Text("AGREE", style="bold green").append(f"  {outcome.sentence}.", "default"))
        return
    console.print(Text("DIFFER", style="bold red").append(f"  {outcome.sentence}.", "default"))
    for mistake in outcome.likely[1:]:
        console.print(
            Text("   also possible: ", style="dim").append(
                f"{mistake.sentence}; {mistake.residual_m:,.0f} m are left after correcting it",
                "default",
            )
        )
