"""A replay: the exact call of a job, here and now, of which nothing is recorded."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.codec import PARAMS_LIMIT, RESULT_LIMIT, decode, encode
from gigq.errors import StoreError
from gigq.job_ids import JobId, JobRef, id_of
from gigq.main_guard import IMPORTS
from gigq.queue.job_queue import JobQueue
from gigq.queue.replay_store import ReplayStore
from gigq.reports import Progress, Report
from gigq.runtime.call import caller
from gigq.runtime.call_state import CallState
from gigq.runtime.context import using
from gigq.runtime.functions import Functions
from gigq.runtime.verdict import own_frames
from gigq.store import replaying
from gigq.store.engine.files import MEMORY

_SECONDS_BETWEEN_LOOKS = 1.0
"""Seconds between two looks at the progress that the function reports."""


class Replayed(NamedTuple):
    """How a replay ended.

    Attributes:
        claim: the call.
        report: how it ended, as a worker would have reported it.
        error: the exception that the function has raised, with its own frames; None if it has returned.
        seconds: how long it took.
        submitted: the ids that the jobs have which it would have submitted.
    """

    claim: Claim
    report: Report
    error: BaseException | None
    seconds: float
    submitted: tuple[JobId, ...]


def replay(
    queue: JobQueue,
    job: JobRef,
    *,
    functions: Functions,
    changes: Mapping[str, object] | None = None,
    forgets_steps: bool = False,
    told: Callable[[str], object] = lambda sentence: None,
    progressed: Callable[[Progress], object] = lambda progress: None,
) -> Replayed:
    """Call the function of a job in this thread, as a worker would for its last attempt, and record nothing.

    The function is really called: what it does elsewhere, it does again. The queue and its file stay as they are. A
    step that an attempt has made is not made again, and what the function would write to the file through
    `current_job()`, in transactions or by submitting jobs, it writes to a copy that is deleted at the end. If it would
    write to the file by a queue of its own, that raises `RuntimeError`. The job's timeout does not end it.

    Args:
        queue: may be read-only.
        job: the job, or its id. Its status does not matter.
        functions: what it may call.
        changes: other values for some of its arguments, by their names.
        forgets_steps: call the functions of all steps, as after a requeue with ``restart=True``.
        told: is called with sentences for people.
        progressed: is called with what the function reports of its progress, by another thread.

    Raises:
        JobNotFound: there is no such job.
        ValueError: the function has no parameter of that name, or the queue is in memory.
        NotSerializable: JSON cannot hold a value of `changes`.
        StoreError: the file cannot be read, or somebody has spoilt the job in it.
        RuntimeError: it is called while a module is imported.
    """
    IMPORTS.refuse("a job was replayed")
    if queue.db_path == MEMORY:
        raise ValueError("a queue in memory is gone with its program, so its jobs are not replayed; requeue the job")
    with queue.database.read() as tx:
        claim = replaying.call_of(tx, id_of(job, "job"))
    if forgets_steps:
        claim = claim._replace(cursor=None)
    if changes:
        claim = _changed(claim, functions, changes)
    watch, state, clock = _Watch(), CallState(), SystemClock()
    # It is closed, and its copy deleted, when the function has ended.
    store = ReplayStore(queue.database, claim, forgets_steps=forgets_steps, told=told)
    call = caller(functions, clock=clock, result_limit=RESULT_LIMIT, opened=lambda claim: store, watch=watch)
    began_at = clock.monotonic()
    with using(state), _watched(state, progressed), replaying.untouched(queue.database):
        report = call(claim)
    return Replayed(claim, report, watch.error, clock.monotonic() - began_at, tuple(store.submitted))


class _Watch:
    """Keeps what the function has raised."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def begins(self, claim: Claim) -> bool:
        return True

    def raised(self, error: BaseException, claim: Claim, report: Report) -> Report:
        self.error = error.with_traceback(own_frames(error))
        return report


def _changed(claim: Claim, functions: Functions, changes: Mapping[str, object]) -> Claim:
    """Return a call with other arguments: by their places, where it has given them by their places."""
    args, params = _arguments(claim)
    by_place = _places(claim.function, functions, changes)
    for name, value in changes.items():
        if name in by_place[: len(args)]:
            args[by_place.index(name)] = value
        else:
            params[name] = value
    takes_parents = False if "parent_results" in changes else claim.pass_parent_results
    return claim._replace(
        args=encode(args, name="args", limit=PARAMS_LIMIT),
        params=encode(params, name="params", limit=PARAMS_LIMIT),
        pass_parent_results=takes_parents,
    )


def _arguments(claim: Claim) -> tuple[list[Any], dict[str, Any]]:
    with suppress(ValueError, TypeError, RecursionError):
        args, params = decode(claim.args), decode(claim.params)
        if isinstance(args, list) and isinstance(params, dict):
            return args, params
    raise StoreError(f"the arguments of job {claim.job_id} are not what gigq has written; mend them in the file")


def _places(path: str, functions: Functions, changes: Mapping[str, object]) -> list[str]:
    """Return the parameters that can be given by their places; nothing if the function cannot be looked at.

    Raises:
        ValueError: the function has no parameter of a name.
    """
    try:
        parameters = inspect.signature(functions.find(path), follow_wrapped=False).parameters.values()
    except Exception:  # the call raises it again
        return []
    if all(each.kind is not each.VAR_KEYWORD for each in parameters):
        known = [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
        known += [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]
        for name in changes:
            if name not in known:
                raise ValueError(f"{path!r} has no parameter {name!r}; it has {', '.join(known) or 'none'}")
    return [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]


@contextmanager
def _watched(state: CallState, progressed: Callable[[Progress], object]) -> Iterator[None]:
    """While the block runs, tell from another thread what is new in the progress; and at its end, in this one."""
    has_ended, last = threading.Event(), list[Progress]()

    def look() -> None:
        output = state.output
        progress = output and output.progress
        if progress and last[-1:] != [progress]:
            last.append(progress)
            with suppress(Exception):
                progressed(progress)

    def watch() -> None:
        while not has_ended.wait(_SECONDS_BETWEEN_LOOKS):
            look()

    thread = threading.Thread(target=watch, name="gigq-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
        look()
