"""Refusals: the status of each reason, and the standard's error body."""

from __future__ import annotations

from types import MappingProxyType

import msgspec

from deconflict.register.decision import Reason
from deconflict.standards.f3548.replies import Error
from deconflict.standards.service import Reply

_ENCODER = msgspec.json.Encoder()

PUT_STATUS = MappingProxyType(
    {
        Reason.INVALID: 400,
        Reason.EXISTS: 409,
        Reason.ABSENT: 400,
        Reason.NOT_YOURS: 403,
        Reason.STALE: 409,
        Reason.KEY: 409,
        Reason.DOWN: 412,
        Reason.SUBSCRIPTION: 400,
        Reason.IN_USE: 400,
    }
)
"""What a PUT is refused with. The standard has no 404 there: to change what is absent is a
request that is wrong in itself."""

DELETE_STATUS = MappingProxyType({**PUT_STATUS, Reason.ABSENT: 404})
"""What a DELETE is refused with."""


def error(status: int, sentence: str) -> Reply:
    """Return a refusal in the standard's form, ``ErrorResponse``.

    Parameters
    ----------
    status
        The HTTP status.
    sentence
        What is wrong, and what to do.
    """
    return Reply(status, _ENCODER.encode(Error(sentence)))
