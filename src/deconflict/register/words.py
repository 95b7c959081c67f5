"""Names, figures and windows as a report writes them."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime

from deconflict.register.entity import Entity, ZoneRule

RULE_WORDS = {
    ZoneRule.KEEP_OUT: "keep-out zone",
    ZoneRule.KEEP_IN: "keep-in zone",
    ZoneRule.CORRIDOR: "corridor",
    ZoneRule.CEASEFIRE: "ceasefire zone",
    ZoneRule.AREA_OF_OPERATIONS: "area of operations",
}


def normal(name: str) -> str:
    """Return a party's name or an id as it is compared: NFC, caseless, single spaces."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(folded.split())


def called(entity: Entity) -> str:
    """Return how a sentence calls an entity: ``hazardous operation "Dawn" (op-7, of A)``."""
    if entity.rule is not None:
        kind = RULE_WORDS[entity.rule]
    else:
        kind = f"hazardous {entity.kind}" if entity.hazardous else str(entity.kind)
    party = f"of {entity.party}" if entity.party else "of no stated party"
    if entity.name:
        return f'{kind} "{entity.name}" ({entity.id}, {party})'
    return f"{kind} {entity.id} ({party})"


def metres(value_m: float | None) -> str:
    """Return a length in words; ``None`` and infinity are "without bound"."""
    if value_m is None or math.isinf(value_m):
        return "without bound"
    if abs(value_m) >= 9_999.5:
        return f"{value_m / 1000:,.1f} km"
    return f"{value_m:,.0f} m" if abs(value_m) >= 9.95 else f"{value_m:.2g} m"


def duration(value_s: float | None) -> str:
    """Return a duration in words; ``None`` and infinity are "without end"."""
    if value_s is None or math.isinf(value_s):
        return "without end"
    if value_s < 60:
        return f"{value_s:.3g} s"
    minutes, seconds = divmod(round(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def instant(when: datetime) -> str:
    """Return an instant in UTC, to the second where it is a whole one."""
    return when.astimezone(UTC).isoformat(timespec="auto").replace("+00:00", "Z")


def window(start: datetime | None, end: datetime | None) -> str:
    """Return a time window in words."""
    if start is None and end is None:
        return "at all times"
    if start is None:
        return f"until {instant(end)}" if end is not None else ""
    if end is None:
        return f"from {instant(start)} on"
    return f"from {instant(start)} to {instant(end)}"


def sentence_case(text: str) -> str:
    """Return the text with its first letter large."""
    return text[:1].upper() + text[1:]
