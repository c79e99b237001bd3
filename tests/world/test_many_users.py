"""Many threads, many processes, and one that reads for too long."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from gigq import Job, JobQueue, Worker

MEGABYTE = 1 << 20


def test_fifty_threads_take_each_job_once_through_one_queue(open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue(durability="normal")
    taken: Counter[str] = Counter()

    def work(number: int) -> None:
        ids = queue.submit_many(Job("job", "functions:add", {"a": number}) for _ in range(3))
        for _ in ids:
            claim = queue.dequeue()
            assert claim is not None
            taken[claim.id] += 1
            queue.complete(claim, claim.params["a"])

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(work, range(50)))
    assert set(taken.values()) == {1}
    assert queue.count("completed") == len(taken) == 150


def test_the_log_shrinks_when_a_reader_ends_that_has_held_it_for_thousands_of_jobs(
    path: str, open_queue: Callable[..., JobQueue]
) -> None:
    queue = open_queue(durability="normal")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM jobs").fetchall()
    for _ in range(20):
        queue.submit_many(Job("job", "functions:nothing") for _ in range(200))
    with Worker(path, burst=True, durability="normal") as worker:
        worker.start()
    assert os.path.getsize(f"{path}-wal") > 8 * MEGABYTE
    reader.execute("COMMIT")
    reader.close()
    with Worker(path, durability="normal") as worker:
        assert not worker.process_one()  # nothing is left to do but its heartbeat
    assert os.path.getsize(f"{path}-wal") < MEGABYTE


def test_the_log_stays_while_a_reader_needs_it(path: str, open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue(durability="normal")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchall()
        queue.submit_many(Job("job", "functions:nothing", {"text": 1000 * "x"}) for _ in range(8000))
        queue.database.tend_log()
        assert os.path.getsize(f"{path}-wal") > 8 * MEGABYTE
        assert reader.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    assert queue.count() == 8000


def test_a_file_that_somebody_has_taken_out_of_wal_has_no_log_to_cut(
    path: str, open_queue: Callable[..., JobQueue]
) -> None:
    open_queue().close()
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        assert tool.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    queue = open_queue()
    queue.database.tend_log()
    assert queue.count() == 0
