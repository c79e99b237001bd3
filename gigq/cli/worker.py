"""`gigq worker`."""

from __future__ import annotations

import logging
import os
import signal
import sys

from gigq.cli import output, values
from gigq.cli.call import Call
from gigq.cli.commands import Commands, Parser, add_command
from gigq.worker.worker import Worker

_OF_WORKER = (
    "queues", "mode", "max_jobs", "allow", "burst", "lease", "shutdown_timeout", "prune_after", "capture_logs",
    "durability",
)  # fmt: skip

log = logging.getLogger("gigq.cli")


def declare(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "worker", worker)
    _add_ends(parser)
    add = parser.add_argument
    # fmt: off
    add("--worker-id", metavar="NAME", help="a name for people; default: GIGQ_WORKER_ID, else host, process and chance")
    add("--polling-interval", metavar="DURATION", type=values.duration,
        help="the longest wait before it looks again; default: GIGQ_POLLING_INTERVAL, else 5s")
    add("-c", "--concurrency", metavar="N", type=values.at_least_one,
        help="how many jobs may run at a time; default: GIGQ_CONCURRENCY, else 1")
    add("--mode", choices=("thread", "process"),
        help="process runs each job in a child process, which can be stopped at any time; default: thread")
    add("--max-jobs", metavar="N", type=values.at_least_one,
        help="with --mode process: how many jobs a child runs before a new one takes its place; default: no end")
    add("--queue", dest="queues", metavar="NAME", action="append",
        help="serve only this queue, repeatable; default: all")
    add("--allow", metavar="MODULE", action="append",
        help="import only from this module (myapp), or also from all inside it (myapp.), repeatable; default: all")
    add("--shutdown-timeout", metavar="DURATION", type=values.duration,
        help="how long running jobs may go on once it is told to stop; default: 30s")
    add("--lease", metavar="DURATION", type=values.duration,
        help="silence after which it holds another worker for dead; default: 15s")
    add("--prune-after", metavar="DURATION", type=values.duration,
        help="delete completed and cancelled jobs that ended so long ago, such as 7d; default: never")
    add("--capture-logs", action="store_true",
        help="keep what jobs log, from level INFO, and with --mode process also what they print: see gigq logs")
    add("--durability", choices=("full", "normal"),
        help="normal is faster and may lose moments to a power loss; default: full")
    add("-v", "--verbose", action="store_true", default=False, help="log more")
    # fmt: on


def _add_ends(parser: Parser) -> None:
    """Add the options that let a worker end on its own."""
    add = parser.add_mutually_exclusive_group().add_argument
    add("--once", action="store_true", default=False, help="run one job, or none if none is ready, and end")
    add("--burst", action="store_true", help="end when nothing is left to run, now or within ten seconds")


def worker(call: Call) -> None:
    """Run jobs until SIGTERM, Ctrl-C or `gigq stop`.

    Then the running jobs may end, and what has not ended in time is given back.
    The current directory is where functions are imported from first.
    What it does is logged on standard error.
    """
    options = call.given(*_OF_WORKER) | {
        **call.setting("worker_id", "GIGQ_WORKER_ID", str),
        **call.setting("polling_interval", "GIGQ_POLLING_INTERVAL", values.duration),
        **call.setting("concurrency", "GIGQ_CONCURRENCY", values.at_least_one),
    }
    level = logging.DEBUG if call.options.verbose else logging.INFO
    _log_to_stderr(level)
    if "capture_logs" in options:
        logging.root.setLevel(level)  # else jobs' own messages below a warning would not come into being
    _import_from_here()
    with Worker(call.lasting_path(), **options) as new:
        if call.options.once:
            _run_one(call, new)
        else:
            _run_all(call, new)


def _run_one(call: Call, worker: Worker) -> None:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        has_run = worker.process_one()
    except KeyboardInterrupt:
        log.info("worker %s has stopped", worker.worker_id)
        return
    finally:
        signal.signal(signal.SIGTERM, before)
    if not has_run:
        output.complain("no job is ready")
    call.answer({"worker_id": worker.worker_id, "ran": has_run}, ())


def _run_all(call: Call, worker: Worker) -> None:
    call.answer({"worker_id": worker.worker_id}, ())
    output.flush()
    log.info("worker %s serves %s", worker.worker_id, call.path)
    worker.start()
    log.info("worker %s has stopped", worker.worker_id)


def _import_from_here() -> None:
    """A console script has its own folder at the front of the path, and not the one where it was started."""
    here = os.getcwd()
    if sys.path[:1] not in ([here], [""]):
        sys.path.insert(0, here)


def _log_to_stderr(level: int) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(output.CleanFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])  # not setup_logging: its handler prints a job's name as it is
    logging.getLogger("gigq").setLevel(level)
