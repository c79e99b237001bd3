"""`gigq workers`, `gigq scale`, `gigq stop` and `gigq recover`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, JobStatus, Worker
from gigq.process import this_process
from gigq.store import workers

Run = Callable[..., Any]

PATIENCE = 60

"""Seconds after which a test that waits for another process has failed."""


@pytest.fixture
def here(path: str) -> Iterator[Worker]:
    """A worker of this process: entered in the file, and running nothing."""
    with Worker(path, "here", queues=["red", "blue"]) as worker:
        worker.process_one()
        yield worker


@pytest.fixture
def start(spawn: Run, queue: JobQueue) -> Run:
    """Starts a worker as a process of its own, and returns when it is at work."""

    def start(worker_id: str, *words: str) -> Any:
        process = spawn("worker", "--worker-id", worker_id, "--queue", worker_id, "--queue", "default", *words)
        queue.wait(queue.submit(Job("sum", "functions.add", {"a": 1}, queue=worker_id)), timeout=PATIENCE)
        return process

    return start


def test_what_a_worker_cannot_find_is_listed_below_the_table(run: Run, queue: JobQueue, here: Worker) -> None:
    queue.submit(Job("lost", "no_such_module:f", queue="red"))
    assert not here.process_one()

    reason = "ModuleNotFoundError: No module named 'no_such_module'"
    assert run("workers").out.splitlines()[2:] == [f"Worker here cannot find no_such_module:f: {reason}"]
    assert run("workers", "--json").json[0]["missing"] == {"no_such_module:f": reason}


def test_a_worker_that_can_start_no_job_is_named_below_the_table(run: Run, queue: JobQueue) -> None:
    with queue.database.write() as tx:
        workers.renew(tx, workers.register(tx, "ann", this_process(), concurrency=1), trouble="no memory")

    assert run("workers").out.splitlines()[2:] == ["Worker ann can start no job: no memory"]


@pytest.mark.usefixtures("here")
def test_workers_are_listed_as_a_table(run: Run) -> None:
    title, row = run("workers").out.splitlines()

    assert title.split() == ["id", "mode", "slots", "free", "running", "completed", "failed", "queues", "pid", "seen", "state"]
    assert row.split()[:9] == ["here", "thread", "1", "1", "0", "0", "0", "red,", "blue"]
    assert row.split()[-2].endswith("s") and row.endswith("alive")


@pytest.mark.usefixtures("here")
def test_workers_as_json_are_those_of_the_library(run: Run, queue: JobQueue) -> None:
    assert run("workers", "--json").json == [worker.as_dict() for worker in queue.workers()]


@pytest.mark.parametrize(("words", "wish"), [([], "stopping"), (["--now"], "now")])
@pytest.mark.usefixtures("here")
def test_the_list_shows_that_a_worker_was_asked_to_stop(run: Run, words: list[str], wish: str) -> None:
    assert run("stop", *words, "--all", "--yes").out == "Workers asked to stop: 1\n"
    assert run("workers").out.splitlines()[1].split()[-1] == wish


@pytest.mark.parametrize("command", [["scale", "2"], ["stop"]])
@pytest.mark.usefixtures("here")
def test_all_workers_are_scaled_or_stopped_only_if_that_is_meant(run: Run, queue: JobQueue, command: list[str]) -> None:
    refused, unasked, dry = run(*command), run(*command, "--all"), run(*command, "--all", "--dry-run")

    assert (refused.code, refused.err) == (2, "gigq: give --worker ID; or --all\n")
    assert (unasked.code, unasked.out) == (4, "")
    assert dry.out == f"This would {command[0]} 1 worker:\n  here: 0 of 1 slots taken\n"
    assert [(worker.stop, worker.concurrency) for worker in queue.workers()] == [(None, 1)]


def test_a_file_without_workers_is_an_empty_list(run: Run, queue: JobQueue) -> None:
    assert run("workers", "--json").json == []
    assert len(run("workers").out.splitlines()) == 1


@pytest.mark.parametrize("command", [["scale", "2"], ["stop"], ["stop", "--now"]])
def test_scale_and_stop_without_a_worker_are_errors(run: Run, queue: JobQueue, path: str, command: list[str]) -> None:
    outcome = run(*command, "--all")

    assert (outcome.code, outcome.out, outcome.err) == (1, "", f"gigq: there is no worker at {path!r}\n")


@pytest.mark.parametrize("command", [["scale", "2"], ["stop"]])
@pytest.mark.usefixtures("here")
def test_scale_and_stop_of_an_unknown_worker_are_errors(run: Run, queue: JobQueue, command: list[str]) -> None:
    outcome = run(*command, "--worker", "her")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "gigq: no worker has the id 'her'; `gigq workers` lists all\n"
    assert [worker.stop for worker in queue.workers()] == [None]


@pytest.mark.parametrize("words", [[], ["0"], ["many"], ["-1"]])
def test_scale_needs_a_number_of_at_least_1(run: Run, queue: JobQueue, words: list[str]) -> None:
    outcome = run("scale", *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


@pytest.mark.usefixtures("here")
def test_scale_and_stop_as_json_are_what_was_asked(run: Run) -> None:
    assert run("scale", "2", "--all", "--yes", "--json").json == {"asked": 1, "concurrency": 2}
    assert run("stop", "--worker", "here", "--json").json == {"asked": 1, "graceful": True}


def test_stop_stops_a_worker_of_another_process(run: Run, start: Run, queue: JobQueue) -> None:
    worker = start("w1")

    assert run("stop", "--all", "--yes").out == "Workers asked to stop: 1\n"
    assert worker.wait(timeout=PATIENCE) == 0
    assert queue.workers() == []


def test_stop_with_an_id_stops_only_that_worker(run: Run, start: Run, queue: JobQueue) -> None:
    first, _ = start("w1"), start("w2")

    run("stop", "--worker", "w1")

    assert first.wait(timeout=PATIENCE) == 0
    assert [(worker.id, worker.stop) for worker in queue.workers()] == [("w2", None)]


def test_stop_now_gives_running_jobs_back(run: Run, start: Run, queue: JobQueue, gate: Path) -> None:
    worker = start("w1")
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    gate.read_text()

    run("stop", "--now", "--all", "--yes")

    assert worker.wait(timeout=PATIENCE) == 0
    assert (queue.get_status(job_id)["status"], queue.get_status(job_id)["attempts"]) == ("pending", 0)


def test_scale_gives_a_worker_more_slots(run: Run, start: Run, queue: JobQueue, gate: Path) -> None:
    start("w1")
    ends = ("chores.read", "chores.open_gate")  # each waits for the other
    ids = queue.submit_many([Job(function, function, {"gate": str(gate)}) for function in ends])

    assert run("scale", "2", "--worker", "w1").out == "Workers asked to run 2 at a time: 1\n"
    assert {job.status for job in queue.wait(ids, timeout=PATIENCE)} == {JobStatus.COMPLETED}
    assert [worker.concurrency for worker in queue.workers()] == [2]


def test_recover_takes_the_jobs_of_a_dead_worker_back(run: Run, start: Run, queue: JobQueue, gate: Path) -> None:
    worker = start("w1")
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    gate.read_text()
    worker.kill()
    worker.wait()

    assert run("recover", "--dry-run", "-q").out == f"{job_id}\n"
    assert run("recover").out == "Jobs recovered: 1\n"
    assert (queue.get_status(job_id)["status"], queue.get_status(job_id)["attempts"]) == ("pending", 1)
    assert queue.workers() == []


def test_recover_takes_the_jobs_of_a_living_worker_only_by_age(
    run: Run, start: Run, queue: JobQueue, gate: Path
) -> None:
    start("w1")
    queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}, max_attempts=1))
    gate.read_text()

    assert run("recover", "--json").json == {"recovered": 0}
    assert run("recover", "--older-than", "1h", "--yes", "--json").json == {"recovered": 0}
    held = run("recover", "--older-than", "0", "--dry-run").out.splitlines()
    assert (held[0], "rest, for " in held[1]) == ("This would recover 1 job:", True)
    assert run("recover", "--older-than", "0").code == 4
    assert run("recover", "--older-than", "0", "--yes", "--json").json == {"recovered": 1}
    assert queue.stats()["failed"] == 1


def test_recover_takes_any_age(run: Run, queue: JobQueue) -> None:
    assert run("recover", "--older-than", "9999999d", "--yes", "--json").json == {"recovered": 0}


def test_where_there_is_no_worker_no_queue_and_no_schedule_a_sentence_says_so(run: Run, queue: JobQueue) -> None:
    assert run("workers").out == "There is no worker; `gigq worker` starts one.\n"
    assert run("queues").out == "No queue has unfinished jobs, a limit or a pause.\n"
    assert run("schedule", "list").out == "No schedules found.\n"
    assert [run(*words, "--json").json for words in (["workers"], ["queues"], ["schedule", "list"])] == [[], [], []]
