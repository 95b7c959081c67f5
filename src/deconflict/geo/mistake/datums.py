"""Mistakes of the datum: numbers on one read as another, and rotations with the wrong sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from deconflict.geo.datum import WGS84, Datum, Shifted, datum_named, from_wgs84, to_wgs84
from deconflict.geo.errors import InputError
from deconflict.geo.mistake.guess import SIGMAS_OF_95, Guess, Pair

if TYPE_CHECKING:
    from pyproj import Transformer


@dataclass(frozen=True, slots=True)
class _Known:
    """A datum whose numbers are mistaken for another's.

    `helmert` and `ellipsoid` are those of its widest published operation, in the words of PROJ,
    for places where none is published; empty: then it is not tried abroad.
    """

    datum: Datum
    name: str
    log_common: float
    ellipsoid: str = ""
    helmert: str = ""


_SK42_HELMERT = "+x=23.57 +y=-140.95 +z=-79.8 +rx=0 +ry=-0.35 +rz=-0.79 +s=-0.22"
"""Pulkovo 1942 to WGS 84 (20), EPSG:5044, from GOST R 51794-2008."""

_PZ90_EPSG = 4740

_EVERYWHERE = (
    _Known(
        Datum("Pulkovo 1942", 4284),
        "SK-42",
        0.0,
        "+ellps=krass",
        f"{_SK42_HELMERT} +convention=coordinate_frame",
    ),
    _Known(Datum("ED50", 4230), "ED50", 0.0, "+ellps=intl", "+x=-87 +y=-98 +z=-121"),  # EPSG:1133
    _Known(  # EPSG:15742
        Datum("Deir ez Zor", 4227),
        "Deir ez Zor",
        -1.0,
        "+ellps=clrk80ign",
        "+x=-190.421 +y=8.532 +z=238.69",
    ),
    _Known(  # EPSG:5043
        Datum("Pulkovo 1995", 4200),
        "Pulkovo 1995",
        -1.5,
        "+ellps=krass",
        "+x=24.47 +y=-130.89 +z=-81.56 +rx=0 +ry=0 +rz=-0.13 +s=-0.22 +convention=coordinate_frame",
    ),
    _Known(Datum("PZ-90", _PZ90_EPSG), "PZ-90", -1.5),  # published for the world
)
"""Datums of the parties in view, tried at every place: a crew may carry its own anywhere."""

_LOG_AT_HOME = -1.5
_LOG_ABROAD = -3.0
"""Added where a datum has no published transformation for the place: few maps there carry it."""

_FARTHEST_M = 3_000.0
"""No datum of the tables moves a place by more; Deir ez Zor, the farthest, by some 650 m."""

_LOG_NAMED = 2.0
"""For two texts that name the two datums in question, instead of how common they are."""

_ABROAD_M = 50.0
"""Uncertainty of an operation where none is published, as for `deconflict.geo.datum`."""

_AT_HOME = tuple(
    _Known(Datum(name, epsg), name, _LOG_AT_HOME)
    for epsg, name in (
        (4201, "Adindan"),
        (4202, "AGD66"),
        (4204, "Ain el Abd"),
        (4209, "Arc 1950"),
        (4210, "Arc 1960"),
        (4222, "Cape"),
        (4229, "Egypt 1907"),
        (4240, "Indian 1975"),
        (4244, "Kandawala"),
        (4248, "PSAD56"),
        (4265, "Monte Mario"),
        (4267, "NAD27"),
        (4270, "Nahrwan 1967"),
        (4272, "NZGD49"),
        (4275, "NTF"),
        (4277, "OSGB36"),
        (4281, "Palestine 1923"),
        (4301, "Tokyo"),
        (4312, "MGI"),
        (4314, "DHDN"),
        (4618, "SAD69"),
    )
)
"""Datums of old map series, tried only where a transformation is published for the place."""

_PIPELINE = (
    "+proj=pipeline +step +proj=axisswap +order=2,1 +step +proj=unitconvert +xy_in=deg "
    "+xy_out=rad +step +proj=push +v_3 +step +proj=cart {} +step +proj=helmert {} "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 +step +proj=unitconvert "
    "+xy_in=rad +xy_out=deg +step +proj=axisswap +order=2,1"
)


def numbers_on(known: _Known, lat_deg: float, lon_deg: float) -> Shifted | None:
    """Return what a WGS 84 place is called on a datum, also where no operation is published.

    ``None`` where the datum is tried at home only, and this is abroad.
    """
    try:
        there = from_wgs84(known.datum, lat_deg, lon_deg)
    except InputError:
        if not known.helmert:
            return None
        pipeline = _pipeline(known.ellipsoid, known.helmert)
        lat, lon = pipeline.transform(lat_deg, lon_deg, direction="INVERSE")
        return Shifted(
            lat, lon, _ABROAD_M, assumed=(f"no transformation of {known.name} is published here",)
        )
    return None if there.assumed and not known.helmert else there


def sk42_numbers(lat_deg: float, lon_deg: float) -> Shifted | None:
    """Return what a WGS 84 place is called on SK-42."""
    return numbers_on(_EVERYWHERE[0], lat_deg, lon_deg)


def wrong_datum(pair: Pair) -> Iterator[Guess]:
    """Read numbers on one datum as if they were on the datum that the wrong text is on."""
    if _too_far(pair):
        return
    read = _datum_of(pair.wrong.datum)
    given_as = _datum_of(pair.right.datum)
    if read is None:
        return
    lat_deg, lon_deg = pair.right.lat_lon
    tried = [*_EVERYWHERE, *(known for known in _AT_HOME if _may_cover(known.datum, pair))]
    if not read.is_wgs84:
        tried = [known for known in tried if known.datum.epsg != _PZ90_EPSG]  # as good as WGS 84
    if not read.is_wgs84 and (given_as is None or not given_as.is_wgs84):
        # Where the right text is on WGS 84, the reverse guess says the same with both names.
        tried.append(_Known(WGS84, "WGS 84", 0.0))
    read_name = next(
        (known.name for known in _EVERYWHERE if known.datum.epsg == read.epsg), read.name
    )
    for given in tried:
        if given.datum.epsg == read.epsg:
            continue
        there = numbers_on(given, lat_deg, lon_deg)
        if there is None:
            continue
        try:
            back = to_wgs84(read, there.lat_deg, there.lon_deg)
        except InputError:
            return  # the wrong text could not have been read here
        both = given_as is not None and given_as.epsg == given.datum.epsg
        yield Guess(
            name=f"{given.name} read as {read_name}",
            sentence=f"{{wrong}} was given on {given.name} and read as {read_name}",
            either=f"{{right}} on {given.name} and {{wrong}} on {read_name} are the same numbers: "
            "one of the two datums is wrong"
            if both
            else "",
            point=(back.lat_deg, back.lon_deg),
            # A datum that the other text names is not rare here, whatever maps there carry.
            log_prior=_LOG_NAMED
            if both
            else given.log_common + (_LOG_ABROAD if there.assumed else 0.0),
            # What the reader of the wrong text did is known; and where the right text is on the
            # datum given, both went through the same operation.
            spread_m=0.0 if both else there.uncertainty_m / SIGMAS_OF_95,
            assumed=there.assumed + back.assumed,
        )


def flipped_rotations(pair: Pair) -> Iterator[Guess]:
    """Apply the rotations of the SK-42 transformation with the opposite sign.

    They are published in the coordinate frame convention; a program that takes the position
    vector convention turns the other way.
    """
    if _too_far(pair):
        return
    right_way, wrong_way = (
        _pipeline("+ellps=krass", f"{_SK42_HELMERT} +convention={convention}")
        for convention in ("coordinate_frame", "position_vector")
    )
    numbers = right_way.transform(*pair.right.lat_lon, direction="INVERSE")
    lat_deg, lon_deg = wrong_way.transform(*numbers)
    yield Guess(
        name="rotation signs flipped",
        sentence="{wrong} was brought from SK-42 to WGS 84 with the signs of the rotations "
        "flipped (position vector for coordinate frame convention)",
        point=(lat_deg, lon_deg),
        log_prior=-2.0,
        spread_m=1.0,
    )


@cache
def _pipeline(ellipsoid: str, helmert: str) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_pipeline(_PIPELINE.format(ellipsoid, helmert))


@cache
def _datum_of(name: str) -> Datum | None:
    """Return the datum of a position, ``None`` where its name is that of no single datum."""
    try:
        return datum_named(name)
    except InputError:
        return None


def _too_far(pair: Pair) -> bool:
    """Tell whether no datum could make them differ so much; saves looking at all of them."""
    uncertainty_m = pair.right.uncertainty_m + pair.wrong.uncertainty_m
    return pair.apart_m > _FARTHEST_M + 2.0 * uncertainty_m


def _may_cover(datum: Datum, pair: Pair) -> bool:
    """Tell whether the box of the datum's area holds the right position."""
    west, south, east, north = _box(datum.epsg)
    lat_deg, lon_deg = pair.right.lat_lon
    across = west <= lon_deg <= east if west <= east else lon_deg >= west or lon_deg <= east
    return across and south <= lat_deg <= north


@cache
def _box(epsg: int) -> tuple[float, float, float, float]:
    from pyproj import CRS

    area = CRS.from_epsg(epsg).area_of_use
    return (-180.0, -90.0, 180.0, 90.0) if area is None else area.bounds
