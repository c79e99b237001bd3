"""What a worker says of itself on its terminal: the live line while it runs, and the summary of a burst."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cleaning import clean
from gigq.cli.styled import RED, Styled
from gigq.clock import Clock
from gigq.durations import countdown, span
from gigq.handles import short
from gigq.worker.tally import CANCELLED, COMPLETED, FAILED, RELEASED, RETRIED, AtWork, Cause, Tally

if TYPE_CHECKING:
    from gigq.cli.styled import Line

_WINDOW = 30.0
"""Seconds over which the speed is measured."""

_MOST_NAMED = 5
_MOST_CAUSES = 5

_WORDS = {COMPLETED: "completed", FAILED: "failed", RETRIED: "retried", CANCELLED: "cancelled", RELEASED: "given back"}


class Teller:
    """Tells how a worker is getting on. For one thread.

    Args:
        tally: what the worker does.
        clock: where time comes from.
    """

    def __init__(self, tally: Tally, clock: Clock) -> None:
        self._tally = tally
        self._clock = clock
        self._began_at = clock.monotonic()
        self._samples: deque[tuple[float, int]] = deque([(self._began_at, 0)])

    def line(self) -> str:
        """Return the text of the live line: how many run, what was done, how fast, and what runs for how long."""
        at_work, slots = self._tally.at_work(), self._tally.slots
        now = self._clock.monotonic()
        running = f"{len(at_work)} of {slots} running" if at_work else "waiting for jobs"
        told = ", ".join([running, *_counted(self._tally), *self._speed(now)])
        names = [_named(each, now) for each in at_work[:_MOST_NAMED]]
        more = ["…"] if len(at_work) > _MOST_NAMED else []
        return f"{told}: {', '.join(names + more)}" if names else told

    def summary(self, worker_id: str) -> tuple[dict[str, Any], list[Line]]:
        """Return what the worker has done: for programs, and as lines for people."""
        took, counts, causes = self._clock.monotonic() - self._began_at, self._tally.counts, _causes(self._tally)
        per_second = _ended(self._tally) / took if took > 0 else 0.0
        value = {
            "worker_id": worker_id,
            **{name: counts[name] for name in _WORDS},
            "duration": round(took, 3),
            "per_second": round(per_second, 3),
            "failures": [
                {"function": each.function, "error_type": each.error_type, "count": each.number, "error": each.error,
                 "job_id": each.job_id}
                for each in causes
            ],
        }  # fmt: skip
        speed = f" ({_rate(per_second)})" if _ended(self._tally) else ""
        return value, [f"{', '.join(_counted(self._tally))} in {span(took)}{speed}", *_failures(causes)]

    def _speed(self, now: float) -> list[str]:
        done, samples = _ended(self._tally), self._samples
        if now > samples[-1][0]:
            samples.append((now, done))
        while samples[0][0] < now - _WINDOW and len(samples) > 2:
            samples.popleft()
        since, before = samples[0]
        return [_rate((done - before) / (now - since))] if done > before and now > since else []


def _ended(tally: Tally) -> int:
    return tally.counts[COMPLETED] + tally.counts[FAILED] + tally.counts[RETRIED]


def _counted(tally: Tally) -> list[str]:
    counts = tally.counts
    return [f"{counts[name]:,} {word}" for name, word in _WORDS.items() if counts[name] or name == COMPLETED]


def _rate(per_second: float) -> str:
    if per_second >= 100:
        return f"{per_second:,.0f}/s"
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{60 * per_second:.2g}/min"


def _named(each: AtWork, now: float) -> str:
    progress = each.progress and each.progress.as_dict()["percentage"]
    share = "" if progress is None else f" {int(progress)} %"
    return f"{clean(each.name)[:40]}{share} {countdown(now - each.since)}"


def _causes(tally: Tally) -> list[Cause]:
    """Return why jobs failed for good, without the secrets in their errors."""
    from gigq.redaction import Redactor  # only here: few workers say how they have ended

    hide = Redactor.extended(os.environ.get("GIGQ_REDACT"))
    return [each._replace(error=hide.text(each.error)) for each in tally.causes()]


def _failures(causes: Sequence[Cause]) -> Iterator[Line]:
    for each in causes[:_MOST_CAUSES]:
        first = (each.error.splitlines() or [""])[0]
        jobs = f"{each.number:,} {'job' if each.number == 1 else 'jobs'}"
        which = f"job {short(each.job_id)}" if each.number == 1 else f"the last one {short(each.job_id)}"
        yield f"  {jobs} of {each.function}: " + Styled(first[:200], RED) + f" ({which})"
    if len(causes) > _MOST_CAUSES:
        yield f"  … and {len(causes) - _MOST_CAUSES} other causes"
