"""The heartbeat of a worker while a job keeps the thread of its loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gigq.errors import StoreError
from gigq.logs import logger
from gigq.worker.log import WorkerLog
from gigq.worker.loop import Loop

log = logger("worker")


def run_one(loop: Loop, worker_log: WorkerLog) -> bool:
    """Run the next job whose function is found here; False if none is ready."""
    while True:
        missed = loop.lacks.count
        with _beating(loop, worker_log):
            started = loop.turn()
        if started:
            loop.turn(claim=False)
        if loop.lacks.count == missed:
            return bool(started)


@contextmanager
def _beating(loop: Loop, worker_log: WorkerLog) -> Iterator[None]:
    """Renew the heartbeat, and write the progress of the job, from another thread while the block runs."""
    has_ended = threading.Event()

    def beat() -> None:
        with worker_log.carrying():
            while not has_ended.wait(loop.timetable.beat_interval):
                try:
                    loop.beat()
                except StoreError as error:
                    log.warning("a heartbeat could not be written: %s", error)

    thread = threading.Thread(target=beat, name="gigq-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
