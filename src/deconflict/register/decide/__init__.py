"""Deciding: from a command and a draft of the register to events, one module a kind of command."""
