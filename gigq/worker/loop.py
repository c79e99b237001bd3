"""The loop of a worker's duties: one thread, one connection, and no function of a user's in it."""

from __future__ import annotations

from contextlib import suppress

from gigq.clock import Clock
from gigq.errors import NotAQueue, QueueGone, StoreError
from gigq.logs import logger
from gigq.reports import Report
from gigq.runtime.runner import Ended, Runner
from gigq.store.engine.database import Database
from gigq.store.workers import Standing
from gigq.worker.duties import UNKNOWN, Duties, Turn
from gigq.worker.emitter import Emitter
from gigq.worker.events import Listener
from gigq.worker.options import WorkerOptions
from gigq.worker.prefetch import Prefetch
from gigq.worker.progress import ProgressWriter

log = logger("worker")

_BEATS_PER_LEASE = 10
_LONGEST_BEAT = 1.0
_FIRST_PROBE, _LAST_PROBE = 0.005, 0.05
_PAUSE_AFTER_ERROR = 1.0
_SECONDS_BETWEEN_COMPLAINTS = 60.0
_SOON = 10.0

_MOST_AT_ONCE = 64
"""Reports that are settled in one transaction: others wait for the lock meanwhile, and the slots for new claims."""

_GIVEN_BACK = Report.released("given back: its worker had no slot for it in time")


