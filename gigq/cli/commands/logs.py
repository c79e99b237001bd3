"""The command that shows what jobs have logged: `gigq logs`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.exits import Refused
from gigq.cli.options import ONE_ID
from gigq.status import JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.records import ExecutionRecord, JobRecord

_KEYS = ("attempt", "status", "worker_id", "log")


@command(
    ONE_ID,
    argument("--attempt", metavar="N", type=values.at_least_one, help="only this attempt; default: all"),
    fields=_KEYS,
    is_long=True,
)
def logs(queue: JobQueue, args: Args) -> Answer:
    """Show what a job has logged, attempt by attempt.

    Only workers started with --capture-logs keep logs, and they write them when the attempt ends.
    """
    job = args.job(queue)
    executions = _chosen(job, args.attempt)
    found = [{key: getattr(each, key) for key in _KEYS} for each in executions]
    return Answer(found, _lines(executions), ids=[job.id])


def _chosen(job: JobRecord, attempt: int | None) -> Sequence[ExecutionRecord]:
    executions = [each for each in job.executions if attempt in (None, each.attempt)]
    if not executions and attempt is not None:
        raise Refused(f"job {job.id} has no attempt {attempt}; it has been tried {job.attempts} times")
    found = [each for each in executions if each.log]
    if not found:
        raise Refused(f"job {job.id} has no log: {_why_silent(job, executions)}")
    return found


def _why_silent(job: JobRecord, executions: Sequence[ExecutionRecord]) -> str:
    if not any(each.started_at for each in executions):
        return "its function was not called yet"
    if job.status == JobStatus.RUNNING and executions[-1].completed_at is None:
        return "it is written when the attempt ends, if the worker was started with --capture-logs"
    return "it has logged nothing, or its worker was started without --capture-logs"


def _lines(executions: Sequence[ExecutionRecord]) -> Iterator[str]:
    for execution in executions:
        if len(executions) > 1:
            yield f"attempt {execution.attempt}: {execution.status}, worker {execution.worker_id}"
        yield from (line.expandtabs() for line in (execution.log or "").removesuffix("\n").split("\n"))
