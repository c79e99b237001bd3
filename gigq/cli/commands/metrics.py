"""The command that prints metrics for Prometheus: `gigq metrics`."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NamedTuple

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import command

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_Labels = dict[str, str]


class _Family(NamedTuple):
    """A Prometheus metric. Its samples differ only in their labels."""

    name: str
    help: str
    samples: Iterable[tuple[_Labels, float]]
    type: str = "gauge"


@command()
def metrics(queue: "JobQueue", args: Args) -> Answer | None:
    """Print metrics of the queue in the Prometheus text format.

    All but gigq_claims_total are gauges: they count rows of the file, and pruned jobs are no longer there.
    """
    found = queue.metrics()
    if args.terminal.is_terminal or not args.out.form.is_for_people:
        return Answer(found, _exposition(_families(found)))
    _write_exactly(args, _exposition(_families(found)))
    return None


def _write_exactly(args: Args, lines: Iterable[str]) -> None:
    """Print for a program, in UTF-8. Names of queues stay as they are: they can do harm only on a terminal."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    args.out.write_exactly(lines)


def _exposition(families: Iterable[_Family]) -> Iterator[str]:
    for family in families:
        yield f"# HELP {family.name} {family.help}"
        yield f"# TYPE {family.name} {family.type}"
        for labels, value in family.samples:
            yield f"{family.name}{_braced(labels)} {value!r}"


def _braced(labels: _Labels) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _families(found: dict[str, Any]) -> Iterator[_Family]:
    yield _Family("gigq_jobs", "Jobs in the file, by status.", _labelled("status", found["statuses"]))
    yield _Family("gigq_jobs_by_phase", "Jobs in the file, by phase.", _labelled("phase", found["phases"]))
    yield _Family(
        "gigq_ready_jobs", "Jobs that could start now, by priority.", _labelled("priority", found["priorities"])
    )
    yield from _of_queues(found["queues"])
    yield from _of_windows(found["windows"])
    yield _Family("gigq_claims_total", "Executions ever started or reserved.", [({}, found["claims"])], "counter")
    states = {state: found["workers"][state] for state in ("idle", "busy", "lost")}
    yield _Family("gigq_workers", "Workers in the file; lost ones are silent or dead.", _labelled("state", states))
    yield _Family("gigq_worker_slots", "Slots of the living workers.", [({}, found["workers"]["slots"])])


def _of_queues(queues: dict[str, dict[str, Any]]) -> Iterator[_Family]:
    for key, name, text in (
        ("ready", "gigq_queue_ready_jobs", "Jobs that could start now if there were no pause or limit."),
        ("scheduled", "gigq_queue_scheduled_jobs", "Jobs that may not start before a later time."),
        ("running", "gigq_queue_running_jobs", "Jobs that workers hold."),
        ("is_paused", "gigq_queue_paused", "1 if the queue is paused, else 0."),
        ("oldest_ready_age", "gigq_queue_oldest_ready_age_seconds", "Time since the oldest ready job was submitted."),
    ):
        yield _Family(name, text, _labelled("queue", {queue: counts[key] for queue, counts in queues.items()}))


def _of_windows(windows: dict[str, dict[str, Any]]) -> Iterator[_Family]:
    ends = [
        ({"window": window, "status": status}, number)
        for window, measured in windows.items()
        for status, number in measured.items()
        if status not in ("retried", "waiting", "running")
    ]
    yield _Family("gigq_window_executions", "Executions that ended within the window.", ends)
    retried = {window: measured["retried"] for window, measured in windows.items()}
    yield _Family("gigq_window_retries", "Of those, the second and later attempts.", _labelled("window", retried))
    for key, text in (
        ("waiting", "Time from submission to the first start, of the jobs first started within the window."),
        ("running", "Run time of the executions that ended within the window."),
    ):
        # Not a summary: the sum and count of one may only grow, and a window forgets.
        yield _Family(f"gigq_window_{key}_seconds", text, _percentiles(windows, key))


def _percentiles(windows: dict[str, dict[str, Any]], key: str) -> list[tuple[_Labels, float]]:
    return [
        ({"window": window, "statistic": statistic}, seconds)
        for window, measured in windows.items()
        for statistic, seconds in measured[key].items()
        if seconds is not None
    ]


def _labelled(label: str, numbers: dict[str, Any]) -> list[tuple[_Labels, float]]:
    """A sample for each number that is not None; True is 1."""
    return [
        ({label: value}, int(number) if isinstance(number, bool) else number)
        for value, number in numbers.items()
        if number is not None
    ]
