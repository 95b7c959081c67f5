"""Volume records: a volume as plain numbers for the journal, and back, without loss."""

from __future__ import annotations

from typing import TypeVar

from deconflict.geo.height import EVERY_HEIGHT, AltitudeBand, AltitudeReference, Height
from deconflict.geo.packed.table import instant, microseconds
from deconflict.geo.volume import Circle, Footprint, Polygon, Route, Volume4D
from deconflict.register.state.held import HeightRecord, VolumeRecord


def record_of(volume: Volume4D) -> VolumeRecord:
    """Return a volume's record.

    Of an instant its time zone is lost, not the instant.
    """
    footprint, band = volume.footprint, volume.band
    shell = circle = route = None
    holes: tuple[tuple[tuple[float, float], ...], ...] = ()
    times_us: tuple[int, ...] = ()
    width_m = 0.0
    if isinstance(footprint, Polygon):
        shell, holes = footprint.shell, footprint.holes
    elif isinstance(footprint, Circle):
        circle = (*footprint.center, footprint.radius_m)
    else:
        route, width_m = footprint.points, footprint.width_m
        times_us = tuple(map(microseconds, footprint.times))
    return VolumeRecord(
        shell=shell,
        holes=holes,
        circle=circle,
        route=route,
        width_m=width_m,
        times_us=times_us,
        lower=_height_record(band.lower),
        upper=_height_record(band.upper),
        ground_m=band.ground_m,
        start_us=None if volume.start is None else microseconds(volume.start),
        end_us=None if volume.end is None else microseconds(volume.end),
        uncertainty_m=volume.uncertainty_m,
        danger_radius_m=volume.danger_radius_m,
    )


def volume_of(record: VolumeRecord) -> Volume4D:
    """Return the volume of a record, as it was when it was decided.

    It is not judged again: a later version that is stricter must still be able to replay what an
    earlier one accepted.

    Raises
    ------
    ValueError
        If the record has no footprint, or names a reference of heights that there isn't.
    """
    return _made(
        Volume4D,
        footprint=_footprint_of(record),
        band=_band_of(record),
        start=None if record.start_us is None else instant(record.start_us),
        end=None if record.end_us is None else instant(record.end_us),
        uncertainty_m=record.uncertainty_m,
        danger_radius_m=record.danger_radius_m,
    )


def _footprint_of(record: VolumeRecord) -> Footprint:
    if record.shell is not None:
        return _made(Polygon, shell=record.shell, holes=record.holes)
    if record.circle is not None:
        lat_deg, lon_deg, radius_m = record.circle
        return _made(Circle, center=(lat_deg, lon_deg), radius_m=radius_m)
    if record.route is not None:
        times = tuple(map(instant, record.times_us))
        return _made(Route, points=record.route, width_m=record.width_m, times=times)
    raise ValueError("a volume record has neither shell nor circle nor route")


def _band_of(record: VolumeRecord) -> AltitudeBand:
    if record.lower is None and record.upper is None and record.ground_m is None:
        return EVERY_HEIGHT
    return _made(
        AltitudeBand,
        lower=_height_of(record.lower),
        upper=_height_of(record.upper),
        ground_m=record.ground_m,
    )


def _height_record(height: Height | None) -> HeightRecord | None:
    return None if height is None else HeightRecord(height.value_m, height.reference.value)


def _height_of(record: HeightRecord | None) -> Height | None:
    if record is None:
        return None
    return _made(Height, value_m=record.m, reference=AltitudeReference(record.reference))


_T = TypeVar("_T")


def _made(kind: type[_T], **fields: object) -> _T:
    """Return a frozen object with these fields, without the checks of its construction."""
    made = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made
