"""Every public write: what must be in the file before it, and the write itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from store.verbs import SOMEWHERE, File, remember

from gigq import Job, JobQueue, ManualClock, Worker, Workflow
from gigq.claims import Claim
from gigq.clock import to_text
from gigq.codec import PARAMS_LIMIT
from gigq.errors import StoreError, TransactionTimeout
from gigq.job_ids import new_job_id
from gigq.new_job import NewJob
from gigq.queue.durable import opener
from gigq.queue.preparing import prepare
from gigq.reports import Progress, Report
from gigq.runtime.durable import JobStore, Terms
from gigq.status import ExecutionStatus
from gigq.steps import Place, Step
from gigq.store import claiming, manual, missing, progress, runs, schedules, waits, workers

Act = Callable[[], object]

NO_LIMIT = Terms(3600.0, TransactionTimeout)

OPERATIONS: dict[str, Callable[[File], Act]] = {}
"""Each prepares a file, and returns the operation, which can be repeated when it has failed."""

JOINED_OPERATIONS: dict[str, Callable[[File], Act]] = {}
"""The same, in the transaction of a caller, whose own statements may fail too and do not wait for the file."""

LONG_OPERATIONS: dict[str, Callable[[File], Act]] = {}
"""The same; they have hundreds of statements, of which only some are made to fail."""

DAMAGED = ("repair",)
"""What is done to a file that is not sound, and makes it sound."""

NOT_REPEATED = ("close",)
"""A queue that could not give back what it holds is closed nevertheless; the end of its process gives it back."""


def operation(arrange: Callable[[File], Act]) -> Callable[[File], Act]:
    OPERATIONS[arrange.__name__] = arrange
    return arrange


def long_operation(arrange: Callable[[File], Act]) -> Callable[[File], Act]:
    LONG_OPERATIONS[arrange.__name__] = arrange
    return arrange


def open_file(path: str, *, timeout: float = 0.0) -> File:
    """Open a queue in whose time nothing happens unless the operation moves it."""
    clock = ManualClock()
    return File(JobQueue(path, timeout=timeout, durability="normal", clock=clock), clock)


def job(name: str, function: str = "functions:nothing", **options: Any) -> Job:
    """A job whose id is its name, so that it is the same whenever it is made."""
    return Job(name, function, id=name, **options)


def family(file: File, **options: Any) -> None:
    """Submit a parent, children that are cancelled when it fails, and one that runs nevertheless."""
    file.queue.submit_many(
        [
            job("parent", **options),
            job("child", dependencies=["parent"], tags=["t"]),
            job("grandchild", dependencies=["child"]),
            job("heedless", dependencies=["parent"], on_parent_failure="run"),
        ]
    )


def claimed(file: File, **options: Any) -> Callable[..., Act]:
    """Submit and claim a parent; return what settles it."""
    family(file, **options)
    (claim,) = file.claim()
    report = {"error": "no", "progress": Progress(1, 2), "cursor": "7", "log": "a line\n"}

    def settling(status: ExecutionStatus, **more: Any) -> Act:
        return lambda: file.settle(claim, status, **report | more)

    return settling


def joined_operation(arrange: Callable[[File], Callable[[sqlite3.Connection], object]]) -> Any:
    """The verb is done between a caller's BEGIN and COMMIT, together with a change of the caller's own."""

    def arranged(file: File) -> Act:
        file.queue.submit(job("mine"))
        verb = arrange(file)

        def act() -> None:
            try:
                with closing(sqlite3.connect(file.queue.db_path, timeout=0, isolation_level=None)) as connection:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("UPDATE jobs SET description = 'mine' WHERE id = 'mine'")
                    verb(connection)
                    connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise StoreError(str(error)) from error

        return act

    JOINED_OPERATIONS[arrange.__name__] = arranged
    return arrange


# in transactions of callers


@operation
def own_transaction(file: File) -> Act:
    file.queue.submit(job("old"))

    def act() -> None:
        with file.queue.transaction() as db:
            try:
                db.execute("UPDATE jobs SET description = 'mine' WHERE id = 'old'")
            except sqlite3.Error as error:
                raise StoreError(str(error)) from error
            family(file)
            file.queue.cancel("old")

    return act


@joined_operation
def submit_joined(file: File) -> Callable[[sqlite3.Connection], object]:
    jobs = [job("a", tags=["t"]), job("b", dependencies=["a"]), job("c")]
    return lambda connection: file.queue.submit_many(jobs, connection=connection)


@joined_operation
def complete_joined(file: File) -> Callable[[sqlite3.Connection], object]:
    family(file)
    claim = file.queue.dequeue("ann")
    assert claim is not None
    return lambda connection: file.queue.complete(claim, 1, connection=connection)


@joined_operation
def block_joined(file: File) -> Callable[[sqlite3.Connection], object]:
    family(file)

    def act(connection: sqlite3.Connection) -> None:
        with file.queue.transaction(connection):
            file.queue.cancel("parent")
            file.queue.delete_job("grandchild")

    return act


# submit


@operation
def submit(file: File) -> Act:
    return lambda: file.queue.submit(job("new", tags=["a", "b"], metadata={"k": 1}, delay=60, expires_at="2027-01-01"))


@operation
def submit_child(file: File) -> Act:
    file.queue.submit_many([job("one"), job("two")])
    return lambda: file.queue.submit(job("child", dependencies=["one", "two"], tags=["t"], unique_key="k"))


@operation
def submit_child_of_failed(file: File) -> Act:
    family(file)
    file.fail("parent")
    return lambda: file.queue.submit(job("late", dependencies=["child"]))


@operation
def submit_many(file: File) -> Act:
    return lambda: file.queue.submit_many([job(str(number), tags=["t"]) for number in range(5)])


@operation
def submit_some_that_are_there(file: File) -> Act:
    """Two by their ids, among as many as one statement stores, and one by its key."""
    file.queue.submit_many([job("3"), job("5"), job("keyed", unique_key="k")])
    new = [*(job(str(number)) for number in range(50)), job("other", unique_key="k")]
    return lambda: file.queue.submit_many(new)


@operation
def submit_workflow(file: File) -> Act:
    flow = _diamond()
    flow.at_end(job("end"))
    return lambda: flow.submit_all(file.queue)


def _diamond() -> Workflow:
    flow = Workflow("diamond", id="flow")
    flow.chain(job("top"), [job("left"), job("right")], job("bottom", max_attempts=1))
    return flow


def _stored_diamond(file: File) -> Workflow:
    """A workflow with a job at its end, and one outside that waits for it."""
    flow = _diamond()
    flow.at_end(job("end"))
    flow.submit_all(file.queue)
    file.queue.submit(job("outside", dependencies=["end", "bottom"]))
    return flow


def _failed_diamond(file: File) -> Workflow:
    flow = _stored_diamond(file)
    file.complete("top")
    file.fail("left")
    file.complete("right")
    return flow


@operation
def add_to_workflow(file: File) -> Act:
    """Its last job has ended, and runs again after what is added; another job stands for one of that."""
    flow = _failed_diamond(file)
    file.complete("end")
    file.queue.submit(job("holder", unique_key="k"))
    flow.add_job(job("late"), depends_on=["right"])
    flow.add_job(job("held", unique_key="k"))
    return lambda: flow.submit_all(file.queue)


@operation
def add_the_last_job_to_workflow(file: File) -> Act:
    flow = _diamond()
    flow.submit_all(file.queue)
    flow.at_end(job("end"))
    return lambda: flow.submit_all(file.queue)


@operation
def cancel_workflow(file: File) -> Act:
    flow = _stored_diamond(file)
    file.claim()
    return lambda: flow.cancel(file.queue)


@operation
def requeue_failed_workflow(file: File) -> Act:
    flow = _failed_diamond(file)
    file.complete("end")
    return lambda: flow.requeue_failed(file.queue)


@operation
def requeue_workflow_whose_last_job_runs(file: File) -> Act:
    flow = _failed_diamond(file)
    file.claim()
    return lambda: flow.requeue_failed(file.queue)


@operation
def delete_workflow(file: File) -> Act:
    """With the last of its jobs."""
    flow = Workflow("flow")
    flow.add_job(job("only"))
    flow.submit_all(file.queue)
    return lambda: file.queue.delete_job("only")


@operation
def prune_workflow(file: File) -> Act:
    """One without its last job, and one with all of its jobs."""
    for name in ("kept", "gone"):
        flow = Workflow(name)
        flow.add_job(job(f"{name} job"))
        flow.at_end(job(f"{name} end"))
        flow.submit_all(file.queue)
        file.fail(f"{name} job") if name == "kept" else file.complete(f"{name} job")
        file.complete(f"{name} end")
    return lambda: file.queue.prune("completed")


def _crawling(file: File) -> Claim:
    """Claim a job for which two others wait."""
    file.queue.submit_many([job("crawl"), job("report", dependencies=["crawl"])])
    file.queue.submit(job("heedless", dependencies=["crawl"], on_parent_failure="run"))
    (claim,) = file.claim()
    return claim


def _find(file: File, claim: Claim, *jobs: Job, **options: Any) -> Act:
    """What its function submits."""

    def act() -> None:
        with closing(opener(file.queue.database)(claim)) as store:
            store.submit_many(jobs, **{"default": None, "place": Place("", 0), "is_detached": False} | options)

    return act


@operation
def find_jobs(file: File) -> Act:
    claim = _crawling(file)
    first = Job("first", "functions:nothing", tags=["t"])
    return _find(file, claim, first, job("second", dependencies=[first]), Job("first", "functions:nothing"))


@operation
def find_jobs_again(file: File) -> Act:
    """One of them is there already, and has failed."""
    claim = _crawling(file)
    _find(file, claim, job("bad"))()
    file.queue.cancel("bad")
    return _find(file, claim, job("bad"), Job("new", "functions:nothing"))


@operation
def find_a_detached_job(file: File) -> Act:
    return _find(file, _crawling(file), Job("apart", "functions:nothing"), is_detached=True)


@operation
def submit_child_of_one_that_has_submitted(file: File) -> Act:
    claim = _crawling(file)
    _find(file, claim, job("first"), job("second"))()
    return lambda: file.queue.submit(job("late", dependencies=["crawl"]))


@operation
def restart_one_that_has_submitted(file: File) -> Act:
    claim = _crawling(file)
    _find(file, claim, job("bad", priority=5), job("left"), job("below", dependencies=["left"]))()
    file.fail("bad")
    file.settle(claim, ExecutionStatus.FAILED, error="no", is_final=True)
    return lambda: file.queue.requeue_job("crawl", restart=True)


# claim and settle


@operation
def claim(file: File) -> Act:
    family(file, delay=10)
    file.queue.submit_many([job("expiring", delay=90, expires_at="2026-01-01T00:00:05+00:00"), job("ready")])
    file.queue.submit_many([job(str(number), priority=-1) for number in range(3)])
    file.queue.configure("default", rate_limit=100)
    file.clock.advance(20)
    return lambda: file.claim(3)


@operation
def claim_ahead(file: File) -> Act:
    file.queue.submit_many([job(str(number)) for number in range(4)])
    return lambda: file.claim(1, ahead=2, returned=["functions:nothing"])


@operation
def begin(file: File) -> Act:
    file.queue.submit_many([job("first"), job("ahead")])
    claims = file.claim(1, ahead=1, returned=["functions:nothing"])

    def act() -> None:
        with file.write() as tx:
            claiming.begin(tx, [claims[1].execution_id])

    return act


@operation
def settle_completed(file: File) -> Act:
    return claimed(file)(ExecutionStatus.COMPLETED, result="[1]", error=None)


@operation
def settle_failed_with_retry(file: File) -> Act:
    return claimed(file, retry_delay=5)(ExecutionStatus.FAILED)


@operation
def settle_failed_for_good(file: File) -> Act:
    return claimed(file)(ExecutionStatus.FAILED, is_final=True)


@operation
def settle_timeout(file: File) -> Act:
    return claimed(file, max_attempts=1)(ExecutionStatus.TIMEOUT)


@operation
def settle_released(file: File) -> Act:
    return claimed(file)(ExecutionStatus.RELEASED, delay=5.0)


@operation
def settle_released_often(file: File) -> Act:
    """Of its releases the first and the last 20 are kept."""
    file.queue.submit(job("patient"))
    for _ in range(21):
        (claim,) = file.claim()
        file.settle(claim, ExecutionStatus.RELEASED)
    (claim,) = file.claim()
    return lambda: file.settle(claim, ExecutionStatus.RELEASED, delay=5.0, started_at=to_text(file.clock.now()))


@operation
def settle_missing(file: File) -> Act:
    return claimed(file)(ExecutionStatus.RELEASED, **_MISSING)


@operation
def settle_missing_for_a_day(file: File) -> Act:
    claimed(file)(ExecutionStatus.RELEASED, **_MISSING)()
    file.clock.advance(90_000)
    (claim,) = file.claim()
    return lambda: file.settle(claim, ExecutionStatus.RELEASED, **_MISSING)


_MISSING: dict[str, Any] = {"error": "no", "error_type": "ModuleNotFoundError", "has_begun": False, "is_missing": True}


@operation
def settle_cancelled(file: File) -> Act:
    return claimed(file)(ExecutionStatus.CANCELLED)


@operation
def settle_lost(file: File) -> Act:
    return claimed(file)(ExecutionStatus.LOST)


@operation
def process_one(file: File) -> Act:
    file.queue.submit(job("sum", "functions:add", params={"a": 1}))
    worker = Worker(file.queue.database.path, "bob", clock=file.clock, durability="normal")
    return worker.process_one


@operation
def process_one_that_fails(file: File) -> Act:
    file.queue.submit_many([job("sum", "functions:fail", max_attempts=1), job("next", dependencies=["sum"])])
    worker = Worker(file.queue.database.path, "bob", clock=file.clock, durability="normal")
    return worker.process_one


# workers


@operation
def register(file: File) -> Act:
    return lambda: file.register("bob")


@operation
def renew(file: File) -> Act:
    claimed(file)

    def act() -> None:
        with file.write() as tx:
            workers.renew(tx, file.worker, completed=3, failed=1)
            workers.standing(tx, file.worker)
            progress.write_progress(tx, {1: Progress(1, 2)})
            progress.write_cursors(tx, {1: '"page 3"'})
            progress.write_running_logs(tx, {1: "it began"})

    return act


@operation
def expel(file: File) -> Act:
    family(file, max_attempts=1)
    file.queue.submit_many([job("second"), job("ahead")])
    file.claim(2, ahead=1, returned=["functions:nothing"])

    def act() -> None:
        with file.write() as tx:
            workers.expel(tx, file.worker)

    return act


@operation
def leave(file: File) -> Act:
    file.queue.submit_many([job("first"), job("second")])
    file.claim(2)

    def act() -> None:
        with file.write() as tx:
            workers.leave(tx, file.worker, reason="it was told to stop")

    return act


@operation
def note_functions(file: File) -> Act:
    """One that a worker finds again, and one that it does not."""
    settle_missing(file)()

    def act() -> None:
        with file.write() as tx:
            missing.note_found(tx, ["functions:nothing"])
            missing.note_missing(tx, file.worker, {"functions:other": "no such name"})

    return act


@operation
def note_wait(file: File) -> Act:
    """What one job waits for inside its function, and another no longer."""
    file.queue.submit_many([job("first"), job("second"), job("third")])
    first, second = file.claim(2)
    with file.write() as tx:
        assert waits.note(tx, second.execution_id, waiter="second", jobs=["third"])

    def act() -> None:
        with file.write() as tx:
            waits.forget(tx, second.execution_id)
            assert waits.note(tx, first.execution_id, waiter="first", jobs=["second", "third", "fourth"])

    return act


@operation
def leave_last(file: File) -> Act:
    """The functions that are missing are forgotten if no ready job calls them."""
    settle_missing(file)()
    file.queue.cancel("parent")

    def act() -> None:
        with file.write() as tx:
            workers.leave(tx, file.worker, reason="it was told to stop")

    return act


@operation
def requeue_stuck(file: File) -> Act:
    claimed(file, max_attempts=1)
    file.clock.advance(100)
    return lambda: file.queue.requeue_stuck(older_than=10)


@operation
def scale(file: File) -> Act:
    return lambda: file.queue.scale(4)


@operation
def stop_workers(file: File) -> Act:
    return lambda: file.queue.stop_workers(graceful=False)


# control


@operation
def cancel(file: File) -> Act:
    family(file)
    return lambda: file.queue.cancel("parent")


@operation
def cancel_running(file: File) -> Act:
    claimed(file)
    return lambda: file.queue.cancel("parent", running=True)


@operation
def cancel_jobs(file: File) -> Act:
    family(file)
    file.queue.submit_many([job("other"), job("another", unique_key="k")])
    return lambda: file.queue.cancel_jobs("pending")


@operation
def requeue(file: File) -> Act:
    family(file)
    file.fail("parent")
    return lambda: file.queue.requeue_job("parent", delay=60)


def with_steps(file: File) -> None:
    """A job that has failed after three steps, of which the second has called one inside it."""
    family(file)
    (claim,) = file.claim()
    remember(file, claim, "first", "second/inner", "second")
    file.settle(claim, ExecutionStatus.FAILED, error="no", is_final=True, cursor="7")


@operation
def requeue_from_a_step(file: File) -> Act:
    with_steps(file)
    return lambda: file.queue.requeue_job("parent", from_step="second")


@operation
def restart(file: File) -> Act:
    with_steps(file)
    return lambda: file.queue.requeue_job("parent", restart=True)


@operation
def transact(file: File) -> Act:
    """What a job's function writes, a job that it submits meanwhile, and that it need not be called again."""
    return _lent(file, lambda store, call: store.transact(call, NO_LIMIT))


