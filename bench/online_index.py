"""One new volume against many in the online index, verdicts included.

Beside libspatialindex (through `rtree`): a box query in four dimensions and the same kernel.
"""

from __future__ import annotations

import math
import time

import numpy as np
from rtree.index import Index as Tree
from rtree.index import Property

from deconflict.geo.index import Index
from deconflict.geo.packed.kernel import NO, meet
from deconflict.geo.packed.table import VolumeTable
from deconflict.geo.volume import Circle, Volume4D
from volumes import FIRST_US, arrays, table

EARTH_M = 6_371_000.0
NEW = 2_000


def boxes(given: dict[str, np.ndarray]) -> np.ndarray:
    """Return boxes in degrees, metres and seconds, (n, 8); a seam makes one go round the world."""
    first = given["first"][:-1]
    lat, lon = given["lat_deg"], given["lon_deg"]
    south, north = np.minimum.reduceat(lat, first), np.maximum.reduceat(lat, first)
    west, east = np.minimum.reduceat(lon, first), np.maximum.reduceat(lon, first)
    grow = np.degrees(given["radius_m"] / EARTH_M) * 1.01
    wide = grow / np.cos(np.radians(np.maximum(abs(south), abs(north)) + grow))
    begin, end = (given["time_us"].T - FIRST_US) / 1e6
    low, high = given["height_m"].T
    mins = np.stack([west - wide, south - grow, low, begin], axis=1)
    return np.hstack([mins, np.stack([east + wide, north + grow, high, end], axis=1)])


def box_of(volume: Volume4D) -> tuple[float, ...]:
    """Return the same box for one volume, as a program that asks the tree has to make it."""
    shape = volume.footprint
    points = (shape.center,) if isinstance(shape, Circle) else shape.shell
    radius = shape.radius_m if isinstance(shape, Circle) else 0.0
    lats, lons = [p[0] for p in points], [p[1] for p in points]
    south, north, west, east = min(lats), max(lats), min(lons), max(lons)
    grow = math.degrees(radius / EARTH_M) * 1.01
    wide = grow / math.cos(math.radians(max(abs(south), abs(north)) + grow))
    begin, end = (time.timestamp() - FIRST_US / 1e6 for time in (volume.start, volume.end))
    band = volume.band
    low, high = band.lower.value_m, band.upper.value_m
    return (west - wide, south - grow, low, begin, east + wide, north + grow, high, end)


def figures(name: str, size: int, times: list[float], hits: int, before: float | None) -> float:
    micros = np.array(times) * 1e6
    median = float(np.median(micros))
    growth = f"{median / before:6.1f}" if before else ""
    print(
        f"{name:>16} {size:10,} {median:9.1f} {np.percentile(micros, 99):9.1f} "
        f"{hits / len(times):8.2f} {growth}"
    )
    return median


def main(*, quick: bool) -> None:
    sizes = (10_000, 100_000) if quick else (10_000, 1_000_000)
    header = f"{'one new volume':>16} {'against':>10} {'median us':>9} {'p99 us':>9} {'meets':>8}"
    print(header + " growth   wall time")
    ours_before = tree_before = None
    for size in sizes:
        every = table(size + NEW)
        given = arrays(size + NEW)
        # The generator's order is random, so the last volumes are as good as new ones.
        old = VolumeTable(
            every.rows._replace(real=every.rows.real[:size], whole=every.rows.whole[:size]),
            every.owner[:size],
            size,
            every.volume_of,
        )
        new = [every.volume_of(size + k) for k in range(NEW)]
        index = Index(range(size), old)
        box = boxes(given)
        tree = Tree(
            ((i, row, None) for i, row in enumerate(box[:size].tolist())),
            properties=Property(dimension=4),
        )
        scratch = np.empty((64, 2))
        rows = every.rows
        ours, theirs, hits, tree_hits = [], [], 0, 0
        for k in range(NEW):  # interleaved, so that both see the same machine
            began = time.perf_counter()
            found = index.query(new[k])
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            met = [
                i
                for i in tree.intersection(box_of(new[k]))
                if meet(rows, size + k, rows, i, 0.0, 0.0, 0, scratch) != NO
            ]
            theirs.append(time.perf_counter() - began)
            hits += len(found)
            tree_hits += len(met)
        ours_before = figures("deconflict", size, ours[10:], hits, ours_before)
        tree_before = figures("libspatialindex", size, theirs[10:], tree_hits, tree_before)
        inserts = []
        for k in range(NEW):
            began = time.perf_counter()
            index.insert(size + k, new[k])
            inserts.append(time.perf_counter() - began)
        figures("insert", size, inserts[10:], 0, None)
    print(f"ratio of medians at {sizes[-1]:,}: {tree_before / ours_before:.1f}")


if __name__ == "__main__":
    main(quick=False)
