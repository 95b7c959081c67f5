"""Coordinate notations, one module each: text to latitude and longitude, and back."""
