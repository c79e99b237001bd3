"""A queue and a job in a notebook: what they show, and that they never raise."""

from __future__ import annotations

import os
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import timedelta

import pytest
from shapes import HOSTILE

from gigq import Job, JobQueue, ManualClock, Phase, Worker, close_connections
from gigq.drawing import cards
from gigq.drawing.queue_card import Overview, WorkerRow, queue_card
from gigq.queue.overview import overview
from gigq.queue_records import QueueRecord
from gigq.records import JobRecord
from gigq.store import backlog
from gigq.store import overview as store
from gigq.testing import drain


def words(html: str) -> str:
    """The text of a card, which must be well-formed."""
    tree = ET.fromstring(html)
    for style in tree.iter("style"):
        style.text = ""
    return " ".join(" ".join(tree.itertext()).split())


def shown(queue: JobQueue) -> str:
    return words(queue._repr_html_())


def job(queue: JobQueue, job_id: str) -> str:
    found = queue.get_job(job_id)
    assert found is not None
    return words(found._repr_html_())


@pytest.fixture
def queue(path: str, clock: ManualClock) -> Iterator[JobQueue]:
    with JobQueue(path, clock=clock) as queue:
        yield queue


# a queue


def test_an_empty_queue_says_so(queue: JobQueue) -> None:
    assert shown(queue).endswith("Nothing is waiting. no jobs")


def test_a_queue_shows_how_much_there_is_of_what(queue: JobQueue) -> None:
    queue.submit_many([Job("good", "functions:nothing"), Job("bad", "functions:fail", max_attempts=1)])
    drain(queue)
    queue.submit_many([Job("ready", "functions:nothing"), Job("later", "functions:nothing", delay=60, queue="mail")])
    text = shown(queue)
    assert "1 ready 1 scheduled 1 completed 1 failed" in text
    assert "queue ready scheduled running oldest ready default 1 0 0 0 ms old mail 0 1 0" in text
    assert "1 ready job waits, for 0 ms: there is no worker; `gigq worker` starts one." in text


def test_a_queue_says_what_is_paused(queue: JobQueue) -> None:
    queue.submit(Job("held", "functions:nothing", queue="a b"))
    queue.pause("a b")
    assert "for 0 ms; `gigq resume 'a b'` resumes it." in shown(queue)
    assert "1 paused" in shown(queue)
    queue.pause()
    assert "All queues have been paused since" in shown(queue)


def test_a_queue_shows_its_workers_and_who_of_them_is_silent(path: str, queue: JobQueue, clock: ManualClock) -> None:
    queue.submit(Job("last", "functions:nothing"))
    with Worker(path, worker_id="importer", clock=clock) as worker:
        worker.process_one()
        assert "1 worker, 0 of 1 slot busy; nothing is waiting. 1 completed" in shown(queue)
        assert "worker slots busy last seen importer 0 of 1 0 ms ago" in shown(queue)
        clock.advance(timedelta(seconds=40))
        assert "Worker importer is silent: it was last seen 40 s ago" in shown(queue)
        assert "importer 0 of 1 40 s ago silent" in shown(queue)


def test_a_worker_that_is_stopping_says_so(path: str, queue: JobQueue, clock: ManualClock) -> None:
    queue.submit(Job("last", "functions:nothing"))
    with Worker(path, worker_id="importer", clock=clock) as worker:
        worker.process_one()
        queue.stop_workers("importer")
        assert shown(queue).endswith("ago stopping")


def test_limits_are_shown(queue: JobQueue) -> None:
    queue.configure("mail", max_running=2, rate_limit=5, rate_period=60)
    assert "mail 0 0 0 at most 2 at a time, at most 5 every 1 min" in shown(queue)


