"""The command that lists workers: `gigq workers`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import command
from gigq.cli.fields import WORKER
from gigq.cli.styled import Line, status_cell
from gigq.cli.table import TABLE, Cell, age, shown_ids, table

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.queue_records import HeldJob, WorkerRecord

_TITLES = ("id", "mode", "slots", "free", "running", "completed", "failed", "queues", "pid", "seen", "state")
_JOBS = ("worker", "job", "name", "attempt", "running for", "limit", "progress")
_LIKE = {"dead": "failed", "stuck": "failed", "silent": "timeout"}
"""States that are shown with the sign and the colour of a status."""


@command(*TABLE, fields=WORKER)
def workers(queue: JobQueue, args: Args) -> Answer:
    """List the workers, oldest first, and what each of them runs.

    The column seen shows how long a worker has been silent.
    A dead worker is listed until another worker, or recover, notices it.
    Below the list stand the jobs that they hold, and for how long they have been running them.
    Last come why a worker can start no job, and the functions that it cannot find; it leaves their jobs to the others.
    """
    found = queue.workers()
    lines = _table(args, found, now=queue.clock.now()) if found else ["There is no worker; `gigq worker` starts one."]
    return Answer(found, lines, ids=[each.id for each in found])


def _table(args: Args, workers: Sequence[WorkerRecord], *, now: datetime) -> Iterator[Line]:
    # An ID that was cut cannot be typed: it is cut last.
    yield from table(args, _TITLES, [_row(args, each, now=now) for each in workers], flexible=("queues", "id"))
    yield from _jobs(args, workers, now=now)
    for worker in workers:
        if worker.trouble:
            yield f"Worker {worker.id} can start no job: {worker.trouble}"
        for function, reason in worker.missing.items():
            yield f"Worker {worker.id} cannot find {function}: {reason}"


def _jobs(args: Args, workers: Sequence[WorkerRecord], *, now: datetime) -> Iterator[Line]:
    held = [(worker.id, job) for worker in workers for job in worker.jobs]
    if held:
        ids = shown_ids(args, [job.id for _, job in held])
        rows = [_job(args, worker, job, shown, now=now) for (worker, job), shown in zip(held, ids, strict=True)]
        yield ""
        yield from table(args, _JOBS, rows, flexible=("progress", "name", "worker"))


def _job(args: Args, worker: str, job: HeldJob, shown_id: str, *, now: datetime) -> tuple[Cell, ...]:
    from gigq.durations import span

    since: Line = status_cell("reserved") if job.started_at is None else age(args, job.started_at, now)
    progress = job.progress or {}
    percentage, message = progress.get("percentage"), progress.get("message")
    done = "" if percentage is None else f"{int(percentage)} %"
    limit = "" if job.timeout is None else span(job.timeout)
    return (worker, shown_id, job.name, job.attempt, since, limit, " ".join(filter(None, (done, message))))


def _row(args: Args, worker: WorkerRecord, *, now: datetime) -> tuple[Cell, ...]:
    counts = (worker.concurrency, worker.free, worker.running, worker.completed, worker.failed)
    queues = "all" if worker.queues is None else ", ".join(worker.queues)
    return (worker.id, worker.mode, *counts, queues, worker.pid, age(args, worker.seen_at, now), _state(worker))


def _state(worker: WorkerRecord) -> Line:
    if worker.state in _LIKE:
        return status_cell(_LIKE[worker.state], word=worker.state)
    return "stopping now" if worker.state == "stopping" and worker.stop == "now" else worker.state
