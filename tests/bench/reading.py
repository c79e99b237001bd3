"""How long looks at a queue of a million jobs take: PYTHONPATH=. python tests/bench/reading.py [--file FILE]

Prints milliseconds of processor time for each look at a file of --jobs jobs of 500 bytes (the median of 5, hot cache),
beside the same look at one of 1,000 jobs, and the ratio. Looks are stopped after 100 ms of the clock, and say how far
they came. Then the same for commands in new processes.

    --make FILE     only makes the file, of --jobs jobs, and leaves it there
    --file FILE     looks at this file, which --make has made, instead of making one
    --only WORD     only the looks whose name contains this

Of the jobs of a file 91.7 % are completed, 3.3 % failed, timed out or were cancelled, and 5 % are pending: ready,
scheduled, or waiting for a parent. Half a year of them is in it.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yardstick

from gigq import Job, JobQueue, ManualClock, ReadTooLong
from gigq.clock import to_text

ROUNDS = 5
BUDGET = 0.1
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = FIRST + timedelta(days=90)
HALF_A_YEAR = 182 * 86_400
CHUNK = 20_000
FUNCTIONS = ("app.mail:send", "app.reports:build", "app.images:resize", "app.billing:charge", "handler")
ERRORS = ("ValueError", "ConnectionError", "KeyError", "TimeoutError")
TEXT = "a line of an order that is long enough to make the row what it is in practice; " * 3


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--make", type=Path)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    if chosen.make:
        make(chosen.make, chosen.jobs)
        return
    with yardstick.place(chosen) as folder:
        small, large = folder / "small.db", chosen.file or folder / "large.db"
        make(small, 1_000)
        if not chosen.file:
            make(large, chosen.jobs)
        measure(small, large, chosen)


def measure(small: Path, large: Path, chosen: argparse.Namespace) -> None:
    print(f"{'look':>44} {'small':>8} {'large':>8} {'ratio':>6}  of the large one")
    with JobQueue(small, read_only=True) as few, JobQueue(large, read_only=True) as many:
        for name, look in looks():
            if chosen.only in name:
                line(name, *(timed(lambda look=look, queue=queue: look(queue)) for queue in (few, many)))
    for words in COMMANDS:
        if chosen.only in words:
            line(f"gigq {words}", *(command(path, words.split()) for path in (small, large)))


def line(name: str, small: tuple[float, str], large: tuple[float, str]) -> None:
    print(f"{name:>44} {small[0]:>8.2f} {large[0]:>8.2f} {large[0] / small[0]:>6.2f}  {large[1]}", flush=True)


def looks() -> Iterator[tuple[str, Callable[[JobQueue], Any]]]:
    """What is measured, by its name."""
    found: dict[str, dict[str, Any]] = {
        "": {}, **{status: {"status": status} for status in
        ("pending", "running", "completed", "failed", "cancelled", "timeout")},
        **{f"phase {phase}": {"phase": phase} for phase in ("ready", "scheduled", "waiting", "retrying", "paused")},
        "failed, by submission": {"status": "failed", "order": "submitted"}, "a queue": {"queue": "images"},
        "a queue that is not there": {"queue": "none"}, "a name that is not there": {"name": "none"},
        "a worker that is not there": {"worker_id": "none"}, "a tag": {"tags": "vip"}, "no such tag": {"tags": "none"},
        "a function": {"function": "app.mail.send"}, "no such function": {"function": "none"},
        "an error": {"error": "KeyError"}, "failed with an error": {"error": "KeyError", "status": "failed"},
        "no such error": {"error": "none", "status": "failed"}, "an argument": {"args": {"user": 42}},
        "no such argument": {"args": {"user": -1}}, "text": {"search": "order 123"}, "no such text": {"search": "zzz"},
        "until a month ago": {"until": FIRST + timedelta(days=150)},
        "ended in an hour": {"ended_since": HOUR, "ended_until": HOUR + timedelta(hours=1)},
    }  # fmt: skip
    for name, filters in found.items():
        yield f"find_jobs, {name or 'any'}", lambda queue, f=filters: queue.find_jobs(limit=50, within=BUDGET, **f)
    for name, filters in found.items():
        plain = {key: value for key, value in filters.items() if key != "order"}
        yield f"count, {name or 'any'}", lambda queue, f=plain: queue.count(within=BUDGET, **f)
        if name in ("", "completed", "a queue"):
            yield f"count to 10,000, {name}", lambda queue, f=plain: queue.count(at_most=10_000, within=BUDGET, **f)
    yield "find_jobs, deep", lambda queue: queue.find_jobs(limit=50, within=BUDGET, after=middle(queue))
    for name in ("stats", "metrics", "queues", "workers", "workflows", "dead_letters", "changes"):
        takes = {} if name == "changes" else {"within": BUDGET}
        yield name, lambda queue, name=name, takes=takes: getattr(queue, name)(**takes)
    yield "full_id, the end of an old one", lambda queue: queue.full_id(oldest(queue)[-8:], within=BUDGET)
    yield "full_id, of none", lambda queue: missing(queue)
    yield "why, all", lambda queue: queue.why(within=BUDGET)
    yield "next_jobs", lambda queue: list(queue.next_jobs(within=BUDGET))
    yield "graph, a pending job", lambda queue: queue.graph(queue.find_jobs("pending", 1)[0], within=BUDGET).number
    for name in ("health", "info"):
        yield name, lambda queue, name=name: getattr(queue, name)(within=BUDGET)
    yield "why, an old job", lambda queue: queue.why(oldest(queue))
    yield "why, a pending job", lambda queue: queue.why(queue.find_jobs("pending", 1)[0])


COMMANDS = (
    "list", "list --status pending", "list --status failed", "list --status running", "list --status completed", "dead",
    "stats", "queues", "why", "next",
)  # fmt: skip


def middle(queue: JobQueue) -> str:
    if queue.db_path not in _MIDDLE:
        _MIDDLE[queue.db_path] = str(queue.find_jobs(limit=1).bound // 2)
    return _MIDDLE[queue.db_path]


_MIDDLE: dict[str, str] = {}


def oldest(queue: JobQueue) -> str:
    if queue.db_path not in _OLDEST:
        (job,) = queue.find_jobs(limit=1, after="3")
        _OLDEST[queue.db_path] = job.id
    return _OLDEST[queue.db_path]


_OLDEST: dict[str, str] = {}


def missing(queue: JobQueue) -> str:
    try:
        return queue.full_id("zzzzzzzz", within=BUDGET)
    except LookupError:
        return "not found"


def timed(look: Callable[[], Any]) -> tuple[float, str]:
    """The median in milliseconds, and what came of it."""
    took, said = [], ""
    for _ in range(ROUNDS):
        began = time.process_time()
        try:
            found = look()
            said = described(found)
        except ReadTooLong:
            said = "stopped: ReadTooLong"
        took.append((time.process_time() - began) * 1000)
    return statistics.median(took), said


def described(found: Any) -> str:
    if not hasattr(found, "is_cut"):
        return f"{found}"[:40] if isinstance(found, str | int) else ""
    said = f"{len(found)} found" if isinstance(found, list) else found.in_words()
    return f"{said}, looked at {found.looked_at:,}{', stopped' if found.is_cut else ''}"


def command(path: Path, words: list[str]) -> tuple[float, str]:
    """The median of the processor time of a command in milliseconds, and how much it has printed."""
    took = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "gigq", "--db", path, *words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append((after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000)
    return statistics.median(took), f"{len(done.stdout.splitlines())} lines"


def make(path: Path, jobs: int) -> None:
    """Make a file of so many jobs: most of them have ended, in ways and at times of their own."""
    clock = ManualClock(FIRST)
    with JobQueue(path, durability="normal", clock=clock) as queue:
        for start in range(0, jobs, CHUNK):
            end = min(start + CHUNK, jobs)
            clock.set(moment(end - 1, jobs))
            ids = queue.submit_many(job(number, jobs) for number in range(start, end))
            finish(queue, start, end, jobs, ids)
        parent = queue.find_jobs("pending", 1)[0]
        queue.submit_many(Job("after", FUNCTIONS[0], dependencies=[parent]) for _ in range(jobs // 1000))


def moment(number: int, jobs: int) -> datetime:
    return FIRST + timedelta(seconds=HALF_A_YEAR * number / jobs)


def job(number: int, jobs: int) -> Job:
    is_late = number >= jobs * 0.995
    return Job(
        f"order {number % 977}",
        FUNCTIONS[number % len(FUNCTIONS)],
        {"user": number % 10_007, "order": f"order {number}", "lines": [TEXT[: 120 + number % 60]]},
        queue=("default", "mail", "images", "billing")[number % 4],
        tags=["vip"] if number % 50 == 0 else [],
        run_at=FIRST + timedelta(days=900) if is_late else None,
    )


def finish(queue: JobQueue, start: int, end: int, jobs: int, ids: list[Any]) -> None:
    """Let jobs have ended, by SQL: workers would take minutes."""
    ended, ran = [], []
    with queue.database.write() as tx:
        first = tx.value("SELECT seq FROM jobs WHERE id = ?", (ids[0],))
        for number in range(start, min(end, int(jobs * 0.95))):
            seq, share, created = first + number - start, number * 7919 % 1000, moment(number, jobs)
            status = "failed" if share < 20 else "timeout" if share < 25 else "cancelled" if share < 35 else "completed"
            kind = ERRORS[number % len(ERRORS)]
            error = None if status == "completed" else "cancelled" if status == "cancelled" else f"no order {number}"
            begun = created + timedelta(seconds=1 + number % 30)
            attempts = 0 if status == "cancelled" else 3 if error else 2 if share > 970 else 1
            for attempt in range(1, attempts + 1):
                is_good = status == "completed" and attempt == attempts
                over = begun + timedelta(milliseconds=20 + share * 3)
                worker = f"worker {number % 8}"
                how = "completed" if is_good else "timeout" if status == "timeout" else "failed"
                what = (None, None, None) if is_good else (f"no order {number}", kind, f"Traceback\n{TEXT}\n{kind}")
                ran.append((seq, attempt, worker, how, to_text(begun), to_text(over), *what))
                begun = over + timedelta(seconds=10)
            instant = to_text(begun)
            result = "null" if error is None else None
            ended.append((status, error, attempts, instant, instant, result, to_text(created), seq))
        tx.executemany(
            "INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status, started_at, completed_at, error,"
            " error_type, traceback) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
            ran,
        )
        tx.executemany(
            "UPDATE jobs SET status = ?, error = ?, attempts = ?, completed_at = ?, updated_at = ?, result = ?,"
            " created_at = ? WHERE seq = ?",
            ended,
        )


if __name__ == "__main__":
    main()
