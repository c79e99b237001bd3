"""The command that runs jobs: `gigq worker`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gigq.cli import output, values
from gigq.cli.call import Call, UsageError
from gigq.cli.commands import Command, Parser
from gigq.cli.importing import import_from_here
from gigq.logs import PACKAGE, Printer
from gigq.runtime.signals import handling, heeded

if TYPE_CHECKING:
    from gigq.worker.worker import Worker

_OF_WORKER = (
    "queues", "mode", "max_jobs", "allow", "burst", "lease", "shutdown_timeout", "prune_after", "capture_logs",
    "durability",
)  # fmt: skip

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}



def _worker_options(parser: Parser) -> None:
    _add_ends(parser)
    add = parser.add_argument
    # fmt: off
    add("--worker-id", metavar="NAME",
        help="a name for people; default: GIGQ_WORKER_ID, else the host, the process ID and four random digits")
    add("--polling-interval", metavar="DURATION", type=values.duration,
        help="the longest wait before it looks for jobs again; default: GIGQ_POLLING_INTERVAL, else 5s")
    add("-c", "--concurrency", metavar="N", type=values.at_least_one,
        help="how many jobs may run at a time; default: GIGQ_CONCURRENCY, else 1")
    add("--mode", choices=("thread", "process"),
        help="process runs each job in a child process, which can be stopped at any time; default: thread")
    add("--max-jobs", metavar="N", type=values.at_least_one,
        help="with --mode process: replace a child process after N jobs; default: never")
    add("--queue", dest="queues", metavar="NAME", action="append",
        help="run only jobs in this queue; repeat it for several; default: all")
    add("--allow", metavar="MODULE", action="append",
        help="import only this module (myapp), or also all modules inside it (myapp.); repeat it for several; "
             "default: all")
    add("--shutdown-timeout", metavar="DURATION", type=values.duration,
        help="how long running jobs may go on after the worker is asked to stop; default: 30s")
    add("--lease", metavar="DURATION", type=values.duration,
        help="how long another worker may be silent before this one considers it dead; default: 15s")
    add("--prune-after", metavar="DURATION", type=values.duration,
        help="delete completed and cancelled jobs this long after they ended, such as 7d; default: never")
    add("--capture-logs", action="store_true",
        help="keep what jobs log from level INFO on, and with --mode process also what they print: see gigq logs")
    add("--durability", choices=("full", "normal"),
        help="normal is faster, and a power loss may undo the last moments; default: full")
    # fmt: on
    _add_log_options(parser)


def _add_ends(parser: Parser) -> None:
    """Add the options that end a worker without a signal."""
    add = parser.add_mutually_exclusive_group().add_argument
    add("--once", action="store_true", default=False, help="run one job, or none if none is ready, and exit")
    add("--burst", action="store_true", help="exit when no job can run, now or within ten seconds")


def _add_log_options(parser: Parser) -> None:
    add = parser.add_argument
    # fmt: off
    add("--log-level", choices=tuple(_LEVELS), default="info",
        help="warning: only what goes wrong for good; debug: with the tracebacks of all that fails; default: info")
    add("-v", "--verbose", dest="log_level", action="store_const", const="debug", help="the same as --log-level debug")
    add("--log-format", choices=("text", "json"), default="text",
        help="json: one object a line, with fields such as job_id, attempt, duration, error_type; default: text")
    # fmt: on


def worker(call: Call) -> None:
    """Run jobs until stopped by SIGTERM, SIGHUP, Ctrl-C or `gigq stop`.

    Running jobs may then finish within --shutdown-timeout; those that do not are given back to the queue.
    Functions are imported from the current directory first.
    The log is on standard error.
    """
    from gigq.worker.worker import Worker

    options = call.given(*_OF_WORKER) | {
        **call.setting("worker_id", "GIGQ_WORKER_ID", str),
        **call.setting("polling_interval", "GIGQ_POLLING_INTERVAL", values.duration),
        **call.setting("concurrency", "GIGQ_CONCURRENCY", values.at_least_one),
    }
    if "max_jobs" in options and options.get("mode") != "process":
        raise UsageError("--max-jobs goes with --mode process")
    call.check_path()
    import_from_here()
    with _log_to_stderr(call), Worker(call.path, **options) as new:
        if call.options.once:
            _run_one(call, new)
        else:
            _run_all(call, new)


def _run_one(call: Call, worker: Worker) -> None:
    try:
        with handling(heeded(even_ignored=[signal.SIGTERM]), signal.default_int_handler):
            has_run = worker.process_one()
    except KeyboardInterrupt:
        return
    said = "Processed one job." if has_run else "No jobs available to process."
    call.answer({"worker_id": worker.worker_id, "ran": has_run}, [said])
    output.flush()


def _run_all(call: Call, worker: Worker) -> None:
    try:
        call.answer({"worker_id": worker.worker_id}, ())
        output.flush()
    except BrokenPipeError:  # it was not started for the sake of this line
        output.discard_unwritable()
    worker.start()


@contextmanager
def _log_to_stderr(call: Call) -> Iterator[None]:
    """While the block runs, print the worker's log, and the warnings of modules that set up no logging of their own.

    Nothing is changed at the root: a handler there would keep `logging.basicConfig` of a job's module from doing
    anything. The worker's log does not reach the root either, where it would be printed a second time.
    """
    level = _LEVELS[call.options.log_level]
    printer = Printer(format=call.options.log_format)
    printer.setLevel(level)
    before = PACKAGE.level, PACKAGE.propagate, logging.lastResort, logging.root.level
    PACKAGE.addHandler(printer)
    PACKAGE.propagate, logging.lastResort = False, printer
    PACKAGE.setLevel(level)
    if call.given("capture_logs"):  # otherwise what jobs log below a warning would never become a record
        logging.root.setLevel(min(level, logging.INFO))
    try:
        yield
    finally:
        if output.has_stuck_thread():
            os._exit(0 if sys.exc_info()[0] is None else 1)  # the interpreter would wait for the thread for ever
        PACKAGE.removeHandler(printer)
        PACKAGE.level, PACKAGE.propagate, logging.lastResort, logging.root.level = before


COMMANDS = {"worker": Command(worker, _worker_options, creates_file=True)}
