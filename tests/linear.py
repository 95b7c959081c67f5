"""Linearizability of what was done to one thing: whether some order of it explains all answers.

The thing holds nothing, or a mark that tells which write it comes from; no mark is written twice.
The search is that of Wing and Gong with Lowe's memory of where it has been ("Testing for
linearizability", 2017). A look that fits is taken at once: it changes nothing, so an order in which
it stands later has one like it in which it stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

ABSENT = 0
FOR_EVER = 2**62
MOST_PLACES = 500_000


class Needs(Enum):
    """What a step demands of what was there."""

    IS = auto()
    """That mark, or nothing if it is `ABSENT`."""
    IS_NOT = auto()
    """Something with another mark."""
    PRESENT = auto()
    """Something."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one client did.

    Attributes
    ----------
    sent_ns, received_ns
        When it began and ended, of one clock; `FOR_EVER` if its outcome is not known: it may take
        effect at any time, or never.
    needs, mark
        What was there.
    becomes
        What is there afterwards; ``None`` if it changes nothing.
    """

    sent_ns: int
    received_ns: int
    needs: Needs
    mark: int = ABSENT
    becomes: int | None = None

    @property
    def sure(self) -> bool:
        """Whether its outcome is known."""
        return self.received_ns < FOR_EVER

    def fits(self, mark: int) -> bool:
        """Whether it can be done to what is there."""
        if self.needs is Needs.IS:
            return mark == self.mark
        return mark != ABSENT and (self.needs is Needs.PRESENT or mark != self.mark)


class SearchTooLongError(Exception):
    """The search was given up, so nothing is known."""


def contradiction(steps: Iterable[Step], most_places: int = MOST_PLACES) -> list[Step]:
    """Return the steps of which none could come next where the search got farthest.

    Empty if an order explains all.

    Raises
    ------
    SearchTooLongError
        If it would look at more places than that.
    """
    ordered = sorted(steps, key=lambda step: step.sent_ns)
    wanted = sum(1 << number for number, step in enumerate(ordered) if step.sure)
    stack = [(0, ABSENT)]
    been = set(stack)
    farthest, stuck = -1, list[Step]()
    while stack:
        done, mark = stack.pop()
        if done & wanted == wanted:
            return []
        if len(been) > most_places:
            raise SearchTooLongError(f"{len(ordered)} steps, {len(been)} places looked at")
        next_ones = _next(ordered, done)
        if (count := (done & wanted).bit_count()) > farthest:
            farthest, stuck = count, [ordered[number] for number in next_ones]
        fitting = [number for number in next_ones if ordered[number].fits(mark)]
        looks = [number for number in fitting if ordered[number].becomes is None]
        # The last is tried first: a write whose outcome is known rather than one that may not be.
        for number in looks[:1] or sorted(fitting, key=lambda number: ordered[number].sure):
            becomes = ordered[number].becomes
            place = (done | 1 << number, mark if becomes is None else becomes)
            if place not in been:
                been.add(place)
                stack.append(place)
    return stuck


def _next(ordered: Sequence[Step], done: int) -> list[int]:
    """Return the steps that may be next: sent before each of the others was answered."""
    found = []
    bound = FOR_EVER
    low = (~done & (done + 1)).bit_length() - 1
    for number in range(low, len(ordered)):
        if done >> number & 1:
            continue
        step = ordered[number]
        if step.sent_ns > bound:
            break
        bound = min(bound, step.received_ns)
        found.append(number)
    return found
