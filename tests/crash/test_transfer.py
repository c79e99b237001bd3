"""Money that jobs move is neither lost nor doubled, whatever ends them, and wherever."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import bank
import pytest
from faults.sabotage import FAULTS
from outside import PATIENCE, Meeting, WorkerProcess
from running import Running

from gigq import Job, JobQueue, Worker
from gigq.testing import drain

Start = Callable[..., WorkerProcess]
MOVED = (100 - bank.MOVED, bank.MOVED)
UNTOUCHED = (100, 0)


@pytest.fixture
def evidence(tmp_path: Path) -> str:
    return str(tmp_path / "evidence")


def transfers(queue: JobQueue, evidence: str, places: list[int], how: str) -> list[str]:
    """Submit a transfer for each of these places, between accounts of its own."""
    bank.open_accounts(queue, len(places))
    return queue.submit_many(
        Job("transfer", bank.transfer, {"number": number, "evidence": evidence, "place": place, "how": how})
        for number, place in enumerate(places)
    )


def assert_moved_once(queue: JobQueue, ids: list[str], evidence: str) -> None:
    """Each has completed, the money was moved, and no step was called after it was remembered."""
    assert Counter(queue.get_status(job_id)["status"] for job_id in ids) == {"completed": len(ids)}
    assert bank.balances(queue) == [MOVED] * len(ids)
    remembered = bank.steps(queue)
    called = {tuple(line.split()) for line in Path(evidence).read_text().splitlines()}
    for job_id in ids:
        for step in ("quote", "tell"):
            attempts = {int(attempt) for job, name, attempt in called if (job, name) == (job_id, step)}
            assert attempts
            assert max(attempts) == remembered[job_id, step]


@pytest.fixture
def statements(tmp_path: Path, evidence: str) -> list[str]:
    """Those of the job's own connection in a transfer that nothing disturbs."""
    with JobQueue(tmp_path / "undisturbed.db") as queue:
        transfers(queue, f"{evidence}-undisturbed", [0], "nothing")
        drain(queue)
    found = bank.saboteurs[-1].statements
    assert found.count("COMMIT") > 4, "those of four writes, and of looks at what is remembered"
    return found


@pytest.mark.parametrize("how", FAULTS)
def test_any_statement_of_a_transfer_may_fail(
    queue: JobQueue, statements: list[str], evidence: str, how: str
) -> None:
    places = [place for place, sql in enumerate(statements, 1) if sql.split()[0] not in ("SELECT", "PRAGMA")]
    ids = transfers(queue, evidence, places, how)
    drain(queue)
    assert_moved_once(queue, ids, evidence)
    failed = Counter(queue.get_status(job_id)["attempts"] for job_id in ids)[2]
    assert failed > (5 if how == "locked" else 10), "who begins or commits waits where the file is locked"


def test_a_process_may_be_killed_at_any_statement_of_a_transfer(
    path: str, queue: JobQueue, statements: list[str], evidence: str
) -> None:
    writes = sum(map(bank.writes, statements))
    ids = transfers(queue, evidence, [*range(1, writes + 1)], "kill")
    with Worker(path, mode="process", concurrency=2, burst=True) as worker:
        worker.start()
    assert_moved_once(queue, ids, evidence)
    attempts = [queue.get_status(job_id)["attempts"] for job_id in ids]
    # After the last commit the process had completed its job, though it could not report that.
    assert attempts == [2] * (writes - 1) + [1]


# ways to run it


def by_drain(path: str, queue: JobQueue) -> None:
    assert drain(queue) == 1


def by_process_one(path: str, queue: JobQueue) -> None:
    with Worker(path) as worker:
        assert worker.process_one()
        assert not worker.process_one()


def by_hand(path: str, queue: JobQueue) -> None:
    claim = queue.dequeue()
    assert claim
    assert queue.execute_job(claim) == "completed"


def by_a_worker(mode: str) -> Callable[[str, JobQueue], None]:
    def work(path: str, queue: JobQueue) -> None:
        kinds: list[str] = []
        with Worker(path, mode=mode, burst=True, on_event=lambda event: kinds.append(event.kind)) as worker:
            worker.start()
        assert kinds == ["worker.started", "job.started", "job.completed", "worker.stopped"]

    return work


