"""Which known mistake, if any, explains that two positions of one place differ.

`compare` gives the agreement, or the likely mistakes in order. `kinds` is the table of the
mistakes; `comparison` weighs them; `grid` holds the map projections that both need.
"""

from deconflict.geo.mistake.comparison import Comparison, Mistake, compare

__all__ = ["Comparison", "Mistake", "compare"]
