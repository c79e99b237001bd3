"""The commands that wait for jobs, and print what they have returned: `gigq wait`, `gigq result`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.choosing import job_id
from gigq.cli.command import argument, command
from gigq.cli.endings import FIELDS, answer_of, wait_for
from gigq.cli.exits import UNFINISHED, Refused, UsageError
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.options import ONE_ID
from gigq.cli.selecting import CHOICES, is_chosen, selected, selection
from gigq.status import UNFINISHED as UNFINISHED_STATUSES
from gigq.status import JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord

_TIMEOUT = argument(
    "--timeout", metavar="DURATION", type=values.duration, help="how long to wait at most; then the exit code is 3"
)


@command(
    *selection(UNFINISHED_STATUSES),
    argument("--any", action="store_true", help="only until the first of them has ended"),
    _TIMEOUT,
    SHOW_SECRETS,
    fields=FIELDS,
    check=lambda args: _check_wait(args),
    examples=[
        ("gigq wait -", "wait for the job that you submitted last"),
        ("gigq wait --queue mail --timeout 5m", "wait for the unfinished jobs of a queue"),
        ("gigq list -q --tag nightly | gigq wait -", "wait for the jobs that another command prints"),
    ],
)
def wait(queue: JobQueue, args: Args) -> Answer:
    """Wait until jobs have ended, and say how each has.

    Give IDs, or filters: then it waits for the jobs that pass them and are unfinished now, not for later ones.
    How far they are is shown on standard error.
    The exit code is 0 if all have completed, 1 if one has not, and 3 if the time of --timeout was over before.
    """
    from gigq.filters import Filters
    from gigq.queue.waiting import unfinished

    chosen = selected(queue, args, statuses=UNFINISHED_STATUSES)
    ids = chosen.ids if chosen.ids is not None else unfinished(queue.database, Filters.of(**chosen.filters))
    return answer_of(wait_for(queue, args, ids, timeout=args.timeout, any=args.any))


@command(
    ONE_ID,
    argument("--wait", action="store_true", help="wait until the job has ended"),
    _TIMEOUT,
    SHOW_SECRETS,
    examples=[("gigq result - --wait", "what the job that you submitted last returns, once it has ended")],
)
def result(queue: JobQueue, args: Args) -> Answer:
    """Print what a job has returned: text as it is, and anything else as JSON.

    With --json, text is JSON too.
    Secrets in it are printed like everything else, for it is what was asked for; those in an error are hidden.
    --timeout implies --wait.
    The exit code is 1 if the job has ended without a result, and 3 if it has not ended.
    """
    job = _ended(queue, args, job_id(queue, args.id))
    if job.status is not JobStatus.COMPLETED:
        error = redactor(args).text(job.error or "")
        raise Refused(f"job {job.id} ({job.name}) ended as {job.status.value}: {error}")
    return Answer(job.result, _as_lines(job.result, width=args.terminal.width), ids=[job.id])


def _check_wait(args: Args) -> None:
    if not is_chosen(args):
        raise UsageError(f"give {CHOICES}")


def _ended(queue: JobQueue, args: Args, whole_id: str) -> JobRecord:
    if args.wait or args.timeout is not None:
        wait_for(queue, args, [whole_id], timeout=args.timeout)
    job = queue.get_job(whole_id)
    if job is None:
        raise Refused(f"job {whole_id} is gone")
    if job.completed_at is None:
        raise Refused(f"job {whole_id} is {job.status.value}; --wait waits until it has ended", code=UNFINISHED)
    return job


def _as_lines(value: Any, *, width: int) -> list[str]:
    if isinstance(value, str):
        return value.splitlines()
    line = json.dumps(value, ensure_ascii=False)
    return [line] if len(line) < width else json.dumps(value, ensure_ascii=False, indent=2).splitlines()
