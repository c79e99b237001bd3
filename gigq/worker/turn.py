"""The plan of one turn of a worker: what is to be done in one transaction, and what was done in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gigq.claims import Claim
from gigq.liveness import WorkerKey
from gigq.missing import NOTHING, Lacking
from gigq.reports import Progress
from gigq.runtime.runner import Ended
from gigq.status import Move
from gigq.store.claiming import Outlook, Room
from gigq.store.workers import Standing
from gigq.worker.employment import NOBODY, Employer

UNKNOWN = Outlook(True, None)
"""What a worker expects of the queue before it has looked: work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is to be done in one transaction.

    Attributes:
        ended: the reports to settle.
        begun: the executions whose start is to be written.
        held: the executions that the worker knows. What the file says is its own besides these is given back, where a
            heartbeat or the bell makes it look; None to leave it.
        slots: how many the worker has.
        room: what may be claimed; None for nothing.
        lacking: the functions that the worker does not find.
        missing: the same with the reasons.
        found: the functions that it has found since the last heartbeat.
        trouble: why it can start no job at present; None if it can.
        is_beat: whether the heartbeat is due.
        has_rung: whether the bell has rung since the last turn.
        progress: what is to be written of the progress of running jobs.
        cursors: what is to be written of the cursors of running jobs.
        logs: what is to be written of the logs of running jobs.
        last_logs: the logs of executions that were taken from the worker.
        employer: writes as part of it.
    """

    ended: Sequence[Ended] = ()
    begun: Collection[int] = ()
    held: Collection[int] | None = None
    slots: int = 0
    room: Room | None = None
    lacking: Lacking = NOTHING
    missing: Mapping[str, str] = field(default_factory=dict)
    found: Collection[str] = ()
    trouble: str | None = None
    is_beat: bool = False
    has_rung: bool = False
    progress: Mapping[int, Progress] = field(default_factory=dict)
    cursors: Mapping[int, str] = field(default_factory=dict)
    logs: Mapping[int, str] = field(default_factory=dict)
    last_logs: Mapping[int, str] = field(default_factory=dict)
    employer: Employer = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done in one transaction, and what the worker has seen in it.

    Attributes:
        worker: the worker's row: a new one if it had to register.
        moves: what became of the jobs of `ended`, in that order; None for a report that was refused.
        next_attempts: when jobs of `ended` that are tried again may run, by execution, where that is logged and is not
            at once.
        is_beat: whether the heartbeat was renewed.
        progress: the progress that was written, of executions that are still the worker's.
        standing: what others have decided about the worker, where a heartbeat or the bell has made it look.
        dead: the workers that were found dead, and how many jobs each had.
        lost: the executions of theirs that had begun.
        claims: what was claimed.
        outlook: what else may be claimed, where all that is ready was.
    """

    worker: WorkerKey
    moves: Sequence[Move | None]
    next_attempts: Mapping[int, str] = field(default_factory=dict)
    is_beat: bool = False
    progress: Mapping[int, Progress] = field(default_factory=dict)
    standing: Standing | None = None
    dead: Mapping[WorkerKey, int] = field(default_factory=dict)
    lost: Sequence[int] = ()
    claims: Sequence[Claim] = ()
    outlook: Outlook = UNKNOWN
