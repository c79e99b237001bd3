"""The command that runs everything that can run, and exits: `gigq drain`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, argument, command
from gigq.cli.exits import DONE, INTERRUPTED, REFUSED
from gigq.cli.importing import import_from_here
from gigq.cli.live_line import LiveLine
from gigq.cli.logging_here import LEVELS, logging_to_stderr
from gigq.cli.worker_told import Teller
from gigq.handles import short
from gigq.status import Phase
from gigq.worker.tally import FAILED, Tally

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_UNFINISHED = (
    Phase.READY, Phase.PAUSED, Phase.SCHEDULED, Phase.RETRYING, Phase.WAITING, Phase.RESERVED, Phase.RUNNING,
)  # fmt: skip
_PATIENCE = 1.0
"""Seconds for which the jobs of a phase are counted that are left."""


@command(
    argument("--queue", dest="queues", metavar="NAME", action="append", completes="queues",
        help="run only jobs in this queue; repeat it for several; default: all"),
    argument("-c", "--concurrency", metavar="N", type=values.at_least_one,
        help="how many jobs may run at a time; default: 1"),
    argument("--mode", choices=("thread", "process"),
        help="process runs each job in a child process, which can be stopped at any time; default: thread"),
    argument("-v", "--verbose", action="store_true", help="show the log of the worker and of the jobs"),
    opens=CHANGE,
    fields=("worker_id", "completed", "failed", "retried", "cancelled", "released", "duration", "per_second",
            "failures", "left"),
    examples=(
        ("gigq drain", "run everything that can run, and exit"),
        ("gigq drain --queue mail -c 8", "only one queue, eight jobs at a time"),
    ),
)  # fmt: skip
def drain(queue: JobQueue, args: Args) -> Answer:
    """Run everything that can run, here and now, and say how it went.

    It is a worker that stops when no job can run, now or within ten seconds: it also makes retries that are due soon.
    What waits for a later time, for a queue that is paused, or for a function that is not here, stays in the queue; it says how many jobs these are.
    Functions are imported from the current directory first, and what they print goes to standard error.
    The exit code is 1 if a job failed or timed out for good, and 130 after Ctrl-C, which gives running jobs 30 seconds to end; a second one gives them back at once.
    """  # noqa: E501
    from gigq.worker.worker import Worker

    class Watched(Worker):
        _tally = Tally()

    import_from_here()
    teller = Teller(Watched._tally, queue.clock)
    options = args.given("queues", "concurrency", "mode")
    with (
        logging_to_stderr(LEVELS["info" if args.verbose else "error"], lowers_root=bool(args.verbose)),
        LiveLine(teller.line, stream=sys.stderr, terminal=args.out.errors),
        redirect_stdout(sys.stderr),
        Watched(args.path, burst=True, **options) as worker,
    ):
        worker.start()
    value, lines = teller.summary(worker.worker_id)
    left = _left(queue, args.queues)
    if left:
        phases = ", ".join(f"{count:,} {phase}" for phase, count in left.items())
        lines.append(f"{sum(left.values()):,} left in the queue: {phases}")
    return Answer(
        value | {"left": sum(left.values())},
        lines,
        code=INTERRUPTED if worker.stopped_by else REFUSED if Watched._tally.counts[FAILED] else DONE,
        suggestions=list(_next(value["failures"], left)),
    )


def _left(queue: JobQueue, queues: Sequence[str] | None) -> dict[Phase, int]:
    """Return how many unfinished jobs there are in each phase, in these queues."""
    filters: list[dict[str, Any]] = [{"queue": name} for name in queues] if queues else [{}]
    counts = {each: sum(queue.count(phase=each, within=_PATIENCE, **one) for one in filters) for each in _UNFINISHED}
    return {phase: count for phase, count in counts.items() if count}


def _next(failures: Sequence[Mapping[str, Any]], left: Mapping[Phase, int]) -> Iterator[str]:
    if failures:
        yield f"gigq status {short(failures[0]['job_id'])}   # what went wrong"
    if left:
        yield "gigq why   # why the others do not run"
