"""gigq: a durable job queue in one SQLite file, pure Python standard library."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gigq.version import VERSION as __version__

if TYPE_CHECKING:
    from gigq.affected import Affected
    from gigq.clock import Clock, ManualClock, SystemClock
    from gigq.errors import (
        AmbiguousId,
        CyclicWorkflow,
        DestinationExists,
        GigqError,
        GiveUp,
        InvalidFilter,
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
        ReadTooLong,
        RetryLater,
        StepChanged,
        StoreError,
        TransactionTimeout,
        UnknownParent,
        WorkflowNotFound,
    )
    from gigq.executor.executor import QueueExecutor
    from gigq.findings import Findings
    from gigq.graph_records import GraphJob, GraphLevel, JobGraph
    from gigq.handles import Candidate
    from gigq.health_records import Finding, Health, QueueInfo
    from gigq.history_records import (
        ActionRecord,
        AsOf,
        ExecutionSummary,
        FailureGroup,
        FunctionStats,
        Percentiles,
        Throughput,
    )
    from gigq.job import Job, JobOptions
    from gigq.job_ids import JobId
    from gigq.logs import setup_logging
    from gigq.next_records import NextJob, NextJobs
    from gigq.pages import Count, Page
    from gigq.priority import Priority
    from gigq.queue.job_claim import JobClaim
    from gigq.queue.job_queue import JobQueue
    from gigq.queue_records import BackupRecord, HeldJob, QueueRecord, ScheduleRecord, WorkerRecord
    from gigq.records import ExecutionRecord, JobRecord
    from gigq.runtime.context import current_job
    from gigq.runtime.job_context import JobContext
    from gigq.status import ExecutionStatus, JobStatus, Phase
    from gigq.steps import StepRecord
    from gigq.store.engine.forking import close_connections
    from gigq.tasks import Task, task
    from gigq.worker.events import Event
    from gigq.worker.worker import Worker
    from gigq.workflow import Workflow
    from gigq.workflow_records import WorkflowRecord, WorkflowStatus

__all__ = [
    "ActionRecord",
    "Affected",
    "AmbiguousId",
    "AsOf",
    "BackupRecord",
    "Candidate",
    "Clock",
    "Count",
    "CyclicWorkflow",
    "DestinationExists",
    "Event",
    "ExecutionRecord",
    "ExecutionStatus",
    "ExecutionSummary",
    "FailureGroup",
    "Finding",
    "Findings",
    "FunctionStats",
    "GigqError",
    "GiveUp",
    "GraphJob",
    "GraphLevel",
    "Health",
    "HeldJob",
    "InvalidFilter",
    "InvalidJob",
    "Job",
    "JobCancelled",
    "JobClaim",
    "JobContext",
    "JobFailed",
    "JobGraph",
    "JobId",
    "JobNotFinished",
    "JobNotFound",
    "JobOptions",
    "JobQueue",
    "JobRecord",
    "JobStatus",
    "JobTimeout",
    "LeaseLost",
    "ManualClock",
    "NextJob",
    "NextJobs",
    "NotAQueue",
    "NotImportable",
    "NotSerializable",
    "Page",
    "Percentiles",
    "Phase",
    "Priority",
    "QueueBusy",
    "QueueExecutor",
    "QueueGone",
    "QueueInfo",
    "QueueRecord",
    "ReadTooLong",
    "RetryLater",
    "ScheduleRecord",
    "StepChanged",
    "StepRecord",
    "StoreError",
    "SystemClock",
    "Task",
    "Throughput",
    "TransactionTimeout",
    "UnknownParent",
    "Worker",
    "WorkerRecord",
    "Workflow",
    "WorkflowNotFound",
    "WorkflowRecord",
    "WorkflowStatus",
    "__version__",
    "close_connections",
    "current_job",
    "setup_logging",
    "task",
]

_MODULES = {
    "affected": ("Affected",),
    "clock": ("Clock", "ManualClock", "SystemClock"),
    "errors": (
        "AmbiguousId", "CyclicWorkflow", "DestinationExists", "GigqError", "GiveUp", "InvalidFilter", "InvalidJob",
        "JobCancelled", "JobFailed", "JobNotFinished", "JobNotFound", "JobTimeout", "LeaseLost", "NotAQueue",
        "NotImportable", "NotSerializable", "QueueBusy", "QueueGone", "ReadTooLong", "RetryLater", "StepChanged",
        "StoreError", "TransactionTimeout", "UnknownParent", "WorkflowNotFound",
    ),
    "executor.executor": ("QueueExecutor",),
    "graph_records": ("GraphJob", "GraphLevel", "JobGraph"),
    "handles": ("Candidate",),
    "health_records": ("Finding", "Health", "QueueInfo"),
    "findings": ("Findings",),
    "history_records": (
        "ActionRecord", "AsOf", "ExecutionSummary", "FailureGroup", "FunctionStats", "Percentiles", "Throughput",
    ),
    "job": ("Job", "JobOptions"),
    "job_ids": ("JobId",),
    "logs": ("setup_logging",),
    "next_records": ("NextJob", "NextJobs"),
    "pages": ("Count", "Page"),
    "priority": ("Priority",),
    "queue.job_queue": ("JobQueue",),
    "queue.job_claim": ("JobClaim",),
    "queue_records": ("BackupRecord", "HeldJob", "QueueRecord", "ScheduleRecord", "WorkerRecord"),
    "records": ("ExecutionRecord", "JobRecord"),
    "runtime.context": ("current_job",),
    "runtime.job_context": ("JobContext",),
    "status": ("ExecutionStatus", "JobStatus", "Phase"),
    "steps": ("StepRecord",),
    "store.engine.forking": ("close_connections",),
    "tasks": ("Task", "task"),
    "worker.events": ("Event",),
    "worker.worker": ("Worker",),
    "workflow": ("Workflow",),
    "workflow_records": ("WorkflowRecord", "WorkflowStatus"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

if not TYPE_CHECKING:  # a type checker would take any name at all for an export

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used (PEP 562): a script that only submits jobs loads no worker."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"gigq.{_MODULE_OF[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