@pytest.mark.parametrize(
    "work", [by_drain, by_process_one, by_hand, by_a_worker("thread"), by_a_worker("process")],
    ids=["drain", "process_one", "execute_job", "threads", "processes"],
)
def test_it_is_the_same_however_the_job_is_run(
    path: str, queue: JobQueue, evidence: str, work: Callable[[str, JobQueue], None]
) -> None:
    (job_id,) = transfers(queue, evidence, [0], "kill")
    child = queue.submit(Job("child", "functions:collect", dependencies=[job_id], delay=3600))
    work(path, queue)
    assert_moved_once(queue, [job_id], evidence)
    status = queue.get_status(job_id)
    assert [each["status"] for each in status["executions"]] == ["completed"]
    assert status["started_at"] <= status["completed_at"]
    assert queue.get_status(child)["phase"] == "scheduled", "it waits for its time only"


# fencing


def said(evidence: str) -> set[str]:
    """What jobs have noted."""
    if not os.path.exists(evidence):
        return set()
    return {line.split()[1] for line in Path(evidence).read_text().splitlines()}


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_worker_that_wakes_after_its_lease_writes_nothing(
    queue: JobQueue, start: Start, meeting: Meeting, evidence: str, mode: str
) -> None:
    """In process mode its child processes go on while it is stopped, and write nothing either."""
    bank.open_accounts(queue, 1)
    params = {"evidence": evidence} | meeting.params
    ids = queue.submit_many(Job(verb, bank.late, {"verb": verb} | params) for verb in bank.VERBS)
    sleeper = start("sleeper", lease=1, mode=mode, concurrency=len(ids))
    for _ in ids:
        meeting.arrival()
    with queue.database.write():  # so that it does not hold the lock in its sleep
        sleeper.signal(signal.SIGSTOP)
        sleeper.wait_until_stopped()
    other = start("other", lease=1)
    assert [record.worker_id for record in queue.wait(ids, timeout=PATIENCE)] == ["other"] * len(ids)
    for _ in ids:
        meeting.let_go()
    if mode == "thread":
        sleeper.signal(signal.SIGCONT)
    refused = {f"{verb}:refused" for verb in bank.VERBS}
    sleeper.wait_until(lambda: said(evidence) >= refused)
    sleeper.signal(signal.SIGCONT)
    assert said(evidence) == refused
    assert (bank.balances(queue), bank.steps(queue)) == ([UNTOUCHED], {})
    assert queue.count(name="child") == 0
    assert {tuple(each.status for each in queue.wait(job_id).executions) for job_id in ids} == {("lost", "completed")}
    for worker in (sleeper, other):
        worker.end()


# the end of a job that has the lock


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_at_its_deadline_a_job_loses_the_lock_and_what_it_has_written(
    queue: JobQueue, run: Callable[..., Running], meeting: Meeting, mode: str
) -> None:
    """Although its worker is waiting for that lock."""
    bank.open_accounts(queue, 1)
    job_id = queue.submit(Job("holds", bank.hold_the_lock, meeting.params | {"limit": 60}, timeout=1, max_attempts=1))
    run(mode=mode)
    meeting.arrival()
    assert queue.wait(job_id, timeout=PATIENCE).status == "timeout"
    assert bank.balances(queue) == [UNTOUCHED]
    meeting.let_go()


def test_who_has_the_lock_completes_before_it_can_be_cancelled(
    queue: JobQueue, run: Callable[..., Running], meeting: Meeting
) -> None:
    bank.open_accounts(queue, 1)
    job_id = queue.submit(Job("holds", bank.hold_the_lock, meeting.params))
    run(concurrency=1)
    meeting.arrival()
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(queue.cancel(job_id, running=True)))
    thread.start()
    meeting.let_go()
    thread.join(PATIENCE)
    assert said == [False]
    assert queue.wait(job_id).result == "moved"
    assert bank.balances(queue) == [MOVED]


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_workers_that_wait_for_a_lent_lock_are_not_considered_dead(
    queue: JobQueue, run: Callable[..., Running], meeting: Meeting, mode: str
) -> None:
    bank.open_accounts(queue, 1)
    names = {"ann", "bea", "cem"}
    for name in names:
        run(worker_id=name, lease=1, mode=mode if name == "ann" else "thread", queues=[name])
    while {worker.id for worker in queue.workers()} != names:
        threading.Event().wait(0.01)
    job_id = queue.submit(Job("holds", bank.hold_the_lock, meeting.params, queue="ann"))
    meeting.arrival()
    threading.Event().wait(1.5)  # longer than the lease
    meeting.let_go()
    record = queue.wait(job_id, timeout=PATIENCE)
    assert [each.status for each in record.executions] == ["completed"]
    assert {worker.id for worker in queue.workers()} == names
