"""Positions, notations, datums, volumes, separation, index and sweep: pure computation.

Nothing here reads a clock, opens a socket or knows of parties and rules.
"""
