"""Keeps parties that share air and ground out of each other's way."""

__version__ = "0.1.0"