class Loop:
    """Decides when a worker does what, and carries claims to the runner and reports from it.

    Belongs to the thread that runs it, but for `wake` and `beat`.

    Args:
        listens: whether it is woken by the bell; one that is asked for single turns is not.
        listener: hears of what it has committed.

    Attributes:
        stop: ``graceful`` or ``now`` once someone has asked the worker through the file to stop.
    """

    def __init__(
        self,
        database: Database,
        runner: Runner,
        options: WorkerOptions,
        *,
        clock: Clock,
        listens: bool = False,
        listener: Listener | None = None,
    ) -> None:
        self.stop: str | None = None
        self._duties = Duties(database, options, clock=clock)
        self._runner = runner
        self._progress = ProgressWriter(runner, clock)
        self._emitter = None if listener is None else Emitter(listener, worker_id=options.worker_id, clock=clock)
        self._options = options
        self._clock = clock
        self._bell = database.bell
        self._listens = listens
        self._bell_file: int | None = None
        self._has_rung = False
        self._beat_at = clock.monotonic()
        self._ended: list[Ended] = []
        self._prefetch = Prefetch(is_shared=options.mode == "thread")
        self._outlook = UNKNOWN
        self._probe = _FIRST_PROBE
        self._complained_at: float | None = None
        self._is_stuck = False
        self._portion = _MOST_AT_ONCE

    def turn(self, *, claim: bool = True) -> int:
        """Do all that is to be done now, in one transaction if there is anything, and return how many jobs it claimed.

        Raises:
            StoreError: nothing was written. What had ended is kept for the next turn.
        """
        self._collect(give_back=not claim)
        is_beat = self._is_beat_due()
        if not (self._ended or is_beat or (claim and self._has_work())):
            self._look()
            return 0
        turn = Turn(
            ended=self._ended[: self._portion],
            begun=self._prefetch.begun,
            slots=self._runner.slots,
            # Who asks for single turns asks for single jobs.
            room=self._prefetch.room(self._runner.free, self._runner.running, ahead=self._listens) if claim else None,
            is_beat=is_beat,
            has_rung=self._has_rung,
            # With a heartbeat it costs no transaction.
            progress=self._progress.progress() if is_beat else {},
            logs=self._progress.logs,
        )
        self._duties.fulfil(turn)
        del self._ended[: len(turn.ended)]
        self._portion = min(_MOST_AT_ONCE, 2 * self._portion)
        self._conclude(turn)
        self._duties.prune()  # in a transaction of its own, after what was claimed has been given to the slots
        if turn.is_beat:
            self._duties.cut_log()
        return len(turn.claims)

    def leave(self) -> None:
        """Give back what still runs, its attempt not counted, and take the worker's name out of the file."""
        self._collect(give_back=True)  # nothing may begin any more
        self._progress.note_taken(self._runner.running)
        moves = self._duties.leave(self._ended, self._runner.progress(), self._progress.logs)
        if self._emitter:
            self._emitter.left(self._ended, moves)
        self._ended.clear()
        self._runner.stop(list(self._runner.running))

    def close(self) -> None:
        """Let go of slots and files. Last of all, also where the loop was ended by an error."""
        self._runner.close()
        self._bell.close()
        if self._emitter:
            self._emitter.stopped()

    def beat(self) -> None:
        """Renew the heartbeat, and write progress: for a thread beside the one whose loop is kept by a job."""
        progress = self._progress.progress()
        self._duties.beat(progress)
        self._progress.note_written(progress)
        if progress and self._emitter:
            self._emitter.progressed(progress)

    def wake(self) -> None:
        """End a `wait`. Safe to call from any thread, and from a signal handler."""
        self._runner.wake()

    @property
    def beat_interval(self) -> float:
        """Seconds between two heartbeats."""
        return min(self._options.lease / _BEATS_PER_LEASE, _LONGEST_BEAT)

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
        self._has_rung = self._runner.wait(max(0.0, min(self._moments())), bell=self._bell_file)
        self._has_rung |= self._bell.clear()

    def pause_after_error(self, error: StoreError) -> None:
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
        self._spare_the_others()
        self._runner.wait(_PAUSE_AFTER_ERROR)

    def _spare_the_others(self) -> None:
        """Where one result does not fit on the disk, the heartbeat may, and the other results may, one by one."""
        self._portion = 1
        self._ended = self._ended[1:] + self._ended[:1]
        with suppress(StoreError):
            self._duties.beat({})

    def _moments(self) -> list[float]:
        """In how many seconds there may be something to do."""
        now = self._clock.monotonic()
        moments = [self._beat_at - now, max(self._options.polling_interval, _FIRST_PROBE)]
        deadline = self._runner.next_deadline  # read once: it may be none at any moment
        if deadline is not None:
            moments.append(deadline - now)
        if self._ended or (self._runner.free and self._outlook is UNKNOWN):
            moments.append(0.0)  # go on before any wait
        if self._runner.free and self._outlook.next_due is not None:
            moments.append((self._outlook.next_due - self._clock.now()).total_seconds())
        if self._runner.free and self._bell_file is None:
            moments.append(self._probe)
            self._probe = min(_LAST_PROBE, self._probe * 1.5)
        return moments

    def _collect(self, *, give_back: bool) -> None:
        self._ended += self._runner.ended()
        self._complain_if_stuck()
        self._prefetch.note_begun(self._runner.begun)
        if give_back or self._prefetch.is_overdue(self._clock.monotonic()):
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
        self._outlook = self._duties.outlook()
        return self._outlook.is_ready

    def _look(self) -> None:
        """See, where nothing else is to be done, whether the bell has rung for a job that was cancelled, or for us."""
        standing = self._duties.look() if self._has_rung else None
        if standing is not None:
            self._follow(standing)
        self._has_rung = False

    def _conclude(self, turn: Turn) -> None:
        """Act on what is now committed."""
        self._outlook = turn.outlook
        self._progress.note_written(turn.progress)
        self._progress.logs.clear()
        if self._emitter:
            self._tell(self._emitter, turn)
        self._prefetch.note_settled(turn.ended, turn.begun)
        if turn.is_beat:
            self._beat_at = self._clock.monotonic() + self.beat_interval
            if self._listens:
                self._bell_file = self._bell.listen()
        if turn.standing is not None:
            self._follow(turn.standing)
        self._has_rung = False
        if turn.claims:
            self._probe = _FIRST_PROBE
            self._prefetch.note_claimed(turn.claims, now=self._clock.monotonic())
            self._runner.start(turn.claims)

    def _tell(self, emitter: Emitter, turn: Turn) -> None:
        emitter.turned(turn)
        if others := turn.refused + turn.lost:
            emitter.taken(self._duties.ends_of(others))

    def _follow(self, standing: Standing) -> None:
        taken = set(self._runner.running) - set(standing.own)
        if taken:
            self._progress.note_taken(taken)
            self._runner.stop(taken)
            if self._emitter:
                self._emitter.taken(self._duties.ends_of(taken))
        self.stop = standing.stop
        if standing.concurrency not in (None, self._runner.slots):
            self._runner.slots = standing.concurrency
            self._beat_at = self._clock.monotonic()  # which also writes that it has so many now
