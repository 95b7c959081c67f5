"""Footprints as figures on the ellipsoid: rings, shapes, planes, nearest points, penetration."""
