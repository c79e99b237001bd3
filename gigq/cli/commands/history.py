"""The commands that look back: `gigq errors`, `gigq functions`, `gigq actions`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.fields import ACTION, FAILURE, FUNCTION
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.looking_back import notes_of, span, span_of
from gigq.cli.styled import DIM, RED, Line, Styled
from gigq.cli.table import TABLE, Cell, age, table

if TYPE_CHECKING:
    from datetime import datetime

    from gigq.history_records import ActionRecord, FailureGroup, FunctionStats
    from gigq.queue.job_queue import JobQueue

_FAILURE_TITLES = ("group", "failures", "dead", "last", "function", "error")
_WIDE_FAILURE_TITLES = ("group", "failures", "jobs", "dead", "first", "last", "function", "error")
_FUNCTION_TITLES = ("function", "runs", "failed", "p50", "p95", "wait p95", "share", "wasted")
_WIDE_TITLES = (
    "function", "runs", "failed", "p50", "p95", "p99", "wait p50", "wait p95", "wait p99", "share", "wasted",
)  # fmt: skip
_ACTION_TITLES = ("when", "who", "by", "did", "done", "to")


@command(
    *span("24h"),
    argument("--limit", metavar="N", type=values.whole, default=20,
        help="show at most N groups, or 0 for all; default: 20"),
    SHOW_SECRETS,
    *TABLE,
    fields=FAILURE,
    examples=(
        ("gigq errors --since 7d", "what failed in the last week, by cause"),
        ("gigq requeue --group 2a19c79f", "send the jobs of one group back"),
    ),
)  # fmt: skip
def errors(queue: JobQueue, args: Args) -> Answer:
    """Show what failed, grouped by cause: the same function, error and message.

    Numbers, IDs, quoted values and addresses in the messages do not count.
    Attempts that were tried again are counted too; dead is how many jobs have no attempt left.
    `gigq requeue --group` sends those of one group back.
    """
    found = queue.history.failures(**span_of(args, "window", "24h"))
    hide = redactor(args)
    groups = [
        group._replace(message=hide.text(group.message), error=hide.text(group.error))
        for group in found[: args.limit or None]
    ]
    notes = notes_of(found, "failures")
    if len(groups) < len(found):
        notes.append(f"these are {len(groups)} of {len(found)} groups; --limit 0 shows all")
    titles = _WIDE_FAILURE_TITLES if args.wide else _FAILURE_TITLES
    lines = table(args, titles, _failures(args, queue, groups), flexible=("error", "function"))
    dead = next((group for group in groups if group.dead), None)
    suggestions = () if dead is None else (f"gigq requeue --group {dead.key}   # {_back(dead.dead)}",)
    return Answer(
        groups, lines if groups else ["Nothing failed."], ids=[group.key for group in groups], notes=notes,
        suggestions=suggestions,
    )  # fmt: skip


@command(
    *span("24h"),
    *TABLE,
    fields=FUNCTION,
    examples=(("gigq functions --since 1h --wide", "with more percentiles"),),
)  # fmt: skip
def functions(queue: JobQueue, args: Args) -> Answer:
    """Show what each function cost: how often it ran and failed, how long it took, and how long its jobs waited.

    It counts the executions that ended since --since.
    p50 and p95 are the times that half and 95 % of them took at most; the wait begins when a job is ready.
    share is the part of all the time that slots of workers were busy, and wasted the time of attempts that failed.
    """
    found = queue.history.functions(**span_of(args, "window", "24h"))
    titles, row = (_WIDE_TITLES, _wide) if args.wide else (_FUNCTION_TITLES, _narrow)
    right = [title for title in titles if title != "function"]
    lines = table(args, titles, [row(each) for each in found], flexible=("function",), right=right)
    return Answer(list(found), lines if found else ["No execution ended."], notes=notes_of(found, "executions"))


@command(
    argument("--limit", metavar="N", type=values.whole, default=50,
        help="show at most N, or 0 for all that are kept; default: 50"),
    SHOW_SECRETS,
    *TABLE,
    fields=ACTION,
)  # fmt: skip
def actions(queue: JobQueue, args: Args) -> Answer:
    """Show what people did to the queue, newest first: who, when, what, and to how many jobs.

    What is done with gigq on the command line is written down, and what programs do in `JobQueue.acting_as`.
    The last 1,000 are kept.
    """
    hide = redactor(args)
    found = [
        each._replace(filter=hide.value(each.filter), options=hide.value(each.options))
        for each in queue.history.actions(args.limit or None)
    ]
    now = queue.clock.now()
    lines = table(args, _ACTION_TITLES, [_action(args, each, now) for each in found], flexible=("to", "who"))
    return Answer(found, lines if found else ["Nobody has done anything so far."])


# failures


def _failures(args: Args, queue: JobQueue, groups: Sequence[FailureGroup]) -> list[tuple[Cell, ...]]:
    now = queue.clock.now()
    return [_failure(args, group, now) for group in groups]


def _back(dead: int) -> str:
    return "send its dead job back" if dead == 1 else f"send its {dead:,} dead jobs back"


def _failure(args: Args, group: FailureGroup, now: datetime) -> tuple[Cell, ...]:
    last, message = age(args, group.last_at, now), group.message
    if args.wide:
        first = age(args, group.first_at, now)
        return (group.key, group.failures, group.jobs, group.dead, first, last, group.function, message)
    return (group.key, group.failures, group.dead, last, group.function, message)


# functions


def _narrow(each: FunctionStats) -> tuple[Cell, ...]:
    times = each.running.p50, each.running.p95, each.waiting.p95
    return (each.function, each.runs, _failed(each), *map(_span, times), _share(each), _wasted(each))


def _wide(each: FunctionStats) -> tuple[Cell, ...]:
    return (each.function, each.runs, _failed(each), *map(_span, (*each.running, *each.waiting)), _share(each),
            _wasted(each))  # fmt: skip


def _failed(each: FunctionStats) -> Cell:
    if not each.failures:
        return ""
    return Styled(f"{each.failures} ({_percent(each.failures / each.runs)})", RED)


def _share(each: FunctionStats) -> str:
    return _percent(each.share)


def _wasted(each: FunctionStats) -> str:
    return _span(each.wasted_seconds or None)


def _percent(share: float) -> str:
    return "<1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"


def _span(seconds: float | None) -> str:
    from gigq import durations

    return "" if seconds is None else durations.span(seconds)


# actions


def _action(args: Args, each: ActionRecord, now: datetime) -> tuple[Cell, ...]:
    return (age(args, each.at, now), each.actor, each.face, each.verb, _done(each), _to(args, each))


def _done(each: ActionRecord) -> Cell:
    left = [f"{number} {word}" for number, word in ((each.changed, "changed"), (each.skipped, "skipped")) if number]
    return f"{each.done}, {', '.join(left)}" if left else each.done


def _to(args: Args, each: ActionRecord) -> Line:
    """Return to what it was done, and how."""
    words = [*_told(args, each.filter)]
    how = [*_told(args, each.options)]
    return " ".join(words) + (Styled(f"  {' '.join(how)}", DIM) if how else "")


def _told(args: Args, given: dict[str, Any]) -> Iterator[str]:
    from gigq import handles

    for name, value in given.items():
        if isinstance(value, dict):
            yield from (f"{name}.{path}:{each}" for path, each in value.items())
            continue
        many = value if isinstance(value, list) else [value]
        texts = [handles.short(each) if name in ("id", "ids") and not args.wide else str(each) for each in many]
        yield f"{name}:{','.join(texts)}"
