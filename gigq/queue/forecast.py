"""What starts when: the queues and the slots of the living workers played forward, as if every job succeeded."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from gigq.queue.words import may_find
from gigq.store.upcoming import Claimable, Holding, Ready, Rule
from gigq.store.worker_health import WorkerHealth

_MOST_LOST = 1_000
"""Jobs of functions that no worker finds which are passed over."""


class Start(NamedTuple):
    """A job that starts, in how many seconds, and how long it then runs; None if nobody knows."""

    after: float
    job: Claimable
    duration: float | None


class Line:
    """The jobs of one queue that wait to be claimed, and what holds them back."""

    def __init__(self, ready: Ready, rule: Rule) -> None:
        self._ready = ready
        self._late: list[Claimable] = []
        self._rule = rule
        self._starts = deque(rule.starts)
        self.has_rate = rule.rate is not None

    @property
    def head(self) -> Claimable | None:
        """The job that is claimed next; None if there is none."""
        ready = self._ready.head
        return min(ready, self._late[0]) if ready and self._late else ready or (self._late[0] if self._late else None)

    def pop(self) -> None:
        """Take the job at the head away."""
        if self._late and self.head is self._late[0]:
            heappop(self._late)
        else:
            self._ready.pop()

    def add(self, job: Claimable) -> None:
        """Let a job in whose time has come."""
        heappush(self._late, job)

    def started(self, now: float) -> None:
        """Count a start."""
        self._starts.append(now)

    def opens_at(self, now: float, running: int) -> float:
        """Return when the limits let the next job start; infinite if a running job must end first."""
        if self._rule.max_running is not None and running >= self._rule.max_running:
            return math.inf
        if self._rule.rate is None:
            return now
        limit, period = self._rule.rate
        while self._starts and self._starts[0] + period <= now:
            self._starts.popleft()
        return now if len(self._starts) < limit else self._starts[len(self._starts) - limit] + period


class _Crew:
    """A worker: its free slots, and the jobs that it has claimed ahead."""

    def __init__(self, worker: WorkerHealth) -> None:
        self.worker = worker
        self.free = worker.concurrency
        self.reserved: deque[Claimable] = deque()

    def takes(self, job: Claimable) -> bool:
        """Whether it would claim a job, if it had a free slot."""
        return self.worker.serves(job.queue) and may_find(job.function, self.worker)


class Forecast:
    """What starts when. To be used once.

    Args:
        workers: those that can start jobs.
        lines: the queues that hold their jobs back by limits alone, by name.
        due: jobs of these queues that wait for a certain time, the next first, and in how many seconds it comes.
        holdings: the open executions, the oldest first.
        durations: how long functions take, in seconds.
        otherwise: how long other functions take; None if nobody knows. Then their slots are not free again.

    Attributes:
        guessed: the functions whose duration was not known.
        lost: the jobs whose functions none of the workers finds that serve their queues.
        expired: the jobs that are cancelled before they could start.
        clogged: the queues that were left out, because more lost jobs come first than are passed over.
    """

    def __init__(
        self,
        *,
        workers: Iterable[WorkerHealth],
        lines: Mapping[str, Line],
        due: Sequence[tuple[float, Claimable]],
        holdings: Iterable[Holding],
        durations: Mapping[str, float],
        otherwise: float | None,
    ) -> None:
        self.guessed: set[str] = set()
        self.lost: list[Claimable] = []
        self.expired: list[Claimable] = []
        self.clogged: set[str] = set()
        self._lines = lines
        self._rated = [name for name, line in lines.items() if line.has_rate]
        self._due = deque(due)
        self._durations, self._otherwise = durations, otherwise
        self._crews = {worker.key.seq: _Crew(worker) for worker in workers}
        self._running: Counter[str] = Counter()
        self._ends: list[tuple[float, int, _Crew | None, str]] = []
        self._number = count()
        self._heads = [(line.head.rank, name) for name, line in lines.items() if line.head is not None]
        heapify(self._heads)
        for holding in holdings:
            self._hold(holding)

    def starts(self, *, is_over: Callable[[], bool]) -> Iterator[Start]:
        """Yield what starts, in order, until nothing does or `is_over` says that it is time to end."""
        now = 0.0
        while now < math.inf and not is_over():
            self._release(now)
            self._admit(now)
            started = self._of_reserved(now) or self._of_lines(now)
            if started is not None:
                yield started
            else:
                now = self._next_event(now)

    def duration(self, function: str) -> float | None:
        """Return how long a function takes."""
        if function not in self._durations:
            self.guessed.add(function)
        return self._durations.get(function, self._otherwise)

    def _hold(self, holding: Holding) -> None:
        """Let a job that a worker holds take its slot, or wait for one."""
        crew = self._crews.get(holding.worker_seq)
        if crew is not None and holding.elapsed is None:
            crew.reserved.append(holding.job)
            self._running[holding.job.queue] += 1
            return
        usual = self.duration(holding.job.function) if crew is not None else None
        # One that has taken longer than usual is likely to take as much longer again.
        left = math.inf if usual is None else abs(usual - (holding.elapsed or 0.0))
        self._running[holding.job.queue] += 1
        self._occupy(crew, holding.job.queue, left)

    def _occupy(self, crew: _Crew | None, queue: str, end: float) -> None:
        if crew is not None:
            crew.free -= 1
        heappush(self._ends, (end, next(self._number), crew, queue))

    def _release(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, _, crew, queue = heappop(self._ends)
            self._running[queue] -= 1
            if crew is not None:
                crew.free += 1

    def _admit(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            _, job = self._due.popleft()
            line = self._lines[job.queue]
            line.add(job)
            if line.head is job:
                heappush(self._heads, (job.rank, job.queue))

    def _of_reserved(self, now: float) -> Start | None:
        for crew in self._crews.values():
            if crew.reserved and crew.free > 0:
                return self._start(crew, crew.reserved.popleft(), now)
        return None

    def _of_lines(self, now: float) -> Start | None:
        """Start the first job that its queue lets start and that a worker with a free slot takes."""
        passed, started = [], None
        while self._heads and started is None and any(crew.free > 0 for crew in self._crews.values()):
            rank, name = heappop(self._heads)
            line = self._lines[name]
            job = line.head
            if job is None or job.rank != rank:
                continue  # another one has come before it since
            if job.expires <= now:
                self.expired.append(job)
                self._pop(line, name)
                continue
            takers = [crew for crew in self._crews.values() if crew.takes(job)]
            free = next((crew for crew in takers if crew.free > 0), None)
            if not takers:
                self._lose(line, job)
            elif free is None or line.opens_at(now, self._running[name]) > now:
                passed.append((rank, name))
            else:
                self._pop(line, name)
                line.started(now)
                self._running[name] += 1
                started = self._start(free, job, now)
        for each in passed:
            heappush(self._heads, each)
        return started

    def _lose(self, line: Line, job: Claimable) -> None:
        if len(self.lost) < _MOST_LOST:
            self.lost.append(job)
            self._pop(line, job.queue)
        else:
            self.clogged.add(job.queue)

    def _pop(self, line: Line, name: str) -> None:
        line.pop()
        if line.head is not None:
            heappush(self._heads, (line.head.rank, name))

    def _start(self, crew: _Crew, job: Claimable, now: float) -> Start:
        duration = self.duration(job.function)
        self._occupy(crew, job.queue, math.inf if duration is None else now + duration)
        return Start(now, job, duration)

    def _next_event(self, now: float) -> float:
        """Return when something may start that cannot now: a job ends, another is due, or a rate limit lets one go."""
        end = self._ends[0][0] if self._ends else math.inf
        due = self._due[0][0] if self._due else math.inf
        rated = ((name, self._lines[name]) for name in self._rated)
        opening = (line.opens_at(now, self._running[name]) for name, line in rated if line.head)
        return min(end, due, min((at for at in opening if at > now), default=math.inf))
