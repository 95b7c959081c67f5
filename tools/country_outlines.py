# ruff: noqa: INP001 - a script, not a package
"""Make `src/deconflict/geo/data/country-outlines.npz` from Natural Earth's 1:50m countries.

    python tools/country_outlines.py countries-50m.json

The input is the file of that name in version 2.0.2 of the package `world-atlas`: TopoJSON, whose
arcs (pieces of border) are shared by the two countries on either side. The output keeps each arc
once with the one or two countries that it bounds, so that the outline of any set of countries is
simply the arcs with one of the set on one side only. Two runs give the same bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent.parent / "src/deconflict/geo/data/country-outlines.npz"
NOBODY = -1


def main(source: str) -> None:
    """Read the TopoJSON file `source` and write `TARGET`."""
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    scale = np.array(topology["transform"]["scale"])
    origin = np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + origin for arc in topology["arcs"]]
    sides: list[list[int]] = [[] for _ in arcs]
    names: list[str] = []
    for country in topology["objects"]["countries"]["geometries"]:
        name = country["properties"]["name"]
        if name not in names:  # Natural Earth has two pieces of Australia
            names.append(name)
        polygons = country["arcs"]
        for polygon in [polygons] if country["type"] == "Polygon" else polygons:
            for ring in polygon:
                for signed in ring:
                    sides[signed if signed >= 0 else ~signed].append(names.index(name))
    pairs = np.full((len(arcs), 2), NOBODY, dtype=np.int16)
    for number, both in enumerate(sides):
        if len(both) > len(set(both)) or len(both) > 2:
            sys.exit(f"arc {number} bounds {both}: not a border of one or two countries")
        pairs[number, : len(both)] = both
    # Hundred-thousandths of a degree, as steps from point to point, compress best.
    points = np.rint(np.concatenate(arcs) * 1e5).astype(np.int32)
    np.savez_compressed(
        TARGET,
        steps=np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int32)),
        sizes=np.array([len(arc) for arc in arcs], dtype=np.int32),
        sides=pairs,
        names=np.array(names),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
