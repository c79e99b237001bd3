"""The parents of an upgraded job that were cleared before the upgrade, as its metadata names them."""

from __future__ import annotations

from gigq.codec import decode

NOTES = "gigq_0_5"
"""The key in a job's metadata for everything that has no other place."""

PARENTS = "missing_parents"
"""The key in these notes for the ids of parents that were not in the file."""


def missing_parents(metadata: str) -> list[str]:
    """Return the ids of the parents that a job of GigQ 0.5.1 named and that were not in its file."""
    try:
        found = decode(metadata)[NOTES][PARENTS]
    except (ValueError, LookupError, TypeError, RecursionError):  # somebody has written it by hand, or none is missing
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
