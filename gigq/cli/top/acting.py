"""What is done after a yes, and the sentence that says what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.top.questions import CANCEL, PAUSE, REQUEUE, Question, named
from gigq.cli.top.scene import FailureLine, JobLine

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue


def act(queue: JobQueue, asked: Question) -> str:
    """Do what was asked, and return a sentence that says so.

    Raises:
        GigqError: it could not be done, with the reason.
    """
    subject, target = asked.subject, asked.target
    if asked.verb == CANCEL:
        assert isinstance(subject, JobLine)
        was = queue.cancel(target, running=True)
        return f"{named(subject)} is cancelled" if was else f"{named(subject)} had ended; nothing was cancelled"
    if asked.verb == REQUEUE:
        return _requeue(queue, subject, target)
    if asked.verb == PAUSE:
        queue.pause(target)
        return f"queue '{target}' is paused; p resumes it"
    queue.resume(target)
    return f"queue '{target}' goes on"


def _requeue(queue: JobQueue, subject: object, target: str) -> str:
    if isinstance(subject, FailureLine):
        number = queue.requeue_jobs(failure=subject.group or target, bound=subject.bound or None)
        changed = f"; {number.changed:,} had changed meanwhile" if number.changed else ""
        return f"{number:,} job{'' if number == 1 else 's'} requeued{changed}"
    assert isinstance(subject, JobLine)
    was = queue.requeue_job(target)
    return f"{named(subject)} is requeued" if was else f"{named(subject)} is not where it was; nothing was requeued"
