"""The commands that explain: `gigq why` and `gigq metrics`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import Any, NamedTuple

from gigq.cli import output
from gigq.cli.call import Call
from gigq.cli.commands import Commands, add_command, add_id

_Labels = dict[str, str]


class _Family(NamedTuple):
    """A metric of Prometheus: its samples differ only in their labels."""

    name: str
    help: str
    samples: Iterable[tuple[_Labels, float]]
    type: str = "gauge"


def declare(commands: Commands) -> None:
    """Add the commands."""
    add_id(add_command(commands, "why", why))
    add_command(commands, "metrics", metrics)


def why(call: Call) -> None:
    """Tell every reason why a job is not running, or what became of it."""
    with call.open_queue() as queue:
        job_id = queue.full_id(call.options.id)
        reasons = queue.why(job_id)
    call.answer({"id": job_id, "reasons": reasons}, reasons)


def metrics(call: Call) -> None:
    """Print what the queue is measured by, in the text format of Prometheus.

    All are gauges but one: what is counted are rows, and pruned jobs are counted no more.
    """
    with call.open_queue() as queue:
        found = queue.metrics()
    if call.options.json:
        output.write_json(found)
    else:
        _write_exactly(_exposition(_families(found)))


def _write_exactly(lines: Iterable[str]) -> None:
    """Print for a program, in UTF-8: names of queues as they are, which only on a terminal may do harm."""
    if sys.stdout.isatty():
        output.write(lines)
        return
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for line in lines:
        print(line)


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
    yield _Family("gigq_claims_total", "Executions ever begun or reserved.", [({}, found["claims"])], "counter")
    states = {state: found["workers"][state] for state in ("idle", "busy", "lost")}
    yield _Family("gigq_workers", "Workers in the file; lost ones are silent or dead.", _labelled("state", states))
    yield _Family("gigq_worker_slots", "Slots of the living workers.", [({}, found["workers"]["slots"])])


def _of_queues(queues: dict[str, dict[str, Any]]) -> Iterator[_Family]:
    for key, name, text in (
        ("ready", "gigq_queue_ready_jobs", "Jobs that could start now, but for a pause or a limit."),
        ("scheduled", "gigq_queue_scheduled_jobs", "Jobs that may not start before a certain time."),
        ("running", "gigq_queue_running_jobs", "Jobs that workers hold."),
        ("is_paused", "gigq_queue_paused", "1 if no worker may claim its jobs, else 0."),
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
    yield _Family("gigq_window_executions", "Executions that ended in the last minutes.", ends)
    retried = {window: measured["retried"] for window, measured in windows.items()}
    yield _Family("gigq_window_retries", "Of those, the second and later attempts.", _labelled("window", retried))
    for key, text in (
        ("waiting", "Time from the submit to the first start, of the jobs that began in the last minutes."),
        ("running", "Time that functions took which ended in the last minutes."),
    ):
        # Not a summary: its sum and count must only grow, and a window forgets.
        yield _Family(f"gigq_window_{key}_seconds", text, _percentiles(windows, key))


def _percentiles(windows: dict[str, dict[str, Any]], key: str) -> list[tuple[_Labels, float]]:
    return [
        ({"window": window, "statistic": statistic}, seconds)
        for window, measured in windows.items()
        for statistic, seconds in measured[key].items()
        if seconds is not None
    ]


def _labelled(label: str, numbers: dict[str, Any]) -> list[tuple[_Labels, float]]:
    """A sample for each number that there is; True is 1."""
    return [
        ({label: value}, int(number) if isinstance(number, bool) else number)
        for value, number in numbers.items()
        if number is not None
    ]
