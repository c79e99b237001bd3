"""A Python argument of the wrong kind is answered by every public callable in one sentence that names it."""

from __future__ import annotations

import inspect
import json
import logging
import math
from collections.abc import Callable, Iterator
from contextvars import copy_context
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import functions
import pytest

import gigq
from gigq import (
    GigqError,
    Job,
    JobContext,
    JobOptions,
    JobQueue,
    ManualClock,
    QueueExecutor,
    RetryLater,
    StoreError,
    Worker,
    Workflow,
    current_job,
    setup_logging,
    task,
    testing,
)
from gigq.clock import stamper
from gigq.filters import FilterOptions
from gigq.queue.durable import opener
from gigq.queue.schedules import ScheduleOptions
from gigq.runtime.context import enter
from gigq.runtime.durable import Tools

VALUES: dict[str, Any] = {
    "None": None, "1": 1, "-1": -1, "1.5": 1.5, "nan": math.nan, "True": True, "''": "", "'x'": "x", "b'x'": b"x",
    "[]": [], "[None]": [None], "{}": {}, "{1: 2}": {1: 2}, "an object": object(), "a function": functions.nothing,
    "a class": dict, "a task": functions.greet, "a Job": Job("job", functions.nothing), "a set": {1},
    "a list of jobs": [Job("job", "f")], "an instant": datetime(2026, 1, 1), "a duration": timedelta(1),
    "an exception": ValueError("no"),
}  # fmt: skip

TYPED = {each.__name__: each for each in (FilterOptions, JobOptions, ScheduleOptions)}
"""What a callable takes as keyword arguments, by the name in its annotation."""

CALLS_IT = {"JobContext.step", "JobContext.transact", "JobQueue.backup"}
"""What calls the function that it is given, with an argument that most refuse in words of their own."""

ELSEWHERE = {
    "Clock", "JobOptions", "__version__",  # not called
    "AmbiguousId",
    "CyclicWorkflow", "DestinationExists", "GigqError", "GiveUp", "InvalidFilter",
    "InvalidJob", "JobCancelled", "JobFailed", "JobNotFinished", "JobNotFound",
    "JobTimeout", "LeaseLost", "NotAQueue", "NotImportable", "NotSerializable", "QueueBusy", "QueueGone",
    "ReadTooLong", "StepChanged", "StoreError", "TransactionTimeout", "UnknownParent",
    "WorkflowNotFound",  # raised by gigq, or with any arguments, as exceptions are
    "ActionRecord", "Affected", "AsOf", "Candidate", "ExecutionSummary", "FailureGroup", "Findings", "FunctionStats",
    "Percentiles", "Throughput", "Count", "Page",
    "Event", "ExecutionRecord", "JobClaim", "JobId", "JobRecord", "QueueRecord", "ScheduleRecord", "StepRecord",
    "WorkerRecord", "WorkflowRecord", "WorkflowStatus", "BackupRecord", "Finding",
    "GraphJob", "GraphLevel", "Health", "HeldJob", "JobGraph", "NextJob", "NextJobs", "QueueInfo",  # made by gigq
    "ExecutionStatus", "JobStatus", "Phase", "Priority",  # words
    "SystemClock",  # its only argument is how long it sleeps
    "close_connections", "current_job",  # without arguments
}  # fmt: skip


def methods_of(owner: object) -> dict[str, Callable[..., Any]]:
    """The public methods that take an argument."""
    kind = type(owner)
    parts = [part for part in kind.__mro__ if part.__module__.startswith("gigq.")]
    found = {name: each for part in parts for name, each in vars(part).items()}
    names = [name for name, each in found.items() if not name.startswith("_") and inspect.isfunction(each)]
    bound = {f"{kind.__name__}.{name}": getattr(owner, name) for name in names}
    return {name: method for name, method in bound.items() if inspect.signature(method).parameters}


