"""The scopes of F3548-21: what a token lets its party do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One scope each, after the roles of the standard."""

    STRATEGIC_COORDINATION = "utm.strategic_coordination"
    CONFORMANCE_MONITORING = "utm.conformance_monitoring_sa"
    CONSTRAINT_MANAGEMENT = "utm.constraint_management"
    CONSTRAINT_PROCESSING = "utm.constraint_processing"
    AVAILABILITY_ARBITRATION = "utm.availability_arbitration"
