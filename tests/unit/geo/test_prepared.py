from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.packed.prepared import prepared
from deconflict.geo.packed.table import VolumeTable
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRIANGLE = ((36.0, 37.0), (36.0, 37.1), (36.1, 37.0))
HOLE = ((36.02, 37.02), (36.02, 37.03), (36.03, 37.02))
LOW, HIGH = Height(50.0), Height(120.0)
SEA = Height(120.0, AltitudeReference.MSL)


@pytest.mark.parametrize(
    "volume",
    [
        Volume4D(footprint=Circle((36.0, 37.0), 500.0)),
        Volume4D(footprint=Circle((90.0, 0.0), 0.0), band=AltitudeBand(LOW, HIGH), start=NOON),
        Volume4D(footprint=Polygon(TRIANGLE), band=AltitudeBand(LOW, None), end=NOON),
        Volume4D(
            footprint=Polygon(TRIANGLE),
            band=AltitudeBand(LOW, HIGH),
            start=NOON,
            end=NOON + timedelta(microseconds=1),
            uncertainty_m=12.5,
            danger_radius_m=300.0,
        ),
        Volume4D(footprint=Polygon(TRIANGLE, (HOLE,)), band=AltitudeBand(None, HIGH)),
        Volume4D(footprint=Polygon(TRIANGLE), band=AltitudeBand(LOW, SEA)),
        Volume4D(footprint=Polygon(((0.0, 179.0), (0.0, -179.0), (2.0, 180.0)))),
        Volume4D(footprint=Polygon(((0.0, 0.0), (0.0, 80.0), (60.0, 40.0)))),
        Volume4D(footprint=Route(TRIANGLE, 60.0)),
        Volume4D(
            footprint=Route(TRIANGLE, 60.0, tuple(NOON + timedelta(hours=h) for h in range(3)))
        ),
    ],
)
def test_a_prepared_volume_has_the_rows_that_a_table_of_it_has(volume: Volume4D) -> None:
    ready, table = prepared(volume).rows, VolumeTable.of([volume]).rows
    assert np.array_equal(ready.whole, table.whole)
    assert np.array_equal(ready.ring, table.ring)
    # Two ways to the middle of a sphere differ by rounding.
    assert np.allclose(ready.real, table.real, rtol=0.0, atol=1e-6)
    assert np.allclose(ready.xyz, table.xyz, rtol=0.0, atol=1e-6)