def test_of_very_many_jobs_a_look_counts_to_a_bound(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FEW", 10)
    monkeypatch.setattr(store, "MOST", 6)
    queue.submit_many([Job("bad", "functions:fail", max_attempts=1) for _ in range(3)])
    drain(queue)
    parent = Job("parent", "functions:nothing", delay=9)
    queue.submit_many([parent, Job("child", "functions:nothing", dependencies=[parent.id])])
    queue.submit_many([Job("ready", "functions:nothing") for _ in range(8)])
    found = overview(queue.database)
    assert dict(found.phases) == {Phase.READY: 6, Phase.SCHEDULED: 1, Phase.FAILED: 3} | dict.fromkeys(
        (Phase.COMPLETED, Phase.CANCELLED, Phase.TIMEOUT), 0
    )
    assert found.queues == []
    assert "over 5 ready 1 scheduled 3 failed There are very many jobs; those that wait" in shown(queue)


def test_a_bounded_count_reads_indexes_alone(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FEW", 0)
    monkeypatch.setattr(backlog, "FEW", 0)
    queue.submit(Job("ready", "functions:nothing"))
    statements: list[str] = []
    with queue.database.read() as tx:
        connection = tx.connection
    connection.set_trace_callback(statements.append)
    store_look = overview(queue.database)
    connection.set_trace_callback(None)
    assert store_look.phases[Phase.READY] == 1
    plans = {
        sql: [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        for sql in statements
        if sql.lstrip().startswith("SELECT")
    }
    steps = [step for plan in plans.values() for step in plan]
    scans = [step for step in steps if re.match(r"SCAN jobs(?! USING (COVERING )?INDEX)", step)]
    assert len(plans) > 8 and scans == []


def test_a_card_has_no_endless_tables() -> None:
    record = QueueRecord("q", False, None, 1, 0, 0, None, None, None, None)
    row = WorkerRow("w", "", 1, 2, 0.5)
    found = Overview("many.db", ManualClock().now(), {}, None, [record] * 40, [row] * 13, [], "fine")
    html = str(queue_card(found))
    assert html.count("<tr>") == 2 * 13
    assert "and 28 more" in html and "and 1 more" in html


# what cannot be read


def test_a_closed_queue_says_so(path: str) -> None:
    queue = JobQueue(path)
    queue.close()
    assert "cannot be shown" in shown(queue) and "closed" in shown(queue)


@pytest.mark.unsound("its file is gone")
def test_a_queue_whose_file_is_gone_says_so(path: str) -> None:
    with JobQueue(path) as queue:
        os.remove(path)
        assert "cannot be shown" in shown(queue) and "deleted" in shown(queue)


def test_a_queue_whose_file_is_locked_says_so(path: str) -> None:
    with JobQueue(path, timeout=0) as queue:
        close_connections()
        locking = sqlite3.connect(path, isolation_level=None)
        locking.execute("PRAGMA locking_mode = EXCLUSIVE")
        locking.execute("BEGIN IMMEDIATE")
        assert "cannot be shown" in shown(queue) and "locked" in shown(queue)
        locking.close()


@pytest.mark.unsound("a word that gigq never writes")
def test_a_queue_whose_rows_somebody_spoilt_says_so(path: str, queue: JobQueue) -> None:
    with Worker(path) as worker:
        worker.process_one()
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE job_workers SET seen_at = 'soon', queues = '{'")
        connection.close()
        assert "cannot be shown" in shown(queue)


# a job


def test_a_job_that_completed_shows_its_result_and_how_long_it_took(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue("functions:add", 1, b=2)
    drain(queue)
    text = job(queue, job_id)
    assert text.startswith(f"functions:add functions:add · {job_id} completed in 0 ms, attempt 1 of 3")
    assert "arguments 1, b=2" in text and text.endswith("result 3")


def test_a_job_shows_its_progress(queue: JobQueue) -> None:
    record = queue.get_job(queue.submit(Job("long", "handler")))
    assert record is not None
    for progress, text in (
        ({"current": 3, "total": 9, "percentage": 33.3, "message": "pages"}, "progress 3 of 9: pages"),
        ({"current": 3, "total": None, "percentage": None, "message": None}, "progress 3"),
    ):
        assert text in words(record._replace(progress=progress)._repr_html_())


def test_a_job_that_failed_shows_the_first_line_of_its_error(queue: JobQueue) -> None:
    job_id = queue.submit(Job("broken", "functions:fail", max_attempts=1))
    drain(queue)
    assert "failed after 0 ms, attempt 1 of 1" in job(queue, job_id)
    assert " error " in job(queue, job_id)


def test_a_job_that_waits_says_for_whom(queue: JobQueue) -> None:
    parents = [Job(f"p{number}", "functions:nothing") for number in range(5)]
    child = Job("child", "functions:nothing", dependencies=parents)
    queue.submit_many([*parents, child])
    assert f"depends on {parents[0].id}, {parents[1].id}, {parents[2].id} and 2 more" in job(queue, child.id)


@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
def test_names_and_arguments_are_text(queue: JobQueue, name: str) -> None:
    safe = name.encode(errors="replace").decode()
    found = queue.get_job(queue.submit(Job(safe, "handler", {"note": safe})))
    assert found is not None
    html = found._repr_html_()
    tags = {each.tag for each in ET.fromstring(html).iter()}
    assert tags <= {"div", "style", "span", "svg", "path", "table", "tr", "th", "td"}
    assert len(html) < 12_000


def test_a_huge_result_is_cut_short(queue: JobQueue) -> None:
    job_id = queue.submit(Job("big", "handler"))
    drain(queue, handlers={"handler": lambda: {str(number): ["x" * 1000] * 9 for number in range(30)}})
    assert len(job(queue, job_id)) < 1000


def test_a_record_with_odd_values_is_shown_or_says_why_not(queue: JobQueue) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    record = queue.get_job(queue.submit(Job("odd", "handler")))
    assert record is not None
    for odd in ({"result": Odd()}, {"created_at": None}, {"name": 3}, {"params": None}, {"result": 10**5000}):
        assert words(JobRecord(**record._asdict() | odd)._repr_html_())


def test_a_phase_in_a_card_has_its_word() -> None:
    for phase in Phase:
        assert words(str(cards.card("x", cards.phase(phase)))) == f"x {phase}"


def test_the_style_of_a_card_reaches_nothing_else_on_the_page(queue: JobQueue) -> None:
    html = queue._repr_html_()
    scope = ET.fromstring(html).attrib["class"]
    sheet = html.partition("<style>")[2].partition("</style>")[0].replace("@media (prefers-color-scheme:dark){", "")
    selectors = [each for selectors, _ in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet) for each in selectors.split(",")]
    assert selectors and all(each.startswith(f".{scope} ") for each in selectors)
