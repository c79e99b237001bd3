"""The clients of a battle, each a process of its own; and those that submit jobs."""

from __future__ import annotations

import mmap
import random
import signal
import struct
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nemesis.deeds import transfer, work
from nemesis.history import be_client, note

from gigq import Job, JobQueue, StoreError
from gigq.clock import SystemClock

LEASE = 3.0
"""Seconds of silence after which a worker of the battle is considered dead."""

NARROW = 2
"""How many jobs of the queue "narrow" may run at a time."""

MANY = 1000
"""Attempts of a job that no number of kills should use up."""

KINDS: dict[str, dict[str, Any]] = {
    "quick": {"max_attempts": MANY},
    "slow": {"max_attempts": MANY, "params": {"seconds": 0.1}},
    "mortal": {"max_attempts": 2, "params": {"seconds": 0.1}},
    "flawed": {"max_attempts": MANY, "params": {"failures": 2}, "retry_delay": 0.5, "priority": 10},
    "endless": {"max_attempts": 2, "params": {"seconds": 600}, "timeout": 1},
    "narrow": {"max_attempts": MANY, "params": {"seconds": 0.02}, "queue": "narrow"},
    "large": {"max_attempts": MANY, "params": {"letters": 50_000}},
    "handled": {"max_attempts": 3},
    "transfer": {"max_attempts": MANY, "params": {"seconds": 0.02}},
}
"""The jobs that are submitted, by name."""

HANDLER = "handled"
"""The name by which those jobs call their function; the others import it."""

_SHARES = {"quick": 12, "slow": 3, "mortal": 3, "flawed": 3, "endless": 1, "narrow": 3, "large": 2, "handled": 4,
           "transfer": 4}  # fmt: skip
_FUNCTIONS: dict[str, Any] = {HANDLER: HANDLER, "transfer": transfer}
"""What the jobs call that do not just work."""

_BACKLOG = 50

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""The signals after which a client ends by itself."""


class BentClock(SystemClock):
    """A wall clock that the nemesis sets for all processes at once. They are forked from the one that created it.

    Args:
        begin: what it shows at first; None for the machine's time.
    """

    def __init__(self, begin: datetime | None) -> None:
        self._memory = mmap.mmap(-1, 8)
        self._start = begin - super().now() if begin else timedelta(0)

    def now(self) -> datetime:
        (seconds,) = struct.unpack("d", self._memory[:8])
        return super().now() + self._start + timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Set it this many seconds off from where it would be without any jump."""
        self._memory[:8] = struct.pack("d", seconds)


class Client:
    """A process that uses the queue. It may be killed at any moment, and ends by itself after a signal of `ENDING`.

    Args:
        path: the queue's file, which exists.
        clock: the wall clock of the battle.

    Attributes:
        is_replaced: whether another one takes its place when it ends.
    """

    is_replaced = True

    def __init__(self, path: Path, clock: BentClock) -> None:
        self._path = path
        self._clock = clock

    def run(self) -> int:
        """Do its work, and return the exit code: 1 for an error that no user should see."""
        be_client()
        try:
            self._run()
        except StoreError as error:
            note("refused", error=type(error).__name__, text=str(error))
        except BaseException:
            note("broke", trace=traceback.format_exc())
            return 1
        return 0

    def _run(self) -> None:
        raise NotImplementedError

    def _on_term(self, handler: Callable[[], object]) -> None:
        """Set what the signals do that end it; until then they are blocked."""
        for number in ENDING:
            signal.signal(number, lambda *_: handler())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


class SubmittingClient(Client):
    """Submits jobs of all kinds, one at a time, many at once and in chains, and cancels one now and then."""

    def _run(self) -> None:
        self._is_stopping = False
        self._on_term(self._stop)
        self._chance = random.Random()
        with JobQueue(self._path, clock=self._clock) as queue:
            while not self._is_stopping:
                self._step(queue)

    def _stop(self) -> None:
        self._is_stopping = True

    def _step(self, queue: JobQueue) -> None:
        try:
            if queue.count("pending") > _BACKLOG:
                queue.clock.sleep(0.05)
                return
            ids = self._submit(queue, self._draw())
            if self._chance.random() < 0.1:
                self._cancel(queue, self._chance.choice(ids))
        except StoreError as error:
            note("refused", error=type(error).__name__, text=str(error))
            queue.clock.sleep(0.05)

    def _submit(self, queue: JobQueue, jobs: list[Job]) -> list[str]:
        ids = [job.id for job in jobs]
        note("submitting", jobs=ids)
        queue.submit_many(jobs)
        note("submitted", jobs=ids)
        return ids

    def _cancel(self, queue: JobQueue, job_id: str) -> None:
        if queue.cancel(job_id, running=self._chance.random() < 0.5):
            note("cancelled", job=job_id)

    def _draw(self) -> list[Job]:
        is_chain = self._chance.random() < 0.2
        jobs: list[Job] = []
        for _ in range(self._chance.choice((1, 1, 1, 5, 20))):
            (kind,) = self._chance.choices(list(_SHARES), weights=list(_SHARES.values()))
            parents = [jobs[-1].id] if is_chain and jobs else []
            jobs.append(Job(kind, _FUNCTIONS.get(kind, work), dependencies=parents, **KINDS[kind]))
        return jobs
