"""The one kind of error of the register: it can't become what it was told."""

from __future__ import annotations


class RegisterError(Exception):
    """An entry that can't be applied or a snapshot that can't be loaded, in a sentence."""
