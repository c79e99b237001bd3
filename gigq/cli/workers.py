"""The commands about workers and the file: `gigq workers`, `gigq scale`, `gigq stop`, `gigq recover`, `gigq doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from gigq.cli import output, values
from gigq.cli.call import Call, Refused
from gigq.cli.commands import Commands, Parser, add_command
from gigq.records import WorkerRecord

_TITLES = ("id", "mode", "slots", "running", "completed", "failed", "queues", "pid", "seen", "stop")


def declare(commands: Commands) -> None:
    """Add the commands."""
    add_command(commands, "workers", list_workers)
    _declare_scale(commands)
    _declare_stop(commands)
    add_command(commands, "recover", recover).add_argument(
        "--older-than",
        metavar="DURATION",
        type=values.duration,
        help="also take what has been running for so long, whether its worker lives or not; it may then run twice",
    )
    add_command(commands, "doctor", doctor)


def _declare_scale(commands: Commands) -> None:
    parser = add_command(commands, "scale", scale)
    parser.add_argument("concurrency", metavar="N", type=values.at_least_one, help="how many jobs may run at a time")
    _add_worker(parser)


def _declare_stop(commands: Commands) -> None:
    parser = add_command(commands, "stop", stop)
    _add_worker(parser)
    parser.add_argument("--now", action="store_true", default=False, help="give running jobs back at once")


def _add_worker(parser: Parser) -> None:
    parser.add_argument("--worker", dest="worker_id", metavar="ID", help="only this one; default: all")


def list_workers(call: Call) -> None:
    """List workers, the oldest first.

    A dead one stays until another worker, or recover, has noticed; until then, seen tells since when it is silent.
    """
    with call.open_queue() as queue:
        workers = queue.workers()
        now = queue.clock.now()
    call.answer([worker.as_dict() for worker in workers], _table(workers, now=now))


def scale(call: Call) -> None:
    """Ask workers to run so many jobs at a time, each.

    They obey within a second, and forget it when they end.
    """
    slots = call.options.concurrency
    with call.open_queue() as queue:
        asked = queue.scale(slots, **call.given("worker_id"))
    _answer_asked(call, asked, {"concurrency": slots}, f"Workers asked to run {slots} at a time: {asked}")


def stop(call: Call) -> None:
    """Ask workers to stop.

    They obey within a second: running jobs may end within the worker's --shutdown-timeout, and are given back then.
    """
    with call.open_queue() as queue:
        asked = queue.stop_workers(**call.given("worker_id"), graceful=not call.options.now)
    _answer_asked(call, asked, {"graceful": not call.options.now}, f"Workers asked to stop: {asked}")


def recover(call: Call) -> None:
    """Take the jobs of workers that are certainly dead, and print how many.

    A living worker does the same on its own; this is for when there is none.
    """
    with call.open_queue() as queue:
        recovered = queue.requeue_stuck(**call.given("older_than"))
    call.answer({"recovered": recovered}, [f"Jobs recovered: {recovered}"])


def doctor(call: Call) -> None:
    """Say whether the file is sound: print each thing that is wrong with it, and end with code 1 if there is one.

    It reads the whole file, and changes nothing.
    """
    with call.open_queue() as queue:
        problems = queue.check()
    call.answer({"problems": problems}, problems or ["The file is sound."])
    if problems:
        raise Refused(f"{call.path!r} is not sound; go back to a backup, or keep it and report what it says")


def _answer_asked(call: Call, asked: int, wish: dict[str, Any], line: str) -> None:
    if not asked:
        raise Refused(_why_nobody(call))
    call.answer({"asked": asked, **wish}, [line])


def _why_nobody(call: Call) -> str:
    for worker_id in call.given("worker_id").values():
        return f"no worker has the id {worker_id!r}; `gigq workers` lists all"
    return f"there is no worker at {call.path!r}"


def _table(workers: Sequence[WorkerRecord], *, now: datetime) -> Iterator[str]:
    # An id that is cut cannot be typed again: it comes last.
    return output.table(_TITLES, [_row(worker, now=now) for worker in workers], flexible=("queues", "id"))


def _row(worker: WorkerRecord, *, now: datetime) -> tuple[str, ...]:
    counts = (worker.concurrency, worker.running, worker.completed, worker.failed)
    queues = "all" if worker.queues is None else ", ".join(worker.queues)
    seen = values.in_words((now - worker.seen_at).total_seconds())
    return (worker.id, worker.mode, *map(str, counts), queues, str(worker.pid), seen, worker.stop or "")
