"""The sweep: all pairs of a large set of volumes that meet.

Few volumes are compared with numpy and `deconflict.geo.separation`, which need no compiling.
Many go through a hash grid (`cells`) and a compiled decision (`kernel`); what that leaves open is
asked of `deconflict.geo.separation` too, so both ways give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deconflict.geo.errors import InputError
from deconflict.geo.height import HIGHEST_M, LOWEST_M, AltitudeBand, Height
from deconflict.geo.packed.margins import Margins
from deconflict.geo.packed.table import (
    BEGIN,
    END,
    GROWTH,
    RADIUS,
    RING,
    RING_STOP,
    Floats,
    Integers,
    VolumeTable,
    Z,
)
from deconflict.geo.separation import meets
from deconflict.geo.volume import Volume4D, parts

FEW_ROWS = 5_000
"""Up to so many rows all pairs are compared with numpy: 0.2 s, less than loading numba."""
FEW_CANDIDATES = 2_000
"""Up to so many near pairs are decided one by one, at about 0.15 ms each; the compiled way takes
0.5 s to load, and 15 s in the first run after an installation."""
BLOCK = 256
ROWS_A_STEP = 50_000
"""Rows between two calls of `progress`."""


def sweep(
    volumes: VolumeTable | Sequence[Volume4D],
    *,
    plans: NDArray[np.bool_] | Sequence[bool] | None = None,
    classes: NDArray[np.integer] | Sequence[int] | None = None,
    margins: Margins | None = None,
    groups: NDArray[np.integer] | Sequence[int] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Integers:
    """Find all pairs of volumes that meet; touching is meeting.

    Parameters
    ----------
    volumes
        The volumes, packed or not.
    plans
        For each volume whether it is one of those asked about; pairs without any are left out.
        Not given: all are.
    classes
        For each volume its class, a row of `margins`; not given: 0.
    margins
        Margins for each pair of classes; not given: zero between all.
    groups
        For each volume a number; volumes with the same number are never paired with each other,
        such as those of one entity. Negative: in no group.
    progress
        Called with the share of the work done, from 0 to 1.

    Returns
    -------
    (n, 2) array
        The numbers of both volumes, the smaller one first, in ascending order.

    Raises
    ------
    InputError
        If an argument has another length than the volumes, or a class has no margins.
    """
    table = volumes if isinstance(volumes, VolumeTable) else VolumeTable.of(volumes)
    kind = _numbers(classes, table.count, "classes", 0)
    group = _numbers(groups, table.count, "groups", -1)
    group = np.where(group < 0, -1 - np.arange(table.count), group)
    if margins is None:
        size = int(kind.max(initial=0)) + 1
        margins = Margins.of(np.zeros((size, size)))
    if kind.min(initial=0) < 0 or kind.max(initial=0) >= len(margins.plan_m):
        raise InputError(
            "a class has no row in the margins",
            f"number classes from 0 to {len(margins.plan_m) - 1}",
            field="classes",
        )
    if plans is not None:
        asked = np.asarray(plans, np.bool_)
        _check_length(len(asked), table.count, "plans")
        kind = np.where(asked, kind, kind + len(margins.plan_m))
        margins = margins.with_bystanders()
    kind, group = kind[table.owner], group[table.owner]

    few = _candidates(table, kind, group, margins) if len(table.owner) <= FEW_ROWS else None
    if few is None:
        sure, undecided = _compiled_pairs(table, kind, group, margins, progress)
    else:
        sure, undecided = few[:0], few
    decider = Decider(table)
    settled = [
        decider.meet(int(i), int(j), margins.plan_m[k, m], margins.height_m[k, m])
        for (i, j), (k, m) in zip(undecided, kind[undecided], strict=True)
    ]
    found = np.concatenate([sure, undecided[np.array(settled, np.bool_)]])
    pairs = np.sort(table.owner[found], axis=1)
    if progress is not None:
        progress(1.0)
    return _ascending(pairs, table.count)


class Decider:
    """Decides pairs of rows whose windows meet, one by one and exactly.

    Parameters
    ----------
    table
        The rows.
    """

    __slots__ = ("_first", "_table")

    def __init__(self, table: VolumeTable) -> None:
        self._table = table
        self._first = np.searchsorted(table.owner, np.arange(table.count))

    def meet(self, row: int, other: int, plan_m: float = 0.0, height_m: float = 0.0) -> bool:
        """Return whether two rows come within the margins, metres; their windows aren't asked."""
        return parts_meet(self.part(row), self.part(other), plan_m, height_m)

    def part(self, row: int) -> Volume4D:
        """Return a row as a volume: a leg of a timed route, or the whole volume."""
        owner = int(self._table.owner[row])
        return parts(self._table.volume_of(owner))[row - int(self._first[owner])]


def parts_meet(a: Volume4D, b: Volume4D, plan_m: float = 0.0, height_m: float = 0.0) -> bool:
    """Return whether two parts come within the margins, metres, whatever their windows."""
    band = a.band
    if height_m > 0.0:
        band = AltitudeBand(
            None if band.lower is None else _shifted(band.lower, -height_m),
            None if band.upper is None else _shifted(band.upper, height_m),
            band.ground_m,
        )
    grown = replace(a, band=band, uncertainty_m=a.uncertainty_m + plan_m, start=None, end=None)
    return meets(grown, replace(b, start=None, end=None))


