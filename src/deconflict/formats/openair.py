"""OpenAir airspace files: every airspace becomes a zone.

Source: the format's description of 1998 (version 0.92: AC, AN, AL, AH, V, DP, DA, DB, DC, DY) and
its public extension 2.1 of 2025 (AY, AF, AG, AX, AA).

The format states no datum, no rule and no uncertainty: WGS 84, keep out and half of the last digit
are assumed, and said. An arc becomes chords; how far they run inside it is part of the zone's
uncertainty, so the true arc always lies within what is checked, on either side of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from deconflict.formats.numbers import shown
from deconflict.formats.openair_limit import read_limit
from deconflict.formats.openair_record import Airspace, take_record
from deconflict.formats.reading import (
    DEFAULT_LIMITS,
    NO_DEFAULTS,
    Defaults,
    Gathering,
    Limits,
    ReadResult,
)
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, Height
from deconflict.geo.volume import Footprint, Polygon, Route, Volume4D
from deconflict.register.entity import Entity, Kind, ZoneRule

MAX_LINE = 10_000
"""Characters of one line."""

WITHOUT_MEANING = frozenset({"AF", "AG", "AT", "AX", "TP", "SP", "SB", "AR", "AIP"})
"""Records that bear on no verdict: frequencies, call signs, labels, transponder codes, colours."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_BLANK = re.compile(r"[ \t]+")

TERRAIN = frozenset({"TO", "TC"})
"""Records that begin a terrain shape, which is no airspace."""


def read(
    data: bytes,
    *,
    name: str,
    defaults: Defaults = NO_DEFAULTS,
    limits: Limits = DEFAULT_LIMITS,
) -> ReadResult:
    """Return the airspaces of an OpenAir file as zones, and what of it is refused.

    Parameters
    ----------
    data
        The file's bytes.
    name
        The file's name, for messages and identifiers.
    defaults
        The party of every airspace; a kind is not used, because every airspace is a zone.
    limits
        Limits of size.
    """
    gathering = Gathering(name, limits)
    try:
        text, assumed = _decoded(data, limits)
        for number, airspace in enumerate(_airspaces(text, gathering, limits), start=1):
            place = f"line {airspace.error_line or airspace.line}"
            try:
                entity = _entity(airspace, number, name, defaults, assumed)
            except InputError as error:
                gathering.refuse(error, place)
            else:
                gathering.add(entity)
    except InputError as error:
        gathering.refuse(error)
    if not gathering.entities and not gathering.problems:
        gathering.refuse(
            InputError("the file holds no airspace", "give a file with at least one AC record")
        )
    return gathering.result()


def _decoded(data: bytes, limits: Limits) -> tuple[str, tuple[str, ...]]:
    limits.refuse_larger(data)
    if b"\0" in data:
        raise InputError("the file holds NUL bytes, so it is no text", "save it as UTF-8 text")
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        # Only names and comments hold other letters than ASCII; no coordinate can change.
        return data.decode("latin-1"), (
            "the file is not UTF-8, so letters of names may be wrong; coordinates can't be",
        )


def _airspaces(text: str, gathering: Gathering, limits: Limits) -> Iterator[Airspace]:
    """Yield each airspace once its last record is read."""
    airspace: Airspace | None = None
    in_terrain = False
    # Other ends of lines than these are characters of names.
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if len(line) > MAX_LINE:
            raise InputError(
                f"line {number} has {len(line):,} characters, so this is no OpenAir file",
                "give a file with one record a line",
            )
        record = line.partition("*")[0].strip()
        if not record:
            continue
        code, _, value = _BLANK.sub(" ", record).partition(" ")
        code, value = code.upper(), value.strip()
        if code == "AC":
            if airspace is not None:
                yield airspace
            airspace, in_terrain = Airspace(line=number, airspace_class=value), False
        elif code in TERRAIN:
            if airspace is not None:
                yield airspace
            airspace, in_terrain = None, True
        elif in_terrain or code in WITHOUT_MEANING:
            continue
        elif airspace is None:
            error = InputError(f"{shown(record)} stands before any AC record", "begin with AC")
            gathering.refuse(error, f"line {number}")
            if len(gathering.problems) > 20 and not gathering.entities:
                raise InputError("this is no OpenAir file", "give a file of AC, AN, AL, AH, DP ...")
        elif airspace.error is None:
            try:
                take_record(airspace, code, value)
                _refuse_too_many(airspace, limits)
            except InputError as error:
                airspace.error, airspace.error_line = error, number
    if airspace is not None:
        yield airspace


