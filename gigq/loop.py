"""The loop of a worker's duties: one thread, one connection, and no function of a user's in it."""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gigq.clock import Clock
from gigq.errors import NotAQueue, QueueGone, StoreError
from gigq.liveness import Watch, WorkerKey
from gigq.records import Claim, Report
from gigq.reserve import Reserve
from gigq.runtime.residence import is_gone, residence
from gigq.runtime.runner import Ended, Runner
from gigq.status import ExecutionStatus, Move
from gigq.store import claiming, settling, workers
from gigq.store.claiming import Outlook
from gigq.store.database import Database, Transaction
from gigq.terms import Terms

log = logging.getLogger("gigq.worker")

_BEATS_PER_LEASE = 10
_LONGEST_BEAT = 1.0
_FIRST_PROBE, _LAST_PROBE = 0.005, 0.05
_PAUSE_AFTER_ERROR = 1.0
_SECONDS_BETWEEN_COMPLAINTS = 60.0
_SOON = 10.0

_MOST_AT_ONCE = 64
"""Reports that are settled in one transaction: others wait for the lock meanwhile, and the slots for new claims."""

_GIVEN_BACK = Report(status=ExecutionStatus.RELEASED, error="given back: its worker had no slot for it in time")
_TOLD_TO_STOP = "given back: its worker was told to stop"
_UNKNOWN = Outlook(True, None)


@dataclass(slots=True, kw_only=True)
class _Turn:
    """What one transaction has done; it counts only once that is committed."""

    key: WorkerKey
    ended: Sequence[Ended]
    begun: Collection[int]
    moves: list[Move | None] = field(default_factory=list)
    is_beat: bool = False
    standing: workers.Standing | None = None
    dead: dict[WorkerKey, int] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    outlook: Outlook = _UNKNOWN


