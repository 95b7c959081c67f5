"""Margins: how far apart volumes of two classes must be, and which classes matter to which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deconflict.geo.errors import InputError

LONGEST_TIME_S = 3.0e10
"""A thousand years: no rule needs more, and it leaves 64-bit microseconds room."""


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """Margins for each pair of classes, added to what the volumes hold already.

    Attributes
    ----------
    plan_m, height_m, time_s
        (classes, classes), symmetric, not negative: metres, metres, seconds. Volumes exactly
        as far apart meet. NaN in `plan_m`: two of these classes never matter to each other.

    Raises
    ------
    InputError
        If a matrix isn't square and symmetric, or a margin is negative, infinite, or missing
        where the classes matter to each other.
    """

    plan_m: NDArray[np.float64]
    height_m: NDArray[np.float64]
    time_s: NDArray[np.float64]

    def __post_init__(self) -> None:
        matter = ~np.isnan(self.plan_m)
        for name in ("plan_m", "height_m", "time_s"):
            matrix = getattr(self, name)
            if matrix.ndim != 2 or matrix.shape != self.plan_m.T.shape:
                raise InputError("margins need a row and a column for each class", field=name)
            if not np.array_equal(matrix, matrix.T, equal_nan=True):
                raise InputError(
                    "margins differ between two classes by which of them is named first",
                    "give the same margin both ways",
                    field=name,
                )
            if not (np.isfinite(matrix[matter]).all() and (matrix[matter] >= 0.0).all()):
                raise InputError("a margin is negative or no number", "write 0 or more", field=name)
        if (self.time_s[matter] > LONGEST_TIME_S).any():
            raise InputError(
                "a margin in time is longer than a thousand years",
                "write it in seconds",
                field="time_s",
            )

    @classmethod
    def of(
        cls, plan_m: ArrayLike, height_m: ArrayLike | None = None, time_s: ArrayLike | None = None
    ) -> Margins:
        """Make margins of nested lists; height and time are zero where not given."""
        plan = np.asarray(plan_m, np.float64)
        return cls(
            plan,
            np.zeros_like(plan) if height_m is None else np.asarray(height_m, np.float64),
            np.zeros_like(plan) if time_s is None else np.asarray(time_s, np.float64),
        )

    @property
    def time_us(self) -> NDArray[np.int64]:
        """The margins in time in whole microseconds, rounded up; 0 where a pair doesn't matter."""
        matter = ~np.isnan(self.plan_m)
        return np.ceil(np.where(matter, self.time_s, 0.0) * 1e6).astype(np.int64)

    def with_bystanders(self) -> Margins:
        """Return margins for twice the classes: class c + classes is c, but not to its like.

        The second half matters to the first half as the first half does to itself; within the
        second half nothing matters.
        """
        plan = np.tile(self.plan_m, (2, 2))
        classes = len(self.plan_m)
        plan[classes:, classes:] = np.nan
        return Margins(plan, np.tile(self.height_m, (2, 2)), np.tile(self.time_s, (2, 2)))
