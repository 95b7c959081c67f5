"""A volume packed once, to be asked about or inserted any number of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deconflict.geo.packed.table import (
    GROWTH,
    Gathered,
    Rows,
)
from deconflict.geo.volume import Volume4D

MOST_QUICK_VERTICES = 4096
"""A volume with more vertices takes the way through `VolumeTable`."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A volume and its packed rows, one a leg of a timed route."""

    volume: Volume4D
    rows: Rows


def prepared(volume: Volume4D | Prepared) -> Prepared:
    """Return a volume ready for an index; what is prepared already is returned as it is."""
    if isinstance(volume, Prepared):
        return volume
    from deconflict.geo.packed.placing import place

    gathered = Gathered()
    gathered.add(volume, 0)
    rings, vertices = len(gathered.ring) - 1, len(gathered.lat_deg)
    if len(gathered.kind) > 1 or vertices > MOST_QUICK_VERTICES:
        return Prepared(volume, gathered.rows())
    rows = Rows(
        np.empty((1, 9)),
        np.empty((1, 7), np.int64),
        np.array(gathered.ring, np.int64),
        np.empty((vertices, 3)),
    )
    kind = gathered.kind[0]
    lat_lon = np.array([gathered.lat_deg, gathered.lon_deg])
    if not place(rows, rings, lat_lon[0], lat_lon[1], kind):
        return Prepared(volume, gathered.rows())
    rows.real[0, GROWTH:] = (gathered.growth[0], *gathered.limit[0], *gathered.ellipsoid[0])
    rows.whole[0] = (*gathered.time[0], kind, *gathered.reference[0], 0, rings)
    return Prepared(volume, rows)
