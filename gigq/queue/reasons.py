"""Why the jobs of a whole queue are not getting on, as sentences for people; one calm sentence if nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.queue.held_back import Reason, able, free_slots, of_queues, total
from gigq.queue.words import (
    and_more,
    counted,
    ever_since,
    first_line,
    instant,
    is_handler,
    jobs,
    may_find,
    quoted,
    they,
    trouble,
    waiting,
    when,
)
from gigq.store import workers
from gigq.store.backlog import MOST, Backlog, Number, backlog
from gigq.store.engine.transaction import Transaction

_MOST_NAMED = 3
"""Workers and functions that are named one by one."""


def look(tx: Transaction) -> Backlog:
    """Return what waits in the file, and who works."""
    here = this_process()
    return backlog(tx, gone=certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone))


def sentences(found: Backlog) -> list[str]:
    """Return why jobs are not getting on and what waits for its time, or the one sentence that nothing is wrong."""
    held = [reason.text for reason in reasons(found)]
    return [*held, *(f"{_capital(each)}." for each in _masses(found))] if held else [calm(found)]


def reasons(found: Backlog) -> Iterator[Reason]:
    """Yield why jobs are not getting on, the worst first."""
    of_jobs = [_of_all_paused(found)] if found.are_all_paused else of_queues(found)
    for reason in chain(of_jobs, _of_functions(found), _of_workers(found), _of_schedules(found)):
        yield reason._replace(text=_capital(reason.text))


def calm(found: Backlog) -> str:
    """Return how busy the workers are, and how long ready jobs have waited."""
    parts, ready = list(_busy(found)), [each for each in found.queues if each.number.number]
    masses = list(_masses(found))
    if ready:
        parts.append(waiting(total(found, ready), min(each.since for each in ready), found.now))
    elif not masses:
        parts.append("nothing is waiting")
    return f"{_capital('; '.join([*parts, *masses]))}."


def _busy(found: Backlog) -> Iterator[str]:
    crew = able(found.workers)
    slots, free = sum(each.concurrency for each in crew), sum(map(free_slots, crew))
    if crew and not free:
        yield f"all {counted(slots, 'slot')} of {counted(len(crew), 'worker')} {'is' if slots == 1 else 'are'} busy"
    elif crew:
        yield f"{counted(len(crew), 'worker')}, {slots - free:,} of {counted(slots, 'slot')} busy"


def _masses(found: Backlog) -> Iterator[str]:
    """Yield how many jobs wait for their time, and for other jobs."""
    number, retries, next_at = found.later
    if number.number and next_at is not None:
        then, is_one = when(next_at, found.now), number == (1, True)
        if not retries.number:
            yield f"{jobs(number)} {'is scheduled' if is_one else 'are scheduled, the next'} for {then}"
        elif retries.number >= number.number:
            yield f"{jobs(number)} {they(number, 'wait')} for a retry{'' if is_one else ', the next'} at {then}"
        else:
            some = f"{'' if retries.is_exact else 'more than '}{retries.number:,}"
            yield f"{jobs(number)} wait for their time, {some} of them for a retry, the next at {then}"
    if found.waiting:
        yield f"{counted(found.waiting, 'job')} {they(Number(found.waiting), 'wait')} for other jobs to complete"
    if not found.are_all_queues:
        yield f"only {len(found.queues):,} of the queues with ready jobs were looked at"


def _of_all_paused(found: Backlog) -> Reason:
    number, since = total(found, found.queues), found.all_paused_at
    paused = f"have been paused {ever_since(since, found.now)}" if since else "are paused"
    wait = f", and {jobs(number, 'ready job')} {they(number, 'wait')}" if number.number else ""
    return Reason(f"All queues {paused}{wait}; `gigq resume` resumes them.")


def _of_functions(found: Backlog) -> Iterator[Reason]:
    lacking = {function: number for function in found.functions if (number := _lost(found, function))}
    for function, number in list(lacking.items())[:_MOST_NAMED]:
        why = next((each.missing[function] for each in able(found.workers) if function in each.missing), None)
        what = f"the handler {quoted(function)}, which no live worker has" if is_handler(function) else (
            f"{quoted(function)}, which no live worker finds")
        call = they(Number(number), "call")
        ready = jobs(Number(min(number, MOST), number < MOST), "ready job")
        yield Reason(f"{ready} {call} {what}{f': {first_line(why)}' if why else '.'}", is_trouble=True)
    if len(lacking) > _MOST_NAMED:
        more = counted(len(lacking) - _MOST_NAMED, "more function")
        yield Reason(f"No live worker finds {more} of ready jobs.", is_trouble=True)


def _lost(found: Backlog, function: str) -> int:
    """Return how many ready jobs call a function that none of the live workers finds that serve their queues."""
    lost = 0
    for queue, number in found.functions[function].items():
        crew = able(each for each in found.workers if each.serves(queue))
        if crew and not any(may_find(function, each) for each in crew):
            lost += number
    return lost


def _of_workers(found: Backlog) -> Iterator[Reason]:
    bad = [each for each in found.workers if not each.is_manual and (not each.is_alive or each.trouble is not None)]
    for each in bad[:_MOST_NAMED]:
        held = f"; it holds {counted(each.running, 'job')}" if each.running else ""
        taken = ", to be taken from it by a live worker or by `gigq recover`" if held and not each.is_alive else ""
        is_stuck = bool(each.running) and not able(found.workers)
        yield Reason(f"Worker {each.key.id} {trouble(each)}{held}{taken}.", is_trouble=each.is_alive or is_stuck)
    if len(bad) > _MOST_NAMED:
        yield Reason(f"{counted(len(bad) - _MOST_NAMED, 'more worker')} cannot start jobs.")


def _of_schedules(found: Backlog) -> Iterator[Reason]:
    if found.overdue and not able(found.workers):
        name, due = found.overdue[0]
        more = and_more(len(found.overdue) - 1)
        text = f"No live worker submits the jobs of schedules: {quoted(name)} was due at {instant(due)}{more}."
        yield Reason(text, is_trouble=True)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