class Loop:
    """Settles what has ended, renews the heartbeat, sweeps the dead and claims, in one transaction a turn.

    Belongs to the thread that runs it, but for `wake`.

    Args:
        listens: whether it is woken by the queue's bell; one that is asked for single turns is not.

    Attributes:
        stop: ``graceful`` or ``now`` once someone has asked the worker through the file to stop.
    """

    def __init__(
        self, database: Database, runner: Runner, terms: Terms, *, clock: Clock, listens: bool = False
    ) -> None:
        self.stop: str | None = None
        self._database = database
        self._runner = runner
        self._terms = terms
        self._clock = clock
        self._listens = listens
        self._bell: int | None = None
        self._has_rung = False
        self._home = residence()
        self._watch = Watch(self._home, lease=terms.lease)
        self._key = WorkerKey(0, terms.worker_id)  # no such row: the first beat registers
        self._beat_at = clock.monotonic()
        self._ended: list[Ended] = []
        self._reserve = Reserve(is_shared=terms.mode == "thread")
        self._counts = {True: 0, False: 0}
        self._outlook = _UNKNOWN
        self._probe = _FIRST_PROBE
        self._complained_at: float | None = None
        self._is_stuck = False

    def turn(self, *, claim: bool = True) -> int:
        """Do all that is to be done now, in one transaction if there is anything, and return how many jobs it claimed.

        Raises:
            StoreError: nothing was written. What had ended is kept for the next turn.
        """
        self._collect(give_back=not claim)
        if not (self._ended or self._is_beat_due() or (claim and self._has_work())):
            if self._has_rung:
                self._look()
            return 0
        turn = _Turn(key=self._key, ended=self._ended[:_MOST_AT_ONCE], begun=self._reserve.begun)
        self._transact(turn, claim=claim)
        del self._ended[: len(turn.ended)]
        self._conclude(turn)
        return len(turn.claims)

    def leave(self) -> None:
        """Give back what still runs, its attempt not counted, and take the worker's name out of the file."""
        if self._key.seq == 0:  # it was told to stop before its first turn
            return
        self._collect(give_back=True)  # nothing may begin any more
        with self._database.write(self._clock.now()) as tx:
            _settle(tx, self._ended)
            if workers.resign(tx, self._key, reason=_TOLD_TO_STOP):
                # Inside the transaction: who registers after it makes a new bell.
                self._database.bell.remove()
        self._ended.clear()
        self._runner.stop(list(self._runner.running))

    def close(self) -> None:
        """Let go of slots and files. Last of all, also where the loop was ended by an error."""
        self._runner.close()
        self._database.bell.close()

    def beat(self) -> None:
        """Renew the heartbeat, and nothing else: for a thread beside the one whose loop is kept by a job."""
        with self._database.write(self._clock.now()) as tx:
            workers.renew(tx, self._key)

    def wake(self) -> None:
        """End a `wait`. Safe to call from any thread, and from a signal handler."""
        self._runner.wake()

    @property
    def beat_interval(self) -> float:
        """Seconds between two heartbeats."""
        return min(self._terms.lease / _BEATS_PER_LEASE, _LONGEST_BEAT)

    @property
    def is_busy(self) -> bool:
        """Whether something is running, or has ended and is not settled yet."""
        return bool(self._runner.running or self._ended)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left that it can run, now or within seconds."""
        if self._runner.is_stuck:
            return not self.is_busy
        due = self._outlook.next_due
        is_soon = due is not None and (due - self._clock.now()).total_seconds() < _SOON
        return not (self.is_busy or self._outlook.is_ready or is_soon)

    def wait(self) -> None:
        """Wait until something is to be done."""
        self._has_rung = self._runner.wait(max(0.0, min(self._moments())), bell=self._bell)
        if self._bell is not None:
            self._has_rung |= self._database.bell.hush()

    def endure(self, error: StoreError) -> None:
        """Wait a little after a transaction failed, and say so once a minute.

        Raises:
            QueueGone, NotAQueue: waiting would not mend it.
        """
        if isinstance(error, QueueGone | NotAQueue):
            raise error
        now = self._clock.monotonic()
        if self._complained_at is None or now - self._complained_at >= _SECONDS_BETWEEN_COMPLAINTS:
            self._complained_at = now
            log.error("%s; %d results are kept and will be written again", error, len(self._ended))
        self._runner.wait(_PAUSE_AFTER_ERROR)

    def _moments(self) -> list[float]:
        """In how many seconds there may be something to do."""
        now = self._clock.monotonic()
        moments = [self._beat_at - now, max(self._terms.polling_interval, _FIRST_PROBE)]
        if self._runner.next_deadline is not None:
            moments.append(self._runner.next_deadline - now)
        if self._ended or (self._runner.free and self._outlook is _UNKNOWN):
            moments.append(0.0)  # go on before any wait
        if self._runner.free and self._outlook.next_due is not None:
            moments.append((self._outlook.next_due - self._clock.now()).total_seconds())
        if self._runner.free and self._bell is None:
            moments.append(self._probe)
            self._probe = min(_LAST_PROBE, self._probe * 1.5)
        return moments

    def _collect(self, *, give_back: bool) -> None:
        self._ended += self._runner.ended()
        self._complain_if_stuck()
        self._reserve.note_begun(self._runner.begun)
        if give_back or self._reserve.is_overdue(self._clock.monotonic()):
            self._ended += [(claim, _GIVEN_BACK) for claim in self._runner.give_back()]

    def _complain_if_stuck(self) -> None:
        if self._runner.is_stuck and not self._is_stuck:
            log.error("too many threads do not come back from jobs that were stopped; no more jobs are claimed here")
        self._is_stuck = self._runner.is_stuck

    def _is_beat_due(self) -> bool:
        return self._clock.monotonic() >= self._beat_at

    def _has_work(self) -> bool:
        if not self._runner.free:
            return False
        if self._has_rung:  # most likely for a job: to look first would cost it a tenth of a millisecond
            return True
        with self._database.read(self._clock.now()) as tx:
            self._outlook = claiming.outlook(tx, queues=self._terms.queues)
        return self._outlook.is_ready

    def _look(self) -> None:
        """See, while nothing is to be claimed, whether the bell has rung for a job of ours that was cancelled, or for us."""
        with self._database.read(self._clock.now()) as tx:
            standing = workers.standing(tx, self._key)
        if standing is not None:
            self._obey(standing)
        self._has_rung = False

    def _transact(self, turn: _Turn, *, claim: bool) -> None:
        with self._database.write(self._clock.now()) as tx:
            turn.moves = _settle(tx, turn.ended)
            claiming.begin(tx, turn.begun)
            turn.is_beat = self._is_beat_due() or not workers.is_registered(tx, turn.key)
            if turn.is_beat:
                # Whoever was struck off may claim nothing under a name that nobody watches any more.
                # Renew before sweeping: after a laptop sleeps every worker looks dead, and the first one awake
                # would otherwise declare its own healthy jobs lost.
                self._renew(tx, turn)
                self._sweep(tx, turn)
            if turn.is_beat or self._has_rung:
                turn.standing = workers.standing(tx, turn.key)
            if claim:
                self._claim(tx, turn)

    def _claim(self, tx: Transaction, turn: _Turn) -> None:
        # Who asks for single turns asks for single jobs.
        room = self._reserve.room(self._runner.free, self._runner.running, ahead=self._listens)
        if room.free or room.ahead:
            turn.claims = claiming.claim(tx, turn.key, room=room, queues=self._terms.queues)
        if len(turn.claims) < room.free:  # nothing is left: when will there be something?
            turn.outlook = claiming.outlook(tx, queues=self._terms.queues)

    def _conclude(self, turn: _Turn) -> None:
        """Act on what is now committed."""
        self._key = turn.key
        self._outlook = turn.outlook
        for (claim, report), move in zip(turn.ended, turn.moves, strict=True):
            self._counts[report.status is ExecutionStatus.COMPLETED] += move is not None
            _tell(claim, report, move)
        for worker, jobs in turn.dead.items():
            log.warning("worker %s is dead; %d of its jobs were taken from it", worker.id, jobs)
        self._reserve.note_settled(turn.ended, turn.begun)
        if turn.is_beat:
            self._beat_at = self._clock.monotonic() + self.beat_interval
            self._counts = {True: 0, False: 0}
            if self._listens:
                self._bell = self._database.bell.listen()
        if turn.standing is not None:
            self._obey(turn.standing)
        self._has_rung = False
        if turn.claims:
            self._probe = _FIRST_PROBE
            self._reserve.note_claimed(turn.claims, now=self._clock.monotonic())
            self._runner.start(turn.claims)

    def _obey(self, standing: workers.Standing) -> None:
        self._runner.stop(set(self._runner.running) - set(standing.own))
        self.stop = standing.stop
        if standing.concurrency not in (None, self._runner.slots):
            self._runner.slots = standing.concurrency
            self._beat_at = self._clock.monotonic()  # which also writes that it has so many now

    def _renew(self, tx: Transaction, turn: _Turn) -> None:
        if workers.is_registered(tx, turn.key):
            workers.renew(tx, turn.key, completed=self._counts[True], failed=self._counts[False])
        else:
            turn.key = workers.register(
                tx,
                self._terms.worker_id,
                self._home,
                concurrency=self._runner.slots,
                mode=self._terms.mode,
                queues=self._terms.queues,
            )

    def _sweep(self, tx: Transaction, turn: _Turn) -> None:
        others = [sign for sign in workers.signs(tx) if sign.key != turn.key]
        for worker in self._watch.dead(others, now=self._clock.monotonic(), is_gone=is_gone):
            turn.dead[worker] = workers.strike_off(tx, worker, chance=random.random)


def _settle(tx: Transaction, ended: Sequence[Ended]) -> list[Move | None]:
    reports = [(claim.execution_id, report) for claim, report in ended]
    return settling.settle_all(tx, reports, chance=random.random)


def _tell(claim: Claim, report: Report, move: Move | None) -> None:
    if move is None:
        log.warning("job %s (%r): the late report (%s) is refused", claim.job_id, claim.name, report.status)
        return
    level = logging.DEBUG if claim.is_ahead else logging.INFO
    if move not in (Move.COMPLETE, Move.RELEASE):
        level = logging.WARNING
    log.log(level, "job %s (%r): %s after attempt %d", claim.job_id, claim.name, move.label, claim.attempt)
