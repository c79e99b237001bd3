"""How far a verb goes that does something to many jobs, and who hears of it meanwhile."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Callable
from typing import NamedTuple

from gigq import checks
from gigq.affected import Affected

OnChunk = Callable[[Affected], object]
"""Is told what has been done so far, after each transaction."""

class Bounds(NamedTuple):
    """How far a verb goes.

    Attributes:
        bound: only jobs up to this one, the newest that a person has seen; None for the newest there is.
        on_chunk: is told after each transaction; what it raises ends the verb, and what is done stays done.
    """

    bound: int | None = None
    on_chunk: OnChunk | None = None

    @classmethod
    def of(cls, bound: int | None, on_chunk: OnChunk | None) -> "Bounds":
        return cls(
            bound=checks.optional(bound, "bound", checks.count),
            on_chunk=checks.optional(on_chunk, "on_chunk", checks.function),
        )
