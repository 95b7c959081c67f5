"""Deciding: from a command and a draft of the register to events, one module a kind of command."""

from deconflict.register.decide.deciding import decide

__all__ = ["decide"]
