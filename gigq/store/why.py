"""Why a job is not running, or what became of it, in sentences for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from shlex import quote

from gigq.liveness import WorkerKey
from gigq.records import JobRecord
from gigq.status import DEAD, ExecutionStatus, JobStatus
from gigq.store import reading
from gigq.store.engine.database import Transaction
from gigq.store.limits import allowance
from gigq.store.queues import ALL, NO_RULE, Rule, rules
from gigq.store.worker_health import WorkerHealth, health

_SHOWN = 3
"""Parents or workers that are named one by one."""

_COUNTED = 1000
"""Jobs ahead of one that are counted: for a person there is no difference beyond."""

_ERROR_LENGTH = 300

_SPANS = ((100, 1, "s"), (6000, 60, "min"), (172_800, 3600, "h"), (float("inf"), 86_400, "days"))


def why(tx: Transaction, job_id: str, *, gone: Collection[WorkerKey]) -> list[str] | None:
    """Return every reason why a job is not running, or what became of it; None for an unknown id.

    Args:
        gone: the workers whose process has certainly ended.
    """
    job = reading.job(tx, job_id)
    if job is None:
        return None
    if job.status is JobStatus.PENDING:
        return list(_of_pending(tx, job, health(tx, gone=gone)))
    if job.status is JobStatus.RUNNING:
        return list(_of_running(tx, job, health(tx, gone=gone)))
    return list(_of_finished(tx, job))


# pending


def _of_pending(tx: Transaction, job: JobRecord, crew: Sequence[WorkerHealth]) -> Iterator[str]:
    hindrances = [
        *_of_queue(tx, job),
        *_of_time(tx, job),
        *_of_parents(tx, job),
        *_of_workers(job, crew),
    ]
    yield from _of_last_attempt(job)
    yield from hindrances
    ahead = list(_of_others(tx, job))
    yield from ahead
    if not (hindrances or ahead):
        yield "It is ready, and a worker with a free slot serves its queue: it starts in a moment."
    yield from _of_expiry(tx, job)


def _of_last_attempt(job: JobRecord) -> Iterator[str]:
    if not job.executions:
        return
    last = job.executions[-1]
    said = f": {_first_line(last.error)}" if last.error else "."
    if last.status is ExecutionStatus.RELEASED:
        yield f"It was given back unfinished, the attempt not counted{said}"
    elif job.attempts:  # a requeued job begins anew
        yield f"Attempt {last.attempt} of {job.max_attempts} ended as {last.status}{said}"


def _of_queue(tx: Transaction, job: JobRecord) -> Iterator[str]:
    said, queue = rules(tx), job.queue
    rule = said.get(queue, NO_RULE)
    if said.get(ALL, NO_RULE).is_paused:
        yield "All queues are paused; `gigq resume` lets them go on."
    if rule.is_paused:
        yield f"Queue {queue!r} is paused; `gigq resume {quote(queue)}` lets it go on."
    if allowance(tx, queue, Rule(max_running=rule.max_running), at_most=1).number == 0:
        yield f"Queue {queue!r} runs as many jobs as it may at a time: {rule.max_running}."
    rate = allowance(tx, queue, rule._replace(max_running=None), at_most=1)
    if rate.number == 0:
        limit = _count(rule.rate_limit or 0, "job")
        next_at = f"; the next may start at {_when(tx, rate.more_at)}" if rate.more_at else ""
        yield f"Queue {queue!r} may start {limit} within {rule.rate_period:g} s, and has{next_at}."


def _of_time(tx: Transaction, job: JobRecord) -> Iterator[str]:
    if job.run_at is not None and job.run_at > tx.now:
        if job.attempts:
            yield f"The next attempt may start at {_when(tx, job.run_at)}."
        else:
            yield f"It is scheduled for {_when(tx, job.run_at)}."


def _of_parents(tx: Transaction, job: JobRecord) -> Iterator[str]:
    blockers: int = tx.value("SELECT blockers FROM jobs WHERE id = ?", (job.id,))
    if blockers == 0:
        return
    first = tx.execute(
        """
        SELECT parents.id, parents.name, parents.status
          FROM job_dependencies
          JOIN jobs AS parents ON parents.seq = job_dependencies.parent
         WHERE job_dependencies.child = (SELECT seq FROM jobs WHERE id = ?)
           AND parents.status IN ('pending', 'running')
         ORDER BY job_dependencies.position
         LIMIT ?
        """,
        (job.id, _SHOWN),
    )
    named = ", ".join(f"{parent} ({_first_line(name)}) is {status}" for parent, name, status in first)
    more = f", and {blockers - _SHOWN:,} more" if blockers > _SHOWN else ""
    yield f"It waits for {_count(blockers, 'job')} to complete: {named}{more}."


def _of_workers(job: JobRecord, crew: Sequence[WorkerHealth]) -> Iterator[str]:
    serving = [each for each in crew if each.serves(job.queue)]
    able = [each for each in serving if each.is_alive and not each.is_stopping]
    if not able:
        yield from _why_nobody(job.queue, crew, serving)
        return
    if _is_handler(job.function) and all(job.function not in each.handlers for each in able):
        yield (
            f"No live worker that serves queue {job.queue!r} has a handler {job.function!r}; "
            "one without it would fail the job."
        )
    if all(each.running >= each.concurrency for each in able):
        slots = sum(each.concurrency for each in able)
        yield f"All slots of the workers that serve queue {job.queue!r} are taken: {slots}."


def _why_nobody(queue: str, crew: Sequence[WorkerHealth], serving: Sequence[WorkerHealth]) -> Iterator[str]:
    if not any(not each.is_manual for each in crew):
        yield "There is no worker; `gigq worker` starts one."
        return
    yield f"No live worker serves queue {queue!r}; `gigq worker --queue {quote(queue)}` starts one."
    for each in serving[:_SHOWN]:
        yield f"Worker {each.key.id} {_ailment(each)}."
    others = [each.key.id for each in crew if not (each.is_manual or each.serves(queue))]
    if others:
        more = f", and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        yield f"These workers serve only other queues: {', '.join(others[:_SHOWN])}{more}."


def _of_others(tx: Transaction, job: JobRecord) -> Iterator[str]:
    """How many ready jobs of its queue are better; nobody knows it before the job is ready itself."""
    better = tx.value(
        """
        WITH own AS (SELECT seq, priority, queue FROM jobs WHERE id = :id AND blockers = 0 AND run_at IS NULL)
        SELECT count(*)
          FROM own
          JOIN (SELECT priority, seq
                  FROM jobs INDEXED BY jobs_ready
                 WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL
                   AND queue = (SELECT queue FROM own)
                 ORDER BY priority DESC, seq
                 LIMIT :most) AS first
         WHERE first.priority > own.priority
            OR (first.priority = own.priority AND first.seq < own.seq)
        """,
        {"id": job.id, "most": _COUNTED + 1},
    )
    if better:
        number = f"More than {_COUNTED:,} jobs" if better > _COUNTED else _count(better, "job")
        yield f"{number} of its queue {'goes' if better == 1 else 'go'} first."


def _of_expiry(tx: Transaction, job: JobRecord) -> Iterator[str]:
    if job.expires_at is not None and job.attempts == 0:
        if job.expires_at > tx.now:
            yield f"It is cancelled if it has not started by {_when(tx, job.expires_at)}."
        else:
            yield f"It expired at {_instant(job.expires_at)}; the next worker that looks cancels it."


# running


def _of_running(tx: Transaction, job: JobRecord, crew: Sequence[WorkerHealth]) -> Iterator[str]:
    seq = tx.value(
        """
        SELECT worker_seq
          FROM executions
         WHERE job_seq = (SELECT seq FROM jobs WHERE id = ?) AND status = 'running'
        """,
        (job.id,),
    )
    holder = next((each for each in crew if each.key.seq == seq), None)
    attempt = f"attempt {job.attempts} of {job.max_attempts}"
    if job.started_at is None:
        yield f"Worker {job.worker_id} has reserved it, and calls its function when a slot is free ({attempt})."
    else:
        span = _span((tx.now - job.started_at).total_seconds())
        by_hand = " by hand" if holder is not None and holder.is_manual else ""
        yield f"Worker {job.worker_id} runs it{by_hand} since {_instant(job.started_at)}, for {span} ({attempt})."
    if holder is not None and not holder.is_alive:
        yield f"Worker {holder.key.id} {_ailment(holder)}; a living worker, or `gigq recover`, takes the job from it."


# finished


def _of_finished(tx: Transaction, job: JobRecord) -> Iterator[str]:
    ended_at = "" if job.completed_at is None else _instant(job.completed_at)
    if job.status is JobStatus.COMPLETED:
        took = "" if job.duration is None else f", having run for {_span(job.duration)}"
        yield f"It completed at {ended_at} in attempt {job.attempts} of {job.max_attempts}{took}."
    elif job.status in DEAD:
        what = "failed" if job.status is JobStatus.FAILED else "ran into its timeout"
        yield f"It {what} at {ended_at} after {job.attempts} of {_count(job.max_attempts, 'attempt')}."
        yield f"The last error: {_first_line(job.error or 'none was given')}"
        yield f"`gigq requeue {job.id}` sends it back."
    else:
        yield f"It was cancelled at {ended_at}{f': {_first_line(job.error)}' if job.error else '.'}"
        yield from _of_blame(tx, job)


def _of_blame(tx: Transaction, job: JobRecord) -> Iterator[str]:
    """Whose bad end cancelled it: not always a parent, but the ancestor with which everything began."""
    root = tx.execute(
        "SELECT id, name, status FROM jobs WHERE seq = (SELECT failed_parent FROM jobs WHERE id = ?)", (job.id,)
    ).fetchone()
    if root is not None:
        parent, name, status = root
        yield f"Job {parent} ({_first_line(name)}) is {status}; `gigq requeue {parent}` brings this one back with it."


# words


def _ailment(member: WorkerHealth) -> str:
    if member.is_gone:
        return "is dead: its process has ended"
    if not member.is_alive:
        return f"is silent: it was last seen {_span(member.silence)} ago, at {_instant(member.seen_at)}"
    return "is about to stop"


def _is_handler(function: str) -> bool:
    """Whether no worker could import it: it names no module."""
    return not {":", "."} & set(function)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _when(tx: Transaction, instant: datetime) -> str:
    return f"{_instant(instant)}, in {_span((instant - tx.now).total_seconds())}"


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: float) -> str:
    """A length of time as people say it."""
    return next(f"{max(0.0, seconds) / unit:.0f} {name}" for limit, unit, name in _SPANS if seconds < limit)


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _ERROR_LENGTH else f"{line[:_ERROR_LENGTH]}…"
