"""The policy: what a decision reads besides the register, kept in the journal.

It is changed only by a `configured` entry, so a replay knows which limits were in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits and margins of decisions; `ABOUT_POLICY` says what each may be set to.

    Nothing bounds them here, so that a journal of the past can be read whatever it holds.

    Attributes
    ----------
    kept_after_end_s
        How long an entity that has ended can still be read and deleted by its identifier.
    subscription_longest_s
        Longest life of a subscription (F3548-21: 24 h).
    subscription_start_late_s
        How far in the past a subscription may start.
    horizon_s
        How far ahead an operation or zone may end (F3548-21: 30 days, here with a margin).
    most_vertices
        Vertices of all volumes of one entity.
    most_volumes
        Volumes of one entity.
    largest_area_km2
        Largest polygon of a request.
    plain_http
        Whether base URLs may be http.
    ovn_suffix_skew_s
        How far the time in a requested OVN suffix may be from now.
    """

    kept_after_end_s: int = 3600
    subscription_longest_s: int = 24 * 3600
    subscription_start_late_s: int = 300
    horizon_s: int = 31 * 24 * 3600
    most_vertices: int = 10_000
    most_volumes: int = 500
    largest_area_km2: float = 2_500.0
    plain_http: bool = False
    ovn_suffix_skew_s: int = 300


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class AboutLimit:
    """What is said of one limit.

    Attributes
    ----------
    help
        What it limits.
    unit
        Of its value; empty where it has none.
    least, most
        Between which it can be set; both 0 for a choice of true or false.
    """

    help: str
    unit: str = ""
    least: float = 0
    most: float = 0


_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S

ABOUT_POLICY: Final[Mapping[str, AboutLimit]] = MappingProxyType(
    {
        "kept_after_end_s": AboutLimit(
            "How long an entity that has ended can still be read and deleted by its identifier.",
            "s",
            10,  # longer than clocks may be apart (`deconflict.register.state.view.CLOCK_SLACK_US`)
            7 * _DAY_S,
        ),
        "subscription_longest_s": AboutLimit(
            "Longest life of a subscription; F3548-21 says 24 h.", "s", _HOUR_S, 31 * _DAY_S
        ),
        "subscription_start_late_s": AboutLimit(
            "How far in the past a subscription may start.", "s", 0, _DAY_S
        ),
        "horizon_s": AboutLimit(
            "How far ahead an operation or zone may end; F3548-21 says 30 days.",
            "s",
            _HOUR_S,
            366 * _DAY_S,
        ),
        "most_vertices": AboutLimit("Vertices of all volumes of one entity.", "", 100, 100_000),
        # A thousand volumes against a thousand near ones take the service seconds.
        "most_volumes": AboutLimit("Volumes of one entity.", "", 10, 1_000),
        "largest_area_km2": AboutLimit("Largest polygon of a request.", "km²", 1, 1_000_000),
        "plain_http": AboutLimit("Whether base URLs may be http; for tests within one network."),
        "ovn_suffix_skew_s": AboutLimit(
            "How far the time in a requested OVN suffix may be from now.", "s", 10, _DAY_S
        ),
    }
)
"""Of each limit, in the order of `Policy`."""


def unfit(before: Policy, after: Policy) -> str | None:
    """Return the name of the first limit that is changed to what it can't be set to.

    One that stays is left alone: it may be of a time when other bounds held.
    """
    for name, about in ABOUT_POLICY.items():
        value = getattr(after, name)
        if isinstance(value, bool) or value == getattr(before, name):
            continue
        if not about.least <= value <= about.most:
            return name
    return None
