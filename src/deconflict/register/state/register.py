"""The register: what all entries so far have left, and the views of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deconflict.register.event import Decided
from deconflict.register.policy import Policy
from deconflict.register.state.current import Current
from deconflict.register.state.draft import Draft
from deconflict.register.state.effects import EFFECTS, check_known
from deconflict.register.state.errors import RegisterError
from deconflict.register.state.held import Availability, Held, Subscription
from deconflict.register.state.holdings import Holdings
from deconflict.register.state.ready import Ready
from deconflict.register.state.view import View


class Register:
    """The state computed from a journal; the same entries give an equal register.

    One thread at a time.

    Parameters
    ----------
    first
        The position of the first entry that will be applied: above 0 for a journal whose older
        entries were pruned.

    Attributes
    ----------
    head
        The position of the next entry: how many there were.
    time_us
        Time of the last entry applied, microseconds since 1970 UTC; 0 before the first.
    """

    def __init__(self, *, first: int = 0) -> None:
        self.head = first
        self.time_us = 0
        self._holdings = Holdings()
        self._ready = Ready()

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._holdings.policy

    def view(self, now_us: int) -> View:
        """Return the register as seen at an instant; good until the next entry is applied."""
        return Current(self._holdings, now_us)

    def draft(self, now_us: int) -> Draft:
        """Return a view to which events can be added; good until the next entry is applied."""
        self._ready = Ready()
        return Draft(self._holdings, now_us, self._ready)

    def apply(self, position: int, time_us: int, decided: Decided) -> None:
        """Apply one entry: what is due by its time leaves, then its events follow in order.

        Parameters
        ----------
        position
            The entry's position: `head`.
        time_us
            The entry's time, not before that of the last one.
        decided
            Its events.

        Raises
        ------
        RegisterError
            If the entry is not the next one or holds what this version does not know. The
            register is as it was.
        """
        if position != self.head:
            raise RegisterError(
                f"entry {position} was to be applied where entry {self.head} is the next; "
                "apply the entries in their order, each once"
            )
        if time_us < self.time_us:
            raise RegisterError(
                f"entry {position} is {self.time_us - time_us} µs older than the one before it; "
                "verify the journal"
            )
        check_known(decided.events)
        self._holdings.expire(time_us)
        for event in decided.events:
            EFFECTS[type(event)](self._holdings, event, self._ready)
        self.head = position + 1
        self.time_us = time_us

    def next_due_us(self) -> int | None:
        """Return the earliest time of an entry with which something leaves memory."""
        return self._holdings.next_due_us()

    def counts(self) -> dict[str, int]:
        """Return how many operations, zones, subscriptions and parties there are.

        Parties are those who have a record here, or whose availability was set.
        """
        holdings = self._holdings
        return {
            "operations": len(holdings.operations),
            "zones": len(holdings.zones),
            "subscriptions": len(holdings.subscriptions),
            "parties": len(holdings.records_of.keys() | holdings.availabilities.keys()),
        }

    def queries(self) -> dict[str, int]:
        """Return how often each index was asked what meets some volumes, since the start."""
        holdings = self._holdings
        return {
            "operations": holdings.operations.queries,
            "zones": holdings.zones.queries,
            "subscriptions": holdings.subscriptions.queries,
        }

    def live(self) -> Iterator[Held]:
        """Yield all entities held, operations first, each kind in the order of identifiers."""
        yield from self._holdings.operations
        yield from self._holdings.zones

    def live_subscriptions(self) -> Iterator[Subscription]:
        """Yield all subscriptions held, in the order of identifiers."""
        yield from self._holdings.subscriptions

    def availabilities(self) -> Iterator[Availability]:
        """Yield all availabilities ever set, in the order of parties."""
        for _, availability in sorted(self._holdings.availabilities.items()):
            yield availability

    def dump(self) -> Iterator[bytes]:
        """Return a snapshot in pieces; the register may change while they are taken."""
        from deconflict.register.state.snapshot import dump

        return dump(self.head, self.time_us, self._holdings)

    @classmethod
    def load(cls, chunks: Iterable[bytes]) -> Register:
        """Return the register of a snapshot, equal to the one dumped.

        Parameters
        ----------
        chunks
            The snapshot's bytes, cut anywhere.

        Raises
        ------
        RegisterError
            If they are no whole snapshot of this version.
        """
        from deconflict.register.state.snapshot import load

        made = cls()
        made.head, made.time_us, made._holdings = load(chunks)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Register):
            return NotImplemented
        return (
            self.head == other.head
            and self.time_us == other.time_us
            and self._holdings == other._holdings
        )

    __hash__ = None  # type: ignore[assignment]
