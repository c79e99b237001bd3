"""A worker's loop: one thread, one connection, and no function of a user's in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.errors import StoreError
from gigq.reports import Report
from gigq.runtime.runner import Ended, Runner
from gigq.store.claiming import Room
from gigq.store.engine.database import Database
from gigq.store.workers import Standing
from gigq.worker.duties import Duties
from gigq.worker.emitter import Emitter
from gigq.worker.employment import NOBODY
from gigq.worker.events import Listener
from gigq.worker.inflight import Inflight
from gigq.worker.lacks import UNFOUND, Lacks
from gigq.worker.listening import Listening
from gigq.worker.options import WorkerOptions
from gigq.worker.prefetch import Prefetch
from gigq.worker.progress import ProgressWriter
from gigq.worker.results import GIVEN_BACK, Results
from gigq.worker.timetable import PAUSE_AFTER_ERROR, Timetable
from gigq.worker.trouble import Trouble
from gigq.worker.turn import UNKNOWN, Outcome, Turn


class Loop:
    """Decides in each turn what is to be done, and carries claims to the runner and reports from it.

    Belongs to the thread that runs it, but for `wake` and `beat`.

    Args:
        listens: whether it is woken by the bell; one that is asked for single turns is not.
        listener: is sent what it has committed.

    Attributes:
        stop: ``graceful`` or ``now`` once someone has asked the worker through the file to stop.
        timetable: when it looks, and when it renews its heartbeat.
        lacks: the functions that it does not find.
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
        self._inflight = inflight = Inflight()
        if options.tally:
            options.tally.attach(inflight, lambda: runner.slots)
        self._duties = Duties(database, options, clock=clock)
        self._runner = runner
        self.timetable = Timetable(options, clock)
        self._prefetch = Prefetch(inflight, is_shared=options.mode == "thread")
        self._progress = ProgressWriter(runner, inflight, clock)
        self._emitter = listener and Emitter(
            listener, inflight, self._duties.ends_of, worker_id=options.worker_id, clock=clock
        )
        self._clock = clock
        self._bell = Listening(database.bell, is_wanted=listens)
        self._takes_single_jobs = not listens
        self._results = Results()
        self._outlook = UNKNOWN
        self.lacks = Lacks(inflight, clock, worker_id=options.worker_id)
        self._employer = NOBODY if options.employment is None else options.employment.employer
        self._trouble = Trouble(runner, self._employer, clock)

    def turn(self, *, claim: bool = True) -> int:
        """Do everything that is due, in one transaction if there is anything, and return how many jobs were claimed.

        Raises:
            StoreError: nothing was written. What had ended is kept for the next turn.
        """
        self._claims = claim
        self._collect(give_back=not claim)
        is_beat = self.timetable.is_beat_due
        if is_beat:
            self._bell.listen()  # before the transaction that may find nothing: a job that is stored after it rings
        if not (self._results or is_beat or self._employer.has_work or self._has_work()):
            self._look()
            return 0
        turn = self._turn(is_beat=is_beat)
        outcome = self._duties.fulfil(turn)
        self._results.note_written(len(turn.ended))
        self._conclude(turn, outcome)
        self._duties.prune()  # in a transaction of its own, after what was claimed has been given to the slots
        if outcome.is_beat:
            self._duties.tend_log()
        if self.lacks.note_failed(turn.ended, outcome.moves) and not outcome.claims:
            return self.turn(claim=claim)  # others may have to fail for the same reason
        return len(outcome.claims)

    def leave(self) -> None:
        """Give back what still runs, which does not count as an attempt, and remove the worker from the file."""
        self._collect(give_back=True)  # nothing may begin any more
        running = list(self._runner.running)
        self._progress.keep_logs(running)
        turn = Turn(
            ended=self._results.all(), begun=self._inflight.begun, progress=self._runner.progress(),
            cursors=self._runner.cursors(), last_logs=self._progress.last_logs, employer=self._employer,
            **self.lacks.of_turn(),
        )  # fmt: skip
        outcome = self._duties.leave(turn, self._inflight.claims_of(running))
        if self._emitter:
            self._emitter.turned(turn, outcome)
            self._emitter.left(running, outcome)
        self._employer.turned(turn.ended, outcome.moves, outcome.worker)
        self._results.note_written(len(turn.ended))
        self._inflight.forget(list(self._inflight))
        self._progress.note_logs_written()
        self._runner.slots = 0  # nobody takes the place of what is stopped
        self._runner.stop(running)

    def close(self) -> None:
        """Close slots and files. To be called last, even after an error."""
        self._runner.close()
        self._bell.close()
        if self._emitter:
            self._emitter.stopped()

    def beat(self) -> None:
        """Renew the heartbeat, and write progress and logs. For another thread, while the loop's own runs a job."""
        turn = Turn(**self._progress.of_turn(is_beat=True))
        self._duties.beat(turn)
        self._progress.note_written(turn.progress, turn.cursors, turn.logs)
        if self._emitter:
            self._emitter.progressed(turn.progress)

    def wake(self) -> None:
        """End a `wait`. Safe to call from any thread and from a signal handler."""
        self._runner.wake()

    @property
    def is_busy(self) -> bool:
        """Whether something is running, or has ended and is not settled yet."""
        # Not what the runner says is running: a child's report that came during a wait is neither there nor here.
        return bool(self._inflight or self._results)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to run, now or within ten seconds."""
        if self.is_busy:
            return False
        return self._runner.is_stuck or not (self._outlook.is_ready or self.timetable.is_soon(self._outlook))

    def wait(self, *, at_most: float = math.inf) -> None:
        """Wait until there is something to do, but no longer than `at_most` seconds."""
        self._bell.wait(self._runner, max(0.0, min(at_most, self._seconds_to_wait())), is_busy=self.is_busy)

    def pause_after_error(self, error: StoreError) -> None:
        """Wait a little after a transaction failed, and log that once a minute.

        Raises:
            QueueGone, NotAQueue: waiting would not mend it.
        """
        self._trouble.note_failed(error, kept=len(self._results))
        self._results.go_one_by_one()
        with suppress(StoreError):  # where a result does not fit on the disk, a heartbeat may
            self._duties.beat(Turn())
        self._runner.wait(PAUSE_AFTER_ERROR)

    def _seconds_to_wait(self) -> float:
        is_free = self._claims and self._free > 0
        if self._results or self._employer.has_work or (is_free and self._outlook is UNKNOWN):
            return 0.0
        return self.timetable.wait(
            self._outlook, deadline=self._runner.next_deadline, next_search=self.lacks.next_search, is_free=is_free,
            hears_bell=self._bell.file is not None,
        )  # fmt: skip

    @property
    def _free(self) -> int:
        """The number of jobs that could begin now."""
        return 0 if self._prefetch.runs_suspect(self._runner.running) else self._runner.free

    def _collect(self, *, give_back: bool) -> None:
        """Collect what has ended from the slots, and what has waited for them too long."""
        missed = self.lacks.count
        ended = self.lacks.note_ended(self._runner.ended())
        self._inflight.note_begun(self._runner.begun)
        self._note_ended(ended)
        if self._trouble.has_changed():
            self.timetable.beat_now()  # so that the file says so too
        if give_back or self._prefetch.is_overdue(self._clock.monotonic()):
            self._give_back(self._runner.give_back())
        elif self.lacks.count > missed and self._inflight.waiting:
            wanted, unwanted = self.lacks.parted(self._runner.give_back())
            self._runner.start(wanted)
            self._give_back(unwanted, UNFOUND)

    def _give_back(self, claims: Sequence[Claim], report: Report = GIVEN_BACK) -> None:
        self._note_ended([(claim, report) for claim in claims])

    def _note_ended(self, ended: Sequence[Ended]) -> None:
        self._inflight.note_ended(ended)
        self._results.add(ended)

    def _has_work(self) -> bool:
        if not (self._claims and self._free):
            return False
        if self._bell.is_called_first:  # for a job, most likely: to look first would take 0.1 ms
            return True
        self._outlook = self._duties.outlook(self.lacks.lacking)
        if self._bell.has_rung and not self._outlook.is_ready:
            # A job of a caller's transaction is heard before it is committed; then whoever has rung has the lock.
            if self._duties.is_locked:
                return True
            self._outlook = self._duties.outlook(self.lacks.lacking)
        return self._outlook.is_ready

    def _look(self) -> None:
        """If the bell has rung, see whether a job was cancelled, or the worker scaled or stopped."""
        if self._bell.has_rung and (standing := self._duties.look()) is not None:
            self._follow(standing)
        self._bell.has_rung = False

    def _turn(self, *, is_beat: bool) -> Turn:
        return Turn(
            ended=self._results.next(),
            begun=self._inflight.begun,
            held={*self._inflight, *self._results.executions} if is_beat or self._bell.has_rung else None,
            slots=self._runner.slots,
            trouble=self._trouble.reason,
            room=self._room() if self._claims else None,
            is_beat=is_beat,
            has_rung=self._bell.has_rung,
            last_logs=self._progress.last_logs,
            employer=self._employer,
            **self._progress.of_turn(is_beat=is_beat),
            **self.lacks.of_turn(),
        )

    def _room(self) -> Room:
        ahead = not (self._takes_single_jobs or self._trouble.is_stuck)
        return self._prefetch.room(self._runner.free, self._runner.running, ahead=ahead, ended=len(self._results))

    def _conclude(self, turn: Turn, outcome: Outcome) -> None:
        """Act on what is now committed."""
        self._outlook = outcome.outlook
        self._inflight.note_start_written(turn.begun)
        self._progress.note_written(outcome.progress, turn.cursors, turn.logs)
        self._progress.note_logs_written()
        if self._emitter:
            self._emitter.turned(turn, outcome)
        self._employer.turned(turn.ended, outcome.moves, outcome.worker)
        self._inflight.forget([claim.execution_id for claim, _ in turn.ended])
        self._prefetch.note_settled(turn.ended)
        if outcome.is_beat:
            self.lacks.note_written(turn.found)
            self.timetable.note_beat()
            self._bell.listen()  # again, because another worker that left in the meantime may have removed a FIFO
        if outcome.standing is not None:
            self._follow(outcome.standing)
        self._bell.has_rung = False
        if outcome.claims:
            self._start(outcome.claims)

    def _follow(self, standing: Standing) -> None:
        """Act on what others have decided about the worker and its jobs."""
        taken = self._duties.taken(self._runner.running, standing)
        if taken:
            self._progress.keep_logs(taken)
            self._runner.stop(taken)
            self._duties.log_taken([owned.claim for each in taken if (owned := self._inflight.get(each))])
            if self._emitter:
                self._emitter.taken(taken)
            self._inflight.forget(taken)
            self._outlook = UNKNOWN  # slots are free now, perhaps for a job that had to wait for these to end
        self.stop = standing.stop
        if standing.concurrency not in (None, self._runner.slots):
            self._runner.slots = standing.concurrency
            self._inflight.note_waiting(set(self._runner.running) - set(self._runner.begun))
            self.timetable.beat_now()  # which also writes the new number

    def _start(self, claims: Sequence[Claim]) -> None:
        self.timetable.note_claimed()
        self._prefetch.note_claimed(claims)
        self._inflight.add(claims, free=self._runner.free, now=self._clock.monotonic())
        if self._emitter:
            self._emitter.claimed(claims)
        if unwanted := self._employer.unwanted(claims):
            self._note_ended(unwanted)
            dropped = {claim.execution_id for claim, _ in unwanted}
            claims = [claim for claim in claims if claim.execution_id not in dropped]
        with ExitStack() as undo:
            # Where Ctrl-C comes before the call, the next look gives the job back.
            undo.callback(self._inflight.forget, [claim.execution_id for claim in claims])
            self._runner.start(claims)
            undo.pop_all()
