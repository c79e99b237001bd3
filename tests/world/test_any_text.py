"""Any text may be a name: it is stored and shown as it is, or refused in one sentence of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gigq import GigqError, Job, JobQueue, StoreError, Worker, Workflow

JOB = "functions:nothing"

TEXTS = {
    "nul": "a\0b",
    "control": "\x1b[2J\r\n\x07",
    "quotes": "'; DROP TABLE jobs; --\"%_[",
    "emoji": "🦀 e\u0301 \u202e",
    "long": "x" * 1_000_000,
}
LONE = "a\udc80b"

Use = Callable[[JobQueue, str], Any]

LOOKS: dict[str, Use] = {
    "get_status": lambda queue, text: queue.get_status(text),
    "get_job": lambda queue, text: queue.get_job(text),
    "get_result": lambda queue, text: queue.get_result(text),
    "full_id": lambda queue, text: queue.full_id(text),
    "why": lambda queue, text: queue.why(text),
    "graph": lambda queue, text: queue.graph(text),
    "next_jobs": lambda queue, text: queue.next_jobs(queue=text),
    "wait": lambda queue, text: queue.wait(text, timeout=0),
    "result": lambda queue, text: queue.result(text, timeout=0),
    "cancel": lambda queue, text: queue.cancel(text),
    "requeue_job": lambda queue, text: queue.requeue_job(text),
    "reschedule": lambda queue, text: queue.reschedule(text, delay=1),
    "list_jobs of a queue": lambda queue, text: queue.list_jobs(queue=text),
    "list_jobs of a name": lambda queue, text: queue.list_jobs(name=text),
    "list_jobs of a tag": lambda queue, text: queue.list_jobs(tags=text),
    "list_jobs of a worker": lambda queue, text: queue.list_jobs(worker_id=text),
    "list_jobs by a search": lambda queue, text: queue.list_jobs(search=text),
    "list_jobs of a status": lambda queue, text: queue.list_jobs(status=text),
    "list_jobs since": lambda queue, text: queue.list_jobs(since=text),
    "list_jobs of a workflow": lambda queue, text: queue.list_jobs(workflow=text),
    "Workflow.load": lambda queue, text: Workflow.load(queue, text),
    "count": lambda queue, text: queue.count(queue=text),
    "dead_letters": lambda queue, text: queue.dead_letters(name=text),
    "cancel_jobs": lambda queue, text: queue.cancel_jobs(queue=text),
    "requeue_jobs": lambda queue, text: queue.requeue_jobs(search=text),
    "prune": lambda queue, text: queue.prune(text),
    "clear_completed": lambda queue, text: queue.clear_completed(text),
    "dequeue of a queue": lambda queue, text: queue.dequeue(queues=text),
    "complete": lambda queue, text: queue.complete(text),
    "fail": lambda queue, text: queue.fail(text, "no"),
    "stop_workers": lambda queue, text: queue.stop_workers(text),
    "scale": lambda queue, text: queue.scale(1, text),
    "schedules.get": lambda queue, text: queue.schedules.get(text),
    "schedules.remove": lambda queue, text: queue.schedules.remove(text),
    "schedules.pause": lambda queue, text: queue.schedules.pause(text),
    "schedules.resume": lambda queue, text: queue.schedules.resume(text),
    "schedules.run": lambda queue, text: queue.schedules.run(text),
    "schedules.preview": lambda queue, text: queue.schedules.preview(text),
    "a cron line": lambda queue, text: queue.schedules.add("schedule", JOB, cron=text),
    "a time zone": lambda queue, text: queue.schedules.add("schedule", JOB, cron="@daily", timezone=text),
}

NAMES: dict[str, Callable[[str], Job]] = {
    "id": lambda text: Job("job", JOB, id=text),
    "name": lambda text: Job(text, JOB),
    "description": lambda text: Job("job", JOB, description=text),
    "queue": lambda text: Job("job", JOB, queue=text),
    "unique_key": lambda text: Job("job", JOB, unique_key=text),
    "tags": lambda text: Job("job", JOB, tags=[text]),
}


def refusal_of(use: Callable[[], Any]) -> str:
    """The message with which something is refused; empty if it is not."""
    try:
        use()
    except (GigqError, ValueError) as error:
        assert not isinstance(error, UnicodeError | StoreError), repr(error)[:200]
        return str(error)
    return ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_name_of_any_characters_is_stored_and_shown_as_it_is(queue: JobQueue, name: str, text: str) -> None:
    job = NAMES[name](text)
    queue.submit(job)
    shown = queue.get_status(job.id)[name]
    assert shown == ([text] if name == "tags" else text)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_utf_8_cannot_hold_is_refused(queue: JobQueue, name: str) -> None:
    assert "lone surrogate" in refusal_of(lambda: queue.submit(NAMES[name](LONE)))
    assert queue.count() == 0


@pytest.mark.parametrize("use", LOOKS.values(), ids=LOOKS)
def test_any_text_may_be_looked_for(queue: JobQueue, use: Use) -> None:
    queue.submit(Job("job", JOB))
    for text in [*TEXTS.values(), ""]:
        refusal_of(lambda text=text: use(queue, text))  # type: ignore[misc]
    assert queue.count() == 1


@pytest.mark.parametrize("use", LOOKS.values(), ids=LOOKS)
def test_text_that_utf_8_cannot_hold_is_refused_in_one_sentence_where_it_is_looked_for(
    queue: JobQueue, use: Use
) -> None:
    queue.submit(Job("job", JOB))
    refusal = refusal_of(lambda: use(queue, LONE))
    assert "\\udc80" in refusal
    assert "\n" not in refusal
    assert queue.count("pending") == 1


def test_a_queue_or_a_schedule_may_have_any_name(queue: JobQueue) -> None:
    for text in TEXTS.values():
        queue.pause(text)
        queue.configure(text, max_running=1)
        queue.schedules.add(text, JOB, every=60)
    assert {record.name for record in queue.queues()} == set(TEXTS.values())
    assert {record.name for record in queue.schedules} == set(TEXTS.values())
    for use in (queue.pause, queue.resume, queue.configure):
        assert "\\udc80" in refusal_of(lambda use=use: use(LONE))  # type: ignore[misc]
    assert "\\udc80" in refusal_of(lambda: queue.schedules.add(LONE, JOB, every=60))


def test_a_workflow_may_have_any_name_and_id(queue: JobQueue) -> None:
    for text in TEXTS.values():
        flow = Workflow(text, id=text)
        flow.at_end(Job(text, JOB))
        flow.submit_all(queue)
        assert (flow.status(queue).name, Workflow.load(queue, text).id) == (text, text)
        assert flow.to_svg(queue)
        assert flow.to_mermaid(queue)
    assert {record.name for record in queue.workflows()} == set(TEXTS.values())
    for use in (Workflow, lambda text: Workflow("flow", id=text)):
        assert "\\udc80" in refusal_of(lambda use=use: use(LONE))  # type: ignore[misc]


def test_a_worker_may_have_any_name(path: str, queue: JobQueue) -> None:
    for text in TEXTS.values():
        job_id = queue.submit(Job("job", JOB))
        with Worker(path, worker_id=text) as worker:
            assert worker.process_one()
        assert queue.get_status(job_id)["worker_id"] == text


def test_a_worker_whose_name_utf_8_cannot_hold_claims_nothing(path: str, queue: JobQueue) -> None:
    queue.submit(Job("job", JOB))

    def work() -> None:
        with Worker(path, worker_id=LONE) as worker:
            worker.process_one()

    assert "\\udc80" in refusal_of(work)
    assert "\\udc80" in refusal_of(lambda: queue.dequeue(LONE))
    assert queue.count("pending") == 1


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_number_that_the_file_cannot_hold_is_refused_in_one_sentence(queue: JobQueue, number: int) -> None:
    assert "a whole number from 0 to 9,223,372,036,854,775,807" in refusal_of(lambda: queue.list_jobs(limit=number))
