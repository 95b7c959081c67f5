"""The policy: what a decision reads besides the register, kept in the journal.

It is changed only by a `configured` entry, so a replay knows which limits were in force.
"""

from __future__ import annotations

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits and margins of decisions.

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
    most_volumes: int = 1_000
    largest_area_km2: float = 2_500.0
    plain_http: bool = False
    ovn_suffix_skew_s: int = 300


DEFAULT_POLICY = Policy()
