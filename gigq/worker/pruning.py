"""A worker's deletion of old jobs: a few at a time, between the turns of its loop."""

from __future__ import annotations

from collections.abc import Iterator

from gigq.clock import Clock
from gigq.errors import StoreError
from gigq.logs import logger
from gigq.queue.pruning import Pruning, prune
from gigq.status import PRUNED_BY_DEFAULT
from gigq.store.engine.database import Database

log = logger("worker")

_SECONDS_BETWEEN_PASSES = 10.0
_REST = 4
"""After each step the worker rests this many times as long as the step took: a fifth of its time at most."""


class PruningDuty:
    """Deletes old jobs step by step, and remembers how far it has come. Belongs to the loop's thread.

    Any number of workers may do so at a time: what one has deleted, another does not find.

    Args:
        after: seconds since a job ended; None for no pruning.
    """

    def __init__(self, database: Database, clock: Clock, *, after: float | None) -> None:
        self._database = database
        self._clock = clock
        self._after = after
        self._steps = self._new_pass()
        self._due_at = clock.monotonic()

    def go_on(self) -> None:
        """Do the next step if it is due: a few milliseconds. An error is logged, and ends this pass over the file."""
        if self._after is None:
            return
        begun_at = self._clock.monotonic()
        if begun_at < self._due_at:
            return
        is_over = self._step()
        now = self._clock.monotonic()
        self._due_at = now + _REST * (now - begun_at)
        if is_over:
            self._due_at = now + _SECONDS_BETWEEN_PASSES
            self._steps = self._new_pass()

    def _step(self) -> bool:
        """Whether that was the last step of this pass."""
        try:
            return next(self._steps, None) is None
        except StoreError as error:
            log.warning("old jobs could not be deleted: %s", error)
            return True

    def _new_pass(self) -> Iterator[int]:
        wanted = Pruning.of(PRUNED_BY_DEFAULT, older_than=self._after, now=self._clock.now())
        yield from prune(self._database, wanted)
