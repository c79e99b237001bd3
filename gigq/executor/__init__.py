"""The executor: a pool, as Python's own are, whose work outlives its process."""
