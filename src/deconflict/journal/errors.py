"""What the log refuses, in sentences for an operator, and what a proof fails with."""

from __future__ import annotations


class LogError(Exception):
    """The log can't be trusted or can't do what was asked, in a sentence for an operator."""


class RolledBackError(LogError):
    """The journal ends before its last checkpoint.

    Attributes
    ----------
    missing
        How many entries the checkpoint covers that the journal lacks.
    """

    def __init__(self, sentence: str, missing: int) -> None:
        super().__init__(sentence)
        self.missing = missing


class ForeignLogError(LogError):
    """The journal, its checkpoint and the signing key don't belong together."""


class AlteredLogError(LogError):
    """What is kept is not what the checkpoint or the tree was made over."""


class KeyFileError(LogError):
    """A key file is missing, damaged, or open to others."""


class ProofError(ValueError):
    """A leaf, a proof, a note or a checkpoint doesn't prove what it should."""
