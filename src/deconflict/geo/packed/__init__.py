"""Many volumes at once: packed arrays, the grid of cubes, and the kernel that numba compiles."""
