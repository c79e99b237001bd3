"""Two workers' loops on one file, with slots and a clock that the test moves, and what must hold of them."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from faults.sabotage import FAULTS, Fault, Saboteur
from model.loop_runner import LONGEST_WAIT, Held, SteppedRunner

from gigq import Event, Job, JobQueue, LeaseLost, ManualClock, StoreError
from gigq.liveness import WorkerKey
from gigq.reports import Progress, Report
from gigq.store import claiming, settling, workers
from gigq.store.engine.database import Database
from gigq.store.schema import open_queue
from gigq.worker.events import Listener
from gigq.worker.loop import Loop
from gigq.worker.options import WorkerOptions
from gigq.worker.timetable import PAUSE_AFTER_ERROR

NAMES = ("ann", "bob")

HANDLER = "mine"
"""The name of a handler that ann has and bob has not."""

_LEASE = 1.0
_SLOTS = 2
_MOST_TURNS_WITHOUT_A_WAIT = 12
_MOST_ROUNDS = 400

_REPORTS: dict[str, Callable[[], Report]] = {
    "completed": lambda: Report.completed("1"),
    "failed": lambda: Report.failed("no"),
    "final": lambda: Report.failed("never", is_final=True),
    "later": lambda: Report.released("later", delay=0.5),
    "cancelled": lambda: Report.cancelled("it stopped itself"),
}

_REASONS = {
    "given back: its worker had no slot for it in time": "slots",
    "given back: its worker was told to stop": "stop",
    "given back: its worker was interrupted before it could begin": "orphan",
    "later": "job",
}
"""Why an execution may be released: the text in the file, and what it means."""


class Machine:
    """A worker: its loop, its slots, and what its listener has been sent."""

    def __init__(self, database: Database, clock: ManualClock, name: str, lacks: set[str] | None = None) -> None:
        lacks = {HANDLER} if lacks is None else lacks
        handlers = () if HANDLER in lacks else (HANDLER,)
        options = WorkerOptions(worker_id=name, concurrency=_SLOTS, lease=_LEASE, handlers=handlers)
        self.events: list[Event] = []
        self.is_stopping = False
        self.runner = SteppedRunner(clock, slots=_SLOTS, keeps_reports=name == "ann")
        self.runner.lacks = lacks
        self.listener = Listener(self.events.append, clock=clock) if name == "ann" else None
        self.loop = Loop(database, self.runner, options, clock=clock, listens=True, listener=self.listener)
        self.database = database

    @property
    def key(self) -> WorkerKey:
        return self.loop._duties._key

    def turn(self) -> bool:
        """Do what a worker does between two waits, and return whether it went well. One that may stop leaves."""
        self.is_stopping |= self.loop.stop is not None
        claims = not self.is_stopping
        self.runner.may_give_back = not claims
        try:
            self.loop.turn(claim=claims)
        except StoreError as error:
            self.loop.pause_after_error(error)
            return False
        self.loop.wait()
        return True

    @property
    def may_leave(self) -> bool:
        return self.is_stopping and (self.loop.stop == "now" or not self.loop.is_busy)

    def check(self) -> None:
        """See that the loop remembers what its slots have, and nothing else."""
        assert self.runner.faults == [], self.runner.faults
        unsettled = [claim.execution_id for claim, _ in (*self.loop._results.all(), *self.runner.uncollected)]
        assert Counter(self.loop._inflight) == Counter([*self.runner.running, *unsettled])
        inflight = self.loop._inflight
        assert {*inflight._waiting, *inflight._begun} <= set(inflight), "what was forgotten still waits"

    def check_after_turn(self, now: float) -> None:
        """See that no job waits for a slot longer than it may."""
        waiting = [each for each in self.runner.held.values() if each.waits]
        assert all(now - each.since < LONGEST_WAIT for each in waiting), "a job waits too long for a slot"

    def check_handlers(self, before: set[int]) -> None:
        """See that it has not claimed a job for a handler that it lacks and another worker has."""
        claimed = [held.claim for each, held in self.runner.held.items() if each not in before]
        lacked = [claim.job_id for claim in claimed if claim.function == HANDLER in self.runner.lacks]
        assert lacked == [], "jobs for a handler were taken from the worker that has it"

    def check_empty(self) -> None:
        """See that nothing is left in any memory."""
        inflight = self.loop._inflight
        assert all(not each for each in vars(inflight).values()), vars(inflight)
        assert (self.loop._results.all(), self.loop._progress.last_logs) == ([], {})
        assert (list(self.runner.held), self.runner.uncollected) == ([], [])

    def close(self) -> None:
        self.loop.close()
        if self.listener:
            self.listener.close(10.0)
        self.database.close()


class LoopSystem:
    """What the steps of a walk act on.

    Args:
        path: of the file, which exists.
        saboteur: present while this object lives.
    """

    def __init__(self, path: str, saboteur: Saboteur) -> None:
        self.clock = ManualClock()
        self.path = path
        self.queue = JobQueue(path, clock=self.clock, durability="normal")
        self._saboteur = saboteur
        self._lacks: dict[str, set[str]] = {"ann": set(), "bob": {HANDLER}}
        self._machines = {name: self._new(name) for name in NAMES}
        self._submitted = 0
        self._allowed = {"slots", "job", "handler"}
        self._is_disturbed = False
        self._to_spoil: tuple[int, str] | None = None

    # steps

    def submit(self, number: int, function: str, *, attempts: int, timeout: float | None, is_suspect: bool) -> None:
        jobs = []
        for _ in range(number):
            self._submitted += 1
            jobs.append(
                Job("job", _path(function), id=f"j{self._submitted}", max_attempts=attempts, timeout=timeout)
            )
        self.queue.submit_many(jobs)
        if is_suspect:
            with self.queue.database.write() as tx:
                tx.execute("UPDATE jobs SET crashes = 1, max_attempts = 1 WHERE id = ?", (jobs[0].id,))

    def turn(self, name: str) -> None:
        self._turn(name)

    def rest(self, name: str) -> None:
        """Do turns until the loop waits, which it must."""
        for _ in range(_MOST_TURNS_WITHOUT_A_WAIT):
            machine = self._machines[name]
            if self._turn(name) and machine is self._machines[name] and machine.runner.last_wait > 0:
                return
        raise AssertionError(f"{name} does not come to rest")

    def fill(self, name: str) -> None:
        self._machines[name].runner.fill()

    def end(self, name: str, where: float, how: str) -> None:
        runner = self._machines[name].runner
        if running := [held for held in runner.held.values() if held.is_running]:
            runner.end(_one(running, where).claim.execution_id, _REPORTS[how]())

    def end_itself(self, name: str, where: float) -> None:
        """Let a function complete its job in a transaction of its own; where it was taken away, that is refused."""
        runner = self._machines[name].runner
        if running := [held for held in runner.held.values() if held.is_running]:
            execution, report = _one(running, where).claim.execution_id, Report.completed("1")
            try:
                with self.queue.database.write() as tx:
                    settling.settle(tx, execution, report)
            except LeaseLost:
                runner.end(execution, Report.failed("it was taken away"))
            else:
                runner.end(execution, report._replace(is_settled=True))

    def end_all(self, name: str) -> None:
        """Let the slots run all that waits for them, one after the other."""
        runner = self._machines[name].runner
        runner.fill()
        while running := [held for held in runner.held.values() if held.is_running]:
            for held in running:
                runner.end(held.claim.execution_id, Report.completed("1"))
            runner.fill()

    def say(self, name: str, where: float, number: int) -> None:
        if running := [held for held in self._machines[name].runner.held.values() if held.is_running]:
            held = _one(running, where)
            held.progress, held.cursor = Progress(number), str(number)
            held.log.write(f" {number}")

    def cancel(self, where: float) -> None:
        """Cancel an unfinished job, and rather one that a worker has."""
        held = [each.claim.job_id for machine in self._machines.values() for each in machine.runner.held.values()]
        if jobs := held or self._unfinished():
            self.queue.cancel(_one(jobs, where), running=True)

    def scale(self, slots: int) -> None:
        self.queue.scale(slots)

    def stop(self, name: str, *, is_graceful: bool) -> None:
        self._allowed.add("stop")
        self.queue.stop_workers(name, graceful=is_graceful)

    def die(self, name: str) -> None:
        """Let a worker vanish, and start another one under its name."""
        self._allowed.add("dead")
        self._is_disturbed = True
        self._replace(name)

    def expel(self, name: str) -> None:
        """Let someone consider a worker dead that is not."""
        self._allowed.add("dead")
        with self.queue.database.write() as tx:
            if workers.is_registered(tx, self._machines[name].key):
                workers.expel(tx, self._machines[name].key)

    def reclaim(self) -> None:
        self.queue.requeue_stuck(older_than=0)

    def delete(self, where: float) -> None:
        """Delete a job, as a person may with a SQLite tool, and all that belongs to it."""
        self._is_disturbed = True
        if jobs := self._unfinished():
            with self.queue.database.write() as tx:
                (seq,) = tx.execute("SELECT seq FROM jobs WHERE id = ?", (_one(jobs, where),)).fetchone()
                tx.execute("DELETE FROM executions WHERE job_seq = ?", (seq,))
                tx.execute("DELETE FROM jobs WHERE seq = ?", (seq,))

    def schedule_elsewhere(self) -> None:
        """Let a tick be due that no worker here can make, for this machine does not know its time zone."""
        self.queue.schedules.add("elsewhere", "functions:nothing", every=3600)
        with self.queue.database.write() as tx:
            tx.execute("UPDATE job_schedules SET timezone = 'Mars/Olympus', next_at = ?", (tx.stamp,))

    def spoil(self, statement: int, fault: str) -> None:
        """Let a statement of the next turn fail, or say of its commit that it did."""
        self._is_disturbed = True
        self._to_spoil = (statement, fault)

    def stick(self, name: str, *, is_stuck: bool) -> None:
        self._machines[name].runner.is_stuck = is_stuck

    def lack(self, name: str, function: str, *, is_lacking: bool) -> None:
        """Let a worker no longer find a function, or find it again, and so do the workers after it."""
        self._allowed.add("lack")
        (self._lacks[name].add if is_lacking else self._lacks[name].discard)(_path(function))

    def miss_bell(self, name: str) -> None:
        """Let another one have taken out what has rung."""
        self._machines[name].database.bell.clear()

    def let_pass(self, seconds: float) -> None:
        for machine in self._machines.values():
            machine.runner.fill()  # slots that are free begin at once, and not after a second
        self.clock.advance(seconds)

    # what must hold

    def check(self) -> None:
        """See what must hold after each step."""
        for machine in self._machines.values():
            machine.check()

    def check_file(self) -> None:
        """See that after a heartbeat the file and the loops agree."""
        self._to_spoil = None
        self.let_pass(0.6)
        for name in NAMES:
            self.rest(name)
        for name, machine in self._machines.items():
            if not machine.is_stopping:
                self._compare(name, machine)
        self._check_releases()

    def finish(self) -> None:
        """Let everything come to its end, and see that nothing is left."""
        self._to_spoil = None
        for name, machine in self._machines.items():
            machine.runner.is_stuck = False
            self._lacks[name].intersection_update({HANDLER})
        self.queue.scale(_SLOTS)
        for _ in range(_MOST_ROUNDS):
            for name in NAMES:
                self.end_all(name)
                self.turn(name)
            self.let_pass(0.3)
            if not self._unfinished() and self._known() == {machine.key for machine in self._machines.values()}:
                break
        else:
            raise AssertionError(f"these never end: {self._unfinished()}, {self._known()}")
        self.check_file()
        for name in NAMES:
            self._machines[name].check_empty()
            self._leave(name)
        self._check_releases()
        assert self.queue.workers() == []
        assert self.queue.check() == []

    def close(self) -> None:
        for machine in self._machines.values():
            machine.close()
        self.queue.close()

    def _new(self, name: str) -> Machine:
        database = open_queue(
            self.path, initialize=False, timeout=5.0, durability="normal", clock=self.clock, longest_pause=0.001
        )
        return Machine(database, self.clock, name, self._lacks[name])

    def _turn(self, name: str) -> bool:
        machine = self._machines[name]
        before = set(machine.runner.held) if self._has_handler() else None
        self._spoil_statement()
        is_well = machine.turn()
        self._saboteur.rest()
        if before is not None and self._has_handler():
            machine.check_handlers(before)
        machine.check_after_turn(self.clock.monotonic())
        machine.check()
        if not is_well:
            self.let_pass(PAUSE_AFTER_ERROR)
        elif not machine.is_stopping:
            self._check_wait(name, machine)
        if is_well and machine.may_leave:
            self._leave(name)
        return is_well

    def _spoil_statement(self) -> None:
        (statement, fault), self._to_spoil = self._to_spoil or (0, ""), None
        if fault == "committed":
            self._allowed.add("orphan")
            self._saboteur.watch(self._say_it_failed)
        elif fault:
            self._saboteur.spoil(statement, FAULTS[fault])

    def _leave(self, name: str) -> None:
        """Let a worker leave, as it does when it was told to stop, and start another one under its name."""
        machine = self._machines[name]
        machine.runner.may_give_back = True
        try:
            machine.loop.leave()
        except StoreError:
            self._allowed.add("dead")  # it ends with this error, and its jobs are taken from it
        else:
            machine.check_empty()
            with self.queue.database.read() as tx:
                _check_logs(tx, machine.runner.stopped)
        self._replace(name)

    def _replace(self, name: str) -> None:
        machine = self._machines[name]
        machine.close()
        if machine.listener and not self._is_disturbed:
            _check_events(machine.events, self._ended_by(machine))
        self._machines[name] = self._new(name)

    def _unfinished(self) -> list[str]:
        with self.queue.database.read() as tx:
            return [job for (job,) in tx.execute("SELECT id FROM jobs WHERE completed_at IS NULL ORDER BY seq")]

    def _ended_by(self, machine: Machine) -> set[str]:
        """The jobs whose functions a worker has run to their end."""
        with self.queue.database.read() as tx:
            rows = tx.execute(
                """
                SELECT jobs.id
                  FROM executions JOIN jobs ON jobs.seq = executions.job_seq
                 WHERE executions.worker_seq = ? AND executions.status IN ('completed', 'failed', 'timeout')
                """,
                (machine.key.seq,),
            )
            return {job for (job,) in rows}

    def _known(self) -> set[WorkerKey]:
        with self.queue.database.read() as tx:
            return {heartbeat.key for heartbeat in workers.heartbeats(tx)}

    def _compare(self, name: str, machine: Machine) -> None:
        with self.queue.database.read() as tx:
            standing = workers.standing(tx, machine.key)
            assert standing is not None, f"{name} is not registered"
            assert sorted(standing.own) == sorted(machine.loop._inflight), f"{name} and the file do not agree"
            for execution, held in machine.runner.held.items():
                if held.is_running:
                    _check_running(tx, execution, held)
                    if machine.loop._progress._next_logs_at <= self.clock.monotonic():
                        _check_logs(tx, {execution: held.log.text()})
            unwritten = machine.loop._progress.last_logs
            _check_logs(tx, {each: log for each, log in machine.runner.stopped.items() if each not in unwritten})

    def _check_wait(self, name: str, machine: Machine) -> None:
        """See that a worker does not wait while it has a slot for a job that is ready."""
        is_alone = any(held.claim.must_run_alone for held in machine.runner.held.values())
        if machine.runner.free and machine.runner.last_wait > 0 and not machine.loop._bell.has_rung and not is_alone:
            with self.queue.database.read() as tx:
                suspects = tx.value("SELECT count(*) FROM jobs WHERE crashes > 0 AND status IN ('pending', 'running')")
                lacking = machine.loop._duties._lacking(tx, machine.key, machine.loop.lacks.lacking)
                is_ready = claiming.outlook(tx, lacking=lacking, has_ticked=True).is_ready
            assert suspects or not is_ready, f"{name} waits though a job is ready"

    def _check_releases(self) -> None:
        """See that each execution that was released had a reason."""
        with self.queue.database.read() as tx:
            for (error,) in tx.execute("SELECT DISTINCT error FROM executions WHERE status = 'released'"):
                reason = "dead" if error.endswith("died before it began") else _REASONS.get(error) or _lack(error)
                assert reason in self._allowed, f"released without a reason: {error}"

    def _has_handler(self) -> bool:
        with self.queue.database.read() as tx:
            return tx.value("SELECT 1 FROM job_workers WHERE handlers <> '[]'") is not None

    def _say_it_failed(self) -> None:
        """Fail after a commit that has succeeded."""
        self._saboteur.rest()
        _IO_ERROR.strike(None)


_IO_ERROR = Fault(code=sqlite3.SQLITE_IOERR_FSYNC, message="disk I/O error")


def _path(function: str) -> str:
    return function if function == HANDLER else f"functions:{function}"


def _lack(error: str) -> str:
    assert error.startswith(tuple(f"worker {name} cannot find " for name in NAMES)), error
    return "handler" if error.startswith(f"worker bob cannot find {HANDLER!r}") else "lack"


def _check_running(tx: Any, execution: int, held: Held) -> None:
    started_at, progress, cursor = tx.execute(
        """
        SELECT executions.started_at, json_extract(jobs.progress, '$.current'), jobs.cursor
          FROM executions JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.id = ?
        """,
        (execution,),
    ).fetchone()
    assert started_at is not None, f"{held.claim.job_id} has begun, and the file does not say so"
    assert progress == (held.progress and held.progress.current), f"the progress of {held.claim.job_id} is not written"
    assert cursor == (held.cursor or held.claim.cursor), f"the cursor of {held.claim.job_id} is not written"


def _check_logs(tx: Any, logs: Mapping[int, str | None]) -> None:
    """See that the file has these logs of functions, unless their jobs were deleted."""
    for execution, expected in logs.items():
        log = tx.value("SELECT coalesce(log, 'none') FROM executions WHERE id = ?", (execution,))
        assert log in (None, expected), f"the log of execution {execution} is {log}"


def _check_events(events: list[Event], ended: set[str]) -> None:
    """See that each start of a job was sent once, with one end after it, and of each job that the worker has ended.

    Attempts are seen apart: a worker may learn that one was lost when it has begun the next.
    """
    seen: dict[tuple[str, int | None], list[str]] = defaultdict(list)
    for event in events:
        if event.job_id is not None and event.kind != "job.progress":
            seen[event.job_id, event.attempt].append(event.kind.removeprefix("job."))
    assert ended <= {job for job, _ in seen}, f"events are missing of some of {ended}"
    for job, kinds in seen.items():
        for kind, before in _with_previous(kinds):
            is_start, follows_start = kind == "started", before == "started"
            assert is_start != follows_start or kind == "lost", f"the events of {job} are {kinds}"
        assert kinds[-1] != "started", f"the events of {job} are {kinds}"


def _with_previous(kinds: list[str]) -> Iterator[tuple[str, str | None]]:
    return zip(kinds, [None, *kinds], strict=False)


def _one(those: list[Any], where: float) -> Any:
    return those[int(where * len(those))]
