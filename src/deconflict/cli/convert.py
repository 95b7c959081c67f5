"""`deconflict convert`: one position in every notation."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable_json
from deconflict.geo.position import Position


def convert(
    *text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    format: Literal["table", "json"] = "table",  # noqa: A002 - the option is called --format
    datum: str | None = None,
    uncertainty: float = 0.0,
    strict_datum: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Read one position strictly and write it in every notation.

    Parameters
    ----------
    text
        The position: degrees with hemisphere letters and a datum, MGRS, UTM, UPS, Gauss-Krüger,
        GEOREF, a Plus Code, or `EPSG:n` and two numbers. Several words are joined.
    format
        `table` for people, `json` for programs.
    datum
        The datum of a latitude and longitude that names none.
    uncertainty
        What you know of its uncertainty beyond notation and datum, metres at 95 %.
    strict_datum
        Refuse an MGRS, UTM or GEOREF text that names no datum, rather than assume WGS 84.
    """
    from deconflict.cli.refusal import refuse_options
    from deconflict.geo.errors import InputError
    from deconflict.geo.reader import read_position
    from deconflict.geo.writer import notations

    if not text:
        raise InputError("no position is given", 'write one: deconflict convert "37S CA 668 259"')
    refuse_options(text)
    position = read_position(
        " ".join(text),
        stated_uncertainty_m=uncertainty,
        default_datum=datum,
        bare_datum="refuse" if strict_datum else "assume",
    )
    written = notations(position)
    if format == "json":
        import msgspec

        from deconflict.formats.report import position_object

        encoded = msgspec.json.encode(position_object(position) | {"notations": written})
        sys.stdout.buffer.write(printable_json(msgspec.json.format(encoded, indent=2)) + b"\n")
    else:
        _print_table(position, written)
    return ExitStatus.CLEAR


def _print_table(position: Position, written: dict[str, str]) -> None:
    from rich.console import Console
    from rich.text import Text

    from deconflict.cli.text import printable

    console = Console(soft_wrap=True, highlight=False)
    known_to = (
        f"{position.uncertainty_m:,.1f} m (95 %): {position.precision_m:,.1f} m by the notation, "
        f"{position.datum_uncertainty_m:,.1f} m by the datum, "
        f"{position.stated_uncertainty_m:,.1f} m as stated"
    )
    rows = [
        ("Read as", f"{position.notation.value} on {position.datum}"),
        ("Known to", known_to),
    ]
    if position.operation:
        rows.append(("Datum by", position.operation))
    rows += [("Assumed", sentence) for sentence in position.assumed]
    width = max(len(name) for name, _ in (*rows, *written.items()))
    for name, value in rows:
        style = "yellow" if name == "Assumed" else ""
        console.print(Text(f"{name:<{width}}  ", style="dim").append(printable(value), style))
    console.print()
    for name, value in written.items():
        console.print(Text(f"{name:<{width}}  ", style="dim").append(value, "bold"))
