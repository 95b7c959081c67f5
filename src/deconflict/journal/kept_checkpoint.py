"""Checkpoints that somebody kept, compared with one piece of a record: an export or an archive."""

from __future__ import annotations

from collections.abc import Sequence

from deconflict.journal.checkpoint import Checkpoint, verify_checkpoint
from deconflict.journal.errors import ProofError
from deconflict.journal.findings import Findings, Proved
from deconflict.journal.merkle import Frontier


class KeptCheckpoints:
    """The checkpoints to compare with, and the roots that the piece itself gives.

    Parameters
    ----------
    notes
        Signed notes by the name of where they came from.
    public_key
        The log's, 32 bytes.
    findings
        What is wrong with one is added here.
    """

    def __init__(
        self, notes: Sequence[tuple[str, bytes]], public_key: bytes, findings: Findings
    ) -> None:
        self._findings = findings
        self._wanted: list[tuple[str, Checkpoint]] = []
        for name, content in notes:
            try:
                self._wanted.append((name, verify_checkpoint(content, public_key)))
            except (ProofError, ValueError) as error:
                findings.add(None, f"the checkpoint {name} does not hold: {error}")
        self._frontier: Frontier | None = Frontier() if self._wanted else None
        self._roots = {0: Frontier().root()}

    def take(self, position: int, leaf: bytes) -> None:
        """Take the hash of an entry's leaf; roots follow while entries come from 0 on in turn."""
        frontier = self._frontier
        if frontier is None:
            return
        if position != frontier.size:
            self._frontier = None
            return
        frontier.append(leaf)
        if any(kept.size == frontier.size for _, kept in self._wanted):
            self._roots[frontier.size] = frontier.root()

    def compare(self, own: Checkpoint | None, what: str) -> None:
        """Compare each with the piece.

        Parameters
        ----------
        own
            The checkpoint that the piece bears; ``None`` if it does not hold.
        what
            What the piece is, for messages: ``export``.
        """
        if own is not None:
            self._roots[own.size] = own.root
        for name, kept in self._wanted:
            root = self._roots.get(kept.size)
            agrees = None if root is None else root == kept.root
            if agrees is False:
                self._findings.add(
                    None,
                    f"over {kept.size} entries the {what} gives another root than the checkpoint "
                    f"{name}: the log has told two different stories",
                )
            elif agrees is None:
                of_own = "" if own is None else f" of {own.size} entries"
                self._findings.remarks.append(
                    f"the checkpoint {name} covers {kept.size} entries, and that of the {what} is "
                    f"another{of_own}: that both tell one story can't be seen from the {what} "
                    "alone; verify the data folder with it, or ask the service for the tiles"
                )
            self._findings.proved.append(Proved(name, kept.size, agrees, signed=True))