@operation
def last_act(file: File) -> Act:
    """The same, and with it the completion of the job."""

    def act(store: JobStore, call: Callable[[Any], object]) -> None:
        with store.last_act(NO_LIMIT) as connection:
            call(connection)
        store.settle(Report.completed('"done"')._replace(progress=Progress(1, 2), log="a line\n"))

    return _lent(file, act)


def _lent(file: File, use: Callable[[JobStore, Callable[[Any], Any]], object]) -> Act:
    family(file)
    (claim,) = file.claim()

    def call(connection: Any) -> Step:
        try:
            connection.execute("UPDATE jobs SET description = 'written by the job' WHERE id = 'heedless'")
        except sqlite3.Error as error:  # which the function gets as it is
            raise StoreError from error
        file.queue.submit(job("new", tags=["t"], dependencies=["child"]))
        return Step("pay", 1, 0, "transaction", None, None, "1", "2026-01-01T00:00:00.000000Z")

    def act() -> None:
        with closing(opener(file.queue.database)(claim)) as store:
            use(store, call)

    return act


@operation
def remember_a_step(file: File) -> Act:
    """As a job's function does it: look whether it is remembered, and remember it."""
    family(file)
    (claim,) = file.claim()
    step = Step("first", 1, 0, "step", "f", "[]", "7", "2026-01-01T00:00:00.000000Z")

    def act() -> None:
        with closing(opener(file.queue.database)(claim)) as store:
            if store.recall("first", 1) is None:
                store.remember(step)

    return act


