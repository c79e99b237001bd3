"""The command that runs jobs: `gigq worker`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from gigq.cli import output, values
from gigq.cli.call import Call
from gigq.cli.commands import Command, Parser
from gigq.logs import logger
from gigq.runtime.signals import handling, heeded

if TYPE_CHECKING:
    from gigq.worker.worker import Worker

_OF_WORKER = (
    "queues", "mode", "max_jobs", "allow", "burst", "lease", "shutdown_timeout", "prune_after", "capture_logs",
    "durability",
)  # fmt: skip

log = logger("cli")


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
    add("-v", "--verbose", action="store_true", default=False, help="log more")
    # fmt: on


def _add_ends(parser: Parser) -> None:
    """Add the options that end a worker without a signal."""
    add = parser.add_mutually_exclusive_group().add_argument
    add("--once", action="store_true", default=False, help="run one job, or none if none is ready, and exit")
    add("--burst", action="store_true", help="exit when no job can run, now or within ten seconds")


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
    level = logging.DEBUG if call.options.verbose else logging.INFO
    _log_to_stderr(level)
    if "capture_logs" in options:
        logging.root.setLevel(level)  # otherwise what jobs log below a warning would never become a record
    _import_from_here()
    with Worker(call.path, **options) as new:
        if call.options.once:
            _run_one(call, new)
        else:
            _run_all(call, new)


def _run_one(call: Call, worker: Worker) -> None:
    try:
        with handling(heeded(even_ignored=[signal.SIGTERM]), signal.default_int_handler):
            has_run = worker.process_one()
    except KeyboardInterrupt:
        log.info("worker %s has stopped", worker.worker_id)
        return
    if not has_run:
        output.note("no job is ready")
    call.answer({"worker_id": worker.worker_id, "ran": has_run}, ())


def _run_all(call: Call, worker: Worker) -> None:
    call.answer({"worker_id": worker.worker_id}, ())
    output.flush()
    log.info("worker %s serves %s", worker.worker_id, call.path)
    worker.start()
    log.info("worker %s has stopped", worker.worker_id)


def _import_from_here() -> None:
    """Import from the current directory: a console script has its own directory at the front of the path instead."""
    here = os.getcwd()
    if sys.path[:1] not in ([here], [""]):
        sys.path.insert(0, here)


def _log_to_stderr(level: int) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_CleanFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])  # not setup_logging, whose handler prints a job's name uncleaned
    logging.getLogger("gigq").setLevel(level)


class _CleanFormatter(logging.Formatter):
    """Writes each log record as one line, whatever the name of a job is. A traceback below it keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return output.clean(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return "\n".join(map(output.clean, super().formatException(ei).split("\n")))


COMMANDS = {"worker": Command(worker, _worker_options, creates_file=True)}
