"""The command that runs everything that can run, and exits: `gigq drain`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Self

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, argument, command
from gigq.cli.exits import DONE, INTERRUPTED, REFUSED
from gigq.cli.importing import import_from_here
from gigq.cli.logging_here import LEVELS, logging_to_stderr
from gigq.cli.styled import Line, status_cell
from gigq.handles import short
from gigq.progress_line import ProgressLine
from gigq.status import Phase

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.worker.events import Event

_ENDS = ("completed", "failed", "timeout", "cancelled", "retrying", "released", "lost")
_BAD = ("failed", "timeout")
_UNFINISHED = (
    Phase.READY, Phase.PAUSED, Phase.SCHEDULED, Phase.RETRYING, Phase.WAITING, Phase.RESERVED, Phase.RUNNING,
)  # fmt: skip
_MOST_LINES = 10
_PATIENCE = 1.0
"""Seconds for which the jobs of a phase are counted that are left."""


@command(
    argument("--queue", dest="queues", metavar="NAME", action="append", completes="queues",
        help="run only jobs in this queue; repeat it for several; default: all"),
    argument("-c", "--concurrency", metavar="N", type=values.at_least_one,
        help="how many jobs may run at a time; default: 1"),
    argument("--mode", choices=("thread", "process"),
        help="process runs each job in a child process, which can be stopped at any time; default: thread"),
    argument("-v", "--verbose", action="store_const", const="info", help="show the log of the worker and of the jobs"),
    opens=CHANGE,
    fields=(*_ENDS, "left"),
    examples=(
        ("gigq drain", "run everything that can run, and exit"),
        ("gigq drain --queue mail -c 8", "only one queue, eight jobs at a time"),
    ),
)  # fmt: skip
def drain(queue: JobQueue, args: Args) -> Answer:
    """Run everything that can run, here and now, and say how it went.

    It is a worker that stops when no job can run, now or within ten seconds, so that it also makes retries that are due soon.
    What waits for a later time, for a queue that is paused, or for a function that is not here, stays in the queue; it says how many jobs these are.
    Functions are imported from the current directory first, and what they print goes to standard error.
    The exit code is 1 if a job failed or timed out for good, and 130 after Ctrl-C, which gives running jobs 30 seconds to end.
    """  # noqa: E501
    from gigq.worker.worker import Worker

    import_from_here()
    tally, log = _Tally(queue, args), logging_to_stderr(LEVELS[args.verbose or "error"], lowers_root=bool(args.verbose))
    options = args.given("queues", "concurrency", "mode")
    with (
        log,
        redirect_stdout(sys.stderr),
        tally,
        Worker(args.path, burst=True, on_event=tally.note, **options) as worker,
    ):
        worker.start()
    left = _left(queue, args.queues)
    return Answer(
        {kind: tally.ends[kind] for kind in _ENDS} | {"left": sum(left.values())},
        _lines(tally, left),
        code=INTERRUPTED if worker.stopped_by else REFUSED if tally.has_failed else DONE,
        suggestions=_next(tally, left),
    )


class _Tally:
    """How the executions have ended, counted as the worker tells it, and shown on a terminal meanwhile.

    Attributes:
        ends: how many executions have ended in each way.
        bad: the first of those that made a job fail or time out for good.
    """

    def __init__(self, queue: JobQueue, args: Args) -> None:
        self.ends = Counter[str]()
        self.bad: list[Event] = []
        is_shown = args.out.errors.is_live and not args.verbose
        self._line = ProgressLine("jobs", clock=queue.clock) if is_shown else None
        self._total = sum(_left(queue, args.queues, phases=(Phase.READY,)).values()) if is_shown else 0

    def note(self, event: Event) -> None:
        """Count an event. Called in one thread."""
        kind = event.kind.removeprefix("job.")
        if kind not in _ENDS:
            return
        self.ends[kind] += 1
        if kind in _BAD and len(self.bad) < _MOST_LINES:
            self.bad.append(event)
        if self._line is not None:
            done = self.ends.total()
            self._line.show(done, max(done, self._total), failed=sum(self.ends[each] for each in _BAD))

    @property
    def has_failed(self) -> bool:
        """Whether a job has failed or timed out for good."""
        return any(self.ends[kind] for kind in _BAD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.close()


def _left(queue: JobQueue, queues: Sequence[str] | None, *, phases: Sequence[Phase] = _UNFINISHED) -> dict[Phase, int]:
    """Return how many jobs there are in each phase, in these queues."""
    filters: list[dict[str, Any]] = [{"queue": name} for name in queues] if queues else [{}]
    counts = {each: sum(queue.count(phase=each, within=_PATIENCE, **one) for one in filters) for each in phases}
    return {phase: count for phase, count in counts.items() if count}


def _lines(tally: _Tally, left: Mapping[Phase, int]) -> Iterator[Line]:
    ended = ", ".join(f"{tally.ends[kind]:,} {kind}" for kind in _ENDS if tally.ends[kind])
    yield f"Executions: {tally.ends.total():,}{f' ({ended})' if ended else ''}"
    for event in tally.bad:
        error = f": {event.error.splitlines()[0]}" if event.error else ""
        yield status_cell(event.kind.removeprefix("job.")) + f"  {short(event.job_id or '')}  {event.name}{error}"
    if left:
        yield f"Jobs left: {sum(left.values()):,} ({', '.join(f'{count:,} {phase}' for phase, count in left.items())})"


def _next(tally: _Tally, left: Mapping[Phase, int]) -> list[str]:
    bad = [f"gigq status {short(event.job_id or '')}" for event in tally.bad[:1]]
    return [*bad, *(["gigq why"] if left else [])]
