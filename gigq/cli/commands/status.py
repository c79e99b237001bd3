"""The command that tells the story of a job: `gigq status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.fields import JOB
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.options import ONE_ID
from gigq.status import ENDED_BADLY, JobStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gigq.graph_records import GraphJob
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord
    from gigq.steps import StepRecord

_PATIENCE = 2.0
"""Seconds for what is around a job, without which its story is told too."""
_MOST_RELATIVES = 100


@command(
    ONE_ID,
    argument("--full", action="store_true", help="cut nothing, and show every frame of every traceback"),
    argument("--show-params", action="store_true", help="show all of its arguments, however long"),
    argument("--show-result", action="store_true", help="show all of what it returned, however long"),
    argument("--show-executions", action="store_true", help="show every attempt with its whole traceback"),
    argument("--steps", action="store_true", help="with --json, also print the steps that it has remembered"),
    SHOW_SECRETS,
    fields=(*JOB, "steps"),
    is_long=True,
    examples=(
        ("gigq status 7f3a91c2", "the job whose ID ends, or begins, with these characters"),
        ("gigq status -", "the last job that you submitted or looked at"),
    ),
)
def status(queue: JobQueue, args: Args) -> Answer:
    """Show one job, attempt by attempt, and what happens next.

    A terminal shows the beginning of long values, and of tracebacks the frames of your own code.
    Secrets are hidden, also in JSON: passwords, tokens and the like, and the keys that GIGQ_REDACT lists.
    With --json, print everything that the file holds about it; its steps only with --steps.
    """
    from gigq.cli.job_story import Story, told  # only here: the help needs nothing of it

    hide = redactor(args)
    job = hide.job(args.job(queue))
    if not args.out.form.is_for_people:
        steps = [hide.step(step).as_dict() for step in queue.steps(job.id)] if args.steps else []
        return Answer(job.as_dict() | ({"steps": steps} if args.steps else {}), ids=[job.id])
    remembered, notes = _steps(queue, args, job)
    parents, children = _relatives(queue, job)
    story = Story(
        job,
        [hide.step(step) for step in remembered] if remembered or args.steps else None,
        parents,
        children,
        [hide.text(sentence) for sentence in queue.why(job.id)],
        queue.clock.now(),
    )
    return Answer(job, told(args, story), ids=[job.id], notes=notes, suggestions=_suggestions(job))


def _steps(queue: JobQueue, args: Args, job: JobRecord) -> tuple[Sequence[StepRecord], list[str]]:
    """Return its steps, and what is wrong with them: the story is told also where somebody has spoilt one."""
    from gigq.errors import StoreError

    try:
        return queue.steps(job.id), []
    except StoreError as error:
        if args.steps:
            raise
        return [], [str(error)]


def _relatives(queue: JobQueue, job: JobRecord) -> tuple[Sequence[GraphJob], Sequence[GraphJob]]:
    """Return the jobs that it depends on, and those that depend on it; none if that takes too long."""
    from gigq.errors import ReadTooLong

    try:
        jobs = queue.graph(job.id, _MOST_RELATIVES, within=_PATIENCE).jobs
    except ReadTooLong:
        return (), ()
    return [each for each in jobs if each.distance == -1], [each for each in jobs if each.distance == 1]


def _suggestions(job: JobRecord) -> list[str]:
    handle = job.id[-8:] if len(job.id) == 36 else job.id
    if job.status in ENDED_BADLY:
        replay = [f"gigq replay {handle} --pdb"] if job.status is not JobStatus.CANCELLED else []
        return [f"gigq logs {handle}", *replay, f"gigq requeue {handle}"]
    if job.status is JobStatus.RUNNING:
        return [f"gigq logs -f {handle}", f"gigq wait {handle}"]
    return [f"gigq wait {handle}"] if job.status is JobStatus.PENDING else []
