"""The commands for running workers: `gigq workers`, `gigq scale`, `gigq stop`, `gigq recover`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gigq.cli import output, values
from gigq.cli.call import Call, Refused
from gigq.cli.commands import Command, Parser

if TYPE_CHECKING:
    from gigq.queue_records import WorkerRecord

_TITLES = ("id", "mode", "slots", "running", "completed", "failed", "queues", "pid", "seen", "stop")


def list_workers(call: Call) -> None:
    """List the workers, oldest first.

    The column seen shows how long a worker has been silent.
    A dead worker is listed until another worker, or recover, notices it.
    Below the list stands why a worker can start no job, and the functions that it cannot find; it leaves their jobs
    to the others.
    """
    with call.look() as queue:
        workers = queue.workers()
        now = queue.clock.now()
    call.answer([worker.as_dict() for worker in workers], _table(workers, now=now))


def _worker_id(parser: Parser) -> None:
    parser.add_argument("--worker", dest="worker_id", metavar="ID", help="only this worker; default: all")


def _scale_options(parser: Parser) -> None:
    parser.add_argument("concurrency", metavar="N", type=values.at_least_one, help="how many jobs may run at a time")
    _worker_id(parser)


def scale(call: Call) -> None:
    """Set how many jobs workers run at a time.

    They do so within a second, and until they end.
    """
    slots = call.options.concurrency
    with call.open_queue() as queue:
        asked = queue.scale(slots, **call.given("worker_id"))
    _answer_asked(call, asked, {"concurrency": slots}, f"Workers asked to run {slots} at a time: {asked}")


def _stop_options(parser: Parser) -> None:
    _worker_id(parser)
    parser.add_argument("--now", action="store_true", default=False, help="give running jobs back at once")


def stop(call: Call) -> None:
    """Ask workers to stop.

    They do so within a second.
    Running jobs may finish within the worker's --shutdown-timeout; those that do not are given back to the queue.
    """
    with call.open_queue() as queue:
        asked = queue.stop_workers(**call.given("worker_id"), graceful=not call.options.now)
    _answer_asked(call, asked, {"graceful": not call.options.now}, f"Workers asked to stop: {asked}")


def _recover_options(parser: Parser) -> None:
    parser.add_argument(
        "--older-than",
        metavar="DURATION",
        type=values.older_than,
        help="also jobs that have been running for at least this long, or since before this instant (ISO 8601), "
        "even if their worker lives; they may run twice",
    )


def recover(call: Call) -> None:
    """Recover the jobs of dead workers, and print how many.

    A worker counts as dead only if its process has ended for certain.
    Running workers do this themselves; the command is for when none runs.
    """
    with call.open_queue() as queue:
        recovered = queue.requeue_stuck(**call.given("older_than"))
    call.answer({"recovered": recovered}, [f"Jobs recovered: {recovered}"])


def _answer_asked(call: Call, asked: int, wish: dict[str, Any], line: str) -> None:
    if not asked:
        raise Refused(_why_none(call))
    call.answer({"asked": asked, **wish}, [line])


def _why_none(call: Call) -> str:
    for worker_id in call.given("worker_id").values():
        return f"no worker has the id {worker_id!r}; `gigq workers` lists all"
    return f"there is no worker at {call.path!r}"


def _table(workers: Sequence[WorkerRecord], *, now: datetime) -> Iterator[str]:
    # An ID that was cut cannot be typed: it is cut last.
    yield from output.table(_TITLES, [_row(worker, now=now) for worker in workers], flexible=("queues", "id"))
    for worker in workers:
        if worker.trouble:
            yield f"Worker {worker.id} can start no job: {worker.trouble}"
        for function, reason in worker.missing.items():
            yield f"Worker {worker.id} cannot find {function}: {reason}"


def _row(worker: WorkerRecord, *, now: datetime) -> tuple[str, ...]:
    counts = (worker.concurrency, worker.running, worker.completed, worker.failed)
    queues = "all" if worker.queues is None else ", ".join(worker.queues)
    seen = output.span((now - worker.seen_at).total_seconds())
    return (worker.id, worker.mode, *map(str, counts), queues, str(worker.pid), seen, worker.stop or "")


COMMANDS = {
    "workers": Command(list_workers),
    "scale": Command(scale, _scale_options),
    "stop": Command(stop, _stop_options),
    "recover": Command(recover, _recover_options),
}
