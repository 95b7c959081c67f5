"""What a NATS server reports, as errors for an operator."""

from __future__ import annotations

from typing import Any, Final

from deconflict.journal.engine import EngineError, NoSpaceError, UnreachableError

WRONG_LAST_SEQUENCE: Final = 10071
NO_MESSAGE: Final = 10037
GONE: Final = {NO_MESSAGE, 10043, 10057}
"""What a server says of a message that was deleted already, when it is to delete it."""
STREAM_NOT_FOUND: Final = 10059
REPLICAS_UNCLUSTERED: Final = 10074
NO_PEERS: Final = 10005
STORE_FAILED: Final = 10077
_FULL: Final = {10002, 10023, 10028, 10047}
"""Found before anything is proposed to the replicas."""
AWAY: Final = {10008, 10009, 10035, 10039, 10076}
"""No leader, or JetStream is off."""
_SENTENCES: Final = {
    STREAM_NOT_FOUND: "the journal's streams are not there: see that the address names the right "
    "one",
    10054: "a message is larger than the stream takes: raise its limit",
    10097: "a message is larger than the server takes",
    10109: "the stream is sealed: nothing can be changed in it",
    10110: "the stream's settings forbid to purge it",
}
"""By the error codes of JetStream (server/errors.json of nats-server)."""


class UnansweredError(UnreachableError):
    """A request was, or may have been, sent; no answer came."""


class RefusalError(EngineError):
    """A server's refusal.

    Attributes
    ----------
    code
        JetStream's number for it.
    said
        The server's words.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        self.code = int(error.get("err_code", 0))
        self.said = str(error.get("description", "it failed"))
        super().__init__(f"{self.said}, {self.code}")


def failure(error: RefusalError, where: str, doing: str) -> EngineError:
    """Return the error to raise in place of a refusal after which nothing was written.

    Parameters
    ----------
    error
        The refusal.
    where
        The servers.
    doing
        What failed, as in "3 entries were not appended".
    """
    said = f"({error})"
    if error.code in _FULL:
        return NoSpaceError(
            f"{doing}: NATS at {where} has no space left for the journal {said}; make room or "
            "raise its limits, and it goes on by itself"
        )
    if error.code in AWAY:
        return UnreachableError(f"{doing}: JetStream at {where} does not answer now {said}")
    why = _SENTENCES.get(error.code, "it refused")
    return EngineError(f"{doing}: NATS at {where}: {why} {said}")


def unknown(where: str, doing: str, why: str) -> EngineError:
    """Return the error of an append of which nobody knows whether it happened."""
    return EngineError(
        f"perhaps {doing}: NATS at {where} did not confirm them ({why}), so nobody knows until it "
        "answers again",
        outcome_known=False,
    )
