"""Reading a GeoJSON file and checking it, end to end: bytes to explained verdict.

One in fifty is an operation, the others are sites. The baseline reads the same file with Python's
`json` and joins it in plan with shapely's STRtree, without heights, times, checks or reasons.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import shapely

from deconflict.files import read_file
from deconflict.register.check import check
from volumes import table

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def write(path: Path, count: int) -> None:
    """Write that many features."""
    volumes = table(count)
    features = []
    for i in range(count):
        volume = volumes.volume_of(i)
        shape = volume.footprint
        properties = {
            "id": f"f{i}",
            "kind": "operation" if i % 50 == 0 else "site",
            "party": f"party {i % 7}",
            "start": volume.start.isoformat(),
            "end": (volume.end + timedelta(seconds=1)).isoformat(),
            "lower_m": volume.band.lower.value_m,
            "upper_m": volume.band.upper.value_m,
            "altitude_reference": "W84",
            "uncertainty_m": 5,
        }
        if hasattr(shape, "center"):
            properties["radius_m"] = round(shape.radius_m)
            place = [round(shape.center[1], 6), round(shape.center[0], 6)]
            geometry = {"type": "Point", "coordinates": place}
        else:
            ring = [[round(lon, 6), round(lat, 6)] for lat, lon in shape.shell]
            geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def baseline(path: Path) -> int:
    """Count the pairs that meet in plan, in degrees."""
    features = json.loads(path.read_text())["features"]
    shapes = [
        shapely.from_geojson(json.dumps(feature["geometry"])).buffer(
            feature["properties"].get("radius_m", 0) / 111_000
        )
        for feature in features
    ]
    tree = shapely.STRtree(shapes)
    return sum(
        tree.query(shapes[i : i + 500], predicate="intersects").shape[1]
        for i in range(0, len(shapes), 500)
    )


def main(*, quick: bool) -> None:
    count = 5_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.geojson"
        write(path, count)
        began = time.process_time()
        result = read_file(str(path))
        read = time.process_time() - began
        assert not result.problems, result.problems[0]
        began = time.process_time()
        report = check(result.entities, now=NOW)
        checked = time.process_time() - began
        began = time.process_time()
        pairs = baseline(path)
        other = time.process_time() - began
        size = path.stat().st_size / 1e6
    print(f"{count:,} features, {size:.0f} MB: read {read:.1f} s, checked {checked:.1f} s (CPU)")
    print(f"verdict {report.verdict}, {len(report.conflicts):,} conflicts explained")
    print(f"json and STRtree, plan only: {other:.1f} s, {(pairs - count) // 2:,} pairs")


if __name__ == "__main__":
    main(quick=False)