@operation
def requeue_jobs(file: File) -> Act:
    family(file)
    file.queue.submit(job("other"))
    file.fail("parent")
    file.queue.cancel("other")
    return lambda: file.queue.requeue_jobs(["failed", "cancelled"])


@operation
def reschedule(file: File) -> Act:
    family(file)
    return lambda: file.queue.reschedule("parent", delay=60, priority=5, queue="other")


@operation
def pause(file: File) -> Act:
    return lambda: file.queue.pause("mail")


@operation
def resume(file: File) -> Act:
    file.queue.pause()
    return lambda: file.queue.resume()


@operation
def configure(file: File) -> Act:
    file.queue.pause("mail")
    return lambda: file.queue.configure("mail", max_running=2, rate_limit=10)


# prune


@operation
def prune(file: File) -> Act:
    family(file)
    for name in ("parent", "child", "grandchild"):
        file.complete(name)
    file.fail("heedless")
    file.queue.submit(job("kept"))
    return lambda: file.queue.prune(["completed", "failed"])


@operation
def delete_job(file: File) -> Act:
    family(file)
    return lambda: file.queue.delete_job("grandchild")


@operation
def delete_jobs(file: File) -> Act:
    family(file)
    file.queue.submit(job("kept"))
    return lambda: file.queue.delete_jobs(tags="t") + file.queue.delete_jobs(name="heedless")


