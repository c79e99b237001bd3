"""`gigq worker`."""

from __future__ import annotations

import json
import logging
import os
import pty
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, JobStatus

Run = Callable[..., Any]

PATIENCE = 60

"""Seconds after which a test that waits for another process has failed."""


def test_once_runs_one_job(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("sum", "functions.add", {"a": 1}) for _ in range(2)])

    assert run("worker", "--once", "--json", "--worker-id", "w1").json == {"worker_id": "w1", "ran": True}
    assert run("worker", "--once").out == "Processed one job.\n"
    assert queue.stats()["completed"] == 2


def test_once_without_a_ready_job_says_so_and_succeeds(run: Run, queue: JobQueue) -> None:
    outcome = run("worker", "--once", "--log-level", "warning")

    assert (outcome.code, outcome.out, outcome.err) == (0, "No jobs available to process.\n", "")


def test_a_failing_job_does_not_fail_the_worker(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("break", "functions.fail", max_attempts=1))

    assert run("worker", "--once").code == 0
    assert queue.stats()["failed"] == 1


def test_a_worker_serves_only_its_queues(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("sum", "functions.add", {"a": 1}, queue="other"))

    assert run("worker", "--once", "--queue", "default").out == "No jobs available to process.\n"
    assert run("worker", "--once", "--queue", "default", "--queue", "other").out == "Processed one job.\n"


def test_the_environment_sets_the_options_of_the_worker(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGQ_WORKER_ID", "w7")
    monkeypatch.setenv("GIGQ_POLLING_INTERVAL", "2s")
    monkeypatch.setenv("GIGQ_CONCURRENCY", "3")

    assert run("worker", "--once", "--json").json["worker_id"] == "w7"


def test_a_worker_imports_only_allowed_modules(run: Run, queue: JobQueue) -> None:
    allowed = queue.submit(Job("sum", "functions.add", {"a": 1}))
    foreign = queue.submit(Job("where", "os.getcwd", max_attempts=1))

    run("worker", "--burst", "--allow", "functions", "--allow", "chores.")

    assert queue.get_status(allowed)["status"] == "completed"
    assert queue.get_status(foreign)["status"] == "pending"
    assert "cannot find 'os.getcwd': the worker may not import it; allow its module" in queue.why(foreign)[0]


def test_a_burst_ends_when_no_job_is_left(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("sum", "functions.add", {"a": 1}) for _ in range(3)])

    assert run("worker", "--burst", "--json", "--worker-id", "w1").json["completed"] == 3
    assert queue.stats()["completed"] == 3


def test_a_worker_whose_job_has_closed_standard_output_ends_as_any_other(
    spawn: Run, queue: JobQueue, tmp_path: Path
) -> None:
    (tmp_path / "closing.py").write_text("import sys\ndef close():\n    sys.stdout.close()\n")
    queue.submit(Job("close", "closing.close"))

    worker = spawn("worker", "--burst", cwd=tmp_path)

    assert (worker.wait(timeout=PATIENCE), queue.stats()["completed"]) == (0, 1), worker.stderr.read()


def test_max_jobs_1_gives_each_job_a_new_child_process(spawn: Run, queue: JobQueue) -> None:
    ids = queue.submit_many([Job("whose", "os.getpid") for _ in range(2)])

    worker = spawn("worker", "--burst", "--mode", "process", "--max-jobs", "1")

    assert worker.wait(timeout=PATIENCE) == 0
    assert len({worker.pid, *(queue.get_result(each) for each in ids)}) == 3


@pytest.mark.usefixtures("chores")
def test_a_child_process_imports_from_the_current_directory(spawn: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("tidy", "chores.tidy"))

    spawn("worker", "--burst", "--mode", "process").wait(timeout=PATIENCE)

    assert queue.get_result(job_id) == "tidy"


def test_max_jobs_needs_the_process_mode(run: Run, queue: JobQueue) -> None:
    outcome = run("worker", "--burst", "--max-jobs", "5")

    assert (outcome.code, outcome.err) == (2, "gigq: --max-jobs goes with --mode process\n")


def test_once_and_burst_exclude_each_other(run: Run, queue: JobQueue) -> None:
    outcome = run("worker", "--once", "--burst")

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "not allowed with --once" in outcome.err


