"""Why the service can't be started, although what was asked is right."""

from __future__ import annotations


class StartError(Exception):
    """The machine or what is in the data folder stands in the way, in a sentence.

    It will next time too, unless somebody does something about it.
    """


class TryAgainError(StartError):
    """What may be there in a while isn't: the engine of a shared journal, or another node."""