@operation
def clear_completed(file: File) -> Act:
    file.queue.submit_many([job("done"), job("kept")])
    file.complete("done")
    return lambda: file.queue.clear_completed()


# schedules


@operation
def configure_one_limit(file: File) -> Act:
    """The others stay."""
    file.queue.configure("mail", max_running=2, rate_limit=10)
    return lambda: file.queue.configure("mail", max_running=None)


@operation
def schedule_add(file: File) -> Act:
    return lambda: file.queue.schedules.add("nightly", "functions:nothing", cron="0 3 * * *", tags=["t"])


@operation
def schedule_change(file: File) -> Act:
    file.queue.schedules.add("nightly", "functions:nothing", cron="0 3 * * *")
    return lambda: file.queue.schedules.add("nightly", "functions:add", every=60, missed="all", params={"a": 1})


@operation
def schedule_tick(file: File) -> Act:
    file.queue.schedules.add("often", "functions:nothing", every=60, missed="all", tags=["t"])
    file.queue.schedules.add("seldom", "functions:nothing", every=150, overlap=False, unique_key="k")
    file.clock.advance(200)

    def act() -> None:
        with file.write() as tx:
            schedules.tick(tx, new_id=new_job_id)

    return act


@operation
def schedule_run(file: File) -> Act:
    file.queue.schedules.add("nightly", "functions:nothing", cron="0 3 * * *")
    return lambda: file.queue.schedules.run("nightly")


