"""Which known mistake, if any, explains that two positions of one place differ.

`compare` gives the agreement, or the likely mistakes in order. `table` lists the mistakes, which
`digits`, `datums` and `grids` make on purpose; `comparison` weighs what they explain.
"""

from deconflict.geo.mistake.comparison import Comparison, Mistake, compare

__all__ = ["Comparison", "Mistake", "compare"]
