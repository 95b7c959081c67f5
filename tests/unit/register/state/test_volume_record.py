from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
from deconflict.register.state.held import HeightRecord, VolumeRecord
from deconflict.register.state.volume_record import record_of, volume_of

lats = st.floats(-80.0, 80.0, allow_nan=False)
lons = st.floats(-179.0, 178.0, allow_nan=False)
lengths = st.floats(0.0, 50_000.0)
instants = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001  (the strategy adds the zone)
    datetime(2900, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(-timedelta(hours=3))]),
)
heights = st.none() | st.builds(
    Height, st.floats(-500.0, 500.0), st.sampled_from(AltitudeReference)
)


@st.composite
def polygons(draw) -> Polygon:
    lat, lon = draw(lats), draw(lons)
    size = draw(st.floats(0.01, 0.5))

    def ring(inset: float) -> tuple[tuple[float, float], ...]:
        low, high = inset * size, (1.0 - inset) * size
        return (
            (lat + low, lon + low), (lat + low, lon + high),
            (lat + high, lon + high), (lat + high, lon + low),
        )  # fmt: skip

    return Polygon(ring(0.0), draw(st.sampled_from(((), (ring(0.25),)))))


@st.composite
def routes(draw) -> Route:
    lat, lon = draw(lats), draw(lons)
    count = draw(st.integers(2, 5))
    points = tuple((lat + 0.02 * k, lon + 0.01 * k * k) for k in range(count))
    times = ()
    if draw(st.booleans()):
        times = tuple(sorted(draw(st.lists(instants, min_size=count, max_size=count))))
    return Route(points, draw(lengths), times)


@st.composite
def volumes(draw) -> Volume4D:
    footprint = draw(st.builds(Circle, st.tuples(lats, lons), lengths) | polygons() | routes())
    window = sorted(draw(st.lists(instants, min_size=2, max_size=2)))
    times = getattr(footprint, "times", ())
    if times:
        window = [min(window[0], times[0]), max(window[1], times[-1])]
    lower, upper = draw(heights), draw(heights)
    if lower and upper and lower.reference is upper.reference and lower.value_m > upper.value_m:
        lower, upper = upper, lower
    return Volume4D(
        footprint=footprint,
        band=AltitudeBand(lower, upper, draw(st.none() | st.floats(-400.0, 8_000.0))),
        start=window[0] if draw(st.booleans()) else None,
        end=window[1] if draw(st.booleans()) else None,
        uncertainty_m=draw(lengths),
        danger_radius_m=draw(lengths),
    )


@given(volumes())
def test_a_volume_comes_back_from_its_record_as_it_was(volume: Volume4D) -> None:
    again = volume_of(record_of(volume))
    assert again == volume
    assert type(again.footprint) is type(volume.footprint)
    assert hash(again) == hash(volume)


@given(volumes())
def test_a_record_comes_back_from_json_and_from_memory_as_it_was(volume: Volume4D) -> None:
    record = record_of(volume)
    by_json = msgspec.json.decode(msgspec.json.encode(record), type=VolumeRecord)
    by_bytes = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=VolumeRecord)
    assert by_json == by_bytes == record
    assert volume_of(by_json) == volume


def test_open_ends_stay_open_and_null_is_not_zero() -> None:
    volume = Volume4D(footprint=Circle((1.0, 2.0), 0.0))
    record = record_of(volume)
    assert record == VolumeRecord(circle=(1.0, 2.0, 0.0))
    assert volume_of(record) == volume
    ground = Volume4D(footprint=Circle((1.0, 2.0), 0.0), band=AltitudeBand(Height(0.0), None, 0.0))
    assert record_of(ground).lower == HeightRecord(0.0)
    assert volume_of(record_of(ground)).band == AltitudeBand(Height(0.0), None, 0.0)


def test_what_was_accepted_once_is_not_judged_again() -> None:
    bow = ((0.0, 0.0), (0.1, 0.1), (0.0, 0.1), (0.1, 0.0))
    with pytest.raises(InputError):
        Polygon(bow)
    volume = volume_of(VolumeRecord(shell=bow))
    assert isinstance(volume.footprint, Polygon)
    assert volume.footprint.shell == bow


def test_a_record_without_footprint_is_refused() -> None:
    with pytest.raises(ValueError, match="neither shell nor circle nor route"):
        volume_of(VolumeRecord(start_us=0))
    with pytest.raises(ValueError, match="XYZ"):
        volume_of(VolumeRecord(circle=(0.0, 0.0, 1.0), lower=HeightRecord(1.0, "XYZ")))
