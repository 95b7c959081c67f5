"""Checking one sealed entry: its record, its leaf's signature and every part that can be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deconflict.journal.engine import Row
from deconflict.journal.entry import RECORD_VERSION, Entry
from deconflict.journal.errors import AlteredLogError
from deconflict.journal.findings import Findings
from deconflict.journal.leaf import NAMESPACE, checksum
from deconflict.journal.seal import Sealer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_RECORD_START: Final = b'{"v":' + str(RECORD_VERSION).encode() + b',"time_us":%d,'


class EntryCheck:
    """Checks entries and counts what it could check.

    Parameters
    ----------
    findings
        Where that is counted.
    public_key
        The log's, 32 bytes; without it no signature is checked.
    sealer
        Opens the parts; without it they stay closed.
    """

    def __init__(self, findings: Findings, public_key: bytes | None, sealer: Sealer | None) -> None:
        self._findings = findings
        self._public = None if public_key is None else public_key_of(public_key)
        self._sealer = sealer
        self._last_us = 0

    def check(self, position: int, row: Row) -> None:
        """Check one entry, the next one in the order of positions."""
        findings = self._findings
        findings.entries += 1
        if self._public is not None:
            if is_signed(self._public, row.record, row.signature):
                findings.signatures += 1
            else:
                findings.add(position, "its signature is not that of the log over its record")
        if not row.record.startswith(_RECORD_START % row.time_us):
            findings.add(position, "its record states another version or time")
        if row.time_us < self._last_us:
            findings.add(position, "its time is before that of the entry in front of it")
        self._last_us = max(self._last_us, row.time_us)
        self._check_parts(position, row)

    def _check_parts(self, position: int, row: Row) -> None:
        findings = self._findings
        if self._sealer is None:
            findings.closed += 1
            return
        try:
            parts = self._sealer.open(row.key_id, row.record, row.sealed)
        except AlteredLogError as error:
            findings.add(position, str(error))
            return
        if parts is None:
            findings.erased += 1
            return
        entry = Entry(row.time_us, parts.subject, parts.decided, parts.said, parts.told)
        if entry.record() == row.record:
            findings.opened += 1
        else:
            findings.add(position, "its parts do not hash to its record")


def public_key_of(content: bytes) -> Ed25519PublicKey:
    """Return a public key, ready to check signatures with."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(content)


def is_signed(public: Ed25519PublicKey, record: bytes, signature: bytes) -> bool:
    """Tell whether a signature is that of a record's leaf."""
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(signature, NAMESPACE + checksum(record))
    except InvalidSignature:
        return False
    return True
