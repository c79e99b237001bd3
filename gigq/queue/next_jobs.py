"""What runs next, and when, as far as that can be predicted."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from heapq import merge
from itertools import chain, islice
from statistics import median
from typing import NamedTuple

from gigq.durations import span
from gigq.liveness import certainly_dead
from gigq.next_records import NextJob, NextJobs
from gigq.process import is_gone, this_process
from gigq.queue.forecast import Forecast, Line, Start
from gigq.queue.held_back import able
from gigq.queue.words import counted
from gigq.store import upcoming, workers
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction
from gigq.store.upcoming import Claimable, Ready
from gigq.store.usual import usual_durations
from gigq.store.worker_health import WorkerHealth, health

_MOST_PLAYED = 10_000
"""Starts that are played forward: some 0.1 s."""

_PAUSED = "its queue is paused"
_ALL_PAUSED = "all queues are paused"
_UNSERVED = "no live worker serves its queue"
_LOST = "no live worker finds its function"
_EXPIRED = "it expires before it could start"
_UNKNOWN = "nobody knows how long the jobs before it take"
_CLOGGED = "no live worker finds the functions of very many jobs before it"
_FAR = f"more than {_MOST_PLAYED:,} jobs go first"
_OVER = "the time to predict it was over"


class _Place(NamedTuple):
    """A job in the answer: when it starts if that can be told, or why not."""

    job: Claimable
    start: Start | None = None
    reason: str | None = None


def next_jobs(database: Database, *, limit: int, queue: str | None, budget: Budget) -> NextJobs:
    """Return the jobs that start next, or those of one queue. One read transaction.

    Raises:
        ReadTooLong: the time was over before anything could be predicted.
    """
    with budget.read(database) as tx:
        crew, look = _crew(tx), _Look(tx, queue)
        durations = usual_durations(tx) if crew else {}
        otherwise = median(durations.values()) if durations else None
        look.divide(crew)
        forecast = Forecast(
            workers=crew, lines=look.open, due=look.due, holdings=upcoming.holdings(tx), durations=durations,
            otherwise=otherwise,
        )  # fmt: skip
        places, cut = _played(forecast, look, limit, budget)
        places += islice(_others(forecast, look, cut or _UNKNOWN), limit - len(places))
        rows = upcoming.rows(tx, [place.job.seq for place in places])
        jobs = [_record(tx, place, rows) for place in places]
        return NextJobs(jobs, at=tx.now, assumption=_assumption(crew, forecast, otherwise), is_cut=cut is not None)


def _crew(tx: Transaction) -> list[WorkerHealth]:
    gone = certainly_dead(workers.heartbeats(tx), here=this_process(), is_gone=is_gone)
    return able(health(tx, gone=gone))


class _Look:
    """The queues, those whose jobs can start and the others.

    Attributes:
        open: the queues whose jobs can start, as soon as their limits and the slots let them.
        due: the jobs of these that wait for a certain time, and in how many seconds it comes.
        stuck: for each other queue why its jobs cannot start.
    """

    def __init__(self, tx: Transaction, queue: str | None) -> None:
        self._tx = tx
        self._queue = queue
        self._rules = upcoming.RulesOfQueues(tx)
        self._heads = upcoming.heads(tx)
        self._all_due = upcoming.due(tx)
        self.open: dict[str, Line] = {}
        self.due: list[tuple[float, Claimable]] = []
        self.stuck: dict[str, str] = {}

    def divide(self, crew: Sequence[WorkerHealth]) -> None:
        """Find out which queues can go on with these workers."""
        for name in dict.fromkeys([*self._heads, *(job.queue for _, job in self._all_due)]):
            rule = self._rules[name]
            if self._rules.are_all_paused or rule.is_paused:
                self.stuck[name] = _ALL_PAUSED if self._rules.are_all_paused else _PAUSED
            elif not any(each.serves(name) for each in crew):
                self.stuck[name] = _UNSERVED
            else:
                self.open[name] = self._line(name)
        self.due = [(after, job) for after, job in self._all_due if job.queue in self.open]

    def is_wanted(self, job: Claimable) -> bool:
        """Whether a job is of the queue that was asked for."""
        return self._queue is None or job.queue == self._queue

    def of_stuck(self) -> Iterator[_Place]:
        """Yield the jobs that cannot start: ready ones in the order of their claim, then those that are due later."""
        names = {name for name in self.stuck if self._queue in (None, name)}
        ready = merge(*(_all_of(self._line(name)) for name in names))
        late = (job for _, job in self._all_due if job.queue in names)
        for job in chain(ready, late):
            yield _Place(job, reason=self.stuck[job.queue])

    def _line(self, name: str) -> Line:
        return Line(Ready(self._tx, name, self._heads.get(name)), self._rules[name])


def _played(forecast: Forecast, look: _Look, limit: int, budget: Budget) -> tuple[list[_Place], str | None]:
    """Return the first jobs that start, and why the prediction ended early, if it did."""
    places: list[_Place] = []
    for number, start in enumerate(forecast.starts(is_over=lambda: budget.is_over)):
        if look.is_wanted(start.job):
            places.append(_Place(start.job, start))
        if len(places) == limit:
            return places, None
        if number == _MOST_PLAYED:
            return places, _FAR
    return places, _OVER if budget.is_over else None


def _others(forecast: Forecast, look: _Look, reason: str) -> Iterator[_Place]:
    """Yield the jobs of which nobody can tell when they start."""
    left = merge(*map(_all_of, look.open.values()))
    places = (_Place(job, reason=_CLOGGED if job.queue in forecast.clogged else reason) for job in left)
    lost = (_Place(job, reason=_LOST) for job in forecast.lost)
    expired = (_Place(job, reason=_EXPIRED) for job in forecast.expired)
    for group in (places, expired, lost, look.of_stuck()):
        yield from (place for place in group if look.is_wanted(place.job))


def _all_of(line: Line) -> Iterator[Claimable]:
    while (job := line.head) is not None:
        yield job
        line.pop()


def _record(tx: Transaction, place: _Place, rows: dict[int, dict[str, object]]) -> NextJob:
    start = place.start
    return NextJob(
        **rows[place.job.seq],  # type: ignore[arg-type]
        starts_at=None if start is None else tx.now + timedelta(seconds=start.after),
        duration=None if start is None else start.duration,
        reason=place.reason,
    )


def _assumption(crew: Iterable[WorkerHealth], forecast: Forecast, otherwise: float | None) -> str:
    if not list(crew):
        return "There is no live worker, so that nobody can tell when a job starts."
    usual = "Nothing new arrives, no job fails, and each function takes its median time of late"
    number = len(forecast.guessed)
    if not number:
        return f"{usual}."
    functions = f"{counted(number, 'function')} {'has' if number == 1 else 'have'} not completed lately"
    if otherwise is None:
        return f"{usual}; {functions}, so that nobody can tell when the slots become free."
    return f"{usual}; {functions}, and {'is' if number == 1 else 'are'} assumed to take {span(otherwise)}."
