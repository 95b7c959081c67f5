"""The sweep of many volumes, beside a join with shapely's STRtree and beside brute force."""

from __future__ import annotations

import statistics
import time

import numba
import numpy as np
import shapely

from deconflict.geo.packed.kernel import NO, UNDECIDED, meet
from deconflict.geo.packed.table import VolumeTable
from deconflict.geo.separation import meets
from deconflict.geo.sweep import Decider, most_vertices, sweep
from volumes import arrays, table

EARTH_M = 6_371_000.0
AT_ONCE = 2_000
"""Volumes whose neighbours the tree gives at once: the pairs must fit in memory."""


@numba.njit
def decide(rows, pairs, scratch):
    answers = np.empty(len(pairs), np.int64)
    for k in range(len(pairs)):
        answers[k] = meet(rows, pairs[k, 0], rows, pairs[k, 1], 0.0, 0.0, 0, scratch)
    return answers


def boxes(given: dict[str, np.ndarray]) -> np.ndarray:
    """Return boxes of longitude and latitude; the few over the seam reach round the world."""
    first = given["first"][:-1]
    lat, lon = given["lat_deg"], given["lon_deg"]
    south, north = np.minimum.reduceat(lat, first), np.maximum.reduceat(lat, first)
    west, east = np.minimum.reduceat(lon, first), np.maximum.reduceat(lon, first)
    grow = np.degrees(given["radius_m"] / EARTH_M) * 1.01
    wide = grow / np.cos(np.radians(np.maximum(abs(south), abs(north)) + grow))
    return shapely.box(west - wide, south - grow, east + wide, north + grow)


def tree_join(volumes: VolumeTable, given: dict[str, np.ndarray]) -> int:
    """Count what meets, by a tree in plan, numpy in time and height, and the same kernel."""
    shapes = boxes(given)
    tree = shapely.STRtree(shapes)
    begin, end = given["time_us"].T
    low, high = given["height_m"].T
    scratch = np.empty((most_vertices(volumes), 2))
    decider = Decider(volumes)
    count = 0
    for start in range(0, len(shapes), AT_ONCE):
        i, j = tree.query(shapes[start : start + AT_ONCE])
        i += start
        keep = i < j
        i, j = i[keep], j[keep]
        keep = (
            (begin[i] <= end[j]) & (begin[j] <= end[i]) & (low[i] <= high[j]) & (low[j] <= high[i])
        )
        pairs = np.stack([i[keep], j[keep]], axis=1)
        answers = decide(volumes.rows, pairs, scratch)
        count += int(np.count_nonzero(answers > UNDECIDED))
        count += sum(decider.meet(*pair) for pair in pairs[answers == UNDECIDED].tolist())
    return count


def brute_force(volumes: VolumeTable, given: dict[str, np.ndarray]) -> set[tuple[int, int]]:
    """Judge every pair: by distance on a sphere if far, exactly if near."""
    first = given["first"]
    lat, lon = np.radians(given["lat_deg"][first[:-1]]), np.radians(given["lon_deg"][first[:-1]])
    begin, end = given["time_us"].T
    low, high = given["height_m"].T
    found = set()
    for i in range(volumes.count):
        half = np.sin((lat - lat[i]) / 2) ** 2
        half += np.cos(lat[i]) * np.cos(lat) * np.sin((lon - lon[i]) / 2) ** 2
        near = 2 * EARTH_M * np.arcsin(np.sqrt(half)) < 2_100  # first vertices; radius at most 500
        near &= (begin <= end[i]) & (end >= begin[i]) & (low <= high[i]) & (high >= low[i])
        near[: i + 1] = False
        one = volumes.volume_of(i)
        found |= {
            (i, int(j)) for j in np.flatnonzero(near) if meets(one, volumes.volume_of(int(j)))
        }
    return found


def timed(work, *arguments) -> tuple[float, object]:
    began = time.process_time()
    answer = work(*arguments)
    return time.process_time() - began, answer


def main(*, quick: bool) -> None:
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    repeats = 3
    sweep(table(6_000))  # loads, and in the first run compiles
    print(f"{'volumes':>10} {'sweep':>9} {'pairs':>9} {'a volume':>9} {'growth':>7}   CPU seconds")
    before = None
    for size in sizes:
        volumes = table(size)
        runs = [timed(sweep, volumes) for _ in range(repeats)]
        took, pairs = statistics.median(run[0] for run in runs), runs[0][1]
        growth = f"{took / before:.1f}" if before else ""
        print(f"{size:10,} {took:9.3f} {len(pairs):9,} {len(pairs) / size:9.2f} {growth:>7}")
        before = took

    size = 20_000 if quick else 100_000
    volumes, given = table(size), arrays(size)
    tree_join(table(200), arrays(200))
    ours, theirs = [], []
    for _ in range(repeats):
        took, pairs = timed(sweep, volumes)
        ours.append(took)
        took, count = timed(tree_join, volumes, given)
        theirs.append(took)
    assert count == len(pairs), (count, len(pairs))
    one, other = statistics.median(ours), statistics.median(theirs)
    print(f"STRtree join of {size:,}: {other:.2f} s, sweep {one:.2f} s, ratio {other / one:.1f}")

    size = 1_000 if quick else 5_000
    volumes, given = table(size, 3), arrays(size, 3)
    expected = brute_force(volumes, given)
    for way, found in (
        ("sweep", {tuple(pair) for pair in sweep(volumes).tolist()}),
        ("kernel alone", certain(volumes)),
    ):
        print(
            f"brute force over {size * (size - 1) // 2:,} pairs: {len(expected):,} meet; "
            f"{way} missed {len(expected - found)}, invented {len(found - expected)}"
        )


def certain(volumes: VolumeTable) -> set[tuple[int, int]]:
    """Return every pair that the kernel doesn't call certainly apart, without any grid."""
    scratch = np.empty((most_vertices(volumes), 2))
    found = set()
    for i in range(volumes.count):
        rest = np.arange(i + 1, volumes.count)
        pairs = np.stack([np.full(len(rest), i), rest], axis=1)
        answers = decide(volumes.rows, pairs, scratch)
        found |= {(i, int(j)) for j in rest[answers != NO]}
    return found


if __name__ == "__main__":
    main(quick=False)
