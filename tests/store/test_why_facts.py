"""The facts behind `JobQueue.why`; its sentences are in `tests/queue/test_why.py`."""

from __future__ import annotations

from datetime import timedelta

from store.test_plans import plans, scanned
from store.verbs import File

from gigq.status import ExecutionStatus
from gigq.store import workers
from gigq.store.queue_facts import UsedUpRate
from gigq.store.why import Facts, PendingFacts, RelatedJob, facts


def known(file: File, job_id: str) -> Facts:
    with file.queue.database.read() as tx:
        found = facts(tx, job_id, gone=[])
    assert found is not None
    return found


def waits_for(file: File, job_id: str) -> PendingFacts:
    found = known(file, job_id)
    assert found.pending is not None
    return found.pending


def test_of_an_unknown_job_nothing_is_known(file: File) -> None:
    with file.queue.database.read() as tx:
        assert facts(tx, "unknown", gone=[]) is None


def test_only_what_holds_a_queue_back_is_a_fact(file: File) -> None:
    file.queue.configure("default", max_running=1, rate_limit=1, rate_period=60)
    job = file.submit()
    free = waits_for(file, job).queue
    assert (free.is_paused, free.are_all_paused, free.max_running, free.rate) == (False, False, None, None)
    file.submit(priority=1)
    file.claim()
    file.queue.pause()
    held = waits_for(file, job).queue
    assert (held.is_paused, held.are_all_paused, held.max_running) == (False, True, 1)
    assert held.rate == UsedUpRate(1, 60.0, file.clock.now() + timedelta(seconds=60))


def test_unfinished_parents_are_counted_and_the_first_are_named(file: File) -> None:
    done = file.submit()
    file.complete(done)
    parents = [file.submit(f"p{number}") for number in range(4)]
    found = waits_for(file, file.submit(dependencies=[done, *parents]))
    assert found.blockers == 4
    assert found.parents == [RelatedJob(parent, f"p{number}", "pending") for number, parent in enumerate(parents[:3])]


def test_jobs_ahead_are_counted_for_a_ready_job_only(file: File) -> None:
    file.submit()
    assert waits_for(file, file.submit()).ahead == 1
    assert waits_for(file, file.submit(delay=60)).ahead == 0


def test_the_holder_of_a_running_job_is_a_fact_while_it_is_registered(file: File) -> None:
    job = file.submit()
    file.claim()
    holder = known(file, job).holder
    assert holder is not None
    assert holder.key == file.worker
    with file.write() as tx:
        workers.leave(tx, file.worker, reason="gone")
    (claim,) = file.claim()  # by a worker that is no longer registered
    assert known(file, job).holder is None
    file.settle(claim, ExecutionStatus.COMPLETED)


def test_the_root_of_a_cancellation_is_the_first_ancestor(file: File) -> None:
    root = file.submit("root")
    grandchild = file.submit(dependencies=[file.submit(dependencies=[root])])
    file.fail(root)
    assert known(file, grandchild).root == RelatedJob(root, "root", "failed")
    assert known(file, root).root is None


def test_no_fact_is_looked_for_in_a_whole_table(file: File) -> None:
    parent = file.submit()
    file.submit(dependencies=[parent], expires_at="2999-01-01T00:00:00Z")
    file.queue.configure("default", max_running=1, rate_limit=1)
    file.claim()
    file.submit()
    ids = [job["id"] for job in file.queue.list_jobs()]
    found = plans(file, lambda: [file.queue.why(job) for job in ids])
    assert len(found) > 10
    assert {table.split()[0] for plan in found.values() for table in scanned(plan)} == {"job_workers"}  # a few hundred


