"""An overlay: the records of one kind that a draft changes, over a shelf that it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic

from deconflict.geo.packed.prepared import Prepared
from deconflict.geo.pile import Pile
from deconflict.register.state.shelf import MOST_EXACT, R, Shelf


class Overlay(Generic[R]):
    """Records put or removed, by identifier.

    Parameters
    ----------
    shelf
        What lies underneath.
    """

    def __init__(self, shelf: Shelf[R]) -> None:
        self._shelf: Shelf[R] = shelf
        self._record: dict[str, R | None] = {}
        self._pile: Pile[str] | None = None
        self.hidden: set[int] = set()
        """Slots of the shelf that no longer say what is."""

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._record

    def get(self, identifier: str) -> R | None:
        """Return a record, from the shelf if it isn't changed."""
        if identifier in self._record:
            return self._record[identifier]
        return self._shelf.get(identifier)

    def put(self, record: R, ready: Sequence[Prepared]) -> None:
        """Put a record with its volumes."""
        self._hide(record.id)
        self._record[record.id] = record
        if self._pile is None:
            self._pile = Pile()
        self._pile.add(record.id, ready)

    def rewrite(self, record: R) -> None:
        """Put another record in the place of one put before, whose volumes are the same."""
        self._record[record.id] = record

    def remove(self, identifier: str) -> None:
        """Remove a record, whether it is underneath or was put before."""
        self._hide(identifier)
        self._record[identifier] = None
        if self._pile is not None:
            self._pile.remove(identifier)

    def meeting(self, volumes: Sequence[Prepared], since_us: int) -> Iterator[R]:
        """Yield the records put that meet one of these volumes and end at an instant or later."""
        if self._pile is None:
            return
        for identifier in self._pile.query(volumes, most_exact=MOST_EXACT):
            record = self._record[identifier]
            if record is not None and record.end_us >= since_us:
                yield record

    def _hide(self, identifier: str) -> None:
        slot = self._shelf.slot(identifier)
        if slot is not None:
            self.hidden.add(slot)
