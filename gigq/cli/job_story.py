"""The story of a job for people: what it is, what has become of it in each attempt, and what happens next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from gigq.cli.styled import Line, Styled, status_cell
from gigq.cli.table import shown_ids, table
from gigq.cli.tracebacks import folded
from gigq.clock import to_text
from gigq.durations import span
from gigq.status import ExecutionStatus, Phase

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.graph_records import GraphJob
    from gigq.records import ExecutionRecord, JobRecord
    from gigq.steps import StepRecord

_MOST_NAMED = 10
"""Jobs on which one depends that are named."""
_MOST_LINES, _MOST_LETTERS = 20, 500
"""How much of a value a terminal shows."""
_MOST_EXECUTIONS = 5
_LOG_LINES = 5
_MOST_RELATIVES = 10


class Story(NamedTuple):
    """What is told of a job. Its secrets are hidden already.

    Attributes:
        steps: None if they are not to be told.
        parents, children: the jobs next to it in the graph.
        why: what happens next, or how it ended, in sentences.
    """

    job: JobRecord
    steps: Sequence[StepRecord] | None
    parents: Sequence[GraphJob]
    children: Sequence[GraphJob]
    why: Sequence[str]
    now: datetime


def told(args: Args, story: Story) -> Iterator[Line]:
    """Yield the lines of a story. A terminal shows long values in part, unless ``--full`` was typed."""
    job = story.job
    for label, lines in _fields(job, story.now):
        for number, line in enumerate(lines):  # not in columns: `grep "Status: completed"` finds it
            yield f"  {line}" if number else f"{label}: {line}"
    if job.args:
        yield from _block(args, "Arguments", _json_lines(job.args), whole=args.show_params)
    if job.params or (args.show_params and not job.args):
        yield from _block(args, "Parameters", _values(job.params), whole=args.show_params)
    if args.show_result or job.result is not None:
        yield from _block(args, "Result", _values(job.result), whole=args.show_result)
    if job.executions or args.show_executions:
        yield from _executions(args, job, story.now)
    if story.steps is not None:
        yield from _steps(args, story.steps)
    yield from _relatives(args, "Depends on", story.parents)
    yield from _relatives(args, "Needed by", story.children)
    yield from ("", "Now:", *(f"  {sentence}" for sentence in story.why))


# what it is


def _fields(job: JobRecord, now: datetime) -> Iterator[tuple[str, Sequence[str]]]:
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
        ("Progress", _progress(job, now)),
        ("Cursor", "" if job.cursor is None else _value(job.cursor)),
        ("Description", job.description),
        ("Function", job.function),
        ("Queue", job.queue),
        ("Priority", str(job.priority)),
        ("Timeout", "none" if job.timeout is None else f"{job.timeout:.15g} s"),
        ("Run at", _instant(job.run_at)),
        ("Expires at", _instant(job.expires_at)),
        ("Unique key", job.unique_key),
        ("Tags", ", ".join(job.tags)),
        ("Depends on", _first(job.dependencies)),
        ("Submitted by", job.submitted_by),
        ("Workflow", "" if job.workflow is None else f"{job.workflow['name']} ({job.workflow['id']})"),
    ):
        yield label, [text] if text else ()
    yield "Metadata", _json_lines(job.metadata) if job.metadata else ()


def _progress(job: JobRecord, now: datetime) -> str:
    if job.progress is None:
        return ""
    percentage, message = job.progress["percentage"], job.progress["message"]
    total = "" if percentage is None else f" of {job.progress['total']} ({percentage:g} %)"
    left = ""
    if job.phase is Phase.RUNNING and percentage and percentage < 100 and job.started_at is not None:
        run = max(0.0, (now - job.started_at).total_seconds())
        left = f", about {span(run * (100 - percentage) / percentage)} left"
    return f"{job.progress['current']}{total}{left}" + (f", {message}" if message else "")


def _first(ids: Sequence[str]) -> str:
    """The first ids: a job may wait for thousands, which another has submitted."""
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


# what became of it


def _executions(args: Args, job: JobRecord, now: datetime) -> Iterator[Line]:
    is_whole = _is_whole(args) or args.show_executions
    first = 0 if is_whole else max(0, len(job.executions) - _MOST_EXECUTIONS)
    yield from ("", "Executions:")
    if first:
        yield f"  ({first} earlier; --full shows all)"
    for place, execution in enumerate(job.executions[first:], first):
        before = job.executions[place - 1].completed_at if place else job.created_at
        yield from _execution(execution, before, now)
        is_last = place == len(job.executions) - 1
        yield from (f"  {line}" for line in _error(execution, is_whole=is_whole, is_last=is_last))
    if job.executions and not is_whole:
        yield from _log(job, job.executions[-1])


def _execution(execution: ExecutionRecord, before: datetime | None, now: datetime) -> Iterator[Line]:
    yield ""
    yield f"attempt {execution.attempt}: " + status_cell(execution.status)
    waited = ""
    if execution.started_at is not None and before is not None:
        seconds = (execution.started_at - before).total_seconds()
        waited = f", {span(seconds)} after {'the submit' if execution.attempt == 1 else 'the one before'}"
    yield f"  {_times(execution, now)}{waited}, worker {execution.worker_id}"


def _times(execution: ExecutionRecord, now: datetime) -> str:
    began, ended = execution.started_at, execution.completed_at
    if began is None:
        return f"ended {_instant(ended)} before its function was called" if ended else "its function is not called yet"
    if ended is None:
        return f"since {_instant(began)}, for {span((now - began).total_seconds())}"
    return f"{_instant(began)} to {_instant(ended)}, {span((ended - began).total_seconds())}"


def _error(execution: ExecutionRecord, *, is_whole: bool, is_last: bool) -> Iterator[str]:
    """The traceback: of the last attempt the frames of one's own code, of earlier ones the error alone."""
    if is_whole or execution.traceback is None:
        yield from _lines(execution.traceback or execution.error)
    elif is_last:
        yield from folded(execution.traceback)
    else:
        yield from _lines(execution.error)[:1]


