"""How far the jobs are that a command waits for: one line drawn on a terminal, or a plain one every ten seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from gigq.cli.forms import IDS
from gigq.progress_line import ProgressLine

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord

Told: TypeAlias = "Callable[[int, int], None]"
"""Is told how many jobs have ended, and how many of them have failed."""

_PLAIN_EVERY = 10.0
"""Seconds between two plain lines: a log, or a person who is read to, needs no more."""

_LOOK_EVERY = 0.5
"""Seconds between two looks at the progress of a single job."""


@contextmanager
def shown_progress(queue: JobQueue, args: Args, ids: Sequence[str]) -> Iterator[Told]:
    """Show how far these jobs are while the block waits for them, on standard error; with ``-q`` not at all."""
    if args.out.form.kind == IDS or not ids:
        yield lambda ended, failed: None
    elif not args.out.errors.is_live:
        yield _plain(queue, args, len(ids))
    elif len(ids) > 1:
        with ProgressLine("jobs", clock=queue.clock) as line:
            yield lambda ended, failed: line.show(ended, len(ids), failed=failed)
    else:
        job = queue.get_job(ids[0])
        with ProgressLine(job.name if job else "", clock=queue.clock) as line:
            yield _single(queue, ids[0], line)


def _plain(queue: JobQueue, args: Args, wanted: int) -> Told:
    """Tell in words every ten seconds, the first time after as long."""
    told_at = queue.clock.monotonic()

    def tell(ended: int, failed: int) -> None:
        nonlocal told_at
        now = queue.clock.monotonic()
        if now - told_at >= _PLAIN_EVERY and ended < wanted:
            told_at = now
            args.out.note(f"{ended:,} of {wanted:,} jobs have ended{f', {failed:,} of them badly' if failed else ''}")

    return tell


def _single(queue: JobQueue, job_id: str, line: ProgressLine) -> Told:
    """Show the progress of the one job, or its phase if it tells none."""
    looked_at = -math.inf

    def tell(ended: int, failed: int) -> None:
        nonlocal looked_at
        now = queue.clock.monotonic()
        if ended:
            if looked_at > -math.inf:  # otherwise it had ended before, and there is nothing to show
                line.say("ended")
        elif now - looked_at >= _LOOK_EVERY and (job := queue.get_job(job_id)):
            looked_at = now
            _show(job, line)

    return tell


def _show(job: JobRecord, line: ProgressLine) -> None:
    progress = job.progress or {}
    if progress.get("total"):
        line.show(int(progress["current"]), int(progress["total"]))
    else:
        line.say(str(progress.get("message") or job.phase.value))
