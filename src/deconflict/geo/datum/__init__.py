"""Datums: how to bring a position from one to another, and how well that is known.

`conversion` is the door: names, both directions, EPSG systems. Behind it `shift` chooses among
the published operations (`operation`) by the countries they are made for (`coverage`, `outlines`).
"""

from deconflict.geo.datum.conversion import (
    WGS84,
    Datum,
    Shifted,
    ShiftedMany,
    crs_to_wgs84,
    datum_named,
    from_wgs84,
    to_wgs84,
    to_wgs84_many,
    wgs84_to_crs,
)

__all__ = [
    "WGS84",
    "Datum",
    "Shifted",
    "ShiftedMany",
    "crs_to_wgs84",
    "datum_named",
    "from_wgs84",
    "to_wgs84",
    "to_wgs84_many",
    "wgs84_to_crs",
]
