"""The command that runs jobs: `gigq worker`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import output, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import BY_ITSELF, argument, command, exclusive
from gigq.cli.exits import UsageError
from gigq.cli.importing import import_from_here
from gigq.cli.logging_here import LEVELS, logging_to_stderr
from gigq.clock import SystemClock
from gigq.runtime.signals import handling, heeded

if TYPE_CHECKING:
    from gigq.cli.worker_told import Teller
    from gigq.worker.worker import Worker

_OF_WORKER = (
    "worker_id", "polling_interval", "concurrency", "queues", "mode", "max_jobs", "allow", "burst", "lease",
    "shutdown_timeout", "prune_after", "capture_logs", "durability",
)  # fmt: skip

_SUMMARY = (
    "completed", "failed", "retried", "cancelled", "released", "duration", "per_second", "failures",
)  # fmt: skip
"""What a burst answers for programs, besides the name of its worker."""


@command(
    exclusive(
        argument("--once", action="store_true", help="run one job, or none if none is ready, and exit"),
        argument("--burst", action="store_true", env="GIGQ_BURST",
            help="exit when no job can run, now or within ten seconds"),
    ),
    argument("--worker-id", metavar="NAME", env="GIGQ_WORKER_ID",
        help="a name for people; default: the host, the process ID and four random digits"),
    argument("--polling-interval", metavar="DURATION", type=values.duration, env="GIGQ_POLLING_INTERVAL",
        help="the longest wait before it looks for jobs again; default: 5s"),
    argument("-c", "--concurrency", metavar="N", type=values.at_least_one, env="GIGQ_CONCURRENCY",
        help="how many jobs may run at a time; default: 1"),
    argument("--mode", choices=("thread", "process"), env="GIGQ_MODE",
        help="process runs each job in a child process, which can be stopped at any time; default: thread"),
    argument("--max-jobs", metavar="N", type=values.at_least_one, env="GIGQ_MAX_JOBS",
        help="with --mode process: replace a child process after N jobs; default: never"),
    argument("--queue", dest="queues", metavar="NAME", action="append", env="GIGQ_QUEUES", completes="queues",
        help="run only jobs in this queue; repeat it for several; default: all"),
    argument("--allow", metavar="MODULE", action="append", env="GIGQ_ALLOW",
        help="import only this module (myapp), or also all modules inside it (myapp.); repeat it for several; "
             "default: all"),
    argument("--shutdown-timeout", metavar="DURATION", type=values.duration, env="GIGQ_SHUTDOWN_TIMEOUT",
        help="how long running jobs may go on after the worker is asked to stop; default: 30s"),
    argument("--lease", metavar="DURATION", type=values.duration, env="GIGQ_LEASE",
        help="how long another worker may be silent before this one considers it dead; default: 15s"),
    argument("--prune-after", metavar="DURATION", type=values.duration, env="GIGQ_PRUNE_AFTER",
        help="delete completed and cancelled jobs this long after they ended, such as 7d; default: never"),
    argument("--capture-logs", action="store_true", env="GIGQ_CAPTURE_LOGS",
        help="keep what jobs log from level INFO on, and with --mode process also what they print: see gigq logs"),
    argument("--durability", choices=("full", "normal"), env="GIGQ_DURABILITY",
        help="normal is faster, and a power loss may undo the last moments; default: full"),
    argument("--log-level", choices=tuple(LEVELS), default="info", env="GIGQ_LOG_LEVEL",
        help="warning: only what goes wrong for good; debug: with the tracebacks of all that fails; default: info"),
    argument("-v", "--verbose", dest="log_level", action="store_const", const="debug",
        help="the same as --log-level debug"),
    argument("--log-format", choices=("text", "json"), default="text", env="GIGQ_LOG_FORMAT",
        help="json: one object a line, with fields such as job_id, attempt, duration, error_type; default: text"),
    opens=BY_ITSELF,
    fields=("worker_id", "ran", *_SUMMARY),
    check=lambda args: _check(args),
    examples=(
        ("gigq worker -c 4", "run four jobs at a time, until Ctrl-C"),
        ("gigq worker --burst", "run what there is, and exit"),
    ),
)  # fmt: skip
def worker(args: Args) -> None:
    """Run jobs until stopped by SIGTERM, SIGHUP, Ctrl-C or `gigq stop`.

    Running jobs may then finish within --shutdown-timeout; those that do not are given back to the queue.
    Functions are imported from the current directory first.
    The log is on standard error; on a terminal, a line below it says what runs, what was done and how fast.
    With --burst it ends with a summary, in which the jobs that failed are grouped by their cause.
    """
    from gigq.cli.worker_told import Teller
    from gigq.worker.tally import Tally
    from gigq.worker.worker import Worker

    class Watched(Worker):
        _tally = Tally()

    args.check_path()
    import_from_here()
    log = logging_to_stderr(LEVELS[args.log_level], format=args.log_format, lowers_root=args.capture_logs)
    with log, Watched(args.path, **args.given(*_OF_WORKER)) as new:
        if args.once:
            _run_one(args, new)
        else:
            _run_all(args, new, Teller(Watched._tally, SystemClock()))


def _check(args: Args) -> None:
    if args.max_jobs is not None and args.mode != "process":
        raise UsageError("--max-jobs goes with --mode process")


def _run_one(args: Args, worker: Worker) -> None:
    try:
        with handling(heeded(even_ignored=[signal.SIGTERM]), signal.default_int_handler):
            has_run = worker.process_one()
    except KeyboardInterrupt:
        return
    said = "Processed one job." if has_run else "No jobs available to process."
    args.out.answer(Answer({"worker_id": worker.worker_id, "ran": has_run}, [said]))
    output.flush()


def _run_all(args: Args, worker: Worker, teller: Teller) -> None:
    from gigq.cli.live_line import LiveLine

    if not args.burst:
        _print(args, Answer({"worker_id": worker.worker_id}))
    with LiveLine(teller.line, stream=sys.stderr, terminal=args.out.errors):
        worker.start()
    if args.burst:
        value, lines = teller.summary(worker.worker_id)
        _print(args, Answer(value, lines, suggestions=list(_next(value["failures"]))))


def _next(failures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if failures:
        yield "gigq errors   # the failures by their cause"
        yield f"gigq replay {failures[0]['job_id']} --pdb   # look around where one fails"


def _print(args: Args, answer: Answer) -> None:
    """Print an answer, if there is still somewhere to print it: the worker was not started for its sake."""
    try:
        if sys.stdout is not None and not sys.stdout.closed:  # a job in a thread may have closed it
            args.out.answer(answer)
            output.flush()
    except BrokenPipeError:
        output.discard_unwritable()
