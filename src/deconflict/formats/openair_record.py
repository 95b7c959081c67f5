"""Records of an OpenAir airspace: limits, times, points, arcs and circles, one line each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from deconflict.formats.instant import read_instant
from deconflict.formats.numbers import DEGREE_M, shown
from deconflict.formats.openair_limit import read_limit
from deconflict.geo.errors import InputError
from deconflict.geo.position import LatLon, checked_lat_lon
from deconflict.geo.volume import Circle

NAUTICAL_MILE_M = 1852.0
"""The international nautical mile, metres (exact)."""

ARC_STEP_DEG = 2.0
"""A chord spans at most this angle, so it runs at most 0.015 % of the radius inside the arc."""

MAX_RADIUS_M = 1_000 * NAUTICAL_MILE_M
"""Greater than any airspace round a point; a radius in metres or feet by mistake exceeds it."""

_SAGITTA_MARGIN = 1.05
# A geodesic circle of 1,000 NM differs from a plane one by less than 5 %.

_POINT = re.compile(
    r"(?P<lat>[0-9:.]+)\s*(?P<ns>[NS])[\s,]*(?P<lon>[0-9:.]+)\s*(?P<ew>[EW])", re.IGNORECASE
)
_ANGLE = re.compile(
    r"(?P<deg>[0-9]{1,3}):(?P<min>[0-9]{1,2}(?:\.[0-9]{1,9})?)(?::(?P<sec>[0-9]{1,2}(?:\.[0-9]{1,9})?))?"
)
_DECIMAL = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}")
_VARIABLE = re.compile(r"(?P<name>[A-Za-z])\s*=\s*(?P<value>.*)")
_ACTIVE_DAY_END = re.compile(r"T24:00(:00)?")
_POINT_REMEDY = "write it as 53:47:06 N 008:21:41 E or 53:47.100 N 008:21.700 E"


@dataclass(slots=True)
class Airspace:
    """What the records of one airspace have said so far.

    Attributes
    ----------
    line
        Where its AC record stands.
    airspace_class, name, type, identifier
        Texts of AC, AN, AY and AI.
    lower, upper
        Texts of AL and AH; ``None``: not given.
    clockwise, center, width_m
        What V records have set; the width in metres.
    ring, circles, airway
        The shape: points of DP, DA and DB; circles of DC; points of DY.
    times, times_unknown
        Intervals of AA, ``None`` for a side without limit; whether ``AA NONE`` stands.
    precision_m
        How far the last digit leaves any point open, metres.
    arc_error_m
        How far the chords of any arc may be from it, metres.
    error, error_line
        The first record that was refused; the later ones are not read.
    """

    line: int
    airspace_class: str = ""
    name: str = ""
    type: str = ""
    identifier: str = ""
    lower: str | None = None
    upper: str | None = None
    clockwise: bool = True
    center: LatLon | None = None
    width_m: float | None = None
    ring: list[LatLon] = field(default_factory=list)
    circles: list[Circle] = field(default_factory=list)
    airway: list[LatLon] = field(default_factory=list)
    times: list[tuple[datetime | None, datetime | None]] = field(default_factory=list)
    times_unknown: bool = False
    precision_m: float = 0.0
    arc_error_m: float = 0.0
    error: InputError | None = None
    error_line: int = 0


def take_record(airspace: Airspace, code: str, value: str) -> None:
    """Add one record to an airspace.

    Raises
    ------
    InputError
        If the record is unknown or can't be read; ``field`` is its code.
    """
    take = _RECORDS.get(code)
    if take is None:
        raise InputError(
            f"record {shown(code)} is unknown, so this airspace may lack a part",
            "write AC, AN, AY, AL, AH, AA, V, DP, DA, DB, DC or DY",
        )
    try:
        take(airspace, value)
    except InputError as error:
        raise InputError(error.what, error.remedy, field=code) from None


def _take_name(airspace: Airspace, value: str) -> None:
    airspace.name = value


def _take_type(airspace: Airspace, value: str) -> None:
    airspace.type = value


def _take_identifier(airspace: Airspace, value: str) -> None:
    airspace.identifier = value


def _take_lower(airspace: Airspace, value: str) -> None:
    if airspace.lower is not None:
        raise InputError("a second lower limit is given", "keep the one meant")
    airspace.lower = value
    read_limit(value)


def _take_upper(airspace: Airspace, value: str) -> None:
    if airspace.upper is not None:
        raise InputError("a second upper limit is given", "keep the one meant")
    airspace.upper = value
    read_limit(value)


def _take_times(airspace: Airspace, value: str) -> None:
    value = value.partition(";")[0].strip()
    if value.upper() == "NONE":
        airspace.times_unknown = True
        return
    start, slash, end = value.partition("/")
    if not slash:
        raise InputError(
            f"{shown(value)} is no interval",
            "write it as 2026-11-22T08:00Z/2026-11-22T10:00Z, with NONE for a side without limit",
        )
    times = (_active(start.strip(), end=False), _active(end.strip(), end=True))
    if times[0] is not None and times[1] is not None and times[0] > times[1]:
        raise InputError(f"{shown(value)} ends before it starts", "write the earlier time first")
    airspace.times.append(times)


def _active(text: str, *, end: bool) -> datetime | None:
    """Return one side of an activation interval, of which the format allows minutes and 24:00."""
    if text.upper() == "NONE":
        return None
    midnight = _ACTIVE_DAY_END.search(text)
    text = _ACTIVE_DAY_END.sub("T00:00", text)
    full = re.sub(r"(T[0-9]{2}:[0-9]{2})(?=Z$)", r"\1:00", text)
    instant = read_instant(full, "ceil" if end else "floor")
    if midnight is None:
        return instant
    try:
        return instant + timedelta(days=1)
    except OverflowError:
        raise InputError(
            f"{shown(text)} lies beyond the year 9999", "write NONE where there is no end"
        ) from None


def _take_variable(airspace: Airspace, value: str) -> None:
    match = _VARIABLE.fullmatch(value)
    if match is None:
        raise InputError(f"{shown(value)} sets no variable", "write V X=, V D= or V W=")
    variable, text = match["name"].upper(), match["value"].strip()
    if variable == "X":
        airspace.center = _only_point(airspace, text)
    elif variable == "D":
        if text not in {"+", "-"}:
            raise InputError(f"direction {shown(text)} is neither + nor -", "write V D=+ or V D=-")
        airspace.clockwise = text == "+"
    elif variable == "W":
        airspace.width_m = _miles(text)
    elif variable != "Z":  # Z is the zoom at which a label shows
        raise InputError(f"variable {shown(variable)} is unknown", "write V X=, V D= or V W=")


def _take_point(airspace: Airspace, value: str) -> None:
    airspace.ring.append(_only_point(airspace, value))


def _take_airway(airspace: Airspace, value: str) -> None:
    airspace.airway.append(_only_point(airspace, value))


def _take_circle(airspace: Airspace, value: str) -> None:
    airspace.circles.append(Circle(_center(airspace), _miles(value)))


def _take_bearing_arc(airspace: Airspace, value: str) -> None:
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 3 or not all(map(_DECIMAL.fullmatch, parts)):
        raise InputError(
            f"{shown(value)} is not a radius and two bearings", "write DA 10, 270, 290"
        )
    start_deg, end_deg = float(parts[1]), float(parts[2])
    if max(start_deg, end_deg) > 360:
        raise InputError(f"{shown(value)} has a bearing above 360", "write bearings from 0 to 360")
    radius_m = _miles(parts[0])
    _arc(airspace, (radius_m, start_deg), (radius_m, end_deg))


def _take_point_arc(airspace: Airspace, value: str) -> None:
    from pyproj import Geod

    points = _points(airspace, value)
    if len(points) != 2:
        raise InputError(
            f"{shown(value)} is not two points",
            "write DB 39:36:40 N 119:46:10 W, 39:29:09 N 119:36:10 W",
        )
    center = _center(airspace)
    geod = Geod(ellps="WGS84")
    ends: list[tuple[float, float]] = []
    for lat, lon in points:
        bearing_deg, _, radius_m = geod.inv(center[1], center[0], lon, lat)
        ends.append((radius_m, bearing_deg % 360.0))
    (first_m, _), (last_m, _) = ends
    apart_m = abs(first_m - last_m)
    if min(first_m, last_m) <= 0 or apart_m > max(200.0, 0.05 * max(first_m, last_m)):
        raise InputError(
            f"the arc's ends lie {first_m:,.0f} m and {last_m:,.0f} m from its centre",
            "correct the centre or the ends, which must be equally far from it",
        )
    airspace.arc_error_m = max(airspace.arc_error_m, apart_m)
    start = len(airspace.ring)
    _arc(airspace, ends[0], ends[1])
    # The ends as typed, so that a neighbouring DP record gives the very same point.
    airspace.ring[start], airspace.ring[-1] = points


def _arc(airspace: Airspace, first: tuple[float, float], last: tuple[float, float]) -> None:
    """Add the points of an arc, each end given by its distance (m) and bearing (deg)."""
    from pyproj import Geod

    lat, lon = _center(airspace)
    turn_deg = (last[1] - first[1]) % 360.0 or 360.0
    if not airspace.clockwise:
        turn_deg = turn_deg - 360.0 or -360.0
    steps = math.ceil(abs(turn_deg) / ARC_STEP_DEG)
    shares = [step / steps for step in range(steps + 1)]
    lons, lats, _ = Geod(ellps="WGS84").fwd(
        [lon] * len(shares),
        [lat] * len(shares),
        [first[1] + share * turn_deg for share in shares],
        [first[0] + share * (last[0] - first[0]) for share in shares],
    )
    points = list(zip(map(float, lats), map(float, lons), strict=True))
    if abs(turn_deg) == 360.0 and first[0] == last[0]:
        points[-1] = points[0]  # else rounding leaves the ring a hair open
    airspace.ring.extend(points)
    sagitta_m = max(first[0], last[0]) * (1 - math.cos(math.radians(turn_deg / steps / 2)))
    error_m = abs(first[0] - last[0]) + sagitta_m * _SAGITTA_MARGIN
    airspace.arc_error_m = max(airspace.arc_error_m, error_m)


def _center(airspace: Airspace) -> LatLon:
    if airspace.center is None:
        raise InputError("no centre is set in this airspace", "write V X= before it")
    return airspace.center


def _miles(text: str) -> float:
    """Return a distance in nautical miles as metres."""
    if not _DECIMAL.fullmatch(text):
        raise InputError(
            f"{shown(text)} is no distance", "write nautical miles without a unit, such as 2.5"
        )
    metres = float(text) * NAUTICAL_MILE_M
    if not 0 < metres <= MAX_RADIUS_M:
        raise InputError(
            f"{shown(text)} nautical miles are none, or more than {MAX_RADIUS_M / 1852:,.0f}",
            "write nautical miles",
        )
    return metres


def _only_point(airspace: Airspace, text: str) -> LatLon:
    points = _points(airspace, text)
    if len(points) != 1:
        raise InputError(f"{shown(text)} is not one point", _POINT_REMEDY)
    return points[0]


def _points(airspace: Airspace, text: str) -> list[LatLon]:
    """Return the points of a text, and note how far their last digit leaves them open."""
    text = text.partition(";")[0].strip()
    points: list[LatLon] = []
    rest = text
    while rest:
        match = _POINT.match(rest)
        if match is None:
            raise InputError(f"{shown(text)} is no latitude and longitude", _POINT_REMEDY)
        lat, lat_step = _angle(match["lat"], text)
        lon, lon_step = _angle(match["lon"], text)
        point = checked_lat_lon(
            -lat if match["ns"] in "Ss" else lat, -lon if match["ew"] in "Ww" else lon
        )
        if abs(lon) > 180:
            raise InputError(f"{shown(text)} lies beyond 180 degrees", "write at most 180:00:00")
        nearest_deg = max(0.0, abs(lat) - lat_step / 2)
        precision_m = (DEGREE_M / 2) * math.hypot(
            lat_step, lon_step * math.cos(math.radians(nearest_deg))
        )
        airspace.precision_m = max(airspace.precision_m, precision_m)
        points.append(point)
        rest = rest[match.end() :].lstrip(" \t,")
    return points


def _angle(text: str, whole: str) -> tuple[float, float]:
    """Return an angle and the step of its last digit, degrees."""
    match = _ANGLE.fullmatch(text)
    if match is None:
        raise InputError(f"{shown(whole)} is no latitude and longitude", _POINT_REMEDY)
    degrees, minutes, seconds = match["deg"], match["min"], match["sec"]
    if seconds is not None and "." in minutes:
        raise InputError(f"{shown(whole)} has decimal minutes and seconds", _POINT_REMEDY)
    if float(minutes) >= 60 or float(seconds or 0) >= 60:
        raise InputError(
            f"{shown(whole)} has 60 minutes or seconds, or more",
            "write minutes and seconds below 60",
        )
    value = int(degrees) + float(minutes) / 60 + float(seconds or 0) / 3600
    last, unit = (minutes, 60) if seconds is None else (seconds, 3600)
    step = 10.0 ** -len(last.partition(".")[2]) / unit
    return value, step


_RECORDS: Mapping[str, Callable[[Airspace, str], None]] = MappingProxyType(
    {
        "AN": _take_name,
        "AY": _take_type,
        "AI": _take_identifier,
        "AL": _take_lower,
        "AH": _take_upper,
        "AA": _take_times,
        "V": _take_variable,
        "DP": _take_point,
        "DA": _take_bearing_arc,
        "DB": _take_point_arc,
        "DC": _take_circle,
        "DY": _take_airway,
    }
)
