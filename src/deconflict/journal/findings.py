"""What a verification found: what is right, what is missing or altered, and what stays closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MOST_SHOWN: Final = 100
"""Findings that are kept in words; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes
    ----------
    position
        The entry; ``None`` if it is not about one.
    what
        A clause without a full stop.
    """

    position: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Proved:
    """A checkpoint that the entries were compared with.

    Attributes
    ----------
    name
        Where it came from.
    size
        How many entries it covers.
    agrees
        Whether the entries give its root; ``None`` if that can't be computed from what is there.
    signed
        Whether its signature is right; ``None`` without the public key.
    """

    name: str
    size: int
    agrees: bool | None
    signed: bool | None


@dataclass(slots=True)
class Findings:
    """The outcome of a verification.

    Attributes
    ----------
    source
        What was verified.
    first, stop
        The first position that is kept, and the one behind the last.
    entries
        How many entries were read.
    signatures
        Of how many the signature was checked and is right.
    opened
        Of how many every part was opened and hashes to the record.
    erased, closed
        How many could not be opened since their key was erased, or is not at hand.
    withheld, provable
        How many parts an export withholds; of how many of these it gives the salt, so that who
        has the bytes can prove them.
    party
        Whose entries an export holds; empty: everybody's. The positions are then those among
        which they are.
    proved
        The checkpoints.
    remarks
        What could not be checked and why, and what else the reader should know.
    root
        The root over all entries, if it could be computed.
    wrong, wrong_count
        The first findings, and how many there are.
    """

    source: str
    first: int = 0
    stop: int = 0
    entries: int = 0
    signatures: int = 0
    opened: int = 0
    erased: int = 0
    closed: int = 0
    withheld: int = 0
    provable: int = 0
    party: str = ""
    proved: list[Proved] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    root: bytes | None = None
    wrong: list[Finding] = field(default_factory=list)
    wrong_count: int = 0

    def add(self, position: int | None, what: str) -> None:
        """Add something that is wrong."""
        self.wrong_count += 1
        if len(self.wrong) < MOST_SHOWN:
            self.wrong.append(Finding(position, what))

    @property
    def unchecked(self) -> bool:
        """Whether something that could be wrong was not checked, for want of a key or a file."""
        return bool(
            self.closed
            or self.signatures < self.entries
            or not self.proved
            or any(one.agrees is None or one.signed is None for one in self.proved)
        )
