"""The table of mistakes, commonest rows first."""

from __future__ import annotations

from deconflict.geo.mistake.datums import flipped_rotations, wrong_datum
from deconflict.geo.mistake.digits import misread_digits, swapped, transposed, wrong_sign
from deconflict.geo.mistake.grids import (
    gauss_krueger_as_utm,
    magnetic_north,
    mgrs_corner,
    mgrs_letter_off,
    utm_zone_off,
)
from deconflict.geo.mistake.guess import Kind

KINDS: tuple[Kind, ...] = (
    swapped,
    wrong_datum,
    gauss_krueger_as_utm,
    misread_digits,
    wrong_sign,
    utm_zone_off,
    mgrs_letter_off,
    mgrs_corner,
    transposed,
    magnetic_north,
    flipped_rotations,
)
"""Every mistake that `deconflict.geo.mistake.compare` tries."""