@operation
def schedule_pause(file: File) -> Act:
    file.queue.schedules.add("nightly", "functions:nothing", cron="0 3 * * *")
    return lambda: file.queue.schedules.pause("nightly")


@operation
def schedule_resume(file: File) -> Act:
    schedule_pause(file)()
    file.clock.advance(86_400)
    return lambda: file.queue.schedules.resume("nightly")


@operation
def schedule_remove(file: File) -> Act:
    file.queue.schedules.add("nightly", "functions:nothing", cron="0 3 * * *")
    return lambda: file.queue.schedules.remove("nightly")


# manual consumption


@operation
def dequeue(file: File) -> Act:
    family(file)
    return lambda: file.queue.dequeue("ann")


@operation
def dequeue_after_another_was_overdue(file: File) -> Act:
    family(file, timeout=10, max_attempts=1)
    file.queue.dequeue("ann")
    file.clock.advance(20)
    return lambda: file.queue.dequeue("bob")


@operation
def register_by_hand(file: File) -> Act:
    def act() -> None:
        with file.write() as tx:
            manual.register(tx, "bob", SOMEWHERE)

    act()
    return act


@operation
def complete(file: File) -> Act:
    family(file)
    file.queue.dequeue("ann")
    return lambda: file.queue.complete("parent", {"answer": 42})


