"""Decide which child process gets which claims, and from which one they are taken back."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from gigq.claims import Claim
from gigq.runtime.process.handle import Child

MAX_AHEAD = 64
"""Claims that a child may hold while its jobs are quick, including the one that it is working on."""

QUICK = 0.01
"""Seconds. A child whose job takes longer gives back the other claims that it holds."""


class Backlog:
    """The claims that no child has yet, in the order in which they will begin.

    Args:
        jobs_per_child: how many jobs a child runs before it is replaced; infinite if it is not.
    """

    def __init__(self, jobs_per_child: float = math.inf) -> None:
        self.claims: deque[Claim] = deque()
        self._jobs_per_child = jobs_per_child

    def distribute(self, children: Sequence[Child], *, now: float) -> None:
        """Give each idle child a claim, and then what is left, in equal shares, to those whose jobs are quick."""
        if not self.claims:
            return
        ready = [child for child in children if child.is_ready]
        for child in ready:
            self._give(child, 1 - len(child.claims), now=now)
        share = min(MAX_AHEAD, 1 + len(self.claims) // max(1, len(ready)))
        for child in ready:
            # Not one by one: several claims cost a single write.
            if 2 * len(child.claims) <= share and child.is_quick(now, QUICK):
                self._give(child, share - len(child.claims), now=now)

    def take_back(self, child: Child) -> None:
        """Put what a child has not begun at the front."""
        self.claims.extendleft(reversed(child.take_back()))

    def take_all(self) -> list[Claim]:
        """Return all claims, and forget them."""
        claims = list(self.claims)
        self.claims.clear()
        return claims

    def overloaded(self, children: Sequence[Child], *, now: float) -> list[Child]:
        """Return the children that hold claims which others could begin sooner."""
        is_one_idle = not self.claims and any(child.is_idle for child in children)
        return [child for child in children if len(child.claims) > 1 and (is_one_idle or child.begun_at + QUICK <= now)]

    def next_check(self, children: Sequence[Child]) -> float:
        """The monotonic time at which the job of one of these will no longer be quick; infinite if none matters."""
        return min((child.begun_at + QUICK for child in children if len(child.claims) > 1), default=math.inf)

    def _give(self, child: Child, count: int, *, now: float) -> None:
        count = int(min(count, len(self.claims), self._jobs_per_child - child.served - len(child.claims)))
        if count > 0:
            child.give([self.claims.popleft() for _ in range(count)], now=now)
