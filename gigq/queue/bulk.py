"""Many jobs cancelled, requeued or deleted at once, in short transactions."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gigq import checks
from gigq.affected import Affected
from gigq.clock import Duration, Instant, SystemClock, to_past, to_seconds, to_text
from gigq.codec import decode
from gigq.filters import Filters
from gigq.history_records import FailureGroup
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.queue.bounds import Bounds
from gigq.status import DEAD, ENDED_BADLY, UNFINISHED, JobStatus
from gigq.store import acting, chosen, control, deleting, failures, manual, paging, reading, workers
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction

_CHUNK = 500
"""Jobs in one transaction. It takes about 50 ms, so workers hardly wait for it."""

_LONGEST = 2.0
"""Seconds after which a transaction is committed with fewer: a job may have 100,000 steps to delete."""

_MOST_IDS = 20
"""Ids of jobs that were named which are written down with an action."""

_NEEDED = "an unfinished job needs it"


class _Verb(NamedTuple):
    """What is done to each of many jobs.

    Attributes:
        name: of the method.
        takes: the statuses of the jobs to which it can be done.
        act: does it to the job of this id, and returns whether it could be done.
        reason: says why it could not be done to a job that has such a status.
        how: the options of the method that were given.
    """

    name: str
    takes: Sequence[JobStatus]
    act: Callable[[Transaction, str], bool]
    reason: Callable[[Transaction, int], str]
    how: dict[str, Any]


def cancel_jobs(database: Database, filters: Filters, bounds: Bounds, *, running: bool) -> Affected:
    """Cancel the jobs that pass the filters. Raises as `_chosen`."""
    verb = _Verb(
        "cancel_jobs",
        takes=UNFINISHED if running else (JobStatus.PENDING,),
        act=lambda tx, job_id: control.cancel(tx, job_id, running=running),
        reason=lambda tx, seq: "it cannot be cancelled",
        how=acting.given(running=running),
    )
    return _Run(database, verb, _chosen(filters, verb), None, bounds).run()


def requeue_jobs(
    database: Database, filters: Filters, bounds: Bounds, *, delay: Duration, failure: FailureGroup | str | None
) -> Affected:
    """Requeue the jobs that pass the filters, parents first. Raises as `_chosen`, and ValueError for the rest."""
    seconds = to_seconds(delay, "delay")
    verb = _Verb(
        "requeue_jobs",
        takes=ENDED_BADLY,
        act=lambda tx, job_id: control.requeue(tx, job_id, delay=seconds),
        reason=control.why_not_requeued,
        how=acting.given(delay=seconds),
    )
    return _Run(database, verb, *_of_group(filters, verb, failure), bounds).run()


def delete_jobs(
    database: Database, filters: Filters, bounds: Bounds, *, failure: FailureGroup | str | None
) -> Affected:
    """Delete the jobs that pass the filters, children before their parents. Raises as `_chosen`."""
    takes = [each for each in JobStatus if each is not JobStatus.RUNNING]
    verb = _Verb("delete_jobs", takes=takes, act=deleting.delete, reason=lambda tx, seq: _NEEDED, how={})
    return _Run(database, verb, *_of_group(filters, verb, failure), bounds, newest_first=True).run()


def requeue_stuck(database: Database, *, older_than: Duration | Instant | None) -> int:
    """Settle as lost what dead workers hold, and what is overdue in manual consumption as timeout; return how many.

    Args:
        older_than: also settle as lost what has been running for longer than this, or since before this instant, dead
            worker or not.
    """
    here = this_process()
    with database.write() as tx:
        before = None if older_than is None else to_past(older_than, "older_than", now=tx.now)
        dead = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
        jobs = sum(workers.expel(tx, each) for each in dead) + manual.time_out(tx)
        if before is not None:
            jobs += workers.reclaim(tx, before=before)
        acting.note(tx, database, "requeue_stuck", jobs, acting.given(older_than=before and to_text(before)))
    return jobs


def _chosen(filters: Filters, verb: _Verb) -> Filters:
    """Narrow the filters to the statuses that the verb takes; refuse filters that let every job pass.

    Raises:
        ValueError: the filters let every job pass, or a status that the verb does not take.
    """
    if filters._replace(search=filters.search or None) == Filters.of():
        raise ValueError("without a filter this would take every job; give a status or another filter")
    words = [status.value for status in verb.takes]
    for status in filters.statuses or ():
        if status not in words:
            hint = "; running=True takes running ones too" if verb.name == "cancel_jobs" and status == "running" else ""
            raise ValueError(f"status is {status!r}; {verb.name} takes {', '.join(words)}{hint}")
    return filters if filters.statuses is not None else filters._replace(statuses=words)


def _of_group(filters: Filters, verb: _Verb, failure: FailureGroup | str | None) -> tuple[Filters, str | None]:
    """Return the filters of dead jobs, and the key of their group; if there is one, other filters need not be."""
    if failure is None:
        return _chosen(filters, verb), None
    key = checks.text(getattr(failure, "key", failure), "failure")
    narrowed = filters if filters.statuses is not None else filters._replace(statuses=[each.value for each in DEAD])
    if isinstance(failure, FailureGroup):  # a key alone tells neither of these
        narrowed = narrowed._replace(function=narrowed.function or failure.function)
    return _chosen(narrowed, verb), key


class _Run:
    """A verb on its way through the jobs that passed the filters when it began.

    A job to which it could not be done gets another chance once it was done to others: a parent is not always older
    than its children.
    """

    def __init__(
        self,
        database: Database,
        verb: _Verb,
        filters: Filters,
        group: str | None,
        bounds: Bounds,
        *,
        newest_first: bool = False,
    ) -> None:
        database.must_be_writable()
        self._database = database
        self._verb = verb
        self._on_chunk = bounds.on_chunk or (lambda affected: None)
        with database.read() as tx:
            self._bound = reading.newest(tx) if bounds.bound is None else bounds.bound
            found = paging.seqs(tx, filters, bound=self._bound)
            jobs = found if group is None else failures.of_group(tx, found, group)
        self._jobs = jobs[:: -1 if newest_first else 1]
        of = plain(filters) | {"failure": group}
        self._action = acting.Action(database, verb.name, of=of, how=verb.how, bound=self._bound)
        self._stamps = set[str]()
        self._done = self._along = self._changed = 0
        self._refused = list[tuple[int, str]]()

    def run(self) -> Affected:
        jobs = self._jobs
        while jobs:
            self._refused = []
            self._pass(jobs)
            left = [job for job, _ in self._refused]
            jobs = left if len(left) < len(jobs) else []
        return self._affected()

    def _affected(self) -> Affected:
        return Affected(
            self._done,
            along=self._along,
            changed=self._changed,
            reasons=Counter(reason for _, reason in self._refused),
            bound=self._bound,
        )

    def _pass(self, jobs: Sequence[int]) -> None:
        """Do it to each of these jobs, or note that it could not be done."""
        begun, now = 0, SystemClock().monotonic
        while begun < len(jobs):
            with self._database.write() as tx:
                self._stamps.add(tx.stamp)
                until = now() + _LONGEST
                for seq, job_id in chosen.ids(tx, jobs[begun : begun + _CHUNK]):
                    begun += 1
                    self._one(tx, seq, job_id)
                    if now() > until:
                        break
                self._action.note(tx, self._done, changed=self._changed, skipped=len(self._refused))
            self._on_chunk(self._affected())

    def _one(self, tx: Transaction, seq: int, job_id: str | None) -> None:
        if job_id is not None and self._verb.act(tx, job_id):
            self._done += 1
            return
        state = chosen.state(tx, seq)
        if state is not None and state.status in self._verb.takes:
            self._refused.append((seq, self._verb.reason(tx, seq)))
        elif state is not None and state.is_child and state.updated_at in self._stamps:
            self._along += 1  # with a job on which it depends
        else:
            self._changed += 1


def plain(filters: Filters) -> dict[str, Any]:
    """Return the filters that were given, as JSON can hold them and `Filters.of` takes them."""
    names = {"statuses": "status", "phases": "phase"}
    found = {names.get(name, name): value for name, value in filters._asdict().items() if value not in (None, ())}
    if filters.ids is not None:  # there may be 100,000
        found |= {"ids": list(filters.ids[:_MOST_IDS]), "number_of_ids": len(filters.ids)}
    if filters.args:
        found["args"] = {path: decode(text) for path, text in filters.args}
    return {name: to_text(value) if isinstance(value, datetime) else value for name, value in found.items()}
