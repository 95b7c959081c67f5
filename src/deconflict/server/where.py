"""Where and when something is, in a few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from deconflict.register.state.held import Degrees, HeightRecord, Held, VolumeRecord

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(time_us: int) -> datetime:
    """Return an instant as an aware datetime."""
    return _EPOCH + timedelta(microseconds=time_us)


def instant_text(time_us: int) -> str:
    """Return an instant as text, to the second unless it has a fraction."""
    moment = instant(time_us)
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if moment.microsecond else "%Y-%m-%dT%H:%M:%SZ"
    return moment.strftime(form)


def window_text(start_us: int, end_us: int) -> str:
    """Return a time window: the day once if it is one day."""
    start, end = instant(start_us), instant(end_us)
    first = f"{start:%Y-%m-%d %H:%M:%S}"
    return (
        f"{first} to {end:%H:%M:%S}Z"
        if start.date() == end.date()
        else (f"{first} to {end:%Y-%m-%d %H:%M:%S}Z")
    )


def state_text(entity: Held, at_us: int) -> str:
    """Return how an entity's window lies to an instant: under way, to come, or over."""
    if entity.start_us > at_us:
        return f"begins in {_span(entity.start_us - at_us)}"
    if entity.end_us < at_us:
        return f"over for {_span(at_us - entity.end_us)}"
    return "under way"


def _span(us: int) -> str:
    minutes = us // 60_000_000
    if minutes < 1:
        return f"{us // 1_000_000} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def places_text(volumes: tuple[VolumeRecord, ...]) -> str:
    """Return where volumes are: the first in words, and how many more there are."""
    more = len(volumes) - 1
    first = f"{_figure_text(volumes[0])}, {_band_text(volumes[0])}"
    return first if not more else f"{first}, and {more} more {'volume' if more == 1 else 'volumes'}"


def span_text(volumes: tuple[VolumeRecord, ...]) -> str:
    """Return the time window of some volumes, in words where one states no beginning or no end."""
    starts = [one.start_us for one in volumes if one.start_us is not None]
    ends = [one.end_us for one in volumes if one.end_us is not None]
    if len(starts) == len(ends) == len(volumes):
        return window_text(min(starts), max(ends))
    start = f"from {instant_text(min(starts))}" if len(starts) == len(volumes) else "from any time"
    end = f"to {instant_text(max(ends))}" if len(ends) == len(volumes) else "to any time"
    return f"{start} {end}"


def _figure_text(volume: VolumeRecord) -> str:
    if volume.circle is not None:
        lat, lon, radius_m = volume.circle
        return f"circle of {radius_m:g} m around {_point_text((lat, lon))}"
    if volume.route is not None:
        return (
            f"route of {len(volume.route)} points, {volume.width_m:g} m wide, from "
            f"{_point_text(volume.route[0])} to {_point_text(volume.route[-1])}"
        )
    shell = volume.shell or ()
    lats, lons = [lat for lat, _ in shell], [lon for _, lon in shell]
    if not shell:
        return "no footprint"
    if max(lons) - min(lons) > 180:
        return f"polygon of {len(shell)} points across 180° from {_point_text(shell[0])}"
    return (
        f"polygon of {len(shell)} points within {_point_text((min(lats), min(lons)))} and "
        f"{_point_text((max(lats), max(lons)))}"
    )


def _point_text(point: Degrees) -> str:
    lat, lon = point
    return f"{abs(lat):.5f} {'N' if lat >= 0 else 'S'} {abs(lon):.5f} {'E' if lon >= 0 else 'W'}"


def _band_text(volume: VolumeRecord) -> str:
    lower, upper = volume.lower, volume.upper
    if lower is None and upper is None:
        return "every height"
    return f"{_height_text(lower) or 'below'} to {_height_text(upper) or 'above'}"


def _height_text(height: HeightRecord | None) -> str:
    return "" if height is None else f"{height.m:g} m {height.reference}"
