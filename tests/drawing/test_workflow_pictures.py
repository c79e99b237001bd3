"""Pictures of a workflow: of what is planned, and of where it stands in a queue."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from gigq import Job, JobQueue, ManualClock, Phase, Workflow, WorkflowNotFound, task
from gigq.drawing.graph import Edge, Graph
from gigq.drawing.planned import graph_of as planned
from gigq.drawing.stored import graph_of as stored
from gigq.drawing.text import Terminal, to_text
from gigq.queue import workflows
from gigq.testing import drain
from gigq.workflow_records import WorkflowGraph, WorkflowJob


@pytest.fixture
def queue(path: str, clock: ManualClock) -> Iterator[JobQueue]:
    with JobQueue(path, clock=clock) as queue:
        yield queue


@pytest.fixture
def report() -> Workflow:
    """Two jobs, one of which fails, and what waits for them."""
    workflow = Workflow("report")
    good = workflow.add_job(Job("good", "functions:nothing"))
    bad = workflow.add_job(Job("bad", "functions:fail", max_attempts=1))
    workflow.add_job(Job("sum", "functions:nothing"), depends_on=[good, bad])
    workflow.add_job(Job("later", "functions:nothing", delay=3600), depends_on=good)
    return workflow


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter() if each.tag.endswith("text")]


def graph(workflow: Workflow, queue: JobQueue) -> Graph:
    return stored(workflows.graph(queue.database, workflow.id))


def test_without_a_queue_the_plan_is_drawn(report: Workflow) -> None:
    assert texts(report.to_svg()) == ["report", "4 jobs", "good", "bad", "sum", "later"]
    assert report.to_mermaid() == (
        "%% report: 4 jobs.\n"
        "flowchart TD\n"
        '    job1["good"]\n'
        '    job2["bad"]\n'
        '    job3["sum"]\n'
        '    job4["later"]\n'
        "    job1 --> job3\n"
        "    job2 --> job3\n"
        "    job1 --> job4\n"
    )


def test_with_a_queue_it_is_drawn_where_each_job_stands(report: Workflow, queue: JobQueue) -> None:
    report.submit_all(queue)
    assert texts(report.to_svg(queue))[:4] == ["report", "0 of 4 jobs have ended", "2 ready", "2 waiting"]
    drain(queue)
    shown = texts(report.to_svg(queue))
    assert shown[1:5] == ["3 of 4 jobs have ended", "1 scheduled", "1 completed", "1 failed"]
    assert "scheduled in 1 h" in shown and "cancelled" in shown
    assert re.search(r'job2\["bad<br/>✕ failed after \d', report.to_mermaid(queue))


def test_a_job_shows_how_long_it_has_been_running(queue: JobQueue, clock: ManualClock) -> None:
    workflow = Workflow("slow")
    workflow.add_job(Job("slow", "functions:nothing"))
    workflow.submit_all(queue)
    claim = queue.dequeue("program")
    assert claim is not None
    clock.advance(90)
    assert "running for 1.5 min" in texts(workflow.to_svg(queue))
    queue.complete(claim)
    clock.advance(90)
    assert "completed in 1.5 min" in texts(workflow.to_svg(queue))


def test_a_job_that_waits_for_its_retry_shows_when_that_is(queue: JobQueue) -> None:
    workflow = Workflow("again")
    workflow.add_job(Job("again", "functions:fail", retry_delay=120))
    workflow.submit_all(queue)
    drain(queue)
    assert any(re.fullmatch(r"retrying in 2 min", text) for text in texts(workflow.to_svg(queue)))


def test_a_workflow_that_the_queue_does_not_have_is_an_error(report: Workflow, queue: JobQueue) -> None:
    with pytest.raises(WorkflowNotFound):
        report.to_svg(queue)
    with pytest.raises(WorkflowNotFound):
        report.to_mermaid(queue)


@pytest.mark.parametrize("wrong", ["jobs.db", 3, Workflow("other")])
def test_something_else_than_a_queue_is_refused(report: Workflow, wrong: object) -> None:
    with pytest.raises(TypeError, match="must be a JobQueue"):
        report.to_svg(wrong)  # type: ignore[arg-type]


def test_a_job_that_was_added_since_is_not_in_the_queue_yet(report: Workflow, queue: JobQueue) -> None:
    ids = report.submit_all(queue)
    report.add_job(Job("more", "functions:nothing"), depends_on=ids[0])
    shown = texts(report.to_svg(queue))
    assert "1 not in the queue" in shown and "more" in shown
    report.submit_all(queue)
    assert "1 not in the queue" not in texts(report.to_svg(queue))


def test_the_same_workflow_made_anew_is_drawn_once(queue: JobQueue) -> None:
    def made() -> Workflow:
        workflow = Workflow("daily", id="daily 2026-01-01")
        workflow.chain(Job("first", "functions:nothing"), Job("second", "functions:nothing"))
        return workflow

    stored_one, again = made(), made()
    stored_one.submit_all(queue)
    assert again.to_svg(queue) == stored_one.to_svg(queue)
    again.submit_all(queue)
    assert again.to_svg(queue) == stored_one.to_svg(queue)


def test_a_job_that_was_deleted_is_not_drawn(report: Workflow, queue: JobQueue) -> None:
    report.submit_all(queue)
    drain(queue)
    queue.delete_jobs(status="cancelled")
    assert "sum" not in texts(report.to_svg(queue))


def test_a_job_that_stands_for_another_is_drawn_in_its_place(queue: JobQueue) -> None:
    queue.submit(Job("first", "functions:nothing", unique_key="one"))
    workflow = Workflow("keyed")
    same = workflow.add_job(Job("second", "functions:nothing", unique_key="one"))
    workflow.add_job(Job("child", "functions:nothing"), depends_on=same)
    workflow.submit_all(queue)
    shown = texts(workflow.to_svg(queue))
    assert shown[1] == "0 of 1 job has ended"
    assert "first" in shown and "second" not in shown and "not of this workflow" in shown


def test_jobs_outside_of_the_workflow_are_drawn_and_not_counted(queue: JobQueue) -> None:
    before = queue.submit(Job("import", "functions:nothing"))
    workflow = Workflow("after")
    workflow.add_job(Job("export", "functions:nothing"), depends_on=before)
    workflow.submit_all(queue)
    text = to_text(graph(workflow, queue), Terminal())
    assert text[1] == "0 of 1 job has ended"
    assert text[-2:] == ["○  import  ready, not of this workflow", "◌  export  waiting"]


def test_a_loaded_workflow_looks_the_same(report: Workflow, queue: JobQueue) -> None:
    report.submit_all(queue)
    drain(queue)
    assert Workflow.load(queue, report.id).to_svg(queue) == report.to_svg(queue)


def test_the_last_job_is_drawn_below_all_others_by_few_lines(queue: JobQueue) -> None:
    workflow = Workflow("ended")
    workflow.chain(*(Job(f"step {number}", "functions:nothing") for number in range(9)))
    workflow.at_end(Job("mail", "functions:nothing"))
    assert workflow.to_mermaid().count("-->") == 9
    workflow.submit_all(queue)
    assert "8 lines that follow from others are not drawn" in texts(workflow.to_svg(queue))


def test_jobs_that_others_have_found_are_joined_to_these(clock: ManualClock) -> None:
    def job(job_id: str, finder: str | None = None) -> WorkflowJob:
        return WorkflowJob(job_id, job_id, "app:f", Phase.READY, None, None, None, finder, False)

    jobs = [job("crawl"), job("report"), job("page", "crawl"), job("gone", "elsewhere")]
    found = WorkflowGraph("id", "name", None, clock.now(), jobs, [("crawl", "report"), ("page", "report")])
    shown = stored(found)
    assert Edge("crawl", "page", "found") in shown.edges
    assert "found by crawl" in "\n".join(to_text(shown, Terminal()))


def test_the_clock_that_went_back_gives_no_negative_time(queue: JobQueue, clock: ManualClock) -> None:
    workflow = Workflow("back")
    workflow.add_job(Job("slow", "functions:nothing"))
    workflow.submit_all(queue)
    queue.dequeue("program")
    clock.set("2020-01-01T00:00:00Z")
    assert "running for 0 ms" in texts(workflow.to_svg(queue))


@task()
def add(a: int) -> int:
    return a + 1


def test_a_plan_names_functions_even_where_a_submit_would_refuse_them() -> None:
    odd = [Job("path", "a.b:c"), add.to_job(1), Job("lambda", lambda: None), Job("builtin", print), Job("class", dict)]
    names = [node.function for node in planned("odd", odd).nodes]
    assert names[:2] == ["a.b:c", "test_workflow_pictures:add"]
    assert names[2].endswith("<lambda>") and names[3:] == ["print", "dict"]


def test_a_circle_in_memory_is_drawn_although_it_cannot_be_submitted() -> None:
    workflow = Workflow("circle")
    first = workflow.add_job(Job("first", "functions:nothing"))
    second = workflow.add_job(Job("second", "functions:nothing"), depends_on=first)
    workflow.add_job(first, depends_on=second)
    assert "closes a circle: cannot be submitted" in texts(workflow.to_svg())


# in a notebook


def test_a_notebook_shows_where_its_jobs_stand(report: Workflow, queue: JobQueue) -> None:
    assert texts(report._repr_html_())[1] == "4 jobs"
    report.submit_all(queue)
    assert texts(report._repr_html_())[1] == "0 of 4 jobs have ended"
    assert texts(Workflow.load(queue, report.id)._repr_html_())[1] == "0 of 4 jobs have ended"


def test_a_notebook_shows_the_plan_and_a_sentence_where_the_queue_cannot_be_read(report: Workflow, path: str) -> None:
    with JobQueue(path) as queue:
        report.submit_all(queue)
    html = report._repr_html_()
    assert "where its jobs stand is not known" in html and "closed" in html
    assert "4 jobs" in html and ET.fromstring(f"<p>{html}</p>") is not None


def test_a_notebook_says_so_when_the_workflow_was_deleted(report: Workflow, queue: JobQueue) -> None:
    report.submit_all(queue)
    drain(queue)
    queue.cancel_jobs("pending")
    queue.delete_jobs(["completed", "failed", "cancelled"])
    assert "where its jobs stand is not known" in report._repr_html_()


def test_two_pictures_on_one_page_have_nothing_in_common_but_what_is_alike(report: Workflow) -> None:
    other = Workflow("other")
    classes = {ET.fromstring(each.to_svg()).attrib["class"] for each in (report, other)}
    assert len(classes) == 2
