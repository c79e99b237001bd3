"""A worker's duties in the file: all that is to be done in one turn, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.errors import StoreError
from gigq.job_ids import new_job_id
from gigq.liveness import FailureDetector, WorkerKey
from gigq.logs import logger
from gigq.missing import NOTHING, Lacking
from gigq.process import is_gone, this_process
from gigq.reports import Progress, Report
from gigq.runtime.runner import Ended
from gigq.status import Move
from gigq.store import claiming, manual, missing, schedules, settling, workers
from gigq.store.claiming import Outlook, Room
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction
from gigq.store.progress import write_cursors, write_logs, write_progress, write_running_logs
from gigq.store.reading import ExecutionEnd, completed_among, ends_of, next_attempts
from gigq.store.workers import Standing
from gigq.worker.journal import Journal
from gigq.worker.options import WorkerOptions
from gigq.worker.pruning import PruningDuty
from gigq.worker.turn import UNKNOWN, Outcome, Turn

log = logger("worker")

_STOPPED = "given back: its worker was told to stop"
_ORPHANED = Report.released("given back: its worker was interrupted before it could begin", has_begun=False)


class Duties:
    """A worker as the file knows it. Belongs to the loop's thread, but for `beat`.

    All methods raise `StoreError` when nothing could be read or written.
    """

    def __init__(self, database: Database, options: WorkerOptions, *, clock: Clock) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        self._process = this_process()
        self._detector = FailureDetector(self._process, lease=options.lease)
        self._key = WorkerKey(0, options.worker_id)  # no such row: the first turn registers
        self._completed = self._failed = 0
        self._noted: tuple[WorkerKey, Mapping[str, str]] = (self._key, {})  # what the file names as missing
        self._unread: set[str] = set()
        self._journal = Journal(options, path=database.path, clock=clock)
        self._pruning = PruningDuty(database, clock, after=options.prune_after)

    def fulfil(self, turn: Turn) -> Outcome:
        """Settle what has ended, renew the heartbeat, sweep the dead and claim. One write transaction."""
        try:
            with self._database.write() as tx:
                outcome = self._do(tx, turn)
        except StoreError:
            self._detector.forget()
            raise
        self._key = outcome.worker
        self._noted = (outcome.worker, turn.missing)
        if outcome.is_beat:
            self._completed = self._failed = 0
        self._count(outcome.moves)
        self._journal.started()
        self._journal.ended(turn.ended, outcome.moves, outcome.next_attempts)
        for worker, jobs in outcome.dead.items():
            log.warning("worker %s is dead; %d of its jobs were taken from it", worker.id, jobs)
        return outcome

    def leave(self, turn: Turn, running: Sequence[Claim]) -> Outcome:
        """Settle what has ended, give back what still runs, which does not count as an attempt, and leave the file.

        What the standing of the outcome calls the worker's own was given back; that is logged.
        """
        if self._key.seq == 0:  # it was told to stop before its first turn
            return Outcome(worker=self._key, moves=())
        with self._database.write() as tx:
            moves = _write(tx, turn)
            missing.note_found(tx, turn.found)
            next_attempts = self._next_attempts(tx, turn, moves)
            standing = workers.standing(tx, self._key)
            if workers.leave(tx, self._key, reason=_STOPPED):
                # Inside the transaction: a worker that registers after it makes a new bell.
                self._database.bell.remove()
            turn.employer.write(tx, is_beat=False)  # when nothing is running any more
        self._journal.ended(turn.ended, moves, next_attempts)
        own = () if standing is None else standing.own
        self._journal.finished(given_back=[claim for claim in running if claim.execution_id in own])
        return Outcome(worker=self._key, moves=moves, standing=standing)

    def beat(self, turn: Turn) -> None:
        """Renew the heartbeat, and write what running functions leave behind. Safe to call from any thread."""
        with self._database.write() as tx:
            workers.renew(tx, self._key)
            _write_outputs(tx, turn)

    def look(self) -> Standing | None:
        """Return what others have decided about the worker; None if it is not in the file, or no longer."""
        with self._database.read() as tx:
            return workers.standing(tx, self._key)

    def outlook(self, lacking: Lacking = NOTHING) -> Outlook:
        """Return what the worker may expect of the queue."""
        with self._database.read() as tx:
            lacking = self._lacking(tx, self._key, lacking)
            return claiming.outlook(tx, queues=self._options.queues, lacking=lacking)

    @property
    def is_locked(self) -> bool:
        """Whether a writer has the lock of the file now."""
        return self._database.is_locked

    def log_taken(self, claims: Sequence[Claim]) -> None:
        """Log what others have made of jobs that the worker had claimed."""
        if self._journal.tells_all:
            self._journal.taken(claims, self.ends_of([claim.execution_id for claim in claims]))

    def taken(self, running: Collection[int], standing: Standing) -> set[int]:
        """Return those of the running executions that others have ended.

        Not those whose functions have completed them in transactions of their own: their reports are to come. None if
        that cannot be read: the next heartbeat asks again.
        """
        taken = {*running}.difference(standing.own)
        if not taken:
            return taken
        try:
            with self._database.read() as tx:
                return taken - completed_among(tx, taken)
        except StoreError as error:
            log.warning("%d jobs that are no longer this worker's are not stopped yet: %s", len(taken), error)
            return set()

    def ends_of(self, executions: Collection[int]) -> list[ExecutionEnd]:
        """Return how others have ended executions, for a listener and for the log; nothing if that fails."""
        try:
            with self._database.read() as tx:
                return ends_of(tx, executions)
        except StoreError as error:
            log.warning("no events or lines tell how %d jobs ended: %s", len(executions), error)
            return []

    def prune(self) -> None:
        """Delete some old jobs if that is due, in a short transaction. Raises nothing: it can be done later."""
        self._pruning.go_on()

    def tend_log(self) -> None:
        """Keep the write-ahead log small. Raises nothing: transactions will show what is wrong with the file."""
        with suppress(StoreError):
            self._database.tend_log()

    def _do(self, tx: Transaction, turn: Turn) -> Outcome:
        moves = _write(tx, turn)
        next_attempts = self._next_attempts(tx, turn, moves)
        key, dead, lost = self._key, dict[WorkerKey, int](), list[int]()
        # A worker that was expelled may claim nothing under a name that no other worker watches any more.
        is_known = workers.is_registered(tx, key)
        is_beat = turn.is_beat or not is_known
        if is_beat:
            # Renew before sweeping: after a laptop sleeps every worker looks dead, and the first one awake
            # would otherwise declare its own healthy jobs lost.
            key = self._renew(tx, turn, is_known=is_known)
            dead, lost = self._sweep(tx, key)
            missing.note_found(tx, turn.found)
        if (turn.missing or self._noted[1]) and self._noted != (key, turn.missing):
            missing.note_missing(tx, key, turn.missing)
        turn.employer.write(tx, is_beat=is_beat)
        standing = self._look(tx, key, turn.held) if is_beat or turn.has_rung else None
        claims, outlook = self._claim(tx, key, turn.room, turn.lacking) if turn.room else ([], UNKNOWN)
        return Outcome(
            worker=key,
            moves=moves,
            next_attempts=next_attempts,
            is_beat=is_beat,
            progress=_own(turn.progress, standing),
            standing=standing,
            dead=dead,
            lost=lost,
            claims=claims,
            outlook=outlook,
        )

    def _next_attempts(self, tx: Transaction, turn: Turn, moves: Sequence[Move | None]) -> Mapping[int, str]:
        """Return when the jobs that are tried again may run, by their executions, if that is logged."""
        if not self._journal.tells_all:
            return {}
        again = (Move.RETRY, Move.RELEASE)
        ended = zip(turn.ended, moves, strict=True)
        return next_attempts(tx, [claim.execution_id for (claim, _), move in ended if move in again])

    def _renew(self, tx: Transaction, turn: Turn, *, is_known: bool) -> WorkerKey:
        if is_known:
            workers.renew(tx, self._key, completed=self._completed, failed=self._failed, trouble=turn.trouble)
            return self._key
        options = self._options
        return workers.register(
            tx,
            options.worker_id,
            self._process,
            concurrency=turn.slots,
            mode=options.mode,
            queues=options.queues,
            handlers=options.handlers,
        )

    def _sweep(self, tx: Transaction, key: WorkerKey) -> tuple[dict[WorkerKey, int], list[int]]:
        """Expel the workers that are dead, and return how many jobs each had, and those that had begun."""
        others = [sign for sign in workers.heartbeats(tx) if sign.key != key]
        dead, lost = self._detector.dead(others, now=self._clock.monotonic(), is_gone=is_gone), list[int]()
        manual.time_out(tx)
        for worker in dead:
            lost += workers.begun(tx, worker)
        return {worker: workers.expel(tx, worker) for worker in dead}, lost

    def _look(self, tx: Transaction, key: WorkerKey, held: Collection[int] | None) -> Standing | None:
        standing = workers.standing(tx, key)
        if standing is not None and held is not None:
            # Ctrl-C came between the commit and the call, or a commit was reported as failed and was not.
            orphans = [execution for execution in standing.own if execution not in held]
            settling.settle_all(tx, [(execution, _ORPHANED) for execution in orphans])
        return standing

    def _claim(
        self, tx: Transaction, key: WorkerKey, room: Room, lacking: Lacking
    ) -> tuple[list[Claim], Outlook]:
        self._tick(tx)
        claims, outlook, queues = list[Claim](), UNKNOWN, self._options.queues
        lacking = self._lacking(tx, key, lacking)
        if room.free or room.ahead:
            claims = claiming.claim(tx, key, room=room, queues=queues, lacking=lacking)
        if len(claims) < room.free:  # nothing is left: when will there be something?
            outlook = claiming.outlook(tx, queues=queues, lacking=lacking, has_ticked=True)
        return claims, outlook

    def _lacking(self, tx: Transaction, key: WorkerKey, lacking: Lacking) -> Lacking:
        """Return what the worker lacks, with the handlers that other workers have."""
        elsewhere = missing.handlers_elsewhere(tx, key, self._options.handlers)
        return Lacking({*lacking.absent, *elsewhere}, {*lacking.probed} - elsewhere) if elsewhere else lacking

    def _tick(self, tx: Transaction) -> None:
        for name in schedules.tick(tx, new_id=new_job_id):
            if name not in self._unread:
                log.error(
                    "schedule %r cannot be read here; add it again, or install time zone data here", name
                )
            self._unread.add(name)

    def _count(self, moves: Sequence[Move | None]) -> None:
        completed = moves.count(Move.COMPLETE)
        self._completed += completed
        self._failed += moves.count(Move.FAIL) + moves.count(Move.TIME_OUT)


def _write(tx: Transaction, turn: Turn) -> list[Move | None]:
    """Settle what has ended, and write what running functions leave behind."""
    moves = _settled(tx, turn.ended)
    claiming.begin(tx, turn.begun)
    _write_outputs(tx, turn)
    return moves


def _write_outputs(tx: Transaction, turn: Turn) -> None:
    if turn.progress:
        write_progress(tx, turn.progress)
    if turn.cursors:
        write_cursors(tx, turn.cursors)
    if turn.logs:
        write_running_logs(tx, turn.logs)
    if turn.last_logs:
        write_logs(tx, turn.last_logs)


def _settled(tx: Transaction, ended: Sequence[Ended]) -> list[Move | None]:
    """Settle what has ended. What its function has completed itself is complete, whatever has become of it then."""
    moves = settling.settle_all(tx, [(claim.execution_id, report) for claim, report in ended])
    refused = [claim.execution_id for (claim, _), move in zip(ended, moves, strict=True) if move is None]
    if not refused:
        return moves
    done = completed_among(tx, refused)
    return [
        Move.COMPLETE if claim.execution_id in done else move for (claim, _), move in zip(ended, moves, strict=True)
    ]


def _own(progress: Mapping[int, Progress], standing: Standing | None) -> Mapping[int, Progress]:
    if not progress or standing is None:
        return progress
    return {execution: each for execution, each in progress.items() if execution in standing.own}
