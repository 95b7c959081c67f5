"""Handlers beside the standard: what clients of the existing service also ask.

Source: the auxiliary interface of the open-source service (``aux_.yaml``, version 1.1.0).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata

import msgspec

from deconflict.standards.f3548.replies import Version
from deconflict.standards.service import Call, Reply, RequestError, Service

_ENCODER = msgspec.json.Encoder()


@lru_cache(maxsize=1)
def _version() -> str:
    return f"deconflict/{metadata.version('deconflict')}"


async def version(_service: Service, _call: Call) -> Reply:
    """Return this service's version."""
    return Reply(200, _ENCODER.encode(Version(_version())))


async def validate_oauth(_service: Service, call: Call) -> Reply:
    """Say that the token is valid, and is the owner's whom the caller names, if it names one."""
    owner = call.query.get("owner")
    if owner and owner != call.caller.party:
        raise RequestError(
            403, "the token's subject is not the owner named; ask for a token of that owner"
        )
    return Reply(200, b"{}")


async def healthy(_service: Service, _call: Call) -> Reply:
    """Say that the service answers."""
    return Reply(200, b"ok", "text/plain; charset=utf-8")
