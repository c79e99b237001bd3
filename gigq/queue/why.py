"""The reasons why a job is not running, or what became of it, as sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gigq.durations import span
from gigq.errors import JobNotFound
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.queue import reasons
from gigq.queue.words import (
    and_more,
    counted,
    ever_since,
    first_line,
    instant,
    is_handler,
    may_find,
    quoted,
    trouble,
    typed,
    when,
)
from gigq.records import JobRecord
from gigq.status import DEAD, ExecutionStatus, JobStatus
from gigq.store import workers
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database
from gigq.store.queue_facts import QueueFacts
from gigq.store.why import MOST_AHEAD, Facts, PendingFacts, facts
from gigq.store.worker_health import WorkerHealth

_MOST_NAMED = 3
"""Workers that are named one by one."""

_ENDS = {"failed": "failed", "timeout": "timed out", "cancelled": "was cancelled"}


def why(database: Database, job_id: str | None, budget: Budget) -> list[str]:
    """Return the reasons as sentences for people, at least one. One read transaction.

    Args:
        job_id: None for the jobs of the whole queue.

    Raises:
        JobNotFound: no job has this id.
    """
    if job_id is None:
        with budget.read(database) as tx:
            return reasons.sentences(reasons.look(tx))
    here = this_process()
    with budget.read(database) as tx:
        gone = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
        found = facts(tx, job_id, gone=gone)
        if found is None:
            raise JobNotFound(job_id)
        # Inside the transaction, which says in one sentence that a fact was not a number because somebody edited it.
        return list(sentences(found))


def sentences(found: Facts) -> Iterator[str]:
    """Say what the file knows of a job."""
    if found.pending is not None:
        yield from _of_pending(found, found.pending)
    elif found.job.status is JobStatus.RUNNING:
        yield from _of_running(found)
    else:
        yield from _of_finished(found)


# pending


def _of_pending(found: Facts, pending: PendingFacts) -> Iterator[str]:
    obstacles = [
        *_of_queue(found, pending.queue),
        *_of_time(found),
        *_of_parents(pending),
        *_of_workers(found, pending),
        *_of_jobs_ahead(pending.ahead),
    ]
    yield from _of_last_attempt(found.job)
    yield from _of_lacking(found.job, pending.workers)
    yield from _of_waiters(pending)
    yield from obstacles or ["It is ready, and a worker with a free slot serves its queue: it starts in a moment."]
    if not pending.has_begun:
        yield from _of_expiry(found)


def _of_last_attempt(job: JobRecord) -> Iterator[str]:
    if not job.executions:
        return
    last = job.executions[-1]
    reason = f": {first_line(last.error)}" if last.error else "."
    if last.status is ExecutionStatus.RELEASED:
        times = f" {job.releases} times" if job.releases > 1 else ""
        yield f"It was given back unfinished{times}, and the attempt did not count{reason}"
    elif job.attempts:  # a requeued job starts afresh
        yield f"Attempt {last.attempt} of {job.max_attempts} ended as {last.status}{reason}"


def _of_queue(found: Facts, queue: QueueFacts) -> Iterator[str]:
    name = found.job.queue
    if queue.are_all_paused:
        since = queue.all_paused_at
        paused = f"have been paused {ever_since(since, found.now)}" if since else "are paused"
        yield f"All queues {paused}; `gigq resume` resumes them."
    if queue.is_paused:
        since = queue.paused_at
        paused = f"has been paused {ever_since(since, found.now)}" if since else "is paused"
        yield f"Queue {quoted(name)} {paused}; `gigq resume {typed(name)}` resumes it."
    if queue.max_running is not None:
        yield f"Queue {quoted(name)} is running as many jobs as it may at a time: {queue.max_running}."
    if queue.rate is not None:
        limit, period, next_at = queue.rate
        then = f"; the next may start at {when(next_at, found.now)}" if next_at else ""
        yield f"Queue {quoted(name)} may start {counted(limit, 'job')} every {period:.15g} s, and has done so{then}."


def _of_time(found: Facts) -> Iterator[str]:
    job = found.job
    if job.run_at is not None and job.run_at > found.now:
        if job.attempts:
            yield f"The next attempt may start at {when(job.run_at, found.now)}."
        else:
            yield f"It is scheduled for {when(job.run_at, found.now)}."


def _of_parents(pending: PendingFacts) -> Iterator[str]:
    if pending.blockers:
        named = [f"{parent.id} ({first_line(parent.name)}) is {parent.status}" for parent in pending.parents]
        more = and_more(pending.blockers - len(named))
        yield f"It is waiting for {counted(pending.blockers, 'job')} to complete: {', '.join(named)}{more}."
    for submitter, number in pending.submitters:
        name = first_line(submitter.name)
        yield f"Job {submitter.id} ({name}), on which it depends, has submitted {number:,} of them."


def _of_lacking(job: JobRecord, known: Sequence[WorkerHealth]) -> Iterator[str]:
    lacking = [each for each in known if each.is_alive and job.function in each.missing]
    for each in lacking[:_MOST_NAMED]:
        yield f"Worker {each.key.id} cannot find {quoted(job.function)}: {first_line(each.missing[job.function])}"


def _of_waiters(pending: PendingFacts) -> Iterator[str]:
    """Say which running jobs wait for it. In a worker without a free slot that cannot end well."""
    workers = {each.key.seq: each for each in pending.workers}
    for waiter in pending.waiters:
        named, worker = f"job {waiter.id} ({first_line(waiter.name)})", workers.get(waiter.worker_seq)
        if worker is not None and worker.running >= worker.concurrency > 0:
            yield (
                f"Every slot of worker {worker.key.id} is busy, and {named} there waits for this job inside its "
                "function; use dependencies instead, or a worker of another queue."
            )
        else:
            yield f"J{named[1:]} waits for it."


def _of_workers(found: Facts, pending: PendingFacts) -> Iterator[str]:
    job, known = found.job, pending.workers
    serving = [each for each in known if each.serves(job.queue)]
    able = [each for each in serving if each.is_alive and not each.is_stopping and each.trouble is None]
    finding = [each for each in able if may_find(job.function, each)]
    if not able:
        yield from _of_nobody(job.queue, known, serving)
    elif not finding:
        what = f"has a handler {quoted(job.function)}" if is_handler(job.function) else "finds its function"
        yield f"No live worker that serves queue {quoted(job.queue)} {what}."
        if pending.fails_at is not None:
            yield f"It fails if none has found it by {when(pending.fails_at, found.now)}."
    elif all(each.running >= each.concurrency for each in finding):
        slots = sum(each.concurrency for each in finding)
        yield f"All slots of the workers that serve queue {quoted(job.queue)} are taken: {slots}."


def _of_nobody(queue: str, known: Sequence[WorkerHealth], serving: Sequence[WorkerHealth]) -> Iterator[str]:
    if all(each.is_manual for each in known):
        yield "There is no worker; `gigq worker` starts one."
        return
    if any(each.is_alive and each.trouble for each in serving):
        yield f"No worker that serves queue {quoted(queue)} can start a job."
    else:
        yield f"No live worker serves queue {quoted(queue)}; `gigq worker --queue {typed(queue)}` starts one."
    for each in serving[:_MOST_NAMED]:
        yield f"Worker {each.key.id} {trouble(each)}."
    others = [each.key.id for each in known if not (each.is_manual or each.serves(queue))]
    if others:
        more = and_more(len(others) - _MOST_NAMED)
        yield f"These workers serve only other queues: {', '.join(others[:_MOST_NAMED])}{more}."


def _of_jobs_ahead(number: int) -> Iterator[str]:
    if number > MOST_AHEAD:
        yield f"More than {MOST_AHEAD:,} jobs of its queue go first."
    elif number:
        yield f"{counted(number, 'job')} of its queue {'goes' if number == 1 else 'go'} first."


def _of_expiry(found: Facts) -> Iterator[str]:
    job = found.job
    if job.expires_at is not None:
        if job.expires_at > found.now:
            yield f"It is cancelled if it has not started by {when(job.expires_at, found.now)}."
        else:
            yield f"It expired at {instant(job.expires_at)}; the next worker that looks cancels it."


# running


def _of_running(found: Facts) -> Iterator[str]:
    job, holder = found.job, found.holder
    attempt = f"attempt {job.attempts} of {job.max_attempts}"
    if job.started_at is None:
        yield f"Worker {job.worker_id} has reserved it, and calls its function when a slot is free ({attempt})."
    else:
        since = f"since {instant(job.started_at)}, for {span((found.now - job.started_at).total_seconds())}"
        verb = "holding it manually" if holder is not None and holder.is_manual else "running it"
        yield f"Worker {job.worker_id} has been {verb} {since} ({attempt})."
    if found.waits:
        named = [f"{each.id} ({first_line(each.name)}), which is {each.status}" for each in found.waits[:_MOST_NAMED]]
        more = and_more(len(found.waits) - len(named))
        yield f"It waits for {'job' if len(found.waits) == 1 else 'jobs'} {'; '.join(named)}{more}."
    if holder is not None and not holder.is_alive:
        yield f"Worker {holder.key.id} {trouble(holder)}; a live worker, or `gigq recover`, takes the job from it."


# finished


def _of_finished(found: Facts) -> Iterator[str]:
    job = found.job
    ended_at = "" if job.completed_at is None else instant(job.completed_at)
    if job.status is JobStatus.COMPLETED:
        took = "" if job.duration is None else f", having run for {span(job.duration)}"
        yield f"It completed at {ended_at} in attempt {job.attempts} of {job.max_attempts}{took}."
    elif job.status in DEAD:
        yield f"It {_ENDS[job.status]} at {ended_at} after {job.attempts} of {counted(job.max_attempts, 'attempt')}."
        yield f"The last error: {first_line(job.error or 'none was given')}"
        yield f"`gigq requeue {job.id}` sends it back."
    else:
        yield f"It was cancelled at {ended_at}{f': {first_line(job.error)}' if job.error else '.'}"
    if found.root is not None:
        root, name, status = found.root
        ended = _ENDS.get(status, f"is {status}")
        yield f"Job {root} ({first_line(name)}) {ended}; `gigq requeue {root}` brings this one back with it."
