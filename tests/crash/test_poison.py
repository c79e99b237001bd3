"""A job that brings its worker down uses up its own attempts, and makes no other job fail."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path

import functions
import pytest
from outside import PATIENCE, Meeting, WorkerProcess

from gigq import Job, JobQueue, JobRecord

Start = Callable[..., WorkerProcess]

KILLED = -int(signal.SIGKILL)


def deaths(start: Start, **options: object) -> list[int]:
    """Replace each worker that dies until one ends because nothing is left, and return how the others ended."""
    codes: list[int] = []
    while code := start(burst=True, **options).wait_for_the_end()[0]:
        codes.append(code)
        assert len(codes) < 20
    return codes


def ends(record: JobRecord) -> list[str]:
    return [each.status.value for each in record.executions]


@pytest.mark.parametrize(("number", "code"), [(0, 9), (int(signal.SIGKILL), KILLED)], ids=["exit", "kill"])
def test_a_job_that_kills_its_worker_fails_after_its_attempts_and_no_other_job_does(
    queue: JobQueue, start: Start, tmp_path: Path, number: int, code: int
) -> None:
    """With one slot. With several, jobs that run next to it in the same process do die with it."""
    trace, deadly = tmp_path / "trace", tmp_path / "deadly"
    poison = Job("poison", functions.die, {"trace": str(deadly), "number": number}, max_attempts=3)
    good = [Job("good", functions.append, {"path": str(trace), "line": str(each)}) for each in range(600)]
    queue.submit_many([*good[:300], poison, *good[300:]])
    assert deaths(start) == [code] * 3
    ended = queue.wait(poison.id)
    assert (ended.status, ended.attempts, ends(ended)) == ("failed", 3, ["lost"] * 3)
    assert ended.error == "its worker ann died"
    assert deadly.read_text() == "dies\n" * 3
    records = queue.wait([job.id for job in good])
    assert {record.status for record in records} == {"completed"}
    lost = sum(ends(record).count("lost") for record in records)
    assert lost <= 3, "at most the one that had the slot before it and was not settled yet; none that was reserved"
    assert set(trace.read_text().split()) == {str(each) for each in range(600)}


def test_jobs_that_run_next_to_two_that_kill_their_worker_complete_at_their_last_attempt(
    queue: JobQueue, start: Start, tmp_path: Path, meeting_of: Callable[[str], Meeting]
) -> None:
    trace = str(tmp_path / "trace")
    poisons = [
        Job(name, functions.meet_and_die, meeting_of(name).params | {"trace": trace, "number": number})
        for name, number in (("first", 0), ("second", int(signal.SIGKILL)))
    ]
    good = [Job(name, functions.meet, meeting_of(name).params) for name in ("third", "fourth")]
    quick = [Job("quick", functions.nothing) for _ in range(20)]
    queue.submit_many([*poisons, *good, *quick])
    for striking, code in (("first", 9), ("second", KILLED)):
        worker = start(concurrency=4)
        for job in (*poisons, *good):
            meeting_of(job.name).arrival()
        meeting_of(striking).let_go()
        assert worker.wait_for_the_end()[0] == code
    for striking, code in (("first", 9), ("second", KILLED)):
        worker = start(concurrency=4)
        meeting_of(striking).arrival()
        meeting_of(striking).let_go()
        assert worker.wait_for_the_end()[0] == code
    for job in good:
        meeting_of(job.name).let_go()
    assert deaths(start, concurrency=4) == []
    for record in queue.wait([job.id for job in poisons]):
        assert (record.status, record.error, ends(record)) == ("failed", "its worker ann died", ["lost"] * 3)
    assert [ends(record) for record in queue.wait([job.id for job in good])] == [["lost", "lost", "completed"]] * 2
    assert {(each.status, each.attempts) for each in queue.wait([job.id for job in quick])} == {("completed", 1)}


@pytest.mark.parametrize("concurrency", [2, 4])
def test_jobs_that_kill_their_worker_fail_anywhere_among_quick_jobs_and_no_other_does(
    queue: JobQueue, start: Start, tmp_path: Path, concurrency: int
) -> None:
    seed = random.randrange(10**6)
    trace, deadly = tmp_path / "trace", tmp_path / "deadly"
    poisons = [Job("poison", functions.die, {"trace": str(deadly), "number": n}) for n in (0, int(signal.SIGKILL))]
    good = [Job("good", functions.append, {"path": str(trace), "line": str(each)}) for each in range(100)]
    jobs = [*poisons, *good]
    random.Random(seed).shuffle(jobs)
    queue.submit_many(jobs)
    assert 3 <= len(deaths(start, concurrency=concurrency)) <= 6, f"seed {seed}"
    assert [ends(record) for record in queue.wait([job.id for job in poisons])] == [["lost"] * 3] * 2, f"seed {seed}"
    records = queue.wait([job.id for job in good], timeout=PATIENCE)
    assert {record.status for record in records} == {"completed"}, f"seed {seed}"
    assert set(trace.read_text().split()) == {str(each) for each in range(100)}


def test_a_function_that_dies_on_one_input_is_started_at_most_once_more_than_allowed(
    queue: JobQueue, start: Start, tmp_path: Path
) -> None:
    """It may be claimed ahead, because it has returned for other inputs, and an unwritten start does not count."""
    trace = tmp_path / "trace"
    jobs = [
        Job("job", functions.die_of, {"line": str(each), "poison": "50", "path": str(trace)}) for each in range(100)
    ]
    queue.submit_many(jobs)
    assert len(deaths(start)) <= 4
    records = queue.wait([job.id for job in jobs])
    assert [record.params["line"] for record in records if record.status == "failed"] == ["50"]
    assert {record.status for record in records} == {"completed", "failed"}
    assert ends(records[50]).count("lost") == 3
    assert trace.read_text().split().count("50") <= 4
