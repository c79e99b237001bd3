"""Every code block of the guide of GigQ 0.5.1 runs as it is written there, with a worker in another process.

Only the pause of five seconds in its loop is shortened to a tenth of a second.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

import pytest
from seed_blocks import BLOCKS

from gigq import JobQueue

ROOT = Path(__file__).parents[2]

FUNCTIONS = '''
import sys
from pathlib import Path

from gigq import Job, JobQueue, Worker


def process_data(data):
    if Path("broken").exists():
        raise ValueError("the data is broken")
    return {"processed": data}


def trace(word):
    with open("trace", "a") as file:
        print(word, file=file)
    return word


def first_function():
    return trace("first")


def second_function():
    return trace("second")


def urgent_task():
    return trace("urgent")


def normal_task():
    return trace("normal")


def background_task():
    return trace("background")


def end_of_chapter(name):
    """Say so, and wait until the reader has done what comes between this chapter and the next."""
    print(f"@{name}", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    long_running_job = Job(name="long", function=first_function)
    important_job = Job(name="important", function=urgent_task)
    background_job = Job(name="background", function=background_task)
'''

WORK_OFF = """
import sys

from gigq import Worker

with Worker("jobs.db", worker_id="the other process") as worker:
    for line in sys.stdin:
        while worker.process_one():
            pass
        print("done", flush=True)
"""

WORK = """
from gigq import Worker

with Worker("jobs.db") as worker:
    print("ready", flush=True)
    worker.start()
"""


@dataclass
class Reader:
    """Follows the guide in a folder, and does something between its chapters."""

    folder: Path
    other: subprocess.Popen[str] | None = None
    worker: subprocess.Popen[str] | None = None
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.started:
            if process.poll() is None:  # a test has failed
                process.kill()
                process.communicate()

    def python(self, name: str, source: str) -> subprocess.Popen[str]:
        (self.folder / name).write_text(source)
        return self.start(name)

    def start(self, name: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", name],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def nothing(self) -> None:
        pass

    def work(self) -> None:
        """Have another process run what is ready."""
        self.other = self.other or self.python("work_off.py", WORK_OFF)
        assert self.other.stdin is not None and self.other.stdout is not None
        self.other.stdin.write("\n")
        self.other.stdin.flush()
        assert self.other.stdout.readline() == "done\n"

    def break_and_work(self) -> None:
        (self.folder / "broken").touch()
        self.work()

    def mend_and_work(self) -> None:
        (self.folder / "broken").unlink()
        self.work()

    def forget_and_work(self) -> None:
        (self.folder / "trace").unlink()
        self.work()

    def start_worker(self) -> None:
        self.worker = self.python("work.py", WORK)
        assert self.worker.stdout is not None
        assert self.worker.stdout.readline() == "ready\n"

    def stop_worker(self) -> None:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGTERM)
        finish(self.worker)


def finish(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate(timeout=60)
    # A program that has set up no logging is warned of jobs that failed for good, and of nothing else.
    assert [line for line in errors.splitlines() if " failed, attempt 3 of 3, " not in line] == []
    assert process.returncode == 0
    return out


# Chapter, its blocks, and what is done once they have run.
STORY: list[tuple[str, list[str], Callable[[Reader], None]]] = [
    ("submitted", ["create", "connect", "submit", "status", "list"], Reader.work),
    ("completed", ["status", "cancel", "requeue"], Reader.nothing),
    ("cleared", ["clear"], Reader.nothing),
    ("cancelled", ["submit", "cancel", "requeue"], Reader.break_and_work),
    ("failed", ["status", "requeue"], Reader.mend_and_work),
    ("mended", ["status"], Reader.nothing),
    ("dependent", ["dependencies"], Reader.work),
    ("ordered", ["order"], Reader.forget_and_work),
    ("broken again", ["submit"], Reader.break_and_work),
    ("before monitoring", [], Reader.start_worker),
    ("monitored", ["monitor"], Reader.stop_worker),
    ("several files", ["several_files"], Reader.nothing),
    ("dashboard", ["dashboard"], Reader.nothing),
]

WORK_OFF_BOTH = """
assert high_worker.process_one() and background_worker.process_one()
print(high_priority_queue.stats()["completed"], background_queue.stats()["completed"])
high_worker.close()
background_worker.close()
"""


def script() -> str:
    parts = []
    for chapter, blocks, _ in STORY:
        parts += [BLOCKS[block] for block in blocks]
        if "several_files" in blocks:
            parts.append(WORK_OFF_BOTH)
        parts.append(f"\nend_of_chapter({chapter!r})\n")
    return FUNCTIONS + textwrap.indent("".join(parts), "    ").replace("time.sleep(5)", "time.sleep(0.1)")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the guide printed in each chapter, and what its functions did, as `traces of …`."""
    with Reader(tmp_path_factory.mktemp("guide")) as reader:
        yield read_guide(reader)


