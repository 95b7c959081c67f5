"""The extent of what is put into the register: its volumes as records, and the limits on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from deconflict.geo.volume import Circle, Route, Volume4D
from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decision import Reason
from deconflict.register.policy import Policy
from deconflict.register.state.held import VolumeRecord
from deconflict.register.state.view import View
from deconflict.register.state.volume_record import record_of
from deconflict.register.words import duration, instant

SECOND_US: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Extent:
    """Volumes as records, their earliest beginning and their latest end (microseconds)."""

    records: tuple[VolumeRecord, ...]
    start_us: int
    end_us: int


def at(time_us: int) -> datetime:
    """Return microseconds since 1970 as an aware instant."""
    return _EPOCH + timedelta(microseconds=time_us)


def told(time_us: int) -> str:
    """Return microseconds since 1970 as a sentence writes them."""
    return instant(at(time_us))


def extent_of(view: View, volumes: tuple[Volume4D, ...]) -> Extent:
    """Return the extent of an operation or a zone.

    Raises
    ------
    RefusedError
        If the policy doesn't allow it, a volume lacks a time, or all of it is past.
    """
    check_size(volumes, view.policy)
    records = tuple(record_of(volume) for volume in volumes)
    starts = [record.start_us for record in records if record.start_us is not None]
    ends = [record.end_us for record in records if record.end_us is not None]
    if len(starts) < len(records) or len(ends) < len(records):
        raise RefusedError(
            Reason.INVALID,
            "a volume has no time to begin or to end",
            "give each volume both",
        )
    start_us, end_us = min(starts), max(ends)
    if end_us < view.now_us:
        raise RefusedError(
            Reason.INVALID,
            f"it ended at {told(end_us)}, and now it is {told(view.now_us)}",
            "give an end that is still to come",
        )
    horizon_s = view.policy.horizon_s
    if end_us > view.now_us + horizon_s * SECOND_US:
        raise RefusedError(
            Reason.INVALID,
            f"it ends at {told(end_us)}, more than {duration(horizon_s)} ahead",
            "give an earlier end, and register what comes later when it is nearer",
        )
    return Extent(records, start_us, end_us)


def check_size(volumes: tuple[Volume4D, ...], policy: Policy) -> None:
    """Refuse no volume at all, and more volumes or vertices than the policy allows."""
    if not volumes:
        raise RefusedError(Reason.INVALID, "it has no volume", "give at least one")
    if len(volumes) > policy.most_volumes:
        raise RefusedError(
            Reason.INVALID,
            f"{len(volumes):,} volumes are more than the {policy.most_volumes:,} allowed",
            "give fewer volumes that hold these",
        )
    vertices = sum(map(_vertices, volumes))
    if vertices > policy.most_vertices:
        raise RefusedError(
            Reason.INVALID,
            f"{vertices:,} vertices are more than the {policy.most_vertices:,} allowed",
            "give coarser outlines that hold these",
        )


def _vertices(volume: Volume4D) -> int:
    footprint = volume.footprint
    if isinstance(footprint, Circle):
        return 0
    if isinstance(footprint, Route):
        return len(footprint.points)
    return len(footprint.shell) + sum(map(len, footprint.holes))
