"""Elementary functions for one number and for columns, equal to the last bit.

NumPy's vectorised sine may differ from the C library's in the last bit, and a position must
not depend on whether it was read alone or among a million. So the same formula runs on both,
with these functions: a column is mapped through the C library element by element, and what
remains in the formula (+, -, *, /, square root) is rounded correctly by both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

Number: TypeAlias = Any
"""A float, or a one-dimensional float64 array; a formula gets all of one kind and gives it."""


class Elementary(NamedTuple):
    """Elementary functions of a `Number`, angles in radians."""

    sin: Callable[[Number], Number]
    cos: Callable[[Number], Number]
    tan: Callable[[Number], Number]
    atan: Callable[[Number], Number]
    atan2: Callable[[Number, Number], Number]
    exp: Callable[[Number], Number]
    sinh: Callable[[Number], Number]
    asinh: Callable[[Number], Number]
    sqrt: Callable[[Number], Number]
    absolute: Callable[[Number], Number]


ONE = Elementary(
    math.sin,
    math.cos,
    math.tan,
    math.atan,
    math.atan2,
    math.exp,
    math.sinh,
    math.asinh,
    math.sqrt,
    abs,
)
"""For one number."""


@lru_cache(maxsize=1)
def columns() -> Elementary:
    """Return the functions for columns."""
    import numpy as np

    def mapped(function: Callable[..., float]) -> Callable[..., Number]:
        def over(*arguments: Number) -> Number:
            lists = [argument.tolist() for argument in arguments]
            return np.fromiter(map(function, *lists), np.float64, len(lists[0]))

        return over

    through_c = {name: mapped(getattr(ONE, name)) for name in Elementary._fields}
    return Elementary(**(through_c | {"sqrt": np.sqrt, "absolute": np.abs}))
