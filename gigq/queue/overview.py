"""What a queue shows of itself in a notebook: how much there is of what, who works, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from gigq.drawing.queue_card import Overview, WorkerRow
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.status import Phase
from gigq.store import overview as store
from gigq.store import queues, workers
from gigq.store.engine.database import Database
from gigq.store.worker_health import WorkerHealth

_MOST_NAMED = 3


def overview(database: Database) -> Overview:
    """Return what is to be shown. One read transaction, which takes a moment however many jobs there are.

    Raises:
        StoreError: the file cannot be read.
    """
    here = this_process()
    with database.read() as tx:
        gone = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
        found = store.overview(tx, gone=gone)
    return Overview(
        path=database.path,
        at=found.at,
        phases=found.phases,
        most=None if found.are_all_counted else store.MOST,
        queues=found.queues,
        workers=[_row(each) for each in found.workers if not each.is_manual],
        problems=list(problems(found)),
        calm=calm(found),
    )


def _row(worker: WorkerHealth) -> WorkerRow:
    return WorkerRow(worker.key.id, _state(worker), worker.running, worker.concurrency, worker.silence)


def _state(worker: WorkerHealth) -> str:
    if worker.is_gone:
        return "dead: its process has ended"
    if not worker.is_alive:
        return "silent"
    if worker.trouble is not None:
        return f"can start no job: {worker.trouble}"
    return "stopping" if worker.is_stopping else ""


def problems(found: store.Overview) -> Iterator[str]:
    """Yield what keeps ready jobs from being run, and which workers are in trouble."""
    if queues.ALL in found.paused:
        yield "All queues are paused; `gigq resume` resumes them."
    for name in [name for name in found.paused if name != queues.ALL][:_MOST_NAMED]:
        yield f"Queue {name!r} is paused; `gigq resume {quote(name)}` resumes it."
    named = [each for each in found.workers if not each.is_manual]
    for worker in [each for each in named if not each.is_alive or each.trouble is not None][:_MOST_NAMED]:
        yield f"Worker {worker.key.id} {'' if worker.is_alive else 'is '}{_state(worker)}."
    able = [each for each in named if each.is_alive and not each.is_stopping]
    if not able and (found.phases.get(Phase.READY) or found.phases.get(Phase.RETRYING)):
        yield "No worker runs its jobs; `gigq worker` starts one."


def calm(found: store.Overview) -> str:
    """Return how busy the workers are, for where there are no problems."""
    able = [each for each in found.workers if each.is_alive and not each.is_manual and not each.is_stopping]
    if not able:
        return "Nothing waits for a worker."
    free = sum(max(0, each.concurrency - each.running) for each in able)
    slots = sum(each.concurrency for each in able)
    if found.phases.get(Phase.READY) and not free:
        return f"All {slots:,} slots are busy; ready jobs wait for one."
    return f"{len(able):,} worker{'' if len(able) == 1 else 's'}, {slots - free:,} of {slots:,} slots busy."