def _log(job: JobRecord, execution: ExecutionRecord) -> Iterator[Line]:
    lines = _lines(execution.log)
    if not lines or execution.status is ExecutionStatus.COMPLETED:
        return
    which = f"the last {_LOG_LINES} lines of {len(lines):,}" if len(lines) > _LOG_LINES else "whole"
    yield f"  log ({which}; gigq logs {job.id[-8:]}):"
    yield from (f"    {line}" for line in lines[-_LOG_LINES:])


def _steps(args: Args, steps: Sequence[StepRecord]) -> Iterator[Line]:
    yield from ("", "Steps:" if steps else "Steps: none")
    if steps:
        titles = ("step", "completed", "took", "attempt", "arguments", "result")
        yield from table(args, titles, [_step(step) for step in steps], flexible=("result", "arguments", "step"))


def _step(step: StepRecord) -> tuple[str, ...]:
    nth = "" if step.occurrence == 1 else f" ({step.occurrence})"
    attempt = "" if step.attempt is None else str(step.attempt)
    took = span(step.duration)
    return (step.name + nth, _instant(step.completed_at), took, attempt, step.arguments or "", _value(step.result))


# what is around it


def _relatives(args: Args, title: str, jobs: Sequence[GraphJob]) -> Iterator[Line]:
    if not jobs:
        return
    shown = jobs if _is_whole(args) else jobs[:_MOST_RELATIVES]
    yield from ("", f"{title}:")
    handles = shown_ids(args, [each.id for each in shown])
    for job, handle in zip(shown, handles, strict=True):
        yield "  " + status_cell(job.phase) + Styled(f"  {handle}  {job.name}")
    if len(jobs) > len(shown):
        yield f"  ({len(jobs) - len(shown):,} more; gigq graph shows them)"


# values


def _block(args: Args, title: str, lines: Sequence[str], *, whole: bool) -> Iterator[Line]:
    yield from ("", f"{title}:")
    yield from (f"  {line}" for line in (lines if whole or _is_whole(args) else _cut(lines)))


def _is_whole(args: Args) -> bool:
    """Whether nothing is cut: somebody has asked for all, or a program reads it."""
    return bool(args.full or not args.terminal.width_or(0))


def _cut(lines: Sequence[str]) -> Iterator[str]:
    """The beginning of a value, and how much is missing."""
    for line in lines[:_MOST_LINES]:
        left = len(line) - _MOST_LETTERS
        yield line if left <= 0 else f"{line[:_MOST_LETTERS]}… ({left:,} more characters; --full shows them)"
    if len(lines) > _MOST_LINES:
        yield f"… ({len(lines) - _MOST_LINES:,} more lines; --full shows them)"


def _values(value: Any) -> Sequence[str]:
    """The entries of a dict, a line each, or another value. Text is shown as it is, everything else as JSON."""
    if value and isinstance(value, dict):
        return [f"{key}: {_value(each)}" for key, each in value.items()]
    return [value] if isinstance(value, str) else _json_lines(value)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(text: str | None) -> Sequence[str]:
    return text.rstrip("\n").split("\n") if text else ()


def _json_lines(value: Any) -> Sequence[str]:
    return json.dumps(value, ensure_ascii=False, indent=2).split("\n")


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else to_text(instant)
