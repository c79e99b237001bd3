"""Waiting for jobs, one or ten thousand: what is looked at, what comes back, and where waiting would be in vain."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable

import functions
import pytest

from gigq import Job, JobFailed, JobNotFinished, JobNotFound, JobQueue, ManualClock, QueueGone, StoreError
from gigq.filters import Filters
from gigq.queue import waiting
from gigq.store.engine.joined import Joined, taking_part
from gigq.testing import drain


class Meanwhile(ManualClock):
    """Something that happens while a caller sleeps for the n-th time."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        super().__init__()
        self.acts = dict(enumerate(acts, 1))
        self.slept = 0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.slept += 1
        self.acts.pop(self.slept, lambda: None)()


def statements_of(queue: JobQueue) -> list[str]:
    """A list to which every statement of this thread will be added."""
    statements: list[str] = []
    with queue.database.read() as tx:
        tx.connection.set_trace_callback(statements.append)
    return statements


def looks(statements: list[str]) -> int:
    return sum("json_each" in each for each in statements)


def test_the_jobs_are_looked_at_only_when_something_was_committed(path: str, queue: JobQueue) -> None:
    acts = [lambda: queue.submit(Job("another", functions.nothing)), lambda: None, lambda: None, lambda: queue.cancel_jobs("pending")]
    with JobQueue(path, clock=Meanwhile(*acts)) as waiting:
        ids = waiting.submit_many(Job("job", functions.nothing) for _ in range(600))
        statements = statements_of(waiting)
        assert len(waiting.wait(ids)) == 600
    assert looks(statements) == 4  # at first, twice when something was committed, and for the records
    assert len(statements) < 40  # those that read 256 records at a time


@pytest.mark.parametrize("memory", [False, True])
def test_what_this_thread_commits_itself_meanwhile_is_seen_too(path: str, memory: bool) -> None:
    clock = Meanwhile(lambda: None, lambda: drain(queue))  # as in a signal handler
    with JobQueue(":memory:" if memory else path, clock=clock) as queue:
        assert queue.results([queue.enqueue(functions.add, 1)], timeout=5) == [1]
    assert clock.slept == 2


def test_what_another_thread_runs_in_a_queue_in_memory_is_seen() -> None:
    with JobQueue(":memory:") as queue:
        ids = [queue.enqueue(functions.add, number) for number in range(20)]
        other = threading.Thread(target=drain, args=[queue])
        other.start()
        assert queue.results(ids, timeout=20) == list(range(20))
        other.join()


def test_a_queue_that_only_looks_can_wait(path: str, queue: JobQueue) -> None:
    job = queue.enqueue(functions.add, 1)
    with JobQueue(path, read_only=True, clock=Meanwhile(lambda: None, lambda: drain(queue))) as reader:
        assert reader.result(job, timeout=5) == 1


def test_a_file_in_another_journal_mode_is_waited_for_too(path: str, queue: JobQueue) -> None:
    job = queue.enqueue(functions.add, 1)
    queue.close()
    with sqlite3.connect(path) as tool:
        tool.execute("PRAGMA journal_mode = DELETE")
    tool.close()

    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def hold() -> None:
        holder.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.02, holder.close).start()

    def run() -> None:
        with JobQueue(path) as other:
            drain(other)

    with JobQueue(path, read_only=True, clock=Meanwhile(lambda: None, hold, lambda: None, run)) as reader:
        assert reader.result(job, timeout=5) == 1


def test_a_file_that_is_deleted_is_not_waited_for_any_longer(path: str, queue: JobQueue) -> None:
    job = queue.submit(Job("job", functions.nothing))
    with JobQueue(path, clock=Meanwhile(lambda: os.remove(path))) as other, pytest.raises(QueueGone):
        other.wait(job)


def test_a_timeout_is_kept_to_the_millisecond(path: str) -> None:
    clock = Meanwhile()
    with JobQueue(path, clock=clock) as queue:
        job = queue.submit(Job("job", functions.nothing))
        with pytest.raises(JobNotFinished, match="had not ended after 5 s"):
            queue.results([job], timeout=5)
    assert clock.monotonic() == pytest.approx(5, abs=1e-6)


