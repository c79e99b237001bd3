"""The command that submits jobs: `gigq submit`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import call_options, choosing, job_lines, last_job, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import BY_ITSELF, CREATE, Argument, argument, command
from gigq.cli.endings import FIELDS, answer_of, wait_for
from gigq.cli.exits import Refused, UsageError
from gigq.cli.hiding import SHOW_SECRETS
from gigq.cli.importing import check_function
from gigq.cli.output import flush
from gigq.handles import short

if TYPE_CHECKING:
    from gigq.job import Job
    from gigq.job_ids import JobId
    from gigq.queue.job_queue import JobQueue

_FIELDS = ("id", "is_new")
_OF_JOB = ("name", "run_at", "delay", "expires_at", "on_parent_failure", "pass_parent_results", "id")


def _of_job() -> list[Argument]:
    # fmt: off
    return [
        argument("--name", help="a name for people; default: the function's name"),
        argument("--id", metavar="TEXT",
            help="an ID of your own: a job that has it already is not submitted again; default: a new one"),
        argument("--run-at", metavar="INSTANT",
            help="do not start the job before this, such as 2026-01-31T09:00; in local time unless it names a zone"),
        argument("--delay", metavar="DURATION", type=values.duration,
            help="do not start the job before this time has passed"),
        argument("--expires-at", metavar="INSTANT", help="cancel the job if it has not started by then"),
        argument("--after", dest="parents", metavar="ID", action="append", type=values.prefix, completes="jobs",
            help="a job that must complete first; repeat it for several"),
        argument("--on-parent-failure", choices=("cancel", "run"),
            help="what becomes of the job if one of those does not complete; default: cancel"),
        argument("--pass-parent-results", action="store_true",
            help="give the function what those have returned, as parent_results; default: if it takes that"),
        argument("--no-parent-results", dest="pass_parent_results", action="store_false", help="do not"),
    ]
    # fmt: on


@command(
    *call_options.call(is_function_needed=False),
    *_of_job(),
    argument("--wait", action="store_true", help="wait until the job has ended, and exit as `gigq wait` does"),
    argument(
        "--wait-timeout", metavar="DURATION", type=values.duration,
        help="how long to wait at most; then the exit code is 3. It implies --wait",
    ),
    argument(
        "--stdin", action="store_true",
        help='submit the jobs on standard input, all or none, each a line of JSON such as {"function": "app.send", '
        '"params": {"to": "ada"}} with the names of Job\'s arguments; what is typed here is for lines without it',
    ),
    argument(
        "--check", action="store_true",
        help="only import the function and check its arguments; submit nothing. The exit code is 1 if that fails",
    ),
    SHOW_SECRETS,
    opens=BY_ITSELF,
    check=lambda args: _check(args),
    fields=(*_FIELDS, *(each for each in FIELDS if each not in _FIELDS)),
    examples=[
        ("gigq submit app.send -p to=ada@example.org", "call send() of the module app"),
        ("gigq submit app.report --after - --delay 10m", "once the job that you submitted last has completed"),
        ("gigq submit --stdin < jobs.jsonl", "many jobs, in one transaction"),
        ("gigq submit app.send -p to=ada --check", "could a worker call that?"),
    ],
)  # fmt: skip
def submit(args: Args) -> Answer:
    """Submit a job that calls a function, and print the job's ID.

    The function is imported if that is possible here, to check its name and its arguments.
    If not, the job is submitted all the same: the module may be there where the worker runs.
    """
    args.check_path()
    jobs = job_lines.jobs_in(_input(args), _given(args)) if args.stdin else {0: _typed(args)}
    notes = _looked_at(jobs)
    if args.check:
        return _checked(jobs, notes)
    with args.open(CREATE) as queue:
        jobs = job_lines.with_parents(jobs, lambda typed: choosing.parent(queue, typed))
        ids = job_lines.submit(queue, jobs)
        if ids:
            last_job.remember(queue.db_path, ids[-1])
        for note in notes:
            args.out.note(note)
        answer = _many(ids) if args.stdin else _one(queue, args, ids[0])
        if _is_waiting(args):
            return _waited(queue, args, answer)
        return answer


def _is_waiting(args: Args) -> bool:
    return bool(args.wait) or args.wait_timeout is not None


def _check(args: Args) -> None:
    if args.function is None and not args.stdin:
        raise UsageError("give a function, such as gigq submit package.module.name; or --stdin")
    if args.stdin and args.id is not None:
        raise UsageError("--id is for one job; with --stdin, each line may have an id")
    for name in args.out.form.fields or ():
        if name not in _FIELDS and not _is_waiting(args):
            raise UsageError(f"the field {name!r} needs --wait")


def _typed(args: Args) -> Job:
    from gigq.job import Job  # only here: the help needs no queue

    return Job(**{"name": job_lines.last_name(args.function), **_given(args)})


def _given(args: Args) -> dict[str, Any]:
    """Return the arguments of `Job` that were typed."""
    given = call_options.given_call(args) | args.given("function", *_OF_JOB)
    if args.parents:
        given["dependencies"] = args.parents
    return given


def _input(args: Args) -> Iterable[str | bytes]:
    """Return the lines on standard input."""
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("--stdin: there is no standard input")
    if sys.stdin.isatty():
        args.out.note("type a line of JSON for each job, and Ctrl-D at the end")
    return getattr(sys.stdin, "buffer", sys.stdin)


def _looked_at(jobs: Mapping[int, Job]) -> list[str]:
    """Look at the functions of jobs, as `check_function` does, and return why some could not be looked at.

    Raises:
        Refused: a worker that has the same code could not call one.
    """
    seen, notes = set(), []
    for number, job in jobs.items():
        call = (job.function, len(job.args), *(job.params or ()), bool(job.dependencies))
        if call not in seen:
            seen.add(call)
            with job_lines.about_line(number):
                note = check_function(
                    str(job.function), job.params or {}, args=job.args, has_parents=bool(job.dependencies)
                )
                notes += [note] if note and note not in notes else []
    return notes


def _checked(jobs: Mapping[int, Job], notes: Sequence[str]) -> Answer:
    from gigq.paths import module_name

    for number, job in jobs.items():
        with job_lines.about_line(number):
            if not module_name(str(job.function)):
                raise Refused(f"{job.function!r} is the name of a handler, which only a worker can check")
    if notes:
        raise Refused(notes[0])
    if 0 in jobs:
        said = f"{jobs[0].function} takes these arguments; nothing was submitted"
    else:
        said = f"Jobs checked: {len(jobs):,}; nothing was submitted"
    return Answer({"checked": len(jobs)}, [said])


def _one(queue: JobQueue, args: Args, job_id: JobId) -> Answer:
    said = "Job submitted" if job_id.is_new else "Already there"
    return Answer(_value(job_id), [f"{said}: {job_id}"], ids=[job_id], suggestions=_next(queue, args, job_id))


def _many(ids: Sequence[JobId]) -> Answer:
    old = sum(not each.is_new for each in ids)
    but = f"; already there: {old:,}" if old else ""
    return Answer([_value(each) for each in ids], [f"Jobs submitted: {len(ids) - old:,}{but}"], ids=ids)


def _value(job_id: JobId) -> dict[str, Any]:
    return {"id": str(job_id), "is_new": job_id.is_new}


def _next(queue: JobQueue, args: Args, job_id: str) -> list[str]:
    if not args.out.errors.is_terminal:
        return []  # nobody reads it, so the workers need not be looked up
    handle = short(job_id)
    start = [] if queue.workers() else ["gigq worker --burst"]
    return [*start, f"gigq wait {handle}", f"gigq status {handle}"]


def _waited(queue: JobQueue, args: Args, submitted: Answer) -> Answer:
    """Say what was submitted at once, wait for it, and return how it has ended."""
    if args.out.form.is_for_people:
        args.out.write(submitted.lines)
        flush()
    ended = wait_for(queue, args, list(submitted.ids), timeout=args.wait_timeout)
    each = {ending.id: ending._asdict() for ending in ended}
    if args.stdin:
        return answer_of(ended, [value | each[value["id"]] for value in submitted.value])
    return answer_of(ended, submitted.value | each[submitted.value["id"]])
