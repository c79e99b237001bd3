"""`gigq worker`."""

from __future__ import annotations

import json
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
    assert queue.stats()["completed"] == 1


def test_once_without_a_ready_job_says_so_and_succeeds(run: Run, queue: JobQueue) -> None:
    outcome = run("worker", "--once")

    assert (outcome.code, outcome.out, outcome.err) == (0, "", "gigq: no job is ready\n")


def test_a_failing_job_does_not_fail_the_worker(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("break", "functions.fail", max_attempts=1))

    assert run("worker", "--once").code == 0
    assert queue.stats()["failed"] == 1


def test_a_worker_serves_only_its_queues(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("sum", "functions.add", {"a": 1}, queue="other"))

    assert "no job is ready" in run("worker", "--once", "--queue", "default").err
    assert run("worker", "--once", "--queue", "default", "--queue", "other").err == ""


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
    assert "may not import 'os.getcwd'" in queue.get_status(foreign)["error"]


def test_a_burst_ends_when_no_job_is_left(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("sum", "functions.add", {"a": 1}) for _ in range(3)])

    assert run("worker", "--burst", "--json", "--worker-id", "w1").json == {"worker_id": "w1"}
    assert queue.stats()["completed"] == 3


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

    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "max_jobs" in outcome.err


def test_once_and_burst_exclude_each_other(run: Run, queue: JobQueue) -> None:
    outcome = run("worker", "--once", "--burst")

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "not allowed with argument --once" in outcome.err


def test_a_bad_lease_is_one_line_of_error(run: Run, queue: JobQueue) -> None:
    outcome = run("worker", "--once", "--lease", "0.5")

    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "lease" in outcome.err


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
    assert "INFO gigq.cli: worker w1 has stopped" in worker.stderr.read()


def test_a_stopped_worker_gives_its_running_job_back(spawn: Run, queue: JobQueue, gate: Path) -> None:
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    worker = spawn("worker", "--shutdown-timeout", "0")
    gate.read_text()

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=PATIENCE) == 0
    assert (queue.get_status(job_id)["status"], queue.get_status(job_id)["attempts"]) == ("pending", 0)


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

    assert out == ""
    assert "INFO gigq.worker: job" in err
