"""What every notation does: claim a text as its own, or write a place down.

A notation is a module with two functions:

``claim(text: NormalText) -> tuple[Reading, ...]``
    Empty: the text is not in this notation. One reading: it is, and means this. Several:
    it is, but means different places (``37S`` as band S or as south); the reader then refuses
    it with all of them. `InputError`: the text is in this notation beyond doubt, and wrong.
    A claim encodes its answer again and compares before it returns.

``write(lat_deg, lon_deg, uncertainty_m=0.0) -> str``
    The WGS 84 point with as many digits as its uncertainty deserves (zero: all that the
    notation has), in a form that the notation's own `claim` reads back.

The table of them all is `deconflict.geo.notation.table`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deconflict.geo.position import Notation

if TYPE_CHECKING:
    from deconflict.geo.datum import Shifted
    from deconflict.geo.notation.text import NormalText


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One meaning of a text, on the datum of the text.

    Attributes
    ----------
    lat_deg, lon_deg
        Latitude and longitude in degrees, on `datum`; on WGS 84 where `shift` is set.
    precision_m
        Half the diagonal of the cell that the last digits leave open, metres.
    notation
        How the text is written.
    datum
        Name of the datum as `deconflict.geo.datum.datum_named` takes it, or ``None`` if the
        text names none and the notation carries none (the reader then refuses or assumes).
    assumed
        What was assumed rather than read, one sentence each.
    shift
        Set by a notation that has already brought the point to WGS 84 (``EPSG:n``): the
        reader takes uncertainty, operation and assumptions from it and transforms no more.
    meaning
        The reading in a few words, for the refusal of an ambiguous text: "band S of zone 37".
    """

    lat_deg: float
    lon_deg: float
    precision_m: float
    notation: Notation
    datum: str | None = None
    assumed: tuple[str, ...] = ()
    shift: Shifted | None = None
    meaning: str = ""


class Claim(Protocol):
    """The reading half of a notation; see the module's docstring."""

    def __call__(self, text: NormalText) -> tuple[Reading, ...]:
        """Return what the text means in this notation; empty if it is in another."""


class Write(Protocol):
    """The writing half of a notation; see the module's docstring."""

    def __call__(self, lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
        """Write the WGS 84 point in this notation."""