def test_a_bad_lease_is_one_line_of_error(run: Run, queue: JobQueue) -> None:
    outcome = run("worker", "--once", "--lease", "0.5")

    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "--lease is 0.5; it must be a number from 1 to" in outcome.err


@pytest.mark.usefixtures("chores")
def test_functions_are_imported_from_the_current_directory_first(run: Run, queue: JobQueue, tmp_path: Path) -> None:
    job_id = queue.submit(Job("tidy", "chores.tidy"))

    run("worker", "--once")

    assert queue.result(job_id, timeout=PATIENCE) == "tidy"
    assert sys.path[0] == str(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_worker_with_code_0(spawn: Run, queue: JobQueue, number: signal.Signals) -> None:
    worker = spawn("worker", "--json", "--worker-id", "w1")
    assert json.loads(worker.stdout.readline()) == {"worker_id": "w1"}
    queue.wait(queue.submit(Job("sum", "functions.add", {"a": 1})), timeout=PATIENCE)

    worker.send_signal(number)

    assert worker.wait(timeout=PATIENCE) == 0
    lines = worker.stderr.read().splitlines()
    assert " INFO gigq.worker: worker w1 started: gigq " in lines[0]
    assert " INFO gigq.worker: worker w1 finished after " in lines[-1]
    assert lines[-1].endswith(": 1 completed, 0 failed")


def test_a_stopped_worker_gives_its_running_job_back(spawn: Run, queue: JobQueue, gate: Path) -> None:
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    worker = spawn("worker", "--shutdown-timeout", "0")
    gate.read_text()

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=PATIENCE) == 0
    assert (queue.get_status(job_id)["status"], queue.get_status(job_id)["attempts"]) == ("pending", 0)
    assert f"INFO gigq.worker: job {job_id} (rest) given back, attempt 1 of 3, which" in worker.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_makes_worker_once_give_its_job_back(
    spawn: Run, queue: JobQueue, gate: Path, number: signal.Signals
) -> None:
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    worker = spawn("worker", "--once")
    gate.read_text()

    worker.send_signal(number)

    assert worker.wait(timeout=PATIENCE) == 0
    assert (queue.get_status(job_id)["status"], queue.get_status(job_id)["attempts"]) == ("pending", 0)
    assert queue.workers() == []


@pytest.mark.parametrize("option", ["-c", "--concurrency"])
def test_several_jobs_run_at_a_time(spawn: Run, queue: JobQueue, gate: Path, option: str) -> None:
    ends = ("chores.read", "chores.open_gate")  # each waits for the other
    ids = queue.submit_many([Job(function, function, {"gate": str(gate)}) for function in ends])

    spawn("worker", option, "2")

    assert {job.status for job in queue.wait(ids, timeout=PATIENCE)} == {JobStatus.COMPLETED}


def test_the_log_is_on_standard_error(spawn: Run, queue: JobQueue) -> None:
    queue.submit(Job("sum", "functions.add", {"a": 1}))

    out, err = spawn("worker", "--once").communicate()

    assert out == "Processed one job.\n"
    assert "INFO gigq.worker: job" in err


def logged(run: Run, *words: str) -> list[dict[str, Any]]:
    """The log of a worker that runs what it can, as JSON."""
    return [json.loads(line) for line in run("worker", "--burst", "--log-format", "json", *words).err.splitlines()]


def test_the_log_as_json_has_one_object_a_line_with_what_programs_look_for(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("break", "functions.fail", {"message": "bad\n\x1b"}, max_attempts=1, queue="q"))

    started, failed, finished = logged(run, "--worker-id", "w1")

    assert (started["level"], started["worker_id"], "traceback" in failed) == ("INFO", "w1", False)
    assert failed.pop("time").endswith("Z")
    assert 0 <= failed.pop("duration") < PATIENCE
    assert f"job {job_id} (break) failed, attempt 1 of 1, after " in failed.pop("message")
    assert failed == {
        "level": "WARNING", "logger": "gigq.worker", "worker_id": "w1", "job_id": job_id, "name": "break",
        "queue": "q", "function": "functions.fail", "attempt": 1, "max_attempts": 1, "status": "failed",
        "error_type": "ValueError", "error": "ValueError: bad\n\x1b",
    }  # fmt: skip
    assert [finished[each] for each in ("completed", "failed", "released")] == [0, 1, 0]


