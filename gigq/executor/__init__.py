"""The executor: `concurrent.futures` whose work outlives its process."""
