"""Slowing down whoever guesses secrets, and keeping guesses from taking the machine.

Failures are counted for an address and for a party at an address. They are not counted for a party
alone: then anybody who knows a name could lock its owner out, and a secret of 256 random bits needs
no such guard.
"""

from __future__ import annotations

import asyncio
import ipaddress
from concurrent.futures import ThreadPoolExecutor

from deconflict.identity.parties import Parties, Party

FREE_FAILURES = 10
"""Failures of a party at an address before it has to wait."""
FREE_FAILURES_OF_ADDRESS = 50
"""Failures of an address, which several parties may share."""
LONGEST_WAIT_S = 900
MOST_REMEMBERED = 16_384
MOST_WAITING = 16
"""Checks that wait for the one that runs; about half a second of work."""


class TryLaterError(Exception):
    """A secret that is not looked at now.

    Attributes
    ----------
    wait_s
        After how many seconds to try again.
    """

    def __init__(self, sentence: str, wait_s: int) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s


class Throttle:
    """Counts failures; each beyond the free ones doubles the wait, up to `LONGEST_WAIT_S`.

    Parameters
    ----------
    free
        Failures without a wait.
    most_remembered
        Keys remembered at most; the one that failed longest ago is forgotten first.
    """

    def __init__(self, free: int, *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._free = free
        self._most = most_remembered
        self._failures: dict[str, tuple[int, int]] = {}

    def wait_s(self, key: str, now_s: int) -> int:
        """Return for how many seconds the key has to wait."""
        failures, last_s = self._failures.get(key, (0, 0))
        if failures < self._free:
            return 0
        penalty_s = min(LONGEST_WAIT_S, 1 << min(failures - self._free, 30))
        return max(0, last_s + penalty_s - now_s)

    def failed(self, key: str, now_s: int) -> None:
        """Count a failure; one that came `LONGEST_WAIT_S` after the last begins anew."""
        failures, last_s = self._failures.pop(key, (0, now_s))
        if now_s - last_s > LONGEST_WAIT_S:
            failures = 0
        if len(self._failures) >= self._most:
            del self._failures[next(iter(self._failures))]
        self._failures[key] = (failures + 1, now_s)

    def taken_back(self, key: str) -> None:
        """Take back one failure; the others stay, or one right secret would buy many guesses."""
        failures, last_s = self._failures.get(key, (0, 0))
        if failures > 1:
            self._failures[key] = (failures - 1, last_s)
        else:
            self._failures.pop(key, None)


class SecretCheck:
    """Checks secrets one after the other in a thread of its own.

    Parameters
    ----------
    parties
        The parties.
    """

    def __init__(self, parties: Parties) -> None:
        self._parties = parties
        self._of_party = Throttle(FREE_FAILURES)
        self._of_address = Throttle(FREE_FAILURES_OF_ADDRESS)
        self._waiting = 0
        # argon2 lets go of the interpreter; one thread takes one core at most.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="deconflict-secret")

    async def check(self, name: str, secret: str, address: str, now_s: int) -> Party | None:
        """Return the party if the secret is its own.

        Parameters
        ----------
        name, secret
            What the client says.
        address
            The client's address.
        now_s
            The time, seconds since 1970 UTC.

        Raises
        ------
        TryLaterError
            If there were too many failures, or too many checks wait.
        InputError
            If the parties can't be read.
        """
        network = _network(address)
        keys = ((self._of_address, network), (self._of_party, f"{network} {name}"))
        wait_s = max(throttle.wait_s(key, now_s) for throttle, key in keys)
        if wait_s:
            raise TryLaterError("too many wrong secrets came from this address", wait_s)
        if self._waiting >= MOST_WAITING:
            raise TryLaterError("too many clients ask for tokens at this moment", 1)
        # Counted before it is known: guesses sent at once must not all pass as the first.
        for throttle, key in keys:
            throttle.failed(key, now_s)
        self._waiting += 1
        try:
            party = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._parties.verify, name, secret
            )
        finally:
            self._waiting -= 1
        if party is not None:
            for throttle, key in keys:
                throttle.taken_back(key)
        return party

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def _network(address: str) -> str:
    """Return the address as whoever holds it can't vary it: of IPv6 the first 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