@operation
def fail(file: File) -> Act:
    family(file)
    file.queue.dequeue("ann")
    return lambda: file.queue.fail("parent", "no", retry=False)


@operation
def execute_job(file: File) -> Act:
    file.queue.submit(job("sum", "functions:add", params={"a": 1}))
    taken = file.queue.dequeue("ann")
    assert taken is not None
    return lambda: file.queue.execute_job(taken)


@operation
def close(file: File) -> Act:
    family(file)
    file.queue.dequeue("ann")
    return lambda: file.queue.close()


@operation
def act_as_a_person(file: File) -> Act:
    family(file)

    def act() -> None:
        with file.queue.acting_as("ann", "cli"):
            file.queue.cancel("parent")

    return act


# what is done in several transactions, 500 jobs in each, or 200


def crowd(file: File, *, jobs: int = 501) -> None:
    """Submit one job more than fits into one transaction."""
    file.queue.submit_many([job(f"{number:03}") for number in range(jobs)])


@long_operation
def cancel_many(file: File) -> Act:
    crowd(file)
    return lambda: file.queue.cancel_jobs("pending")


@long_operation
def requeue_many(file: File) -> Act:
    crowd(file)
    file.queue.cancel_jobs("pending")
    return lambda: file.queue.requeue_jobs("cancelled")


