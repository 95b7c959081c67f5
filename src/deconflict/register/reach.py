"""How far an entity may be from where it was put: old and unmeasured positions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deconflict.register.entity import Entity
from deconflict.register.report import Check
from deconflict.register.rules import Rules
from deconflict.register.words import called, duration, instant, metres, sentence_case

CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far two clocks may differ before a time in the future is worth a word (ASTM F3548-21)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Within what distance of its position an entity may be.

    Attributes
    ----------
    reach_m
        Metres.
    check
        Which check says so.
    why
        The reason, as a clause.
    """

    reach_m: float
    check: Check
    why: str


def reach_of(entity: Entity, rules: Rules, now: datetime) -> Reach | None:
    """Return the reach of an entity whose position is old or was not measured, else ``None``."""
    reasons: list[tuple[float, Check, str]] = []
    for row in rules.stale:
        if not row.enforced or row.kind != entity.kind or entity.obtained_at is None:
            continue
        age = now - entity.obtained_at
        if age > timedelta(hours=row.max_age_h):
            reasons.append(
                (
                    row.reach_m,
                    Check.STALE,
                    (
                        f"its position is of {instant(entity.obtained_at)}, "
                        f"{duration(age.total_seconds())} old "
                        f"(a {entity.kind}'s is good for {duration(row.max_age_h * 3600)})"
                    ),
                )
            )
    for words in rules.obtained:
        found = _words_found(entity, words.words) if words.enforced else ()
        if found:
            reasons.append(
                (
                    words.reach_m,
                    Check.INTERPOLATED,
                    f'its position was not measured (obtained: "{found[0]}")',
                )
            )
    if not reasons:
        return None
    stated = entity.reach_m
    reach_m = stated if stated is not None else max(reason[0] for reason in reasons)
    source = "stated" if stated is not None else "assumed from the rules table"
    why = " and ".join(reason[2] for reason in reasons)
    return Reach(
        reach_m, reasons[0][1], f"{why}; it may be up to {metres(reach_m)} away ({source})"
    )


def _words_found(entity: Entity, words: Iterable[str]) -> tuple[str, ...]:
    """Return the text of the entity that holds one of the words, if any does."""
    texts = [entity.obtained, *(position.obtained for position in entity.positions)]
    for text in texts:
        if text is None:
            continue
        spoken = _spaced(text)
        if any(_spaced(word) in spoken for word in words):
            return (text,)
    return ()


def _spaced(text: str) -> str:
    """Return the words of a text in small letters, each between single spaces."""
    words = " ".join(re.findall(r"\w+", text.casefold()))
    return f" {words} "


def future_notes(entities: Iterable[Entity], now: datetime) -> list[str]:
    """Return a sentence for each position that is said to come from the future."""
    return [
        f"{sentence_case(called(entity))}: its position is said to be of "
        f"{instant(entity.obtained_at)}, which is after {instant(now)}: a clock or a date is wrong"
        for entity in entities
        if entity.obtained_at is not None and entity.obtained_at - now > CLOCK_TOLERANCE
    ]