def read_guide(reader: Reader) -> dict[str, str]:
    guide = reader.python("guide.py", script())
    assert guide.stdin is not None and guide.stdout is not None
    said: dict[str, str] = {}
    for chapter, _, action in STORY:
        said[chapter] = "".join(takewhile(f"@{chapter}\n".__ne__, guide.stdout))
        assert guide.poll() is None, guide.communicate()[1]
        action(reader)
        trace = reader.folder / "trace"
        said[f"traces of {chapter}"] = trace.read_text() if trace.exists() else ""
        guide.stdin.write("\n")
        guide.stdin.flush()
    assert reader.other is not None
    assert finish(guide) == finish(reader.other) == ""
    with JobQueue(reader.folder / "jobs.db") as queue:
        assert queue.check() == []
    return said


def test_submitting_prints_an_id_and_the_job_is_pending(said: dict[str, str]) -> None:
    submitted, status, created, listed = said["submitted"].splitlines()
    job_id = submitted.removeprefix("Submitted job with ID: ")
    assert len(job_id) == 36
    assert status == "Job status: pending"
    assert created.startswith("Created at: 20")
    assert listed == f"{job_id}: example_job (priority: 0)"


def test_the_status_of_a_job_that_another_process_ran_shows_its_result(said: dict[str, str]) -> None:
    status, _, result, *_ = said["completed"].splitlines()
    assert (status, result) == ("Job status: completed", "Result: {'processed': 'example'}")


def test_a_completed_job_can_be_neither_cancelled_nor_requeued(said: dict[str, str]) -> None:
    *_, cancel, requeue = said["completed"].splitlines()
    assert cancel.startswith("Failed to cancel job") and cancel.endswith("(may not be in pending state)")
    assert requeue.startswith("Failed to requeue job") and requeue.endswith("(may not be in failed state)")


def test_clearing_counts_what_it_deleted_with_and_without_a_date(said: dict[str, str]) -> None:
    assert said["cleared"] == "Cleared 1 completed jobs\nCleared 0 jobs older than one week\n"


def test_a_pending_job_is_cancelled_and_comes_back_when_it_is_requeued(said: dict[str, str]) -> None:
    _, cancel, requeue = said["cancelled"].splitlines()
    assert cancel.endswith("cancelled successfully") and requeue.endswith("requeued successfully")


def test_a_failed_job_shows_its_error_and_completes_after_a_requeue(said: dict[str, str]) -> None:
    status, _, error, requeue = said["failed"].splitlines()
    assert (status, error) == ("Job status: failed", "Error: ValueError: the data is broken")
    assert requeue.endswith("requeued successfully")
    assert said["mended"].startswith("Job status: completed\n")


def test_a_dependent_job_runs_after_its_dependency(said: dict[str, str]) -> None:
    assert said["traces of dependent"] == "first\nsecond\n"


def test_jobs_run_in_the_order_of_their_priorities(said: dict[str, str]) -> None:
    assert said["traces of ordered"] == "urgent\nnormal\nbackground\n"


def test_the_loop_that_monitors_a_job_ends_when_a_worker_elsewhere_has_run_it(said: dict[str, str]) -> None:
    *before, last = said["monitored"].splitlines()
    assert last == "Job status: completed"
    assert set(before) <= {"Job status: pending", "Job status: running"}


def test_each_of_several_files_has_its_own_jobs_and_worker(said: dict[str, str]) -> None:
    assert said["several files"] == "1 1\n"


def test_the_dashboard_counts_and_lists_what_was_done(said: dict[str, str]) -> None:
    lines = said["dashboard"].splitlines()
    assert lines[:8] == [
        "=== Job Queue Statistics ===",
        "Total jobs: 8",
        "Pending: 0 (0.0%)",
        "Running: 0 (0.0%)",
        "Completed: 7 (87.5%)",
        "Failed: 1 (12.5%)",
        "Cancelled: 0 (0.0%)",
        "Timeout: 0 (0.0%)",
    ]
    assert lines[9] == "Recently completed jobs:"
    recent = [line.split(" - ")[0].strip() for line in lines[10:15]]
    assert recent == ["long", "background", "normal", "urgent", "second_job"]
    assert lines[16:] == ["Recent failures:", "  example_job - ValueError: the data is broken"]


def test_two_scripts_submit_while_a_worker_runs_in_a_third_process(tmp_path: Path) -> None:
    twenty = FUNCTIONS + textwrap.indent(BLOCKS["create"] + BLOCKS["submit"] * 20, "    ")
    (tmp_path / "guide.py").write_text(twenty)
    with JobQueue(tmp_path / "jobs.db") as queue, Reader(tmp_path) as reader:
        reader.start_worker()
        scripts = [reader.start("guide.py") for _ in range(2)]
        ids = [line.split()[-1] for script in scripts for line in finish(script).splitlines()]
        records = queue.wait(ids, timeout=60)
        reader.stop_worker()
        assert len(set(ids)) == 40
        assert [record.result for record in records] == [{"processed": "example"}] * 40
        assert {record.attempts for record in records} == {1}
