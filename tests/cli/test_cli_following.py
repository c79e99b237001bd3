"""`gigq logs -f`, and what a follower shows of a log that grows."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from running import Running

from gigq import Job, JobQueue, Worker, current_job
from gigq.cli.following import Follower
from gigq.records import ExecutionRecord, JobRecord
from gigq.runtime.output import LOG_LIMIT, Log, parts_of
from gigq.status import ExecutionStatus

Run = Callable[..., Any]
Spawn = Callable[..., subprocess.Popen[str]]
PATIENCE = 30
app = logging.getLogger("app")


@pytest.fixture(autouse=True)
def let_everything_through() -> Iterator[None]:
    app.setLevel(logging.DEBUG)
    yield
    app.setLevel(logging.NOTSET)


def job_with(queue: JobQueue, *logs: tuple[str | None, str]) -> JobRecord:
    """A job whose attempts have these logs and statuses."""
    (job,) = queue.find_jobs() or [queue.get_job(queue.submit(Job("job", "f")))]
    assert job is not None
    executions = tuple(
        ExecutionRecord(
            number, job.id, number, ExecutionStatus(status), "ann", datetime.now(UTC), None, None, None, None, None, log
        )
        for number, (log, status) in enumerate(logs, 1)
    )
    return job._replace(executions=executions)


def lines(follower: Follower, job: JobRecord) -> list[str]:
    found: list[str] = []
    for piece in follower.news(job):
        found += [piece.heading] * bool(piece.heading) + [*piece.lines]
    return found


def test_a_follower_shows_whole_lines_once_and_the_rest_when_the_attempt_has_ended(queue: JobQueue) -> None:
    follower = Follower()
    assert lines(follower, job_with(queue, (None, "running"))) == []
    assert lines(follower, job_with(queue, ("one\ntw", "running"))) == ["one"]
    assert lines(follower, job_with(queue, ("one\ntwo\n\n", "running"))) == ["two", ""]
    assert lines(follower, job_with(queue, ("one\ntwo\n\nrest", "running"))) == []
    assert lines(follower, job_with(queue, ("one\ntwo\n\nrest", "failed"))) == ["rest"]
    assert lines(follower, job_with(queue, ("one\ntwo\n\nrest", "failed"), (None, "running"))) == []
    both = job_with(queue, ("one\ntwo\n\nrest", "failed"), ("anew\n", "running"))
    assert lines(follower, both) == ["attempt 2: running, worker ann", "anew"]
    assert lines(follower, both) == []


def test_several_attempts_have_headings_from_the_first_on(queue: JobQueue) -> None:
    both = job_with(queue, ("one\n", "failed"), ("two\n", "running"))
    assert lines(Follower(), both) == [
        "attempt 1: failed, worker ann", "one", "attempt 2: running, worker ann", "two"
    ]  # fmt: skip
    assert lines(Follower(attempt=2), both) == ["two"]
    assert lines(Follower(tail=1), both) == ["attempt 2: running, worker ann", "two"]
    assert lines(Follower(tail=0), both) == []
    many = Follower(tail=2)
    assert lines(many, job_with(queue, ("a\nb\nc\n", "running"))) == ["b", "c"]
    assert lines(many, job_with(queue, ("a\nb\nc\nd\ne\nf\n", "running"))) == ["d", "e", "f"]


def test_a_follower_of_a_long_log_says_how_much_it_has_missed(queue: JobQueue) -> None:
    log, follower, seen, missed = Log(), Follower(), list[str](), 0
    number = 0
    for count in (10, 3000, 9000, 5, 20_000, 0):
        for _ in range(count):
            log.write(f"line {number:06}\n")
            number += 1
        for line in lines(follower, job_with(queue, (log.text(), "running" if count else "completed"))):
            if line.startswith("line 0"):
                seen.append(line)
            elif "characters are left out" in line:
                missed += int(line.split()[1].replace(",", ""))
            else:
                missed += len(line)  # a line that is cut where the beginning ends, or the end begins
    assert seen == sorted(set(seen))
    assert seen[0] == "line 000000"
    assert seen[-1] == f"line {number - 1:06}"
    assert 0 <= number * 12 - len(seen) * 12 - missed <= 30  # the line ends of the lines that are cut


@pytest.mark.parametrize("size", [0, 10, LOG_LIMIT, LOG_LIMIT + 1, 3 * LOG_LIMIT])
def test_the_parts_of_a_log_are_those_that_it_was_made_of(size: int) -> None:
    log = Log()
    for piece in range(0, size, 10):
        log.write("… 12 chars"[: size - piece])
    head, tail, dropped = log.kept
    parts = parts_of(log.text() or "")
    assert parts == ((head, tail, dropped) if dropped else (head + tail, "", 0))


def test_logs_follow_a_job_that_has_not_started_across_attempts_to_its_end(
    run: Run, queue: JobQueue, running: Callable[..., Running]
) -> None:
    job_id = queue.submit(Job("job", "f", max_attempts=2))

    def function() -> None:
        app.info("attempt %d", current_job().attempt)
        if current_job().attempt == 1:
            raise ConnectionError("hoarse")

    thread = threading.Timer(0.1, lambda: running(handlers={"f": function}, capture_logs=True, lease=1))
    thread.start()
    outcome = run("logs", job_id, "-f")
    thread.join()
    assert [line.split(": ")[-1] for line in outcome.out.splitlines()] in (
        ["attempt 1", "failed, worker ann", "attempt 2"],
        ["failed, worker ann", "attempt 1", "completed, worker ann", "attempt 2"],
    )
    assert outcome.code == 0
    assert outcome.err.startswith(f"gigq: job {job_id} has not started: ")


@pytest.fixture
def running(path: str) -> Iterator[Callable[..., Running]]:
    """Starts a worker in a thread."""
    started: list[Running] = []

    def start(**options: Any) -> Running:
        started.append(Running(Worker(path, "ann", **options)))
        return started[-1]

    yield start
    for each in started:
        each.stop()
        each.worker.close()


def test_following_a_job_that_has_failed_shows_its_log_and_ends_with_its_exit_code(run: Run, queue: JobQueue) -> None:
    def function() -> None:
        app.info("so far")
        raise ValueError("hoarse\nand tired")

    job_id = queue.submit(Job("sing", "f", max_attempts=1))
    with Worker(queue.db_path, handlers={"f": function}, capture_logs=True) as worker:
        worker.process_one()
    outcome = run("logs", job_id, "-f")
    assert outcome.code == 1
    assert outcome.out.endswith("INFO app: so far\n")
    assert outcome.err == f"gigq: job {job_id} (sing) ended as failed: ValueError: hoarse\\nand tired\n"
    as_json = run("logs", job_id, "-f", "--json", "--attempt", "1")
    (line,) = as_json.out.splitlines()
    assert as_json.code == 1
    assert {key: value for key, value in json.loads(line).items() if key != "log"} == {
        "attempt": 1, "status": "failed", "worker_id": queue.get_status(job_id)["worker_id"],
    }  # fmt: skip
    assert json.loads(line)["log"].endswith("so far\n")
    missing = run("logs", job_id, "-f", "--attempt", "2")
    assert (missing.code, missing.out) == (1, "")
    assert f"job {job_id} has no attempt 2" in missing.err


def test_following_a_job_without_a_log_says_why_there_is_none(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions:nothing"))
    run("worker", "--once")
    outcome = run("logs", job_id, "-f")
    assert (outcome.code, outcome.out) == (0, "")
    assert "has no log: it has logged nothing, or its worker was started without --capture-logs" in outcome.err


def test_secrets_in_a_log_are_hidden_unless_they_are_asked_for(run: Run, queue: JobQueue) -> None:
    def function() -> None:
        app.info("password=hunter2 user=ann")

    job_id = queue.submit(Job("job", "f"))
    with Worker(queue.db_path, handlers={"f": function}, capture_logs=True) as worker:
        worker.process_one()
    for words in ([], ["-f"], ["--json"], ["-f", "--json"], ["--tail", "1"]):
        shown = run("logs", job_id, *words).out
        assert "hunter2" not in shown
        assert "user=ann" in shown
        assert "hunter2" in run("logs", job_id, *words, "--show-secrets").out


def test_tail_shows_the_last_lines_of_all_attempts(run: Run, queue: JobQueue) -> None:
    def function() -> None:
        for number in range(5):
            app.info("line %d", number)

    job_id = queue.submit(Job("job", "f"))
    with Worker(queue.db_path, handlers={"f": function}, capture_logs=True) as worker:
        worker.process_one()
    for words in (["logs", job_id, "--tail", "2"], ["logs", job_id, "--tail", "2", "-f"]):
        assert [line[-6:] for line in run(*words).out.splitlines()] == ["line 3", "line 4"]
    assert run("logs", job_id, "--tail", "1", "--json").json[0]["log"].endswith("line 4\n")
    assert run("logs", job_id, "--tail", "-1").code == 2


def test_a_deleted_job_is_followed_no_longer(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "f"))
    thread = threading.Timer(0.1, lambda: queue.cancel(job_id) and queue.delete_jobs(status="cancelled"))
    thread.start()
    outcome = run("logs", job_id, "-f")
    thread.join()
    assert outcome.code == 1
    assert "ended as cancelled" in outcome.err or "no job" in outcome.err or "not found" in outcome.err


def test_ctrl_c_and_a_reader_that_goes_away_end_following(queue: JobQueue, spawn: Spawn) -> None:
    job_id = queue.submit(Job("job", "f"))
    interrupted, unread = spawn("logs", job_id, "-f"), spawn("logs", job_id, "-f")
    for each in (interrupted, unread):
        assert each.stderr is not None
        assert "has not started" in each.stderr.readline()
    interrupted.send_signal(signal.SIGINT)
    assert unread.stdout is not None
    unread.stdout.close()
    assert (interrupted.wait(PATIENCE), unread.wait(PATIENCE)) == (130, 0)