def running_job(queue: JobQueue) -> Any:
    """A job that runs, as its function sees it."""
    taken = queue.dequeue()
    assert taken is not None
    now = stamper(queue.clock)
    tools = Tools(opener(queue.database), json.dumps, now)

    def entered() -> JobContext:
        enter(taken.claim, now(), tools=tools)
        return current_job()

    return copy_context().run(entered)


def callables(queue: JobQueue, path: str) -> dict[str, Callable[..., Any]]:
    def opened(**given: Any) -> None:
        JobQueue(**given).close()

    def made(**given: Any) -> None:
        Worker(**given).close()

    def pooled(**given: Any) -> None:
        QueueExecutor(**given).shutdown()

    for function, kind in ((opened, JobQueue), (made, Worker), (pooled, QueueExecutor)):
        vars(function)["__signature__"] = inspect.signature(kind)
    owners = (queue, queue.history, queue.schedules, Workflow("w"), functions.greet, ManualClock(), running_job(queue))
    methods = {name: method for owner in owners for name, method in methods_of(owner).items()}
    return {name: method for name, method in methods.items() if name not in CALLS_IT} | {
        "Job": Job, "JobQueue": opened, "ManualClock": ManualClock, "QueueExecutor": pooled, "RetryLater": RetryLater,
        "Worker": made,
        "Workflow": Workflow, "drain": testing.drain, "setup_logging": setup_logging, "task": task,
    }  # fmt: skip


def pool_methods(executor: QueueExecutor) -> dict[str, Callable[..., Any]]:
    """The methods of an executor that goes on. Its options beside those of jobs are tried with new ones."""

    def mapped(fn: Any, timeout: Any = None, chunksize: Any = 1, buffersize: Any = None) -> None:
        results = executor.map(fn, ["1"], timeout=timeout, chunksize=chunksize, buffersize=buffersize)
        results.close()  # type: ignore[attr-defined]

    return {"QueueExecutor.map": mapped, "QueueExecutor.submit": executor.submit}


def right(queue: JobQueue, path: str) -> dict[str, dict[str, Any]]:
    """The arguments that calls must have, or without which they would wait."""
    job_id, job = queue.list_jobs("completed")[0]["id"], Job("job", functions.nothing)
    return {
        "Job": {"name": "job", "function": functions.nothing},
        "JobContext.progress": {"current": 1},
        "JobContext.step": {"name": "step", "function": functions.nothing},
        "JobContext.submit": {"job": job},
        "JobContext.submit_many": {"jobs": [job]},
        "JobQueue": {"db_path": ":memory:"},
        "History.as_of": {"instant": "2026-01-01T00:00:00Z"},
        "History.throughput": {"since": "1h", "bucket": "1m"},
        "JobQueue.acting_as": {"actor": "ada"},
        "JobQueue.cancel_jobs": {"status": "pending", "name": "x"},
        "JobQueue.requeue_jobs": {"status": "failed", "name": "x"},
        **{
            f"JobQueue.{name}": {"job_id": job_id}
            for name in ("cancel", "get_job", "get_result", "get_status", "graph", "steps", "why")
        },
        "JobQueue.complete": {"job": job_id},
        "JobQueue.configure": {"queue": "mail"},
        "JobQueue.delete_job": {"job_id": "nobody"},
        "JobQueue.delete_jobs": {"status": "failed", "name": "x"},
        "JobQueue.enqueue": {"function": functions.nothing},
        "JobQueue.execute_job": {"job": queue.dequeue()},
        "JobQueue.fail": {"job": job_id, "error": "no"},
        "JobQueue.full_id": {"handle": job_id},
        "JobQueue.requeue_job": {"job_id": job_id},
        "JobQueue.reschedule": {"job_id": job_id, "delay": 1},
        "JobQueue.result": {"job_id": job_id, "timeout": 0},
        "JobQueue.results": {"job_ids": job_id, "timeout": 0},
        "JobQueue.scale": {"concurrency": 1},
        "JobQueue.submit": {"job": job},
        "JobQueue.submit_many": {"jobs": [job]},
        "JobQueue.wait": {"job_ids": job_id, "timeout": 0},
        "ManualClock.advance": {"seconds": 1},
        "ManualClock.set": {"now": datetime(2026, 1, 1)},
        "ManualClock.sleep": {"seconds": 1},
        "QueueExecutor": {"db_path": path, "max_workers": 1},
        "QueueExecutor.map": {"fn": functions.greet},
        "QueueExecutor.submit": {"fn": functions.greet},
        "Schedules.add": {"name": "s", "function": functions.nothing, "every": 60},
        **{f"Schedules.{name}": {"name": "s"} for name in ("get", "pause", "preview", "remove", "resume", "run")},
        "Task.submit": {"queue": queue},
        "Worker": {"db_path": path},
        "Workflow": {"name": "w"},
        "Workflow.at_end": {"job": job},
        **{f"Workflow.{name}": {"queue": queue} for name in ("cancel", "requeue_failed", "status")},
        "Workflow.wait": {"queue": queue, "timeout": 0},
        "Workflow.add_job": {"job": job},
        "Workflow.add_task": {"task": functions.greet},
        "Workflow.submit_all": {"queue": queue},
        "drain": {"queue": queue},
        "task": {"function": functions.nothing},
    }


