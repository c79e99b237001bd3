"""`gigq logs`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gigq.cli import values
from gigq.cli.call import Call, Refused
from gigq.cli.commands import Commands, add_command, add_id
from gigq.records import ExecutionRecord, JobRecord

_KEYS = ("attempt", "status", "worker_id", "log")


def declare(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "logs", logs)
    add_id(parser)
    parser.add_argument("--attempt", metavar="N", type=values.at_least_one, help="only of this attempt; default: all")


def logs(call: Call) -> None:
    """Show what a job has logged, attempt by attempt.

    It is kept by workers that were started with --capture-logs, and written when the attempt ends.
    """
    with call.open_queue() as queue:
        job = call.job(queue)
    executions = _chosen(job, call.options)
    call.answer([{key: getattr(each, key) for key in _KEYS} for each in executions], _lines(executions))


def _chosen(job: JobRecord, options: object) -> Sequence[ExecutionRecord]:
    attempt = getattr(options, "attempt", None)
    executions = [each for each in job.executions if attempt in (None, each.attempt)]
    if not executions and attempt is not None:
        raise Refused(f"job {job.id} has no attempt {attempt}; it was tried {job.attempts} times")
    found = [each for each in executions if each.log]
    if not found:
        raise Refused(f"job {job.id} has no log; a worker that was started with --capture-logs keeps it")
    return found


def _lines(executions: Sequence[ExecutionRecord]) -> Iterator[str]:
    for execution in executions:
        if len(executions) > 1:
            yield f"attempt {execution.attempt}: {execution.status}, worker {execution.worker_id}"
        yield from (line.expandtabs() for line in (execution.log or "").removesuffix("\n").split("\n"))
