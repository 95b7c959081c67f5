"""The check: which of the plans meet, or leave, what the rules forbid."""

from __future__ import annotations

from deconflict.register.report import (
    Check,
    Conflict,
    Doubt,
    Overlap,
    Report,
    Shift,
    Verdict,
)

__all__ = ["Check", "Conflict", "Doubt", "Overlap", "Report", "Shift", "Verdict"]