@pytest.mark.parametrize("words", [["-v"], ["--verbose"], ["--log-level", "debug"]])
def test_the_traceback_is_logged_where_more_is_asked_for(run: Run, queue: JobQueue, words: list[str]) -> None:
    for _ in range(2):
        queue.submit(Job("break", "functions.fail", {"message": "bad \x1b"}, max_attempts=1))

    lines = run("worker", "--once", *words).err.splitlines()

    assert "Traceback (most recent call last):" in lines
    assert lines[-2] == "ValueError: bad \\x1b"
    assert "Traceback" in logged(run, *words)[1]["traceback"]


def test_a_log_of_warnings_has_only_what_goes_wrong_for_good(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("good", "functions.nothing"), Job("bad", "functions.fail", max_attempts=3)])

    (line,) = run("worker", "--burst", "--log-level", "warning").err.splitlines()

    assert " WARNING gigq.worker: job " in line
    assert "failed, attempt 3 of 3" in line


def test_a_worker_whose_log_nobody_reads_runs_its_jobs_and_ends_when_it_is_told_to(spawn: Run, queue: JobQueue) -> None:
    terminal, end_of_worker = pty.openpty()
    worker = spawn("worker", "--shutdown-timeout", "20s", stderr=end_of_worker, stdin=end_of_worker)
    assert b" started: " in os.read(terminal, 1000)
    os.write(terminal, b"\x13")  # Ctrl-S: it takes nothing more, as a full pipe that nobody reads
    ids = queue.submit_many(Job("fail", "functions.fail", max_attempts=1) for _ in range(10))
    queue.wait(ids, timeout=PATIENCE)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=15) == 0
    assert queue.workers() == []
    os.close(terminal)
    os.close(end_of_worker)


@pytest.mark.parametrize("which", ["stdout", "stderr"])
def test_a_worker_whose_reader_has_gone_runs_its_jobs(spawn: Run, queue: JobQueue, which: str) -> None:
    worker = spawn("worker", "--json")
    getattr(worker, which).close()
    queue.wait(queue.submit(Job("sum", "functions.add", {"a": 1})), timeout=PATIENCE)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=PATIENCE) == 0


CHATTY = """
import logging
import gigq
{}
def chat():
    logging.getLogger(__name__).warning("hello from the job")
"""


@pytest.mark.parametrize("mode", ["thread", "process"])
@pytest.mark.parametrize(
    ("set_up", "hello"),
    [
        ("", "hello from the job"),
        ("logging.basicConfig(format='MINE %(message)s')", "MINE hello from the job"),
        ("gigq.setup_logging(); logging.basicConfig(format='MINE %(message)s')", "MINE hello from the job"),
    ],
)
def test_the_logging_of_the_module_of_a_job_is_heard_and_nothing_is_printed_twice(
    spawn: Run, queue: JobQueue, tmp_path: Path, set_up: str, hello: str, mode: str
) -> None:
    (tmp_path / "chatty.py").write_text(CHATTY.format(set_up))
    job_id = queue.submit(Job("chat", "chatty.chat"))

    _, log = spawn("worker", "--burst", "--capture-logs", "--mode", mode).communicate(timeout=PATIENCE)

    assert [line.endswith(hello) for line in log.splitlines() if "hello" in line] == [True]
    assert (" WARNING chatty: hello" in log) == (set_up == "" and mode == "thread")  # as the worker's own lines are
    assert log.count("MINE") == ("MINE" in hello)
    assert len([line for line in log.splitlines() if job_id in line]) == 1


def test_the_command_leaves_the_logging_of_its_process_as_it_was(run: Run, queue: JobQueue) -> None:
    package = logging.getLogger("gigq")

    def state() -> object:
        is_told = logging.getLogger("gigq.worker").isEnabledFor(logging.INFO)
        return (*package.handlers, package.level, package.propagate, logging.root.level, logging.lastResort, is_told)

    before = state()
    run("worker", "--once", "--capture-logs", "-v")
    assert state() == before