def test_the_pauses_grow_from_half_a_millisecond_to_ten(path: str) -> None:
    pauses: list[float] = []

    class Noting(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            pauses.append(seconds)

    with JobQueue(path, clock=Noting()) as queue, pytest.raises(JobNotFinished):
        queue.wait(queue.enqueue(functions.nothing), timeout=1)
    assert pauses[0] == 0.0005
    assert max(pauses) == 0.01
    assert sum(each < 0.01 for each in pauses) < 20


def test_looks_that_take_long_are_less_frequent(path: str, queue: JobQueue) -> None:
    class Busy(ManualClock):
        """Something is committed all the time, and each look takes 10 ms."""

        looks = 0

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            queue.submit(Job("another", functions.nothing))

        def take(self, statement: str) -> None:
            if "json_each" in statement:
                self.looks += 1
                self.advance(0.01)

    clock = Busy()
    with JobQueue(path, clock=clock) as waiting:
        job = waiting.submit(Job("job", functions.nothing))
        with waiting.database.read() as tx:
            tx.connection.set_trace_callback(clock.take)
        with pytest.raises(JobNotFinished):
            waiting.wait(job, timeout=1)
    assert 15 <= clock.looks <= 22


# results


def test_results_come_in_the_order_of_the_ids_and_as_often_as_they_are_asked_for(queue: JobQueue) -> None:
    ids = [queue.enqueue(functions.add, number) for number in range(30)]
    nothing = queue.enqueue(functions.nothing)
    drain(queue)
    assert queue.results([*reversed(ids), ids[5], nothing]) == [*reversed(range(30)), 5, None]
    assert queue.results(ids[7]) == [7]
    assert queue.results([]) == []
    assert queue.results(Job("job", functions.add, id=ids[3])) == [3]


def test_results_of_many_jobs_are_two_queries(queue: JobQueue) -> None:
    ids = queue.submit_many(Job("job", functions.add, {"a": number}) for number in range(60))
    drain(queue)
    statements = statements_of(queue)
    assert queue.results(ids) == list(range(60))
    assert looks(statements) == 2
    assert len(statements) < 8


def test_a_job_without_a_result_is_named_and_how_many_there_are(queue: JobQueue) -> None:
    good = queue.enqueue(functions.add, 1)
    bad, worse = (queue.submit(Job(name, functions.fail, max_attempts=1)) for name in ("bad", "worse"))
    drain(queue)
    gone = queue.submit(Job("gone", functions.nothing))
    queue.cancel(gone)
    with pytest.raises(JobFailed) as caught:
        queue.results([good, worse, bad, gone, bad])
    assert str(caught.value) == (
        f"3 of 4 jobs ended without a result: job {worse} (worse) ended as failed: ValueError: no"
    )
    assert (caught.value.job_id, caught.value.status, caught.value.error_type) == (worse, "failed", "ValueError")
    assert "in fail" in str(caught.value.traceback)
    with pytest.raises(JobFailed, match=rf"^job {gone} \(gone\) ended as cancelled: "):
        queue.results([gone])


def test_results_are_waited_for_until_all_have_ended(path: str, queue: JobQueue) -> None:
    bad = queue.submit(Job("bad", functions.fail, max_attempts=1))
    drain(queue)
    later = queue.submit(Job("later", functions.nothing))
    with pytest.raises(JobNotFinished, match=f"^1 of 2 jobs had not ended after 0 s: {later}"):
        queue.results([bad, later], timeout=0)
    with pytest.raises(JobNotFound, match="nobody"):
        queue.results([bad, "nobody"])


@pytest.mark.unsound
def test_a_result_that_somebody_has_spoilt_is_told_with_its_job(path: str, queue: JobQueue) -> None:
    good, job = (queue.enqueue(functions.add, number) for number in range(2))
    drain(queue)
    with sqlite3.connect(path) as tool:
        tool.execute("UPDATE jobs SET result = '{' WHERE id = ?", (str(job),))
    tool.close()
    with pytest.raises(StoreError, match=f"job '{job}' cannot be read: its result is '{{'"):
        queue.results([good, job])


# one of several


def test_any_returns_those_that_have_ended_as_soon_as_one_has(path: str, queue: JobQueue) -> None:
    first, second, third = (queue.submit(Job(name, functions.nothing)) for name in ("first", "second", "third"))
    with JobQueue(path, clock=Meanwhile(lambda: None, lambda: queue.cancel(second))) as waiting:
        assert [job.name for job in waiting.wait([first, second, third], timeout=60, any=True)] == ["second"]
        queue.cancel(first)
        assert [job.name for job in waiting.wait([first, second, third], any=True)] == ["first", "second"]
        assert waiting.wait([], any=True) == []
        assert waiting.wait(first, any=True).name == "first"


def test_any_gives_up_at_the_timeout_when_none_has_ended(open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue(clock=ManualClock())
    ids = [queue.enqueue(functions.nothing) for _ in range(2)]
    with pytest.raises(JobNotFinished, match="2 of 2 jobs had not ended after 5 s"):
        queue.wait(ids, timeout=5, any=True)


def test_how_many_have_ended_and_failed_is_told_and_how_each_ended(queue: JobQueue) -> None:
    told = list[tuple[int, int]]()
    bad = queue.submit(Job("bad", functions.fail, {"message": "broken"}, max_attempts=1))
    good = queue.submit(Job("good", functions.nothing))
    drain(queue)
    later = queue.submit(Job("later", functions.nothing))
    found = waiting.wait(
        queue.database, queue.clock, [good, later, bad], waiting.endings, any=True, told=lambda *now: told.append(now)
    )
    assert told == [(2, 1)]
    assert [tuple(each) for each in found] == [
        (good, "good", "completed", None),
        (bad, "bad", "failed", "ValueError: broken"),
    ]


def test_the_unfinished_jobs_that_pass_filters_can_be_waited_for(queue: JobQueue) -> None:
    queue.cancel(queue.submit(Job("over", functions.nothing, queue="mail")))
    ids = [queue.submit(Job("job", functions.nothing, queue="mail")) for _ in range(2)]
    queue.submit(Job("other", functions.nothing))
    assert waiting.unfinished(queue.database, Filters.of(queue="mail")) == ids
    with pytest.raises(ValueError, match="status is 'failed'; only pending and running jobs can be waited for"):
        waiting.unfinished(queue.database, Filters.of(status="failed"))


# where it would be in vain


def test_inside_a_transaction_of_this_thread_no_job_can_end(path: str, queue: JobQueue) -> None:
    done = queue.enqueue(functions.add, 1)
    drain(queue)
    job = queue.enqueue(functions.add, 2)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    with taking_part(Joined(connection, queue.database)), JobQueue(path) as other:
        assert queue.results([done]) == [1]
        for each in (queue, other):
            with pytest.raises(RuntimeError, match="this thread has a transaction open on .*; wait for jobs after it"):
                each.wait([done, job], timeout=60)
        with pytest.raises(JobNotFinished):
            queue.wait(job, timeout=0)
    connection.close()
    drain(queue)
    assert queue.results([done, job], timeout=0) == [1, 2]
