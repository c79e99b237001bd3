"""Tests of values that callers give: each returns the value in its stored form, or names what is wrong."""
