"""The command that compares two attempts, or two jobs: `gigq diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.exits import Refused, UsageError
from gigq.cli.fields import DIFFERENCE
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.options import ONE_ID
from gigq.cli.styled import BOLD, CYAN, DIM, GREEN, RED, Line, Styled
from gigq.cli.table import table
from gigq.status import ENDED_BADLY

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.records import ExecutionRecord, JobRecord
    from gigq.redaction import Redactor

_MOST_LINES = 1_000
"""Lines of a text that are compared, its last ones."""

_WITHIN = 5.0
"""Seconds for finding the last good job of a function."""

_LINES = ("arguments", "traceback", "log")


class Side(NamedTuple):
    """One of the two that are compared, without secrets.

    Attributes:
        title: what it is called.
        facts: what is said in a word or two.
        arguments: of its job, as lines of JSON.
        traceback: of its error, as lines.
        log: as lines.
    """

    title: str
    facts: dict[str, str]
    arguments: list[str]
    traceback: list[str]
    log: list[str]


@command(
    ONE_ID,
    argument("other", metavar="ID", nargs="?", type=values.prefix, completes="jobs",
        help="the job to compare it with"),
    argument("--attempt", dest="attempts", metavar="N", action="append", type=values.at_least_one,
        help="compare this attempt of the one job; repeat it for the other one"),
    SHOW_SECRETS,
    fields=DIFFERENCE,
    is_long=True,
    check=lambda args: _check(args),
    examples=(
        ("gigq diff 4f2a91c0", "a failed job, and the last job of its function that completed"),
        ("gigq diff 4f2a91c0 --attempt 1 --attempt 3", "two of its attempts"),
        ("gigq diff 4f2a91c0 7c1f09e2", "two jobs"),
    ),
)  # fmt: skip
def diff(queue: JobQueue, args: Args) -> Answer:
    """Compare two attempts of a job, two jobs, or a failed job with the last good one.

    A job that failed is compared with the job of the same function that completed last.
    If there is none, or the job did not fail, its last two attempts are compared.
    Compared are the arguments, the traceback, the log, the duration and the worker.
    Secrets, by the names of their keys, are not shown.
    """
    left, right = _sides(queue, args)
    facts = {name: [left.facts[name], right.facts[name]] for name in left.facts}
    compared = {name: _compared(getattr(left, name), getattr(right, name), left.title, right.title) for name in _LINES}
    value = {"left": left.title, "right": right.title, "facts": facts, **compared}
    return Answer(value, _lines(args, left, right, facts, compared))


def _check(args: Args) -> None:
    typed = args.attempts or []
    if typed and args.other is not None:
        raise UsageError("--attempt chooses among the attempts of one job; give one ID")
    if typed and len(typed) != 2:
        raise UsageError("give --attempt twice, once for each attempt")


# what is compared


def _sides(queue: JobQueue, args: Args) -> tuple[Side, Side]:
    job, hide = args.job(queue), redactor(args)
    if args.other is not None:
        return _side(job, hide), _side(args.job(queue, args.other), hide)
    if args.attempts:
        first, second = (_attempt(job, number) for number in args.attempts)
        return _side(job, hide, first, is_attempt=True), _side(job, hide, second, is_attempt=True)
    good = _last_good(queue, job) if job.status in ENDED_BADLY else None
    if good is not None:
        return _side(good, hide), _side(job, hide)
    if len(job.executions) < 2:
        raise Refused(_why_alone(job))
    first, second = job.executions[-2:]
    return _side(job, hide, first, is_attempt=True), _side(job, hide, second, is_attempt=True)


def _attempt(job: JobRecord, number: int) -> ExecutionRecord:
    found = [each for each in job.executions if each.attempt == number]
    if not found:
        raise Refused(f"job {job.id} has no attempt {number}; it has been tried {job.attempts} times")
    return found[-1]


def _last_good(queue: JobQueue, job: JobRecord) -> JobRecord | None:
    """Return the job of the same function that completed last."""
    found = queue.find_jobs("completed", 1, function=job.function, order="ended", within=_WITHIN)
    return queue.get_job(found[0].id) if found else None


def _why_alone(job: JobRecord) -> str:
    what = f"job {job.id} has {'one attempt' if job.executions else 'no attempt so far'}"
    if job.status in ENDED_BADLY:
        return f"{what}, and no job of {job.function} has completed; give the ID of another job"
    return f"{what}; give the ID of another job to compare it with"


def _side(
    job: JobRecord, hide: Redactor, execution: ExecutionRecord | None = None, *, is_attempt: bool = False
) -> Side:
    from gigq import handles

    last = execution or (job.executions[-1] if job.executions else None)
    title = f"attempt {last.attempt} of {handles.short(job.id)}" if is_attempt and last else handles.short(job.id)
    return Side(
        title=title,
        facts=_facts(job, last, hide),
        arguments=_arguments(job, hide),
        traceback=_text(last and (last.traceback or last.error), hide),
        log=_text(last and last.log, hide),
    )


def _facts(job: JobRecord, last: ExecutionRecord | None, hide: Redactor) -> dict[str, str]:
    from gigq.clock import to_text

    began = last and last.started_at
    return {
        "name": job.name,
        "function": job.function,
        "queue": job.queue,
        "status": last.status.value if last else job.status.value,
        "attempt": f"{last.attempt} of {job.max_attempts}" if last else "none",
        "error": hide.text((last and last.error) or "").partition("\n")[0],
        "duration": _duration(last),
        "started": to_text(began)[:19] + "Z" if began else "",
        "worker": (last and last.worker_id) or "",
    }


def _duration(last: ExecutionRecord | None) -> str:
    from gigq import durations

    if last is None or last.started_at is None or last.completed_at is None:
        return ""
    return durations.span((last.completed_at - last.started_at).total_seconds())


def _arguments(job: JobRecord, hide: Redactor) -> list[str]:
    import json

    shown = {**{str(place): value for place, value in enumerate(job.args)}, **job.params}
    return json.dumps(hide.value(shown), indent=2, ensure_ascii=False, sort_keys=True).splitlines()


def _text(text: str | None, hide: Redactor) -> list[str]:
    return hide.text(text or "").splitlines()[-_MOST_LINES:]


def _compared(left: Sequence[str], right: Sequence[str], left_title: str, right_title: str) -> list[str]:
    """Return the lines of a unified difference; none if they are the same."""
    from difflib import unified_diff

    return [*unified_diff(left[-_MOST_LINES:], right[-_MOST_LINES:], left_title, right_title, lineterm="", n=3)]


# lines


def _lines(
    args: Args, left: Side, right: Side, facts: dict[str, list[str]], compared: dict[str, list[str]]
) -> Iterator[Line]:
    rows = [(name, *(Styled(each, BOLD) if a != b else each for each in (a, b))) for name, (a, b) in facts.items()]
    yield from table(args, ("", left.title, right.title), rows, flexible=(left.title, right.title))
    for name in _LINES:
        yield ""
        if not compared[name]:
            has_any = bool(getattr(left, name))
            yield Styled(f"The {name} {_verb(name)} the same." if has_any else f"Neither has {_article(name)}.", DIM)
            continue
        yield Styled(name.capitalize(), BOLD)
        yield from map(_line, compared[name])


def _verb(name: str) -> str:
    return "are" if name == "arguments" else "is"


def _article(name: str) -> str:
    return name if name == "arguments" else f"a {name}"


def _line(line: str) -> Line:
    style = {"+": GREEN, "-": RED, "@": CYAN}.get(line[:1])
    return Styled(line, style) if style else line

