"""The loop of a worker's duties: one thread, one connection, and no function of a user's in it."""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gigq.clock import Clock
from gigq.errors import LeaseLost, NotAQueue, QueueGone, StoreError
from gigq.liveness import Watch, WorkerKey
from gigq.records import Claim
from gigq.runtime.residence import is_gone, residence
from gigq.runtime.runner import Ended, Runner
from gigq.status import Move
from gigq.store import claiming, settling, workers
from gigq.store.database import Database, Transaction

log = logging.getLogger("gigq.worker")

_BEATS_PER_LEASE = 10
_FIRST_PROBE, _LAST_PROBE = 0.005, 0.05
_PAUSE_AFTER_ERROR = 1.0
_SECONDS_BETWEEN_COMPLAINTS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a worker was asked to be. Durations are seconds."""

    worker_id: str
    concurrency: int
    queues: Sequence[str] | None
    lease: float
    polling_interval: float
    shutdown_timeout: float


@dataclass(slots=True, kw_only=True)
class _Turn:
    """What one transaction has done; it counts only once that is committed."""

    key: WorkerKey
    moves: list[tuple[Claim, Move | None]] = field(default_factory=list)
    own: Collection[int] | None = None
    dead: dict[WorkerKey, int] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)


class Loop:
    """Settles what has ended, renews the heartbeat, sweeps the dead and claims, in one transaction a turn.

    Belongs to the thread that runs it, but for `wake`.
    """

    def __init__(self, database: Database, runner: Runner, terms: Terms, *, clock: Clock) -> None:
        self._database = database
        self._runner = runner
        self._terms = terms
        self._clock = clock
        self._home = residence()
        self._watch = Watch(self._home, lease=terms.lease)
        self._key = WorkerKey(0, terms.worker_id)  # no such row: the first beat registers
        self._ended: list[Ended] = []
        self._beat_at = clock.monotonic()
        self._probe = _FIRST_PROBE
        self._complained_at: float | None = None

    def turn(self, *, claim: bool = True) -> int:
        """Do all that is to be done now, in one transaction if there is anything, and return how many jobs it started.

        Raises:
            StoreError: nothing was written. What had ended is kept for the next turn.
        """
        self._ended += self._runner.ended()
        wanted = self._runner.free if claim else 0
        if not (self._ended or self._is_beat_due() or (wanted and self._has_work())):
            return 0
        settled = list(self._ended)
        turn = self._transact(settled, wanted)
        del self._ended[: len(settled)]
        self._conclude(turn)
        return len(turn.claims)

    def leave(self) -> None:
        """Give back what still runs, its attempt not counted, and take the worker's name out of the file."""
        if self._key.seq == 0:  # it was told to stop before its first turn
            return
        self._ended += self._runner.ended()
        with self._database.write(self._clock.now()) as tx:
            for each in self._ended:
                self._settle(tx, each)
            workers.resign(tx, self._key, reason="given back: its worker was told to stop")
        self._ended.clear()
        self._runner.stop(self._runner.running)
        self._runner.close()

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
        return self._terms.lease / _BEATS_PER_LEASE

    @property
    def is_busy(self) -> bool:
        """Whether something is running, or has ended and is not settled yet."""
        return bool(self._runner.running or self._ended)

    def wait(self) -> None:
        """Wait until something is to be done."""
        now = self._clock.monotonic()
        moments = [self._beat_at - now, max(self._terms.polling_interval, _FIRST_PROBE)]
        if self._runner.next_deadline is not None:
            moments.append(self._runner.next_deadline - now)
        if self._runner.free:
            moments.append(self._probe)
            self._probe = min(_LAST_PROBE, self._probe * 1.5)
        self._runner.wait(max(0.0, min(moments)))

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
        self._clock.sleep(_PAUSE_AFTER_ERROR)

    def _is_beat_due(self) -> bool:
        return self._clock.monotonic() >= self._beat_at

    def _has_work(self) -> bool:
        with self._database.read(self._clock.now()) as tx:
            return claiming.has_work(tx, queues=self._terms.queues)

    def _transact(self, ended: Sequence[Ended], wanted: int) -> _Turn:
        turn = _Turn(key=self._key)
        with self._database.write(self._clock.now()) as tx:
            turn.moves = [(each[0], self._settle(tx, each)) for each in ended]
            if self._is_beat_due():
                # Renew before sweeping: after a laptop sleeps every worker looks dead, and the first one awake
                # would otherwise declare its own healthy jobs lost.
                self._renew(tx, turn)
                self._sweep(tx, turn)
            if wanted:
                turn.claims = claiming.claim(tx, turn.key, limit=wanted, queues=self._terms.queues)
        return turn

    def _conclude(self, turn: _Turn) -> None:
        """Act on what is now committed."""
        self._key = turn.key
        for claim, move in turn.moves:
            _tell(claim, move)
        for worker, jobs in turn.dead.items():
            log.warning("worker %s is dead; %d of its jobs were taken from it", worker.id, jobs)
        if turn.own is not None:
            self._beat_at = self._clock.monotonic() + self.beat_interval
            self._runner.stop(set(self._runner.running) - set(turn.own))
        if turn.claims:
            self._probe = _FIRST_PROBE
            self._runner.start(turn.claims)

    def _settle(self, tx: Transaction, ended: Ended) -> Move | None:
        claim, report = ended
        try:
            return settling.settle(tx, claim.execution_id, report, chance=random.random())
        except LeaseLost as refusal:
            log.warning("job %s (%r): %s", claim.job_id, claim.name, refusal)
            return None

    def _renew(self, tx: Transaction, turn: _Turn) -> None:
        turn.own = workers.renew(tx, turn.key)
        if turn.own is None:
            turn.own = ()
            turn.key = workers.register(tx, self._terms.worker_id, self._home, concurrency=self._terms.concurrency)

    def _sweep(self, tx: Transaction, turn: _Turn) -> None:
        others = [sign for sign in workers.signs(tx) if sign.key != turn.key]
        for worker in self._watch.dead(others, now=self._clock.monotonic(), is_gone=is_gone):
            turn.dead[worker] = workers.strike_off(tx, worker, chance=random.random)


def _tell(claim: Claim, move: Move | None) -> None:
    if move is None:
        return
    level = logging.INFO if move in (Move.COMPLETE, Move.RELEASE) else logging.WARNING
    log.log(level, "job %s (%r): %s after attempt %d", claim.job_id, claim.name, move.label, claim.attempt)
