"""What a key would do to what is chosen: the question that names it, or why it cannot be done."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from typing import NamedTuple

from gigq.cli.top.scene import FailureLine, JobLine, QueueLine
from gigq.handles import short
from gigq.status import Phase

Subject = JobLine | QueueLine | FailureLine

CANCEL, REQUEUE, PAUSE, RESUME = "cancel", "requeue", "pause", "resume"

_UNFINISHED = ("ready", "scheduled", "waiting", "paused", "retrying", "reserved", "running")
_RUNS = ("reserved", "running")
_AGAIN = ("failed", "timeout", "cancelled")


class Question(NamedTuple):
    """Something that is done if a person says yes.

    Attributes:
        verb: what is done.
        text: the question. It names what it is done to.
        target: the id of the job, the name of the queue, or the key of the failures.
        subject: what was chosen when the key was pressed, whatever the screen shows by then.
    """

    verb: str
    text: str
    target: str
    subject: Subject


def about(key: str, subject: Subject | None) -> Question | str:
    """Return the question that a key asks about what is chosen, or a sentence that says why it cannot be done."""
    if subject is None:
        return "choose a line first, with the arrow keys"
    if key == "p":
        return _pause(subject)
    if isinstance(subject, QueueLine):
        return f"{'R' if key == 'R' else 'K'} is for jobs; choose one in another pane, with Tab"
    if isinstance(subject, FailureLine):
        return _requeue_failures(subject) if key == "R" else "these jobs have failed already; R requeues them"
    return _requeue(subject) if key == "R" else _cancel(subject)


def named(job: JobLine) -> str:
    """Return a job as questions name it."""
    return f"job {job.name} ({short(job.id)})"


def _pause(subject: Subject) -> Question | str:
    if isinstance(subject, FailureLine):
        return "p is for queues; choose one in the first pane, with Tab"
    if isinstance(subject, JobLine):
        return Question(PAUSE, f"Pause queue '{subject.queue}', that of {named(subject)}?", subject.queue, subject)
    queue = f"queue '{subject.name}'"
    if subject.is_paused:
        return Question(RESUME, f"Resume {queue}, in which {subject.ready:,} are ready?", subject.name, subject)
    text = f"Pause {queue}? What runs goes on ({subject.running:,}), what is ready waits ({subject.ready:,})."
    return Question(PAUSE, text, subject.name, subject)


def _requeue(job: JobLine) -> Question | str:
    if job.phase in _AGAIN:
        return Question(REQUEUE, f"Requeue {named(job)}, which has {_ended(job.phase)}?", job.id, job)
    state = "has completed" if job.phase is Phase.COMPLETED else f"is {job.phase}"
    return f"{named(job)} {state}; only failed, timed-out and cancelled jobs can be requeued"


def _ended(phase: Phase) -> str:
    return {Phase.FAILED: "failed", Phase.TIMEOUT: "timed out"}.get(phase, "been cancelled")


def _cancel(job: JobLine) -> Question | str:
    if job.phase not in _UNFINISHED:
        return f"{named(job)} has ended; there is nothing to cancel"
    if job.phase in _RUNS:
        where = f" on {job.worker}" if job.worker else ""
        return Question(CANCEL, f"Cancel {named(job)}, which is running{where}?", job.id, job)
    return Question(CANCEL, f"Cancel {named(job)}, and all jobs that depend on it?", job.id, job)


def _requeue_failures(failure: FailureLine) -> Question | str:
    if not failure.dead:
        return f"no job of {failure.function} is left that has failed like this for good"
    jobs = "the 1 job that has" if failure.dead == 1 else f"the {failure.dead:,} jobs that have"
    text = f"Requeue {jobs} failed for good with {failure.function}: {failure.error}?"
    return Question(REQUEUE, text, failure.key, failure)
