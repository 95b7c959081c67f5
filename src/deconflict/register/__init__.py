"""Entities, the rules between them, and verdicts: the heart; pure."""
