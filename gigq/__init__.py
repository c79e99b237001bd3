"""gigq: a durable job queue in one SQLite file, pure Python standard library."""

from __future__ import annotations

import logging

from gigq.clock import Clock, ManualClock, SystemClock
from gigq.errors import (
    CyclicWorkflow,
    GigqError,
    GiveUp,
    InvalidJob,
    JobCancelled,
    JobFailed,
    JobNotFinished,
    JobNotFound,
    JobTimeout,
    LeaseLost,
    NotAQueue,
    NotImportable,
    NotSerializable,
    QueueBusy,
    QueueGone,
    RetryLater,
    StoreError,
    UnknownParent,
)
from gigq.job import Job
from gigq.priority import Priority
from gigq.queue.job_claim import JobClaim
from gigq.queue.job_queue import JobQueue
from gigq.records import ExecutionRecord, JobRecord, QueueRecord, ScheduleRecord, WorkerRecord
from gigq.runtime.context import JobContext, current_job
from gigq.status import ExecutionStatus, JobStatus, Phase
from gigq.store.engine.forking import close_connections
from gigq.task import Task, task
from gigq.version import VERSION as __version__
from gigq.worker.events import Event
from gigq.worker.worker import Worker
from gigq.workflow import Workflow

__all__ = [
    "Clock",
    "CyclicWorkflow",
    "Event",
    "ExecutionRecord",
    "ExecutionStatus",
    "GigqError",
    "GiveUp",
    "InvalidJob",
    "Job",
    "JobCancelled",
    "JobClaim",
    "JobContext",
    "JobFailed",
    "JobNotFinished",
    "JobNotFound",
    "JobQueue",
    "JobRecord",
    "JobStatus",
    "JobTimeout",
    "LeaseLost",
    "ManualClock",
    "NotAQueue",
    "NotImportable",
    "NotSerializable",
    "Phase",
    "Priority",
    "QueueBusy",
    "QueueGone",
    "QueueRecord",
    "RetryLater",
    "ScheduleRecord",
    "StoreError",
    "SystemClock",
    "Task",
    "UnknownParent",
    "Worker",
    "WorkerRecord",
    "Workflow",
    "__version__",
    "close_connections",
    "current_job",
    "setup_logging",
    "task",
]

_LOG = logging.getLogger("gigq")
_LOG.addHandler(logging.NullHandler())


def setup_logging(level: int | str = logging.INFO) -> None:
    """Print what workers have to say, from this level up, on standard error."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _LOG.setLevel(level)
