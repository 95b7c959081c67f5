"""Reading a GeoJSON file and checking it, end to end: bytes to explained verdict.

The volumes are those of the other benchmarks (see `volumes`): half polygons of 4 to 12 vertices,
half circles, 70 % in cities. Four fifths are sites and one fifth operations. The baseline reads
the same file with Python's `json` and shapely's `shape`, and joins it in plan with an STRtree, in
degrees: without heights, times, checks or reasons. CPU time, the collector of cycles at rest in
both as in the command line. Memory is the most that the process had once ours was done.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape

from deconflict.cli.collector import at_rest
from deconflict.files import read_file
from deconflict.register.check import check
from volumes import table

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MEGABYTES = 1024 * (1024 if sys.platform == "darwin" else 1)
DEGREE_M = 111_000.0

MOST_JOINED = 10_000
"""The baseline's join knows no time and no height: 100,000 features give it 13 million pairs."""


def write(path: Path, count: int) -> None:
    """Write that many features."""
    volumes = table(count)
    features = []
    for i in range(count):
        volume = volumes.volume_of(i)
        footprint = volume.footprint
        properties = {
            "id": f"f{i}",
            "kind": "site" if i % 10 < 8 else "operation",
            "party": f"party {i % 7}",
            "start": volume.start.isoformat(),
            "end": (volume.end + timedelta(seconds=1)).isoformat(),
            "lower_m": volume.band.lower.value_m,
            "upper_m": volume.band.upper.value_m,
            "altitude_reference": "W84",
            "uncertainty_m": 5,
        }
        if hasattr(footprint, "center"):
            properties["radius_m"] = round(footprint.radius_m)
            place = [round(footprint.center[1], 6), round(footprint.center[0], 6)]
            geometry = {"type": "Point", "coordinates": place}
        else:
            ring = [[round(lon, 6), round(lat, 6)] for lat, lon in footprint.shell]
            geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def baseline_read(path: Path) -> list[shapely.Geometry]:
    """Return the shapes of a file, circles as polygons, unchecked."""
    with path.open() as file:
        features = json.load(file)["features"]
    return [
        shape(feature["geometry"]).buffer(feature["properties"].get("radius_m", 0.0) / DEGREE_M)
        for feature in features
    ]


def baseline_join(shapes: list[shapely.Geometry]) -> int:
    """Count the pairs that meet in plan, in degrees."""
    tree = shapely.STRtree(shapes)
    found = sum(
        tree.query(shapes[i : i + 500], predicate="intersects").shape[1]
        for i in range(0, len(shapes), 500)
    )
    return (found - len(shapes)) // 2


def timed(work: Any, *arguments: Any, **options: Any) -> tuple[Any, float]:
    """Return what some work returns, and its CPU time in seconds."""
    began = time.process_time()
    result = work(*arguments, **options)
    return result, time.process_time() - began


def measure(count: int, folder: Path) -> str:
    """Return the line of figures for that many features."""
    path = folder / f"{count}.geojson"
    write(path, count)
    with at_rest():
        result, read_s = timed(read_file, str(path))
        assert not result.problems, result.problems[0]
        report, check_s = timed(check, result.entities, now=NOW)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTES
    conflicts = len(report.conflicts)
    del result, report
    with at_rest():
        shapes, other_read_s = timed(baseline_read, path)
        joined = count <= MOST_JOINED
        pairs, other_join_s = timed(baseline_join, shapes) if joined else (0, 0.0)
    each = 1e6 * (read_s + check_s) / count
    ratio = (read_s + check_s) / (other_read_s + other_join_s) if joined else read_s / other_read_s
    return (
        f"{count:8,} {path.stat().st_size / 1e6:6.1f} {read_s:8.2f} {check_s:9.2f} {each:8.0f} "
        f"{conflicts:10,} {peak:8,.0f} {other_read_s:10.2f} {other_join_s:7.2f} {pairs:8,} "
        f"{ratio:6.2f}{'' if joined else ' (reading)'}"
    )


def main(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure(200, folder)  # loads and compiles
        head = ("features", "MB", "read, s", "check, s", "µs each", "conflicts", "peak MB")
        other = ("json, s", "join, s", "pairs", "ratio")
        print(
            "{:>8} {:>6} {:>8} {:>9} {:>8} {:>10} {:>8} {:>10} {:>7} {:>8} {:>6}".format(
                *head, *other
            )
        )
        for count in (1_000, 5_000) if quick else (1_000, 10_000, 100_000):
            print(measure(count, folder), flush=True)


if __name__ == "__main__":
    main(quick=False)
