"""Which versions of NATS keep what a majority confirmed, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

SURE: Final = (2, 10, 29)
"""The oldest in which nothing was lost in the tests of docs/decisions/0016-nats-versions.md.

Before 2.10.23 a server whose last entry is of another term than the leader's keeps it.
"""
_NUMBER: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)(-)?")


def doubt_about(versions: Mapping[str, str]) -> str:
    """Return what an operator has to know about servers, in a sentence; empty: nothing.

    Parameters
    ----------
    versions
        By the servers' addresses.
    """
    doubtful = {server: text for server, text in versions.items() if not _sure(text)}
    if not doubtful:
        return ""
    named = ", ".join(f"{server} is {text}" for server, text in doubtful.items())
    least = ".".join(map(str, SURE))
    return (
        f"servers of NATS before {least} can lose what they confirmed ({named}): a server that "
        "stood still or was cut off can keep an entry that no majority had; update them, or use "
        "PostgreSQL"
    )


def _sure(version: str) -> bool:
    found = _NUMBER.match(version)
    if found is None:
        return False
    number = (int(found[1]), int(found[2]), int(found[3]))
    return number > SURE or (number == SURE and not found[4])
