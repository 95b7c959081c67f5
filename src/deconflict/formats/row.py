"""One row of a table: from its values by column to an entity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from deconflict.formats.numbers import number, shown
from deconflict.formats.part import Part, Shape
from deconflict.formats.properties import entity_from_properties
from deconflict.formats.reading import Defaults
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand
from deconflict.geo.position import Position
from deconflict.register.entity import Entity

SHAPES = ("point", "circle", "route", "polygon")
"""The words of the column ``shape``."""

EXAMPLE = "EXAMPLE"
"""How the identifier of a template's example row begins; such a row is read, and said to be one."""

EXAMPLE_SAID = "this is the example row of the template: delete it"

SENTENCE_BREAK = " | "
"""What stands between the sentences of the column ``assumed``, which may hold semicolons."""

INSTANTS = frozenset({"start", "end", "obtained_at"})
"""The columns of times."""

_ZONE = re.compile(r"[+-][0-9]{2}:[0-9]{2}")
_WITHOUT_OFFSET = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]+)?)?"
)


def sentences(text: str) -> list[str]:
    """Return the sentences of the column ``assumed``."""
    return [part for part in (part.strip() for part in text.split(SENTENCE_BREAK.strip())) if part]


def listed(text: str) -> list[str]:
    """Return the parts of a cell that a semicolon separates, empty ones left out."""
    return [part for part in (part.strip() for part in text.split(";")) if part]


def entity_from_row(
    values: dict[str, object],
    *,
    row: int,
    file: str,
    defaults: Defaults,
    assumed: tuple[str, ...],
    limit: int,
) -> Entity:
    """Return the entity that a row describes.

    Parameters
    ----------
    values
        By column: texts, numbers (`NumberText`), lists of texts, dates without zone.
    row, file
        Where it stands.
    defaults
        What fills in for that which the row lacks.
    assumed
        What was assumed of the whole table.
    limit
        How many positions one entity may have.

    Raises
    ------
    InputError
        With the column as its field.
    """
    identifier = values.get("id")
    if isinstance(identifier, str) and identifier.upper().startswith(EXAMPLE):
        assumed = (*assumed, EXAMPLE_SAID)
    zone = _zone(values.pop("timezone", None))
    for name in INSTANTS & values.keys():
        values[name] = _instant_text(values[name], zone, name)
    if isinstance(values.get("times"), list):
        values["times"] = [_instant_text(text, zone, "times") for text in values["times"]]  # type: ignore[attr-defined]
    band = _band(values)
    stated_datum = values.pop("datum", None)
    if isinstance(stated_datum, str):
        defaults = replace(defaults, datum=stated_datum)
    positions = _positions(values, defaults, stated_datum, limit)
    parts = _parts(values.pop("shape", None), positions, values)
    return entity_from_properties(
        values,
        parts,
        fallback_id=f"{file}, row {row}",
        source=f"{file}, row {row}",
        defaults=defaults,
        positions=positions,
        band=band,
        assumed=assumed,
    )


def _zone(value: object) -> str | None:
    """Return the offset that a row states for its times."""
    if value is None:
        return None
    text = str(value).upper().replace("−", "-")
    if text in {"UTC", "Z", "GMT", "ZULU"}:
        return "Z"
    if _ZONE.fullmatch(text):
        return text
    raise InputError(
        f"{shown(value)} is no offset from UTC",
        "write UTC, or an offset such as +02:00; names of zones change with the season",
        field="timezone",
    )


def _instant_text(value: object, zone: str | None, field: str) -> str:
    """Return a time as RFC 3339 text, the row's offset added where it states none."""
    if isinstance(value, datetime):
        if zone is None:
            raise InputError(
                "a date cell of a workbook states no offset from UTC",
                'add a column "timezone" with UTC or an offset such as +02:00, or write the time '
                "as text, such as 2026-11-22T08:40:00Z",
                field=field,
            )
        return value.isoformat(timespec="microseconds") + zone
    text = str(value)
    match = _WITHOUT_OFFSET.fullmatch(text)
    if match is None or zone is None:
        return text
    return f"{match[1]}T{match[2]}{match[3] or ':00'}{zone}"


def _band(values: dict[str, object]) -> AltitudeBand | None:
    """Return the heights that the columns of text state, ``None`` if they state none."""
    texts = {name: values.pop(name) for name in ("lower", "upper") if name in values}
    if not texts:
        return None
    from deconflict.geo.height import read_height

    for name in ("lower_m", "upper_m", "altitude_reference"):
        if name in values:
            raise InputError(
                f"{name} stands beside {' and '.join(texts)}",
                "give lower and upper as text, or lower_m, upper_m and altitude_reference",
                field=name,
            )
    limits = {}
    for name, text in texts.items():
        try:
            limits[name] = read_height(str(text))
        except InputError as error:
            raise InputError(error.what, error.remedy, field=name) from None
    lower, upper = limits.get("lower"), limits.get("upper")
    if lower and upper and lower.reference is upper.reference and lower.value_m > upper.value_m:
        raise InputError(
            f"lower {shown(texts['lower'])} lies above upper {shown(texts['upper'])}",
            "exchange them",
            field="lower",
        )
    ground = values.get("ground_m")
    return AltitudeBand(lower, upper, None if ground is None else number(ground, "ground_m"))


