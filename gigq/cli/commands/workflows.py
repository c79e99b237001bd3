"""The commands for workflows: `gigq workflow list`, `show`, `graph`, `cancel`, `requeue`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli import pictures, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, argument, command
from gigq.cli.fields import DRY_RUN, WORKFLOW, WORKFLOW_STATUS
from gigq.cli.questions import SAMPLES, confirm, sample, sure
from gigq.cli.styled import Line, Styled
from gigq.cli.table import TABLE, Cell, age, shown_ids, table
from gigq.clock import to_text
from gigq.pages import Count
from gigq.status import DEAD, UNFINISHED, JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.workflow_records import WorkflowGraph, WorkflowRecord, WorkflowStatus

_ROWS = 20
_STATUSES = tuple(status.value for status in JobStatus)
_TITLES = ("id", "name", "done", "jobs", *_STATUSES, "age")
_ID = argument(
    "id", metavar="ID", type=values.prefix, completes="workflows",
    help="the workflow's ID, or a beginning or an end of it that no other one has",
)  # fmt: skip


@command(
    argument("--limit", metavar="N", type=values.whole, default=_ROWS,
        help=f"at most N workflows, or 0 for all; default: {_ROWS}"),
    *TABLE,
    fields=WORKFLOW,
)  # fmt: skip
def workflow_list(queue: JobQueue, args: Args) -> Answer:
    """List workflows, newest first, with the number of their jobs by status.

    If there are more than --limit, a last line says so (with --json, on standard error).
    """
    limit = args.limit or None
    found = queue.workflows(limit and limit + 1)
    shown = found[:limit]
    lines = list(_table(args, shown, now=queue.clock.now())) if shown else ["No workflows found."]
    more = ["there are more; --limit 0 shows all"] if len(found) > len(shown) else []
    ids = [each.id for each in shown]
    return Answer(shown, [*lines, *more], ids=ids, notes=() if args.out.form.is_for_people else more)


@command(_ID, fields=WORKFLOW_STATUS, is_long=True)
def workflow_show(queue: JobQueue, args: Args) -> Answer:
    """Show where a workflow stands, and draw its jobs below those that they wait for.

    With --json, print the counts and times.
    The time left is an estimate: it goes by how long the functions took lately, and by how many slots workers have.
    """
    from gigq.queue import workflows

    workflow_id = args.workflow(queue, args.id)
    status = workflows.status(queue.database, workflow_id)
    graph = workflows.graph(queue.database, workflow_id) if args.out.form.is_for_people else None
    return Answer(status, () if graph is None else _shown(args, status, graph), ids=[workflow_id])


@command(
    _ID,
    pictures.kinds("as Mermaid, the default"),
    fields=("id", "name", "at", "jobs", "edges", "file"),
)
def workflow_graph(queue: JobQueue, args: Args) -> Answer:
    """Print the picture of a workflow, as Mermaid or SVG.

    With --json, print its jobs, and the parent and the child of each dependency.
    """
    from gigq.drawing.stored import graph_of
    from gigq.queue import workflows

    found = workflows.graph(queue.database, args.workflow(queue, args.id))
    is_for_people, ids = args.out.form.is_for_people, [found.id]
    if args.svg is None or (args.svg == pictures.STANDARD_OUTPUT and not is_for_people):
        return Answer(found, pictures.mermaid(graph_of(found)) if is_for_people else (), ids=ids)
    picture = pictures.svg(graph_of(found))
    if args.svg == pictures.STANDARD_OUTPUT:
        return Answer(found, picture.splitlines(), ids=ids)
    pictures.write(args.svg, picture)
    return Answer({"id": found.id, "file": args.svg}, [f"Picture written: {args.svg}"], ids=ids)


@command(_ID, *sure(), opens=CHANGE, fields=("id", "cancelled", *DRY_RUN))
def workflow_cancel(queue: JobQueue, args: Args) -> Answer:
    """Cancel the pending and running jobs of a workflow, except the one that runs at its end.

    That one runs then.
    The functions of running jobs are interrupted.
    """
    from gigq.queue import workflows

    workflow_id = args.workflow(queue, args.id)
    last_job = workflows.status(queue.database, workflow_id).last_job
    if answer := _confirmed(queue, args, "cancel", UNFINISHED, workflow_id, but=last_job):
        return answer
    number = workflows.cancel(queue.database, workflow_id)
    return Answer({"id": workflow_id, "cancelled": number}, [f"Jobs cancelled: {number}"], ids=[workflow_id])


@command(_ID, *sure(), opens=CHANGE, fields=("id", "requeued", *DRY_RUN))
def workflow_requeue(queue: JobQueue, args: Args) -> Answer:
    """Send the failed and timed-out jobs of a workflow back to the queue.

    Jobs that were cancelled because of them come back with them, and are not counted.
    The job at its end runs again when they have ended.
    """
    from gigq.queue import workflows

    workflow_id = args.workflow(queue, args.id)
    if answer := _confirmed(queue, args, "requeue", DEAD, workflow_id):
        return answer
    number = workflows.requeue_failed(queue.database, workflow_id)
    return Answer({"id": workflow_id, "requeued": number}, [f"Jobs requeued: {number}"], ids=[workflow_id])


def _confirmed(
    queue: JobQueue, args: Args, verb: str, statuses: Sequence[JobStatus], workflow_id: str, *, but: str | None = None
) -> Answer | None:
    """Ask about those jobs of a workflow that have one of these statuses, except for one; see `confirm`."""
    jobs = queue.find_jobs(statuses, SAMPLES + 1, workflow=workflow_id)
    count = queue.count(statuses, workflow=workflow_id)
    if but is not None and (last := queue.get_job(but)) is not None and last.status in statuses:
        count = Count(count - 1)
    return confirm(args, verb, count, [sample(job) for job in jobs if job.id != but])


def _table(args: Args, workflows: list[WorkflowRecord], *, now: datetime) -> Iterator[Styled]:
    ids = shown_ids(args, [each.id for each in workflows])
    rows = [_row(args, each, shown, now=now) for each, shown in zip(workflows, ids, strict=True)]
    return table(args, _TITLES, rows, flexible=("name",), right=("done",), dropped=("age", "pending", "running"))


def _row(args: Args, workflow: WorkflowRecord, shown_id: str, *, now: datetime) -> tuple[Cell, ...]:
    counts = [workflow.statuses[status] or None for status in _STATUSES]
    done = f"{_percent(workflow.done)} %"
    return (shown_id, workflow.name, done, workflow.total, *counts, age(args, workflow.created_at, now))


def _shown(args: Args, status: WorkflowStatus, graph: WorkflowGraph) -> Iterator[Line]:
    from gigq.drawing.stored import graph_of

    yield from _description(status)
    yield ""
    yield from pictures.drawn(args, graph_of(graph))


def _description(status: WorkflowStatus) -> Iterator[str]:
    yield f"Workflow: {status.name} ({status.id})"
    yield f"Created: {to_text(status.created_at)}"
    yield f"Started: {to_text(status.started_at) if status.started_at else '-'}"
    yield f"Completed: {to_text(status.completed_at) if status.completed_at else '-'}"
    if not status.has_ended:
        yield f"Time left: {_time_left(status.time_left)}"
    if status.last_job is not None:
        yield f"At its end: {status.last_job}"


def _percent(share: float) -> int:
    """Return a share as a whole number, which is 100 only when all of it is done."""
    return int(share * 100)


def _time_left(seconds: float | None) -> str:
    from gigq.durations import span  # only here: few commands tell a length of time

    return "not known" if seconds is None else f"about {span(seconds)}"
