"""The calls of a run, from the moment they are asked for until their futures are resolved."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from functools import partial

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.codec import decode
from gigq.errors import NotImportable, RetryLater, StoreError
from gigq.executor import failures
from gigq.executor.calls import Calls
from gigq.executor.intake import Intake
from gigq.executor.items import Item
from gigq.executor.ledger import Ledger
from gigq.liveness import WorkerKey
from gigq.logs import logger
from gigq.reports import Report
from gigq.runtime.call import NOT_WANTED
from gigq.runtime.runner import Ended
from gigq.runtime.watch import SETUP_FAILED, Setup
from gigq.status import Move
from gigq.store.engine.transaction import Transaction

PATIENCE = 30.0
"""Seconds for which the file may not be writable before the futures are told. Other writers wait as long for a lock."""

log = logger("executor")

_ENDED = "given back: its executor has ended"
_GIVEN_BACK = Report.released(_ENDED, has_begun=False)

_ENDS = {Move.COMPLETE, Move.FAIL, Move.TIME_OUT, Move.CANCEL}


class Board:
    """The employer of a run's worker, and what the slots ask before they call a function.

    `begins` and `raised` belong to the slots, `refuse`, `finish` and `leave` to any thread, and the rest to the loop's.

    Args:
        intake: where calls come from.
        ledger: what is written of them.
        calls: what they are.
        setup: what each slot of this process does before its first job.
        is_exact: whether slots ask here before each call, so that a call can be cancelled until then.

    Attributes:
        broken: makes the error of an executor that cannot go on, as pools raise it.
        worker: the row of the worker, once it is registered.
        is_registered: set then, or when that has failed.
        stop: ends the worker.
        error: makes the error for which this run cannot go on; None if it can.
        outdated: how many results of each function were made by other code than it has now.
        counts: how many calls were ``stored`` before this run, have ``failed``, ``ended`` in all, or were ``left``.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        ledger: Ledger,
        calls: Calls,
        setup: Setup,
        is_exact: bool,
        broken: Callable[[str], BrokenExecutor],
        clock: Clock,
    ) -> None:
        self.worker: WorkerKey | None = None
        self.is_registered = threading.Event()
        self.stop: Callable[[], object] = lambda: None
        self.error: Callable[[], BaseException] | None = None
        self.broken = broken
        self.outdated: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.is_finishing = self.is_left = self._has_stopped = False
        self._items: dict[str, Item] = {}
        self._intake = intake
        self._ledger = ledger
        self._calls = calls
        self._setup = setup
        self._is_exact = is_exact
        self._clock = clock
        self._failing_since: float | None = None

    @property
    def asked(self) -> int:
        """How many calls were asked for."""
        return self.counts["ended"] + self.counts["left"] + len(self._items) + len(self._intake)

    @property
    def has_finished(self) -> bool:
        """Whether it has ended as its program wanted."""
        return self.is_left or (self.is_finishing and self._has_stopped)

    def outstanding(self) -> list[Item]:
        """Return the calls that are stored and whose futures are not resolved."""
        while True:
            with suppress(RuntimeError):  # it has changed meanwhile
                return list(self._items.values())

    def runs(self, job_id: str) -> bool:
        """Whether this job is one of those."""
        return job_id in self._items

    def refuse(self, item: Item) -> None:
        """End a call that came when nothing was taken any more."""
        if self.error is not None and not item.done():
            self._fail(item, self.error())
        item.cancel()
        item.begin()  # which tells those who wait for it

    def finish(self) -> None:
        """Have the worker end once everything that was asked for has ended."""
        self.is_finishing = True

    def leave(self) -> None:
        """Have the worker end when what runs has ended, and leave the rest in the file as it is."""
        self.is_left = self.is_finishing = True
        self._stop()
        unstored = self._intake.close()
        self.counts["left"] += len(unstored)
        for item in (*unstored, *self.outstanding()):
            item.cancel()

    def let_go(self) -> None:
        """Resolve what is left when the worker has ended: in other threads somebody may wait for it."""
        for item in self.outstanding():
            self._resolve(item, partial(item.set_exception, failures.of_left()), "left")
        for item in self._intake.withdrawn():
            item.begin()

    @property
    def _has_given_up(self) -> bool:
        """Whether what has not begun is left to a later run."""
        return self.is_left or self.error is not None

    # the slots

    def begins(self, claim: Claim) -> bool:
        self._setup.make()
        if self._has_given_up:
            raise RetryLater(0, _ENDED)
        item = self._items.get(claim.job_id)
        return item is not None and item.begin()

    def raised(self, error: BaseException, claim: Claim, report: Report) -> Report:
        if (item := self._items.get(claim.job_id)) is not None:
            item.raised = claim.execution_id, error
        return self._setup.judged(report)

    # the loop

    @property
    def has_work(self) -> bool:
        is_last = self.is_finishing and not (self._has_stopped or self._items)
        return bool(self._intake or is_last or (self._ledger.is_full and not self.is_left))

    def write(self, tx: Transaction, *, is_beat: bool) -> None:
        self._withdraw()
        self._intake.stage()
        self._ledger.store(tx, [job for item, job in self._intake.staged if not item.cancelled()])
        if not self.is_left:
            self._ledger.clear(tx, is_due=is_beat or self._has_stopped or self.is_finishing)
        self._ledger.look(tx, self._items, is_beat=is_beat)

    def turned(self, ended: Sequence[Ended], moves: Sequence[Move | None], worker: WorkerKey) -> None:
        self._failing_since = None
        self._accept()
        for (claim, report), move in zip(ended, moves, strict=True):
            self._end(claim, report, move)
        self._follow_others()
        self._note_worker(worker)
        self.is_registered.set()
        if self.is_finishing and not (self._items or self._intake or self._ledger):
            self._stop()

    def unwanted(self, claims: Sequence[Claim]) -> Sequence[Ended]:
        if self._has_given_up:
            return [(claim, _GIVEN_BACK) for claim in claims]
        return [(claim, NOT_WANTED) for claim in claims if not self._is_wanted(claim)]

    def failed(self, error: StoreError) -> None:
        now = self._clock.monotonic()
        self._failing_since = now if self._failing_since is None else self._failing_since
        if self.worker is None or now - self._failing_since >= PATIENCE:
            self.break_off(lambda: type(error)(*error.args))

    def stuck(self, reason: str) -> None:
        self.break_off(lambda: self.broken(reason))

    def break_off(self, error: Callable[[], BaseException]) -> None:
        """End the run: nothing that was asked for and has not ended will be."""
        self.error = self.error or error
        for item in self.outstanding():
            self._ledger.note_abandoned(item.job_id)
            self._fail(item, self.error())
        for item in self._intake.close():
            self._fail(item, self.error())
        self._intake.staged = []
        self.is_registered.set()
        self._stop()

    def _stop(self) -> None:
        self._has_stopped = True
        self.stop()

    def _withdraw(self) -> None:
        """Tell the futures that were cancelled so, and drop their jobs."""
        for item in self._intake.withdrawn():
            item.begin()
            if self._items.pop(item.job_id, None) is not None:
                self.counts["left" if self.is_left else "ended"] += 1
                self._ledger.note_cancelled(item.job_id)

    def _accept(self) -> None:
        """Take note that what was staged is in the file."""
        written, known = self._ledger.taken()
        for item, job in self._intake.staged:
            if job.id in written:
                self._items[job.id] = item
        for stored in known:
            item = self._items[stored.id]
            self.counts["stored"] += 1
            if self._calls.is_outdated(item.function, stored.metadata):
                self.outdated[item.function] += 1
            self._complete(item, stored.result)
        self._intake.note_written()

    def _end(self, claim: Claim, report: Report, move: Move | None) -> None:
        item = self._items.get(claim.job_id)
        if move in _ENDS:
            self._ledger.note_ended(claim.job_id)
        if item is None:
            return
        if move is None or (move is Move.COMPLETE and report.result is None):
            self._ledger.note_doubtful(claim.job_id)
        elif move is Move.COMPLETE:
            self._complete(item, report.result)
        elif move is Move.FAIL:
            of_this = item.raised is not None and item.raised[0] == claim.execution_id
            self._fail(item, item.raised[1] if of_this and item.raised else failures.of_report(claim, report))
        elif move in _ENDS:
            self._fail(item, failures.of_report(claim, report))
        elif report.error_type == SETUP_FAILED:
            log.critical("%s\n%s", reason := failures.of_setup(report), (report.traceback or "").rstrip())
            self.break_off(lambda: self.broken(f"the executor cannot be used any more: {reason}"))
        elif report.is_missing:
            self._fail_all_of(claim.function, f"{claim.function!r} is not found there: {report.error}")

    def _follow_others(self) -> None:
        """Resolve the futures of jobs that others have ended or deleted."""
        for job_id, record in self._ledger.ended_by_others().items():
            item = self._items.get(job_id)
            if item is None:
                continue
            self._ledger.note_ended(job_id)
            if record is None:
                self._fail(item, failures.of_deleted(job_id))
            elif record.status == "completed":
                self._resolve(item, lambda item=item, value=record.result: item.set_result(value))  # type: ignore[misc]
            else:
                self._fail(item, failures.of_record(record))

    def _is_wanted(self, claim: Claim) -> bool:
        item = self._items.get(claim.job_id)
        return item is not None and not item.cancelled() and (self._is_exact or item.begin())

    def _note_worker(self, worker: WorkerKey) -> None:
        """Give way to another run that has begun while this process was suspended, and was considered dead."""
        if self.worker is not None and worker != self.worker:
            for rival in self._ledger.rivals:
                if rival.seq < worker.seq:
                    self.break_off(partial(failures.of_rival, rival.pid))
                    break
        self.worker = worker

    def _fail_all_of(self, function: str, reason: str) -> None:
        for item in self.outstanding():
            if item.function == function:
                self._fail(item, NotImportable(reason))
                self._ledger.note_cancelled(item.job_id)

    def _complete(self, item: Item, result: str | None) -> None:
        self._resolve(item, lambda: item.set_result(decode(result or "null")))

    def _fail(self, item: Item, error: BaseException) -> None:
        self.counts["failed"] += 1
        self._resolve(item, lambda: item.set_exception(error))

    def _resolve(self, item: Item, resolve: Callable[[], object], as_one: str = "ended") -> None:
        self._items.pop(item.job_id, None)
        self.counts[as_one] += 1
        item.end(resolve)
