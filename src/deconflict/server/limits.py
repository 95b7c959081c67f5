"""Limits on what one party, one address and all together may ask at once.

They are judged before any work is done, and each refusal is told to the one who went over. What is
counted is small: one line a party and one an address, and lines that say nothing any more go.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from deconflict.server.settings import Settings

MOST_LINES: Final = 20_000
"""Parties or addresses that are remembered; above it, those whose bucket is full again go."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is not taken up.

    Attributes
    ----------
    status
        429 where the asker went over its own limit, 503 where all together did.
    reason
        A word for the metrics.
    sentence
        For the asker.
    retry_after_s
        When to ask again, whole seconds.
    close
        Whether the connection is closed after the reply.
    """

    status: int
    reason: str
    sentence: str
    retry_after_s: int = 1
    close: bool = False


class Buckets:
    """One token bucket a name: `burst` at once after a rest, `rate` a second that go on.

    Parameters
    ----------
    rate
        Tokens that come back, per second.
    burst
        Most tokens.
    """

    __slots__ = ("_burst", "_lines", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._lines: dict[str, tuple[float, float]] = {}

    def take(self, name: str, now_s: float) -> float:
        """Take a token; return 0 if there was one, else the seconds until there is.

        Parameters
        ----------
        name
            Whose.
        now_s
            A clock that never goes back, seconds.
        """
        line = self._lines.get(name)
        if line is None:
            if len(self._lines) >= MOST_LINES:
                self._forget(now_s)
            self._lines[name] = (self._burst - 1.0, now_s)
            return 0.0
        left = min(self._burst, line[0] + (now_s - line[1]) * self._rate)
        if left < 1.0:
            self._lines[name] = (left, now_s)
            return (1.0 - left) / self._rate
        self._lines[name] = (left - 1.0, now_s)
        return 0.0

    def _forget(self, now_s: float) -> None:
        """Drop the lines that are full again, and if all are in use the older half."""
        kept = {
            name: line
            for name, line in self._lines.items()
            if line[0] + (now_s - line[1]) * self._rate < self._burst
        }
        if len(kept) >= MOST_LINES:
            newest = sorted(kept, key=lambda name: kept[name][1])[MOST_LINES // 2 :]
            kept = {name: kept[name] for name in newest}
        self._lines = kept

    def __len__(self) -> int:
        return len(self._lines)


class Tally:
    """How many there are of each name, and in all; a name with none takes no memory."""

    __slots__ = ("_counts", "_most_each", "most", "total")

    def __init__(self, most: int, most_each: int) -> None:
        self.most = most
        self.total = 0
        self._most_each = most_each
        self._counts: dict[str, int] = {}

    def full(self) -> bool:
        """Whether there are as many as may be in all."""
        return self.total >= self.most

    def full_for(self, name: str) -> bool:
        """Whether there are as many of a name as may be."""
        return self._counts.get(name, 0) >= self._most_each

    def enter(self, name: str) -> None:
        """Count one more."""
        self.total += 1
        self._counts[name] = self._counts.get(name, 0) + 1

    def leave(self, name: str) -> None:
        """Count one less."""
        self.total -= 1
        left = self._counts[name] - 1
        if left:
            self._counts[name] = left
        else:
            del self._counts[name]

    def __len__(self) -> int:
        return len(self._counts)


class Connection:
    """One connection as the limits see it: where it comes from and whose it turned out to be."""

    __slots__ = ("address", "party")

    def __init__(self, address: str) -> None:
        self.address = address
        self.party: str | None = None


class Limits:
    """Everything that is counted, with the settings' limits."""

    def __init__(self, settings: Settings) -> None:
        self.connections = Tally(
            settings.most_connections,
            settings.most_connections
            if settings.behind_proxy
            else settings.most_connections_per_address,
        )
        self.party_connections = Tally(
            settings.most_connections, settings.most_connections_per_party
        )
        self.in_flight = Tally(settings.most_in_flight, settings.most_in_flight_per_party)
        self._requests = Buckets(settings.rate_per_party, settings.burst_per_party)
        self._tokens = Buckets(settings.token_rate_per_address, 3 * settings.token_rate_per_address)

    def connect(self, connection: Connection) -> Refused | None:
        """Count a new connection, or say why it is refused."""
        if self.connections.full():
            return Refused(
                503,
                "connections",
                "the service has as many connections as it can serve; try again later",
                retry_after_s=5,
                close=True,
            )
        if self.connections.full_for(connection.address):
            return Refused(
                429,
                "connections_per_address",
                "too many connections from this address; close some, or use one for several "
                "requests",
                close=True,
            )
        self.connections.enter(connection.address)
        return None

    def disconnect(self, connection: Connection) -> None:
        """Count off a connection that `connect` let in."""
        self.connections.leave(connection.address)
        if connection.party is not None:
            self.party_connections.leave(connection.party)
            connection.party = None

    def admit(self, party: str, connection: Connection | None, now_s: float) -> Refused | None:
        """Take up a request of a party, or say why not; what is taken up ends with `done`."""
        if (
            connection is not None
            and connection.party != party
            and (refused := self._belongs(connection, party)) is not None
        ):
            return refused
        if self.in_flight.full():
            return Refused(
                503,
                "in_flight",
                "the service is answering as many requests as it can; try again in a second",
            )
        if self.in_flight.full_for(party):
            return Refused(
                429,
                "in_flight_per_party",
                "too many of this party's requests wait for an answer; ask again when some have "
                "theirs",
            )
        wait_s = self._requests.take(party, now_s)
        if wait_s:
            return Refused(
                429,
                "rate_per_party",
                "this party asks faster than it may; wait as long as Retry-After says",
                retry_after_s=ceil(wait_s),
            )
        self.in_flight.enter(party)
        return None

    def done(self, party: str) -> None:
        """Count off a request that `admit` took up."""
        self.in_flight.leave(party)

    def unproven(self, address: str, now_s: float) -> Refused | None:
        """Count a request without a valid token, or for one; say if there are too many."""
        wait_s = self._tokens.take(address, now_s)
        if not wait_s:
            return None
        return Refused(
            429,
            "tokens_per_address",
            "too many requests without a valid token from this address; wait as long as "
            "Retry-After says",
            retry_after_s=ceil(wait_s),
            close=True,
        )

    def _belongs(self, connection: Connection, party: str) -> Refused | None:
        """Count a connection as the party's whose token came over it last."""
        if self.party_connections.full_for(party):
            return Refused(
                429,
                "connections_per_party",
                "too many connections of this party; close some, or use one for several requests",
                close=True,
            )
        if connection.party is not None:
            self.party_connections.leave(connection.party)
        connection.party = party
        self.party_connections.enter(party)
        return None
