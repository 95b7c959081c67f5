# ruff: noqa: INP001 - a script, not a package
"""Make `src/deconflict/geo/data/country-outlines.z` from Natural Earth's 1:50m countries.

    python tools/country_outlines.py countries-50m.json

The input is the file of that name in version 2.0.2 of the package `world-atlas`: TopoJSON, whose
arcs (pieces of border) are shared by the two countries on either side. The output keeps each arc
once with the one or two countries that it bounds, so that the outline of any set of countries is
simply the arcs with one of the set on one side only. For cells of one degree it lists the
segments that touch them, and the country at their middle. Two runs give the same bytes.

The layout is read by `deconflict.geo.datum.outlines`: zlib over a line of JSON (``names`` and the
number of items of each array) and the arrays in the order of `ARRAYS`, little-endian.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent.parent / "src/deconflict/geo/data/country-outlines.z"
NOBODY = -1
ARRAYS = {
    "x": "<i4",  # longitudes of all points, 1e-5 degrees
    "y": "<i4",  # latitudes, the same
    "left": "<i2",  # for each point the country on one side of the segment that begins there
    "right": "<i2",  # the country on the other side; -1: none
    "starts": "<i4",  # where each cell's segments begin, by rows from 90 south, from 180 west
    "segments": "<i4",  # their first points
    "middle": "<i2",  # country at the middle of each cell; -1: none
}  # what costs a second here costs nothing at each start of a program


def main(source: str) -> None:
    """Read the TopoJSON file `source` and write `TARGET`."""
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    scale = np.array(topology["transform"]["scale"])
    origin = np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + origin for arc in topology["arcs"]]
    names, pairs = sides(topology["objects"]["countries"]["geometries"], len(arcs))
    sizes = np.array([len(arc) for arc in arcs])
    points = np.rint(np.concatenate(arcs) * 1e5).astype(np.int64)
    first = np.flatnonzero(~np.isin(np.arange(len(points)), np.cumsum(sizes) - 1))
    x0, y0 = points[first].T / 1e5
    dx, dy = (points[first + 1] - points[first]).T / 1e5
    dx -= 360 * np.rint(dx / 360)
    cells = touched(first, x0, y0, dx, dy)
    owners = np.repeat(pairs, sizes, axis=0)[first]
    counts = np.array([len(cell) for cell in cells])
    arrays = {
        "x": points[:, 0],
        "y": points[:, 1],
        "left": np.repeat(pairs[:, 0], sizes),
        "right": np.repeat(pairs[:, 1], sizes),
        "starts": np.concatenate([[0], np.cumsum(counts)]),
        "segments": np.concatenate(cells),
        "middle": middles(len(names), owners, (x0, y0, dx, dy)),
    }
    head = {"names": names, "items": {name: len(arrays[name]) for name in ARRAYS}}
    body = b"".join(arrays[name].astype(kind).tobytes() for name, kind in ARRAYS.items())
    line = json.dumps(head, ensure_ascii=False).encode() + b"\n"
    TARGET.write_bytes(zlib.compress(line + body, 9))


def sides(countries: list[dict], count: int) -> tuple[list[str], np.ndarray]:
    """Return the countries' names, and for each arc the one or two that it bounds."""
    bounded: list[list[int]] = [[] for _ in range(count)]
    names: list[str] = []
    for country in countries:
        name = country["properties"]["name"]
        if name not in names:  # Natural Earth has two pieces of Australia
            names.append(name)
        polygons = country["arcs"]
        for polygon in [polygons] if country["type"] == "Polygon" else polygons:
            for ring in polygon:
                for signed in ring:
                    bounded[signed if signed >= 0 else ~signed].append(names.index(name))
    pairs = np.full((count, 2), NOBODY)
    for number, both in enumerate(bounded):
        if len(both) > len(set(both)) or len(both) > 2:
            sys.exit(f"arc {number} bounds {both}: not a border of one or two countries")
        pairs[number, : len(both)] = both
    return names, pairs


def touched(first, x0, y0, dx, dy) -> list[list[int]]:  # noqa: ANN001
    """Return for each cell the first points of the segments whose box touches it."""
    cells: list[list[int]] = [[] for _ in range(180 * 360)]
    for point, x, y, right, up in zip(first.tolist(), x0, y0, dx, dy, strict=True):
        south, north = sorted((y, y + up))
        west, east = sorted((x, x + right))
        for row in range(
            max(int(np.floor(south)) + 90, 0), min(int(np.floor(north)) + 90, 179) + 1
        ):
            for column in range(int(np.floor(west)) + 180, int(np.floor(east)) + 181):
                cells[row * 360 + column % 360].append(point)
    return [sorted(set(cell)) for cell in cells]


def middles(count: int, owners, pieces) -> np.ndarray:  # noqa: ANN001
    """Return the country at the middle of each cell, by counting what lies north of it."""
    x0, y0, dx, dy = pieces
    middle = np.full((180, 360), NOBODY)
    rows = np.arange(180) - 89.5
    for column in range(360):
        ax = x0 - (column - 179.5)
        ax -= 360 * np.rint(ax / 360)
        crossed = np.flatnonzero((ax <= 0) != (ax + dx <= 0))
        at = y0[crossed] - ax[crossed] / dx[crossed] * dy[crossed]
        above = at[None, :] > rows[:, None]
        for country in range(count):
            ours = (owners[crossed] == country).any(axis=1)
            middle[np.count_nonzero(above[:, ours], axis=1) % 2 == 1, column] = country
    return middle.ravel()


if __name__ == "__main__":
    main(*sys.argv[1:])
