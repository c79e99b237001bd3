"""What a worker does in the file: all its duties of one turn in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.errors import StoreError
from gigq.job import new_job_id
from gigq.liveness import FailureDetector, WorkerKey
from gigq.logs import logger
from gigq.process import is_gone, this_process
from gigq.reports import Progress, Report
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus, Move
from gigq.store import claiming, manual, schedules, settling, workers
from gigq.store.claiming import Outlook, Room
from gigq.store.engine.database import Database, Transaction
from gigq.store.progress import write_logs, write_progress
from gigq.store.reading import ExecutionEnd, ends_of
from gigq.store.workers import Standing
from gigq.worker.options import WorkerOptions
from gigq.worker.pruning import PruningDuty

log = logger("worker")

UNKNOWN = Outlook(True, None)
"""What a worker expects of the queue before it has looked: work."""

_TOLD_TO_STOP = "given back: its worker was told to stop"


@dataclass(slots=True, kw_only=True)
class Turn:
    """What is to be done in one transaction, and then what was done in it.

    Attributes:
        ended: what is to be settled.
        begun: the executions whose start is to be written.
        slots: how many the worker has.
        room: what may be claimed; None for nothing.
        is_beat: whether the heartbeat is due, or, afterwards, was renewed.
        has_rung: whether the bell has rung since the last turn.
        progress: what is to be written of the progress of running jobs; afterwards, of those that are still its own.
        logs: the logs of executions that were taken away.
        moves: what became of the jobs of `ended`, in that order; None for a report that was refused.
        standing: where a heartbeat or the bell has made it look, what others have made of the worker.
        dead: the workers that were found dead, and how many jobs each had.
        lost: the executions of theirs that had begun.
        claims: what was claimed.
        outlook: what else may be claimed, where all that is ready was.
    """

    ended: Sequence[Ended]
    begun: Collection[int]
    slots: int
    room: Room | None
    is_beat: bool
    has_rung: bool
    progress: Mapping[int, Progress] = field(default_factory=dict)
    logs: Mapping[int, str] = field(default_factory=dict)
    moves: list[Move | None] = field(default_factory=list)
    standing: Standing | None = None
    dead: dict[WorkerKey, int] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    outlook: Outlook = UNKNOWN

    @property
    def refused(self) -> list[int]:
        """The executions of `ended` that others had ended before."""
        return [claim.execution_id for (claim, _), move in zip(self.ended, self.moves, strict=True) if move is None]


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
        self._counts = {True: 0, False: 0}
        self._unread: set[str] = set()
        self._pruning = PruningDuty(database, clock, after=options.prune_after)

    def fulfil(self, turn: Turn) -> None:
        """Settle what has ended, renew the heartbeat, sweep the dead and claim. One write transaction."""
        try:
            with self._database.write() as tx:
                key = self._do(tx, self._key, turn)
        except StoreError:
            self._detector.forget()
            raise
        self._key = key
        self._conclude(turn)

    def prune(self) -> None:
        """Delete some old jobs if that is due, in a short transaction. Raises nothing: it may as well be done later."""
        self._pruning.go_on()

    def cut_log(self) -> None:
        """Keep the write-ahead log small. Raises nothing: transactions will tell what is wrong with the file."""
        with suppress(StoreError):
            self._database.cut_log()

    def look(self) -> Standing | None:
        """Return what others have made of the worker; None if it is not in the file, or not any more."""
        with self._database.read() as tx:
            return workers.standing(tx, self._key)

    def outlook(self) -> Outlook:
        """Return what the worker may expect of the queue."""
        with self._database.read() as tx:
            return claiming.outlook(tx, queues=self._options.queues)

    def ends_of(self, executions: Collection[int]) -> list[ExecutionEnd]:
        """Return what became of executions that others have ended, for whoever wants to hear; nothing if that fails."""
        try:
            with self._database.read() as tx:
                return ends_of(tx, executions)
        except StoreError as error:
            log.warning("what became of %d jobs cannot be told: %s", len(executions), error)
            return []

    def beat(self, progress: Mapping[int, Progress]) -> None:
        """Renew the heartbeat, and write the progress of running jobs. Safe to call from any thread."""
        with self._database.write() as tx:
            workers.renew(tx, self._key)
            _write_outputs(tx, progress, {})

    def leave(
        self, ended: Sequence[Ended], progress: Mapping[int, Progress], logs: Mapping[int, str]
    ) -> list[Move | None]:
        """Settle what has ended, give back what still runs, its attempt not counted, and leave the file.

        Returns the moves of what has ended.
        """
        if self._key.seq == 0:  # it was told to stop before its first turn
            return []
        with self._database.write() as tx:
            moves = _settle(tx, ended)
            _write_outputs(tx, progress, logs)
            if workers.leave(tx, self._key, reason=_TOLD_TO_STOP):
                # Inside the transaction: who registers after it makes a new bell.
                self._database.bell.remove()
        return moves

    def _do(self, tx: Transaction, key: WorkerKey, turn: Turn) -> WorkerKey:
        turn.moves = _settle(tx, turn.ended)
        claiming.begin(tx, turn.begun)
        _write_outputs(tx, turn.progress, turn.logs)
        if turn.is_beat or not workers.is_registered(tx, key):
            # Whoever was struck off may claim nothing under a name that nobody watches any more.
            # Renew before sweeping: after a laptop sleeps every worker looks dead, and the first one awake
            # would otherwise declare its own healthy jobs lost.
            turn.is_beat = True
            key = self._renew(tx, key, slots=turn.slots)
            self._sweep(tx, key, turn)
        if turn.is_beat or turn.has_rung:
            turn.standing = workers.standing(tx, key)
        if turn.progress and turn.standing:
            own = turn.standing.own
            turn.progress = {execution: each for execution, each in turn.progress.items() if execution in own}
        if turn.room:
            self._claim(tx, key, turn, turn.room)
        return key

    def _claim(self, tx: Transaction, key: WorkerKey, turn: Turn, room: Room) -> None:
        for name in schedules.tick(tx, new_id=new_job_id):
            if name not in self._unread:
                log.error("schedule %r cannot be read here; add it anew, or install this machine's time zones", name)
            self._unread.add(name)
        if room.free or room.ahead:
            turn.claims = claiming.claim(tx, key, room=room, queues=self._options.queues)
        if len(turn.claims) < room.free:  # nothing is left: when will there be something?
            turn.outlook = claiming.outlook(tx, queues=self._options.queues)

    def _renew(self, tx: Transaction, key: WorkerKey, *, slots: int) -> WorkerKey:
        if workers.is_registered(tx, key):
            workers.renew(tx, key, completed=self._counts[True], failed=self._counts[False])
            return key
        options = self._options
        return workers.register(
            tx,
            options.worker_id,
            self._process,
            concurrency=slots,
            mode=options.mode,
            queues=options.queues,
            handlers=options.handlers,
        )

    def _sweep(self, tx: Transaction, key: WorkerKey, turn: Turn) -> None:
        others = [sign for sign in workers.heartbeats(tx) if sign.key != key]
        dead = self._detector.dead(others, now=self._clock.monotonic(), is_gone=is_gone)
        manual.time_out(tx)
        for worker in dead:
            turn.lost += workers.begun(tx, worker)
            turn.dead[worker] = workers.expel(tx, worker)

    def _conclude(self, turn: Turn) -> None:
        """Count and log what is now committed."""
        if turn.is_beat:
            self._counts = {True: 0, False: 0}
        for (claim, report), move in zip(turn.ended, turn.moves, strict=True):
            self._counts[report.status is ExecutionStatus.COMPLETED] += move is not None
            _tell(claim, report, move)
        for worker, jobs in turn.dead.items():
            log.warning("worker %s is dead; %d of its jobs were taken from it", worker.id, jobs)


def _write_outputs(tx: Transaction, progress: Mapping[int, Progress], logs: Mapping[int, str]) -> None:
    if progress:
        write_progress(tx, progress)
    if logs:
        write_logs(tx, logs)


def _settle(tx: Transaction, ended: Sequence[Ended]) -> list[Move | None]:
    reports = [(claim.execution_id, report) for claim, report in ended]
    return settling.settle_all(tx, reports)


def _tell(claim: Claim, report: Report, move: Move | None) -> None:
    if move is None:
        log.warning("job %s (%r): the late report (%s) is refused", claim.job_id, claim.name, report.status)
        return
    level = logging.DEBUG if claim.is_ahead else logging.INFO
    if move not in (Move.COMPLETE, Move.RELEASE):
        level = logging.WARNING
    log.log(level, "job %s (%r): %s after attempt %d", claim.job_id, claim.name, move.label, claim.attempt)