def _refuse_too_many(airspace: Airspace, limits: Limits) -> None:
    vertices = len(airspace.ring) + len(airspace.airway) + len(airspace.circles)
    if vertices * max(1, len(airspace.times)) > limits.vertices:
        raise InputError(
            f"the airspace has more than {limits.vertices:,} vertices",
            "give a coarser outline that contains this one",
        )


def _entity(
    airspace: Airspace, number: int, file: str, defaults: Defaults, assumed: tuple[str, ...]
) -> Entity:
    """Return a finished airspace as an entity."""
    if airspace.error is not None:
        raise airspace.error
    said = [
        *assumed,
        "OpenAir coordinates are read as WGS 84, because the format names no datum",
        "an OpenAir airspace is read as a zone to keep out of, whatever its class",
    ]
    if defaults.party is None:
        said.append("no party stated: taken as a party unlike any other")
    band, about_heights = _band(airspace)
    said += about_heights
    volumes: list[Volume4D] = []
    for footprint in _footprints(airspace):
        base = Volume4D(footprint=footprint, band=band)
        arcs_m = airspace.arc_error_m if isinstance(footprint, Polygon) else 0.0
        base = replace(base, uncertainty_m=airspace.precision_m + arcs_m)
        if airspace.times and not airspace.times_unknown:
            volumes += [replace(base, start=start, end=end) for start, end in airspace.times]
        else:
            volumes.append(base)
    if airspace.times_unknown:
        said.append("it is taken to be active always, because its times are not known (AA NONE)")
    said.append(
        f"the uncertainty of {airspace.precision_m:.0f} m is half of the last digit of its "
        "coordinates"
    )
    if airspace.arc_error_m:
        said.append(
            f"arcs are chords, and the {airspace.arc_error_m:.1f} m that they may be off are part "
            "of the uncertainty"
        )
    label = " ".join(part for part in (airspace.airspace_class, airspace.type) if part)
    return Entity(
        id=airspace.identifier or f"{file}, airspace {number}",
        kind=Kind.ZONE,
        volumes=tuple(volumes),
        party=defaults.party,
        name=f"{airspace.name} ({label})" if label else airspace.name,
        rule=ZoneRule.KEEP_OUT,
        assumed=tuple(said),
        source=f"{file}, line {airspace.line}",
    )


def _band(airspace: Airspace) -> tuple[AltitudeBand, list[str]]:
    said: list[str] = []
    limits: list[Height | None] = []
    for code, text in (("AL", airspace.lower), ("AH", airspace.upper)):
        if text is None:
            side = "downward" if code == "AL" else "upward"
            said.append(f"it is unbounded {side}, because it has no {code} record")
            limits.append(None)
            continue
        limit = read_limit(text)
        said += limit.assumed
        limits.append(limit.height)
        if code == "AL" and limit.height is None:
            raise InputError("the lower limit is unlimited", "write GND or a height", field=code)
        if code == "AH" and limit.ground:
            raise InputError("the upper limit is the ground", "write UNL or a height", field=code)
    lower, upper = limits
    if lower and upper and lower.reference is upper.reference and lower.value_m > upper.value_m:
        raise InputError(
            f"the lower limit {airspace.lower} is above the upper limit {airspace.upper}",
            "swap them",
            field="AL",
        )
    return AltitudeBand(lower, upper), said


def _footprints(airspace: Airspace) -> list[Footprint]:
    shapes = sum(map(bool, (airspace.ring, airspace.circles, airspace.airway)))
    if not shapes:
        raise InputError("the airspace has no shape", "add DP, DA, DB, DC or DY records")
    if shapes > 1:
        raise InputError(
            "the airspace mixes a ring, a circle or an airway, so what is meant is not certain",
            "give each its own AC record",
        )
    if airspace.circles:
        return list(airspace.circles)
    if airspace.airway:
        if airspace.width_m is None:
            raise InputError("the airway has no width", "write V W= before DY")
        return [Route(tuple(airspace.airway), airspace.width_m)]
    # Files close rings, and repeat a point where an arc joins a line.
    ring = [
        point
        for before, point in zip([None, *airspace.ring], airspace.ring, strict=False)
        if point != before
    ]
    while len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    if len(ring) < 3:
        raise InputError(f"the ring has only {len(ring)} different points", "give at least three")
    return [Polygon(tuple(ring))]
