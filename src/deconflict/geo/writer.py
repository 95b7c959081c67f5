"""A position in every notation, for the other party's map."""

from __future__ import annotations

from deconflict.geo.errors import InputError
from deconflict.geo.notation.table import writers
from deconflict.geo.position import Notation, Position


def notations(position: Position, *, full: bool = False) -> dict[str, str]:
    """Write the place in every notation.

    Parameters
    ----------
    position
        The place.
    full
        Write all digits that a notation has, rather than as many as the position's
        uncertainty deserves.

    Returns
    -------
    dict
        By the notation's name (`Notation`), a text that
        `deconflict.geo.reader.read_position` reads back to the place, to within the text's own
        precision (and, on another datum, the transformation's uncertainty). Where a notation
        does not reach the place, the text says why, in parentheses.
    """
    uncertainty_m = 0.0 if full else position.uncertainty_m
    written = {}
    for notation, write in writers():
        try:
            text = write(position.lat_deg, position.lon_deg, uncertainty_m)
        except InputError as refusal:
            text = f"(none: {refusal.what})"
        name = Notation.UPS if text.startswith("UPS") else notation
        written[name.value] = text
    return written
