"""The commands for workflows: `gigq workflow list`, `show`, `graph`, `cancel`, `requeue`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli import output, values
from gigq.cli.call import Call, Refused
from gigq.cli.commands import Command, Parser
from gigq.clock import to_text
from gigq.status import JobStatus

if TYPE_CHECKING:
    from gigq.drawing.text import Terminal
    from gigq.workflow_records import WorkflowRecord, WorkflowStatus

_ROWS = 20
_STATUSES = tuple(status.value for status in JobStatus)
_TITLES = ("id", "name", "done", "jobs", *_STATUSES, "age")
_STANDARD_OUTPUT = "-"


def _list_options(parser: Parser) -> None:
    parser.add_argument(
        "--limit", metavar="N", type=values.whole, default=_ROWS,
        help=f"at most N workflows, or 0 for all; default: {_ROWS}",
    )  # fmt: skip


def list_workflows(call: Call) -> None:
    """List workflows, newest first, with the number of their jobs by status.

    If there are more than --limit, a last line says so (with --json, on standard error).
    """
    limit = call.options.limit or None
    with call.look() as queue:
        found = queue.workflows(limit and limit + 1)
        now = queue.clock.now()
    shown = found[:limit]
    call.answer([each.as_dict() for each in shown], _table(shown, now=now) if shown else ["No workflows found."])
    if len(found) > len(shown):
        note = "there are more; --limit 0 shows all"
        output.note(note) if call.options.json else output.write([note])


def _id(parser: Parser) -> None:
    parser.add_argument(
        "id", metavar="ID", type=values.prefix, help="the workflow's ID, or any prefix of it that no other one has"
    )


def show(call: Call) -> None:
    """Show where a workflow stands, and draw its jobs below those that they wait for.

    With --json, print the counts and times.
    The time left is an estimate: it goes by how long the functions took lately, and by how many slots workers have.
    """
    from gigq.queue import workflows

    with call.look() as queue:
        workflow_id = call.workflow(queue, call.options.id)
        status = workflows.status(queue.database, workflow_id)
        graph = None if call.options.json else workflows.graph(queue.database, workflow_id)
    if graph is None:
        return output.write_json(status.as_dict())
    from gigq.drawing.stored import graph_of
    from gigq.drawing.text import to_text as drawn

    output.write(_description(status))
    output.write_drawing(["", *drawn(graph_of(graph), _terminal())])


def _graph_options(parser: Parser) -> None:
    _id(parser)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--mermaid", action="store_true", help="as Mermaid, the default")
    either.add_argument(
        "--svg", metavar="FILE", nargs="?", const=_STANDARD_OUTPUT,
        help="as SVG, into this file or on standard output; give it after the ID",
    )  # fmt: skip


def graph(call: Call) -> None:
    """Print the picture of a workflow, as Mermaid or SVG.

    With --json, print its jobs, and the parent and the child of each dependency.
    """
    from gigq.drawing.mermaid import to_mermaid
    from gigq.drawing.stored import graph_of
    from gigq.drawing.svg import to_svg
    from gigq.queue import workflows

    with call.look() as queue:
        found = workflows.graph(queue.database, call.workflow(queue, call.options.id))
    file = call.given("svg").get("svg")
    if file is None or (file == _STANDARD_OUTPUT and call.options.json):
        return call.answer(found.as_dict(), () if call.options.json else to_mermaid(graph_of(found)).splitlines())
    picture = str(to_svg(graph_of(found)))
    if file == _STANDARD_OUTPUT:
        return output.write(picture.splitlines())
    _write(file, picture)
    call.answer({"id": found.id, "file": file}, [f"Picture written: {file}"])


def cancel(call: Call) -> None:
    """Cancel the pending and running jobs of a workflow, except the one that runs at its end.

    That one runs then.
    The functions of running jobs are interrupted.
    """
    from gigq.queue import workflows

    with call.open_queue() as queue:
        workflow_id = call.workflow(queue, call.options.id)
        number = workflows.cancel(queue.database, workflow_id)
    call.answer({"id": workflow_id, "cancelled": number}, [f"Jobs cancelled: {number}"])


def requeue(call: Call) -> None:
    """Send the failed and timed-out jobs of a workflow back to the queue.

    Jobs that were cancelled because of them come back with them, and are not counted.
    The job at its end runs again when they have ended.
    """
    from gigq.queue import workflows

    with call.open_queue() as queue:
        workflow_id = call.workflow(queue, call.options.id)
        number = workflows.requeue_failed(queue.database, workflow_id)
    call.answer({"id": workflow_id, "requeued": number}, [f"Jobs requeued: {number}"])


def _table(workflows: Sequence[WorkflowRecord], *, now: datetime) -> Iterator[str]:
    ids = output.shown_ids([each.id for each in workflows])
    rows = [_row(each, shown, now=now) for each, shown in zip(workflows, ids, strict=True)]
    return output.table(_TITLES, rows, flexible=("name",))


def _row(workflow: WorkflowRecord, shown_id: str, *, now: datetime) -> tuple[str, ...]:
    counts = [str(workflow.statuses[status] or "") for status in _STATUSES]
    age = output.span((now - workflow.created_at).total_seconds())
    return (shown_id, workflow.name, f"{_percent(workflow.done)} %", str(workflow.total), *counts, age)


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
    return "not known" if seconds is None else f"about {output.span(seconds)}"


def _terminal() -> Terminal:
    from gigq.drawing.text import Terminal

    width = output.terminal_width(otherwise=100)
    return Terminal(width, is_unicode=output.can_write("├─●✓…"), is_coloured=output.is_coloured())


def _write(file: str, picture: str) -> None:
    try:
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(picture)
    except (OSError, ValueError) as error:
        raise Refused(f"{file!r} cannot be written: {getattr(error, 'strerror', None) or error}") from None


COMMANDS = {
    "workflow list": Command(list_workflows, _list_options),
    "workflow show": Command(show, _id),
    "workflow graph": Command(graph, _graph_options),
    "workflow cancel": Command(cancel, _id),
    "workflow requeue": Command(requeue, _id),
}