def arguments_of(call: Callable[..., Any]) -> Iterator[str]:
    for each in inspect.signature(call).parameters.values():
        if each.kind is each.VAR_KEYWORD:
            typed = str(each.annotation).removeprefix("Unpack[").removesuffix("]")
            yield from TYPED[typed].__annotations__ if typed in TYPED else ()
        elif each.kind is not each.VAR_POSITIONAL:
            yield each.name


def problem_of(call: Callable[..., Any], argument: str, given: dict[str, Any]) -> str | None:
    """What is wrong with the answer to a call; None if it is accepted, or refused as it should be."""
    parameters = inspect.signature(call).parameters.values()
    positional = [given.pop(each.name) for each in parameters if each.kind is each.POSITIONAL_ONLY]
    try:
        call(*positional, **given)
    except (GigqError, TypeError, ValueError) as error:
        ours = isinstance(error, GigqError) and (
            argument in ("db_path", "initialize") or not isinstance(error, StoreError)
        )
        if (ours or argument in str(error)) and "\n" not in str(error) and len(str(error)) < 400:
            return None
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobQueue]:
    """A queue in memory with a completed job, in a folder where files may be made of any name."""
    monkeypatch.chdir(tmp_path)
    log = logging.getLogger("gigq")
    monkeypatch.setattr(log, "handlers", list(log.handlers))
    monkeypatch.setattr(log, "level", log.level)
    with JobQueue(":memory:", clock=ManualClock()) as queue:
        queue.submit(Job("ended", functions.nothing))
        testing.drain(queue)
        queue.submit_many(Job("to be claimed", functions.nothing) for _ in range(2))
        yield queue


def test_every_public_callable_is_tried(memory: JobQueue) -> None:
    tried = {name.partition(".")[0] for name in callables(memory, "jobs.db")}
    assert {"History", "JobContext", "Schedules", "Task", "drain", *tried} - ELSEWHERE == {
        *gigq.__all__, "History", "Schedules", "drain",
    } - ELSEWHERE  # fmt: skip


@pytest.mark.unsound  # files of any name, some of them no queues
def test_an_argument_of_any_kind_is_taken_or_refused_in_a_sentence_that_names_it(memory: JobQueue) -> None:
    needed, problems = right(memory, "jobs.db"), []
    with QueueExecutor("jobs.db", 1) as executor:
        for name, call in (callables(memory, "jobs.db") | pool_methods(executor)).items():
            for argument in arguments_of(call):
                for shown, value in VALUES.items():
                    problem = problem_of(call, argument, needed.get(name, {}) | {argument: value})
                    problems += [f"{name}({argument}={shown}): {problem}"] if problem else []
    assert problems == []
