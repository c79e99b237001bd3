"""What holds back the ready jobs of queues: one sentence for all queues that are held back by the same."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from gigq.durations import span
from gigq.queue.words import counted, ever_since, jobs, quoted, they, trouble, typed, waiting, when
from gigq.store.backlog import Backlog, Number, ReadyJobs
from gigq.store.queues import MARK
from gigq.store.worker_health import WorkerHealth

_MOST_NAMED = 3
"""Queues and workers that are named one by one."""

_LONG = 60.0
"""Seconds without a free slot, or of waiting though there is one, that are worth a sentence."""


class Reason(NamedTuple):
    """Why jobs are not getting on.

    Attributes:
        text: a sentence.
        is_trouble: whether something is broken, so that a person should look. A pause, a limit, and slots that are busy
            are not.
    """

    text: str
    is_trouble: bool = False


class _Cause(NamedTuple):
    """What holds back the jobs of a queue.

    Attributes:
        rank: the smaller, the earlier it is said.
        key: what is the same for queues that are held back by the same.
    """

    rank: int
    key: object
    say: Callable[[Backlog, Sequence[ReadyJobs]], Reason]


def of_queues(found: Backlog) -> Iterator[Reason]:
    """Yield what holds back the ready jobs of queues, if not all of them are paused."""
    held: dict[_Cause, list[ReadyJobs]] = {}
    for each in found.queues:
        cause = _cause(found, each) if each.number.number else None
        if cause is not None:
            held.setdefault(cause, []).append(each)
    for cause in sorted(held, key=lambda cause: (cause.rank, -total(found, held[cause]).number)):
        yield cause.say(found, sorted(held[cause], key=lambda each: -each.number.number))


def total(found: Backlog, queues: Iterable[ReadyJobs]) -> Number:
    """Return how many ready jobs several queues have; there are more if not all queues were looked at."""
    numbers = [each.number for each in queues]
    return Number(sum(each.number for each in numbers), found.are_all_queues and all(each.is_exact for each in numbers))


def able(known: Iterable[WorkerHealth]) -> list[WorkerHealth]:
    """Return the workers that can start jobs."""
    return [
        each for each in known if each.is_alive and not (each.is_stopping or each.is_manual) and each.trouble is None
    ]


def free_slots(worker: WorkerHealth) -> int:
    """Return how many more jobs could begin in a worker now."""
    return max(0, worker.concurrency - worker.running)


def _cause(found: Backlog, ready: ReadyJobs) -> _Cause | None:
    """Return what holds back the jobs of a queue; None if they are getting on."""
    serving = [each for each in found.workers if each.serves(ready.queue)]
    crew = able(serving)
    if ready.facts.is_paused:
        return _Cause(1, None, _paused)
    if not crew:
        return _Cause(0, (MARK in ready.queue, *(each.key for each in serving)), _unserved)
    if ready.facts.max_running is not None or ready.facts.rate is not None:
        return _Cause(3, ready.queue, _limited)
    key = tuple(each.key for each in crew)
    if not any(map(free_slots, crew)):
        return _Cause(2, key, _full) if _full_for(found, crew) >= _LONG else None
    is_late = (found.now - ready.since).total_seconds() >= _LONG
    return _Cause(4, key, _passed_over) if is_late and not _has_uncertain(found, ready.queue) else None


def _paused(found: Backlog, held: Sequence[ReadyJobs]) -> Reason:
    number = total(found, held)
    wait = f"{jobs(number, 'ready job')}{_of(held)} {they(number, 'wait')}"
    first = min((each.facts.paused_at for each in held if each.facts.paused_at is not None), default=None)
    since = "" if first is None else ever_since(first, found.now)
    if len(held) == 1:
        paused = f"it has been paused {since}" if since else "it is paused"
        return Reason(f"{wait}: {paused}; `gigq resume {typed(held[0].queue)}` resumes it.")
    paused = f"these queues are paused{since and f', the first {since}'}"
    return Reason(f"{wait}: {paused}; `gigq resume {typed(held[0].queue)}` resumes the first.")


def _unserved(found: Backlog, held: Sequence[ReadyJobs]) -> Reason:
    named = [each for each in found.workers if not each.is_manual]
    if not (named or MARK in held[0].queue):
        wait = waiting(total(found, held), _oldest(held), found.now)
        return Reason(f"{wait}: there is no worker; `gigq worker` starts one.", is_trouble=not found.workers)
    wait, them = _wait(found, held), _them(held)
    alive = [each for each in found.workers if each.serves(held[0].queue) and each.is_alive]
    if alive:
        states = "; ".join(f"{each.key.id} {trouble(each)}" for each in alive[:_MOST_NAMED])
        return Reason(f"{wait}: no worker that serves {them} can start a job ({states}).", is_trouble=True)
    # A worker without the option serves all queues but the private ones.
    is_needed = any(MARK in each.queue for each in held) or any(each.queues is not None for each in named)
    option = f" --queue {typed(held[0].queue) if len(held) == 1 else 'QUEUE'}" if is_needed else ""
    return Reason(f"{wait}: no live worker serves {them}; `gigq worker{option}` starts one.", is_trouble=True)


def _limited(found: Backlog, held: Sequence[ReadyJobs]) -> Reason:
    (facts,) = [each.facts for each in held]
    limits = []
    if facts.max_running is not None:
        limits.append(f"it may run {counted(facts.max_running, 'job')} at a time, and does")
    if facts.rate is not None:
        limit, period, next_at = facts.rate
        then = f"; the next may start at {when(next_at, found.now)}" if next_at else ""
        limits.append(f"it may start {counted(limit, 'job')} every {period:.15g} s, and has done so{then}")
    return Reason(f"{_wait(found, held)}: {'; '.join(limits)}.")


def _full(found: Backlog, held: Sequence[ReadyJobs]) -> Reason:
    crew = able(each for each in found.workers if each.serves(held[0].queue))
    slots = counted(sum(each.concurrency for each in crew), "slot")
    inside = ""
    if found.waiters:
        verb = "waits" if found.waiters == 1 else "wait"
        inside = f"; {counted(found.waiters, 'running job')} {verb} inside a function for other jobs"
    long = span(_full_for(found, crew))
    return Reason(
        f"{_wait(found, held)}: the workers that serve {_them(held)} have {slots}, and none has become free for "
        f"{long}{inside}."
    )


def _passed_over(found: Backlog, held: Sequence[ReadyJobs]) -> Reason:
    crew = able(each for each in found.workers if each.serves(held[0].queue))
    free = counted(sum(map(free_slots, crew)), "free slot")
    return Reason(f"{_wait(found, held)}, though the workers that serve {_them(held)} have {free}.")


def _has_uncertain(found: Backlog, queue: str) -> bool:
    """Whether some of the workers may not find a function of its ready jobs: then a free slot means little."""
    return any(queue in numbers for numbers in found.functions.values())


def _full_for(found: Backlog, crew: Sequence[WorkerHealth]) -> float:
    """Return for how many seconds no slot has become free, as far as is known."""
    starts = [found.last_starts[each.key.seq] for each in crew if each.key.seq in found.last_starts]
    return (found.now - max(starts, default=found.now)).total_seconds()


def _wait(found: Backlog, held: Sequence[ReadyJobs]) -> str:
    return waiting(total(found, held), _oldest(held), found.now, of=_of(held))


def _oldest(held: Sequence[ReadyJobs]) -> datetime:
    return min(each.since for each in held)


def _of(held: Sequence[ReadyJobs]) -> str:
    names = [quoted(each.queue) for each in held]
    if len(names) == 1:
        return f" of queue {names[0]}"
    if len(names) <= _MOST_NAMED:
        return f" of queues {', '.join(names[:-1])} and {names[-1]}"
    return f" of queues {', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED:,} more"


def _them(held: Sequence[ReadyJobs]) -> str:
    return "it" if len(held) == 1 else "them"