def _shifted(height: Height, by_m: float) -> Height | None:
    value_m = height.value_m + by_m
    return Height(value_m, height.reference) if LOWEST_M <= value_m <= HIGHEST_M else None


def _numbers(
    given: NDArray[np.integer] | Sequence[int] | None, count: int, field: str, default: int
) -> Integers:
    if given is None:
        return np.full(count, default, np.int64)
    _check_length(len(given), count, field)
    return np.asarray(given, np.int64)


def _check_length(length: int, count: int, field: str) -> None:
    if length != count:
        raise InputError(
            f"{length} were given for {count} volumes", "give one for each volume", field=field
        )


def _ascending(pairs: Integers, count: int) -> Integers:
    """Return pairs of numbers below `count` in ascending order, each once."""
    keys = np.unique(pairs[:, 0] * count + pairs[:, 1])
    if not len(keys):
        return np.empty((0, 2), np.int64)
    return np.stack([keys // count, keys % count], axis=1)


def _candidates(
    table: VolumeTable, kind: Integers, group: Integers, margins: Margins
) -> Integers | None:
    """Return the pairs of rows whose spheres and windows meet; None if they are many."""
    rows = table.rows
    reach = rows.real[:, RADIUS] + rows.real[:, GROWTH]
    matters = ~np.isnan(margins.plan_m)
    time_us = margins.time_us
    found: list[Integers] = []
    total = 0
    for start in range(0, len(kind), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(kind)))
        begin, end = rows.whole[block, BEGIN], rows.whole[block, END]
        later = slice(start, len(kind))
        slack = time_us[kind[block][:, None], kind[None, later]]
        near = rows.whole[None, later, BEGIN] <= end[:, None] + slack
        near &= rows.whole[None, later, END] >= begin[:, None] - slack
        near &= matters[kind[block][:, None], kind[None, later]]
        near &= group[block][:, None] != group[None, later]
        i, j = np.nonzero(near)
        i, j = i + start, j + start
        keep = i < j
        i, j = i[keep], j[keep]
        limit = reach[i] + reach[j] + margins.plan_m[kind[i], kind[j]]
        away = rows.real[i, : Z + 1] - rows.real[j, : Z + 1]
        close = np.einsum("ij,ij->i", away, away) <= limit**2
        found.append(np.stack([i[close], j[close]], axis=1))
        total += int(np.count_nonzero(close))
        if total > FEW_CANDIDATES:
            return None
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def _compiled_pairs(
    table: VolumeTable,
    kind: Integers,
    group: Integers,
    margins: Margins,
    progress: Callable[[float], None] | None,
) -> tuple[Integers, Integers]:
    """Return the pairs of rows that meet for certain, and those that are undecided."""
    from deconflict.geo.packed.kernel import YES

    found = list(_steps(table, kind, group, margins, progress))
    every = np.concatenate([np.empty((0, 3), np.int64), *found])
    sure = every[:, 2] == YES
    return every[sure, :2], every[~sure, :2]


def _steps(
    table: VolumeTable,
    kind: Integers,
    group: Integers,
    margins: Margins,
    progress: Callable[[float], None] | None,
) -> Iterator[Integers]:
    from deconflict.geo.packed.cells import BUCKETS, empty_cells, load
    from deconflict.geo.packed.cube import keys
    from deconflict.geo.packed.pairs import Wanted, pairs_of_buckets

    rows = table.rows
    # Two margins' halves together are at least the margin of the pair.
    greatest = np.nan_to_num(margins.plan_m).max(axis=1, initial=0.0)
    reach: Floats = rows.real[:, RADIUS] + rows.real[:, GROWTH] + greatest[kind] / 2
    # What lies together is looked at together, so it is put together first.
    key = keys(rows, reach)
    order = np.lexsort((rows.whole[:, BEGIN], key))
    places = int(np.count_nonzero(np.diff(key[order]))) + 1
    rows = rows._replace(real=rows.real[order], whole=rows.whole[order])
    kind, group, reach = kind[order], group[order], reach[order]
    cells = empty_cells(places, len(order), 2 * len(order))
    load(cells, rows, kind, reach, np.arange(len(order)))
    wanted = Wanted(kind, group, reach, margins.plan_m, margins.height_m, margins.time_us)
    scratch = np.empty((most_vertices(table), 2))
    bucket, buckets = 0, int(cells.state[BUCKETS])
    while bucket < buckets:
        if progress is not None:
            progress(bucket / buckets)
        bucket, many, found = pairs_of_buckets(cells, rows, wanted, bucket, ROWS_A_STEP, scratch)
        yield np.column_stack([order[found[:many, 0]], order[found[:many, 1]], found[:many, 2]])


def most_vertices(table: VolumeTable) -> int:
    """Return how many vertices the row with the most of them has."""
    rows = table.rows
    counts = rows.ring[rows.whole[:, RING_STOP]] - rows.ring[rows.whole[:, RING]]
    return int(counts.max(initial=1))