@long_operation
def prune_many(file: File) -> Act:
    crowd(file, jobs=201)
    file.queue.cancel_jobs("pending")
    return lambda: file.queue.prune("cancelled")


@long_operation
def prune_and_shrink(file: File) -> Act:
    file.queue.submit_many([job(str(number), description="x" * 200_000) for number in range(5)])
    file.queue.cancel_jobs("pending")
    return lambda: file.queue.prune("cancelled")


# the runs of executors


def _call(name: str, queue: str) -> NewJob:
    return prepare(job(name, queue=queue), limit=PARAMS_LIMIT, default=None)


def _left_calls(file: File) -> None:
    """What an earlier run has left: calls that have completed, failed, and wait, one with a child."""
    with file.write() as tx:
        runs.add(tx, [_call(name, "crawl#run-1") for name in ("done", "failed", "waiting", "left")])
        runs.add(tx, [_call("nameless", "#run-1")])
    for status in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED):
        (claim,) = file.claim(queues=["crawl#run-1"])
        file.settle(claim, status, error="no", is_final=True)
    file.queue.submit(job("child", dependencies=["waiting"]))


@operation
def ask_for_calls(file: File) -> Act:
    _left_calls(file)
    calls = [_call(name, "crawl#run-2") for name in ("done", "failed", "waiting", "new")]

    def act() -> None:
        with file.write() as tx:
            runs.ask(tx, calls)

    return act


@operation
def drop_calls(file: File) -> Act:
    _left_calls(file)

    def act() -> None:
        with file.write() as tx:
            runs.cancel_leftovers(tx)
            runs.follow(tx, ["left"], queue="crawl#run-2")
            runs.cancel(tx, ["waiting"])
            runs.delete(tx, ["waiting", "done"])

    return act


@operation
def forget_calls(file: File) -> Act:
    _left_calls(file)

    def act() -> None:
        with file.write() as tx:
            runs.forget(tx, "crawl", after=0, limit=10, spared={"left"})

    return act


# the file


@operation
def repair(file: File) -> Act:
    """Of what many have done to a file, by hand and with the foreign keys off."""
    family(file)
    file.queue.submit_many([job("done"), job("lost", priority=5), job("adrift", priority=4), job("heir", tags=["t"])])
    file.claim(2)
    with closing(sqlite3.Connection(file.queue.database.path, isolation_level=None)) as tool:
        tool.executescript(_DAMAGE)
    assert len(file.queue.check()) == 10
    return file.queue.repair


_DAMAGE = """
    UPDATE jobs SET status = 'failed', completed_at = updated_at WHERE id = 'parent';
    UPDATE jobs SET blockers = 7 WHERE id = 'heir';
    UPDATE jobs SET run_at = created_at, result = '1', status = 'failed', completed_at = updated_at WHERE id = 'done';
    DELETE FROM jobs WHERE id = 'grandchild';
    DELETE FROM executions WHERE job_seq = (SELECT seq FROM jobs WHERE id = 'lost');
    UPDATE executions SET worker_seq = 99;
    INSERT INTO job_tags VALUES (99, 't');
    DROP INDEX jobs_due;
"""


def roll_back_journal(path: str) -> None:
    """Switch a file to a rollback journal, as in a copy that another tool has made."""
    with closing(sqlite3.Connection(path)) as tool:
        assert tool.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)


def journal_mode(path: str) -> str:
    with closing(sqlite3.Connection(path)) as tool:
        (mode,) = tool.execute("PRAGMA journal_mode").fetchone()
    return str(mode)


def open_new(path: str) -> None:
    """Make a file, or open one."""
    with JobQueue(path, timeout=0, durability="normal") as queue:
        queue.stats()
