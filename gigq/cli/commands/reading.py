"""The commands that show jobs: `gigq status`, `gigq list`, `gigq stats`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.fields import JOB
from gigq.cli.options import ONE_ID
from gigq.cli.styled import Line
from gigq.cli.table import labelled, table
from gigq.clock import to_text
from gigq.status import JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.records import ExecutionRecord, JobRecord
    from gigq.steps import StepRecord

_ROWS = 20
_TITLES = ("id", "name", "phase", "priority", "attempts", "age", "error")
_MOST_NAMED = 10
"""Jobs on which one depends that are named."""


_LIMIT = argument(
    "--limit", metavar="N", type=values.whole, default=_ROWS, help=f"at most N jobs, or 0 for all; default: {_ROWS}"
)


@command(
    ONE_ID,
    argument("--show-params", action="store_true", help="also show its arguments"),
    argument("--show-result", action="store_true", help="also show what it returned"),
    argument("--show-executions", action="store_true", help="also show every attempt, with its traceback"),
    argument("--steps", action="store_true", help="also show the steps that it has remembered"),
    fields=(*JOB, "steps"),
    is_long=True,
)
def status(queue: JobQueue, args: Args) -> Answer:
    """Show one job.

    With --json, print everything that the file holds about it; its steps only with --steps.
    """
    job = args.job(queue)
    steps = queue.steps(job.id) if args.steps else None
    shown = {} if steps is None else {"steps": [step.as_dict() for step in steps]}
    lines = chain(_description(args, job), () if steps is None else _steps(args, steps))
    return Answer(job.as_dict() | shown, lines, ids=[job.id])


@command(
    argument("--queue", metavar="NAME", completes="queues", help="only jobs in this queue"),
    fields=(*(status.value for status in JobStatus), "total"),
)
def stats(queue: JobQueue, args: Args) -> Answer:
    """Count the jobs by status."""
    counts = queue.stats(args.queue)
    return Answer(counts, labelled((word, [str(count)]) for word, count in counts.items()))


def _description(args: Args, job: JobRecord) -> Iterator[str]:
    for label, lines in _fields(job):
        for number, line in enumerate(lines):  # not in columns: `grep "Status: completed"` finds it
            yield f"  {line}" if number else f"{label}: {line}"
    if args.show_params:
        if job.args:
            yield from _block("Arguments", _json_lines(job.args))
        if job.params or not job.args:
            yield from _block("Parameters", _values(job.params))
    if args.show_result:
        yield from _block("Result", _values(job.result))
    if args.show_executions:
        yield from ("", "Executions:")
        for execution in job.executions:
            yield from _execution(execution)


def _first(ids: Sequence[str]) -> str:
    """The first ids: a job may wait for thousands, which another has submitted."""
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _fields(job: JobRecord) -> Iterator[tuple[str, Sequence[str]]]:
    """The fields of a job as labels and lines. Scripts read the labels of GigQ 0.5.1, which come first."""
    yield "Job", [f"{job.name} ({job.id})"]
    yield "Status", [job.status.value]
    yield "Created", [_instant(job.created_at)]
    yield "Updated", [_instant(job.updated_at)]
    yield "Started", [_instant(job.started_at) or "-"]
    yield "Completed", [_instant(job.completed_at) or "-"]
    yield "Attempts", [f"{job.attempts} / {job.max_attempts}"]
    yield "Worker", [job.worker_id] if job.worker_id else ()
    yield "Error", _lines(job.error)
    for label, text in (
        ("Phase", "" if job.phase == job.status.value else job.phase),
        ("Releases", str(job.releases) if job.releases else ""),
        ("Progress", _progress(job.progress)),
        ("Cursor", "" if job.cursor is None else _value(job.cursor)),
        ("Description", job.description),
        ("Function", job.function),
        ("Queue", job.queue),
        ("Priority", str(job.priority)),
        ("Timeout", "none" if job.timeout is None else f"{job.timeout:.15g} s"),
        ("Run at", _instant(job.run_at)),
        ("Tags", ", ".join(job.tags)),
        ("Depends on", _first(job.dependencies)),
        ("Submitted by", job.submitted_by),
        ("Workflow", "" if job.workflow is None else f"{job.workflow['name']} ({job.workflow['id']})"),
    ):
        yield label, [text] if text else ()
    yield "Metadata", _json_lines(job.metadata) if job.metadata else ()


def _values(value: Any) -> Sequence[str]:
    """The entries of a dict, a line each, or another value. Text is shown as it is, everything else as JSON."""
    if value and isinstance(value, dict):
        return [f"{key}: {_value(each)}" for key, each in value.items()]
    return [value] if isinstance(value, str) else _json_lines(value)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _progress(progress: dict[str, Any] | None) -> str:
    if progress is None:
        return ""
    percentage, message = progress["percentage"], progress["message"]
    total = "" if percentage is None else f" of {progress['total']} ({percentage:g} %)"
    return f"{progress['current']}{total}" + (f", {message}" if message else "")


def _execution(execution: ExecutionRecord) -> Iterator[str]:
    yield from ("", f"attempt {execution.attempt}: {execution.status}")
    yield f"  {_times(execution)}, worker {execution.worker_id}"
    yield from (f"  {line}" for line in _lines(execution.traceback or execution.error))


def _steps(args: Args, steps: Sequence[StepRecord]) -> Iterator[Line]:
    yield from ("", "Steps:" if steps else "Steps: none")
    if steps:
        rows = [_step(step) for step in steps]
        titles = ("step", "completed", "took", "attempt", "arguments", "result")
        yield from table(args, titles, rows, flexible=("result", "arguments", "step"))


def _step(step: StepRecord) -> tuple[str, ...]:
    from gigq.durations import span  # only here: few commands tell a length of time

    nth = "" if step.occurrence == 1 else f" ({step.occurrence})"
    attempt = "" if step.attempt is None else str(step.attempt)
    took = span(step.duration)
    return (step.name + nth, _instant(step.completed_at), took, attempt, step.arguments or "", _value(step.result))


def _times(execution: ExecutionRecord) -> str:
    began, ended = _instant(execution.started_at), _instant(execution.completed_at)
    if not began:
        return f"ended {ended} before its function was called" if ended else "its function is not called yet"
    return f"{began} to {ended}" if ended else began


def _block(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from ("", f"{title}:")
    yield from (f"  {line}" for line in lines)


def _lines(text: str | None) -> Sequence[str]:
    return text.rstrip("\n").split("\n") if text else ()


def _json_lines(value: Any) -> Sequence[str]:
    return json.dumps(value, ensure_ascii=False, indent=2).split("\n")


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else to_text(instant)
