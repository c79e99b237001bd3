"""The command that runs a job's exact call in the foreground: `gigq replay`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.exits import DONE, REFUSED, Refused, UsageError
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.importing import import_from_here
from gigq.cli.logging_here import LEVELS, logging_to_stderr
from gigq.cli.options import ONE_ID
from gigq.cli.styled import DIM, RED, Styled
from gigq.codec import RESULT_LIMIT, decode, encode
from gigq.status import JobStatus

if TYPE_CHECKING:
    from gigq.cli.styled import Line
    from gigq.paths import Function
    from gigq.queue.job_queue import JobQueue
    from gigq.queue.replaying import Replayed
    from gigq.records import JobRecord
    from gigq.redaction import Redactor
    from gigq.reports import Progress, Report

_KEYS = ("job_id", "status", "result", "error", "error_type", "traceback", "duration", "submitted")


@command(
    ONE_ID,
    argument("--arg", dest="changes", metavar="NAME=VALUE", action="append", type=values.parameter,
        help="give this argument another value: JSON, or else text as it is typed; repeat it for several"),
    argument("--pdb", action="store_true",
        help="where it fails, and at Ctrl-C, look around in Python's debugger"),
    argument("--restart", action="store_true",
        help="call the functions of all steps anew; otherwise those that an attempt has made return what they did"),
    argument("--handler", dest="handlers", metavar="NAME=MODULE:FUNCTION", action="append",
        type=values.handler,
        help="the function that workers know by this name, if the job names one; repeat it for several"),
    argument("-v", "--verbose", action="store_true",
        help="show the frames of libraries too, and the log from level DEBUG on"),
    SHOW_SECRETS,
    fields=_KEYS,
    check=lambda args: _check(args),
    examples=(
        ("gigq replay 4f2a91c0 --pdb", "see where it fails"),
        ("gigq replay 4f2a91c0 --arg path=other.csv", "try another argument"),
    ),
)  # fmt: skip
def replay(queue: JobQueue, args: Args) -> Answer:
    """Run a job's exact call again, here and now, and record nothing.

    The function gets the same arguments, the results of the job's parents, and a current_job() as in its last attempt.
    It is really called: what it sends or writes elsewhere, it sends or writes again.
    The queue stays as it is: what the function writes to the queue's file, in steps, transactions or by submitting jobs, is gone when it has ended.
    Functions are imported from the current directory first.
    What the function prints is shown, and its log is on standard error; then comes its result as JSON, or the traceback of its own code.
    The exit code is 0 if it has returned, and 1 if it has raised.
    """  # noqa: E501
    job = args.job(queue)
    replayed = _replayed(queue, args, job)
    if isinstance(replayed.error, KeyboardInterrupt) and not args.pdb:
        raise KeyboardInterrupt
    answer = _answer(job, replayed, args)
    if args.pdb and replayed.error is not None:
        args.out.answer(answer)
        _debug(replayed.error, args)
        return Answer(None, code=answer.code)
    return answer


def _check(args: Args) -> None:
    if args.pdb and not args.out.form.is_for_people:
        raise UsageError("--pdb is for people; leave out the option that asks for another form of output")


def _replayed(queue: JobQueue, args: Args, job: JobRecord) -> Replayed:
    from gigq.cli.ended import Ended, tidied_up
    from gigq.queue.replaying import replay
    from gigq.runtime.functions import Functions

    import_from_here()
    handlers = _handlers(args)
    if job.function not in handlers and not (":" in job.function or "." in job.function):
        raise Refused(
            f"job {job.id} calls what workers know as {job.function!r}; say which function that is, "
            f"as in --handler {job.function}=shop.tasks:send"
        )
    log = logging_to_stderr(LEVELS["debug" if args.verbose else "info"], lowers_root=True)
    # What the function prints is not the answer of this command.
    with tidied_up(), log, nullcontext() if args.out.form.is_for_people else redirect_stdout(sys.stderr):
        replayed = replay(
            queue, job.id, functions=Functions.of(handlers), changes=dict(args.changes or ()),
            forgets_steps=args.restart, told=args.out.note,
            progressed=lambda progress: args.out.note(_progress(progress)),
        )  # fmt: skip
        if isinstance(replayed.error, Ended):
            raise replayed.error
    return replayed


def _handlers(args: Args) -> dict[str, Function]:
    from gigq.paths import NotFound, resolve

    found = {}
    for name, path in args.handlers or ():
        try:
            found[name] = resolve(path)
        except NotFound as error:
            raise Refused(f"--handler {name}: {path!r} is not found here: {error.reason}") from None
    return found


def _progress(progress: Progress) -> str:
    told = progress.as_dict()
    total = "" if progress.total is None else f" of {progress.total:g} ({told['percentage']:g} %)"
    message = f", {progress.message}" if progress.message else ""
    return f"progress: {progress.current:g}{total}{message}"


def _answer(job: JobRecord, replayed: Replayed, args: Args) -> Answer:
    from gigq.durations import span

    report = _hidden(replayed.report, redactor(args))
    has_completed = report.status == JobStatus.COMPLETED.value
    value: dict[str, Any] = {
        "job_id": job.id, "status": report.status, "result": decode(report.result) if report.result else None,
        "error": report.error, "error_type": report.error_type, "traceback": report.traceback,
        "duration": round(replayed.seconds, 6), "submitted": list(replayed.submitted),
    }  # fmt: skip
    lines = [report.result or "null"] if has_completed else _failure(report, is_whole=args.verbose)
    notes = [f"{_told(replayed)} after {span(replayed.seconds)}; nothing was recorded"]
    if replayed.submitted:
        jobs = "1 job" if len(replayed.submitted) == 1 else f"{len(replayed.submitted):,} jobs"
        notes.append(f"it would have submitted {jobs}")
    debug = () if has_completed or args.pdb else (f"gigq replay {job.id} --pdb   # look around where it fails",)
    again = (f"gigq requeue {job.id}   # let a worker run it again",) if _can_be_requeued(job) else ()
    return Answer(
        value, lines, ids=[job.id], code=DONE if has_completed else REFUSED,
        notes=notes if args.out.form.is_for_people else (), suggestions=(*debug, *again),
    )  # fmt: skip


def _told(replayed: Replayed) -> str:
    report = replayed.report
    if report.is_missing:
        return "its function was not found"
    if report.status == "released":
        return "it asked to be tried again"
    return {"completed": "it returned", "cancelled": "it stopped as cancelled"}.get(report.status, "it failed")


def _can_be_requeued(job: JobRecord) -> bool:
    return job.status in (JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED)


def _hidden(report: Report, hides: Redactor) -> Report:
    result = report.result and encode(hides.value(decode(report.result)), name="result", limit=RESULT_LIMIT)
    return report._replace(
        result=result, error=hides.maybe(report.error), traceback=hides.maybe(report.traceback)
    )


def _failure(report: Report, *, is_whole: bool) -> Iterator[Line]:
    from gigq.tracebacks import folded

    trace = report.traceback or report.error or report.status
    lines = trace.splitlines() if is_whole else folded(trace)
    for number, line in enumerate(lines, 1):
        is_last, is_fold = number == len(lines), line.lstrip(" |").startswith("… ")
        yield Styled(line.expandtabs(), RED if is_last else DIM) if is_last or is_fold else line


def _debug(error: BaseException, args: Args) -> None:
    """Let a person look around where an exception was raised."""
    import pdb

    trace = error.__traceback__
    if trace is None:
        args.out.note("there is nothing to look at: the function was not called")
        return
    # As at Python's own prompt, for what people type there.
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    pdb.post_mortem(trace)