def _positions(
    values: dict[str, object], defaults: Defaults, stated_datum: object, limit: int
) -> tuple[Position, ...]:
    """Return the positions of a row, which are taken out of its values."""
    from deconflict.geo.reader import read_position

    if "position" in values:
        field = "position"
        texts = listed(str(values.pop("position")))
    elif "latitude" in values and "longitude" in values:
        field = "latitude"
        texts = [_axes(values.pop("latitude"), values.pop("longitude"))]
    else:
        texts = []
    if not texts:
        raise InputError(
            "the row says nowhere where it is",
            "write its coordinates, such as 37S CA 12345 67890 or 36.37 N 37.515 E WGS 84",
            field="position",
        )
    if len(texts) > limit:
        raise InputError(
            f"{len(texts):,} positions are more than {limit:,}",
            "give a coarser outline that contains this one",
            field=field,
        )
    stated = values.get("uncertainty_m")
    stated_m = 0.0 if stated is None else number(stated, "uncertainty_m")
    obtained = values.get("obtained")
    positions = []
    for index, text in enumerate(texts, start=1):
        where = field if len(texts) == 1 else f"{field} {index}"
        try:
            position = read_position(
                text,
                stated_uncertainty_m=max(0.0, stated_m),
                obtained=None if obtained is None else str(obtained),
                default_datum=defaults.datum,
                bare_datum="refuse" if defaults.strict_datum else "assume",
            )
        except InputError as error:
            raise InputError(error.what, error.remedy, field=where) from None
        _refuse_other_datum(position, stated_datum, where)
        positions.append(_with_own_words(position, stated_datum))
    return tuple(positions)


def _with_own_words(position: Position, stated_datum: object) -> Position:
    """Return the position, saying that its datum comes from the row and not from the file."""
    if stated_datum is None:
        return position
    return replace(
        position,
        assumed=tuple(
            f"datum taken from the column datum: {shown(stated_datum)}"
            if sentence.startswith("datum of the whole input")
            else sentence
            for sentence in position.assumed
        ),
    )


def _refuse_other_datum(position: Position, stated_datum: object, field: str) -> None:
    if stated_datum is None:
        return
    from deconflict.geo.datum import datum_named

    named = datum_named(str(stated_datum)).name
    if datum_named(position.datum).name != named:
        raise InputError(
            f"the text is on {position.datum}, and the column datum says {named}",
            "correct the one that is wrong",
            field=field,
        )


def _axes(latitude: object, longitude: object) -> str:
    """Return a latitude and a longitude in signed decimal degrees as coordinate text."""
    texts = []
    for value, axis, letters in ((latitude, "latitude", "NS"), (longitude, "longitude", "EW")):
        number(value, axis)
        text = str(value)
        if "e" in text.lower():
            raise InputError(f"{shown(value)} has an exponent", "write plain digits", field=axis)
        texts.append(f"{text.removeprefix('-')} {letters[text.startswith('-')]}")
    return " ".join(texts)


def _parts(
    shape: object, positions: tuple[Position, ...], values: Mapping[str, object]
) -> tuple[Part, ...]:
    """Return the geometry that positions make, of the shape stated or left to be seen."""
    word = None if shape is None else str(shape).lower()
    if word is not None and word not in SHAPES:
        raise InputError(
            f"{shown(shape)} is no shape", f"write one of: {', '.join(SHAPES)}", field="shape"
        )
    if len(positions) == 1:
        if word in {"route", "polygon"}:
            raise InputError(
                f"one position makes no {word}",
                f"write the positions of the {word} with a semicolon between",
                field="position",
            )
        if word == "circle" and "radius_m" not in values:
            raise InputError("the circle has no radius", "write radius_m", field="radius_m")
        return (Part.at(positions[0]),)
    if word is None:
        if "width_m" not in values and len(positions) > 2:
            raise InputError(
                f"the {len(positions)} positions could be a route or a polygon",
                "write shape as route or polygon",
                field="shape",
            )
        word = "route"
    if word not in {"route", "polygon"}:
        raise InputError(
            f"{len(positions)} positions make no {word}",
            "write one position, or shape as route or polygon",
            field="shape",
        )
    ring = tuple(position.lat_lon for position in positions)
    if word == "polygon" and ring[0] == ring[-1]:
        ring = ring[:-1]
    for index, (before, after) in enumerate(pairwise(ring), start=2):
        if before == after:
            raise InputError(
                "the position is the same as the one before it",
                "leave one of them out",
                field=f"position {index}",
            )
    if word == "polygon" and len(ring) < 3:
        raise InputError(
            f"{len(ring)} positions make no polygon", "write at least three", field="position"
        )
    worst_m = max(p.precision_m + p.datum_uncertainty_m for p in positions)
    kind = Shape.POLYGON if word == "polygon" else Shape.LINE
    return (Part(kind, (ring,), added_uncertainty_m=worst_m),)
