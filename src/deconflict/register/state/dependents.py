"""Dependents: which operations a subscription serves."""

from __future__ import annotations


class Dependents:
    """Operations by the subscription that serves them, both as numbers of their identifiers.

    Most subscriptions serve one operation, which then stands without a set of its own.
    """

    def __init__(self) -> None:
        self._of: dict[int, int | set[int]] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dependents):
            return NotImplemented
        return self._of == other._of

    __hash__ = None  # type: ignore[assignment]

    def add(self, subscription: int, operation: int) -> None:
        """Let a subscription serve an operation; again is once."""
        held = self._of.get(subscription)
        if held is None:
            self._of[subscription] = operation
        elif isinstance(held, set):
            held.add(operation)
        elif held != operation:
            self._of[subscription] = {held, operation}

    def remove(self, subscription: int, operation: int) -> None:
        """Let it no longer serve an operation that it serves."""
        held = self._of[subscription]
        if isinstance(held, set):
            held.remove(operation)
            if len(held) == 1:
                self._of[subscription] = held.pop()
        else:
            del self._of[subscription]

    def of(self, subscription: int) -> tuple[int, ...]:
        """Return the operations that a subscription serves, in no particular order."""
        held = self._of.get(subscription)
        if held is None:
            return ()
        return tuple(held) if isinstance(held, set) else (held,)

    def pairs(self) -> list[tuple[int, int]]:
        """Return every subscription with every operation that it serves."""
        return [(subscription, one) for subscription in self._of for one in self.of(subscription)]
