"""What a worker logs of its jobs, and why it says that."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import functions
import pytest
from running import Pipes, Running

import gigq
from gigq import GiveUp, Job, JobQueue, ManualClock, RetryLater, Worker
from gigq.testing import drain


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gigq")


def give_up() -> None:
    raise GiveUp("no such city")


def later() -> None:
    raise RetryLater(600)


LINES = {
    "completes": (functions.nothing, {}, "INFO", "completed, attempt 1 of 3, after 0 ms"),
    "is tried again at once": (
        functions.fail, {}, "INFO",
        "failed, attempt 1 of 3, after 0 ms: ValueError: no; the next attempt may start now",
    ),
    "is tried again later": (
        functions.fail, {"retry_delay": 5}, "INFO",
        "failed, attempt 1 of 3, after 0 ms: ValueError: no; the next attempt may start in 5 s",
    ),
    "used up its attempts": (
        functions.fail, {"max_attempts": 1}, "WARNING", "failed, attempt 1 of 1, after 0 ms: ValueError: no",
    ),
    "gives up": (
        give_up, {}, "WARNING", "failed for good, attempt 1 of 3, after 0 ms: GiveUp: no such city",
    ),
    "comes later": (
        later, {}, "INFO",
        "given back, attempt 1 of 3, which does not count, after 0 ms: to be tried later;"
        " the next attempt may start in 10 min",
    ),
    "has an error of many lines": (
        functions.fail, {"max_attempts": 1, "params": {"message": "a\nb"}}, "WARNING",
        "failed, attempt 1 of 1, after 0 ms: ValueError: a …",
    ),
    "has an error that a terminal would obey": (
        functions.fail, {"max_attempts": 1, "params": {"message": "\x1b[2J"}}, "WARNING",
        "failed, attempt 1 of 1, after 0 ms: 'ValueError: \\x1b[2J'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_a_line_tells_how_an_attempt_ended_and_why(
    open_queue: Callable[..., JobQueue], clock: ManualClock, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    function, options, level, text = LINES[case]
    queue = open_queue(clock=clock)
    job_id = queue.submit(Job("fetch", "f", **options))  # type: ignore[arg-type]

    drain(queue, handlers={"f": function})  # type: ignore[dict-item]

    first = next(each for each in caplog.records if job_id in each.getMessage())
    assert (first.levelname, first.getMessage()) == (level, f"job {job_id} (fetch) {text}")


def test_a_job_that_is_left_to_others_is_not_said_to_be_tried_again_here(
    queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.submit(Job("job", "nobody_has_it"))
    with caplog.at_level(logging.INFO, "gigq"):
        drain(queue)
    (line,) = [each.getMessage() for each in caplog.records if "given back" in each.getMessage()]
    assert "cannot find 'nobody_has_it'" in line
    assert "next attempt" not in line


def test_a_name_cannot_pass_for_another_line(queue: JobQueue, caplog: pytest.LogCaptureFixture) -> None:
    job_id = queue.submit(Job("x\nWARNING forged", functions.nothing))
    drain(queue)
    assert f"job {job_id} ('x\\nWARNING forged') completed" in caplog.text


def test_a_line_has_fields_for_the_formatters_of_others(queue: JobQueue, caplog: pytest.LogCaptureFixture) -> None:
    job_id = queue.submit(Job("fetch", functions.fail, max_attempts=1))
    drain(queue)
    record = next(each for each in caplog.records if job_id in each.getMessage())
    assert (record.job_id, record.job_name, record.error_type) == (job_id, "fetch", "ValueError")  # type: ignore[attr-defined]
    assert record.filename == "journal.py"


def test_the_traceback_is_below_the_line_only_where_all_is_logged(
    queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.submit(Job("fetch", functions.fail, max_attempts=1))
    drain(queue)
    assert "Traceback" in caplog.text
    caplog.clear()
    caplog.set_level(logging.INFO, "gigq")
    queue.submit(Job("fetch", functions.fail, max_attempts=1))
    drain(queue)
    assert "Traceback" not in caplog.text


def test_a_timeout_is_logged_with_its_time(path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture) -> None:
    job_id = queue.submit(Job("spin", functions.spin, timeout=0.05, max_attempts=1))
    with Worker(path, burst=True) as worker:
        worker.start()
    assert re.search(rf"job {job_id} \(spin\) timed out, attempt 1 of 1, after [0-9.]+ m?s", caplog.text)


def test_the_first_and_last_lines_of_a_worker_tell_what_it_serves_and_what_it_did(
    path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.submit_many([Job("a", functions.nothing), Job("b", functions.fail, max_attempts=2)])
    with Worker(path, "ann", concurrency=2, queues=["default", "mail"], burst=True) as worker:
        worker.start()
    lines = [each.getMessage() for each in caplog.records if each.name == "gigq.worker"]
    assert lines[0] == (
        f"worker ann started: gigq {gigq.__version__} runs jobs of the queues default, mail in {path}, 2 at a time,"
        " in threads"
    )
    assert lines[-1].startswith("worker ann finished after ")
    assert re.search(r" m?s: 1 completed, 1 failed, 1 retried\Z", lines[-1])


def test_a_worker_of_one_queue_is_said_to_serve_one(
    path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    with Worker(path, queues="mail", burst=True) as worker:
        worker.start()
    assert "runs jobs of the queue mail in" in caplog.text


def test_a_job_that_is_cancelled_while_it_runs_is_logged(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = queue.submit(Job("endless", functions.spin, {"tell": pipes.tell}))
    running = run()
    pipes.wait_until_begun()
    queue.cancel(job_id, running=True)
    running.stop()
    assert f"job {job_id} (endless) was taken from this worker, attempt 1 of 3; it is cancelled now" in caplog.text
    assert [vars(each)["status"] for each in caplog.records if job_id in each.getMessage()] == ["cancelled"]


def test_a_job_that_is_given_back_when_its_worker_stops_is_logged(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = queue.submit(Job("endless", functions.spin, {"tell": pipes.tell}))
    running = run(shutdown_timeout=0)
    pipes.wait_until_begun()
    running.stop()
    assert "given back, attempt 1 of 3, which does not count: the worker stopped" in caplog.text
    assert [vars(each)["status"] for each in caplog.records if job_id in each.getMessage()] == ["released"]


def test_only_jobs_that_failed_for_good_count_as_failed_in_the_row_of_their_worker(
    queue: JobQueue, run: Callable[..., Running]
) -> None:
    has_seen, may_end = threading.Event(), threading.Event()

    def look() -> None:
        has_seen.set()
        may_end.wait(30)

    queue.submit_many([Job("retried", functions.fail, max_attempts=2, priority=1), Job("look", "look")])
    running = run(handlers={"look": look}, lease=1)
    assert has_seen.wait(30)
    while not (counts := [(each.completed, each.failed) for each in queue.workers()])[0][1]:
        pass
    assert counts == [(0, 1)]
    may_end.set()
    running.stop()


SCRIPT = """
import sys, gigq
def fail(): raise ConnectionRefusedError("nobody listens")
if __name__ == "__main__":
    with gigq.JobQueue("jobs.db") as queue:
        queue.submit(gigq.Job("fetch", fail, max_attempts=2))
    with gigq.Worker("jobs.db", burst=True) as worker:
        worker.start()
"""


def test_a_script_without_logging_warns_once_about_a_job_that_failed_for_good(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {"PYTHONPATH": str(Path(gigq.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, check=True, text=True
    )
    (line,) = done.stderr.splitlines()
    assert " (fetch) failed, attempt 2 of 2, after " in line
    assert re.search(r" m?s: ConnectionRefusedError: nobody listens\Z", line)
