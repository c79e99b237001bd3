"""The ancestors and descendants of a job, and their picture."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from store.test_plans import plans, scanning
from store.verbs import File

from gigq import Job, JobNotFound, JobQueue, ManualClock
from gigq.drawing.related import graph_of
from gigq.drawing.text import Terminal, to_text
from gigq.status import ExecutionStatus
from gigq.store import relatives


@pytest.fixture
def file(open_queue: Callable[..., JobQueue], clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


def drawn(file: File, job_id: str, **options: int) -> list[str]:
    return to_text(graph_of(file.queue.graph(job_id, **options)), Terminal())


@pytest.fixture
def family(file: File) -> dict[str, str]:
    """A diamond with a tail, and a stranger."""
    ids: dict[str, str] = {}
    for name, parents in {"load": "", "left": "load", "right": "load", "join": "left right", "mail": "join"}.items():
        ids[name] = file.submit(name, dependencies=[ids[each] for each in parents.split()])
    file.submit("stranger")
    return ids


def test_a_job_has_its_ancestors_and_descendants_with_their_distances(file: File, family: dict[str, str]) -> None:
    found = file.queue.graph(family["left"])
    assert [(job.name, job.distance, job.phase) for job in found.jobs] == [
        ("load", -1, "ready"), ("left", 0, "waiting"), ("join", 1, "waiting"), ("mail", 2, "waiting"),
    ]  # fmt: skip
    assert found.edges == (
        (family["load"], family["left"]), (family["left"], family["join"]), (family["join"], family["mail"]),
    )  # fmt: skip
    assert (found.number, found.is_complete) == (4, True)
    assert json.loads(json.dumps(found.as_dict()))["levels"][0] == {
        "distance": -1, "phases": {"ready": 1}, "functions": {"functions:nothing": 1}, "number": 1,
    }  # fmt: skip


def test_the_picture_shows_which_job_was_asked_for_and_where_the_others_stand(
    file: File, family: dict[str, str]
) -> None:
    (claim,) = file.claim()
    file.clock.advance(3)
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert drawn(file, family["join"]) == [
        "join",
        "1 of 5 jobs have ended",
        "○ 2 ready  ◌ 2 waiting  ✓ 1 completed",
        "",
        "✓    load             completed in 3 s",
        "├─╮",
        "○ │  left             ready",
        "│ ○  right            ready",
        "├─╯",
        "◌    join (this job)  waiting",
        "◌    mail             waiting",
    ]


def test_a_job_without_relatives_is_alone(file: File) -> None:
    found = file.queue.graph(file.submit("alone"))
    assert ([job.name for job in found.jobs], found.edges, found.number) == (["alone"], (), 1)


def test_a_job_that_has_submitted_another_one_is_its_ancestor(file: File) -> None:
    submitter, found = file.submit("crawl"), file.submit("page")
    with file.write() as tx:
        tx.execute("UPDATE jobs SET submitted_by = 1 WHERE id = ?", (found,))
    assert [(job.name, job.distance) for job in file.queue.graph(found).jobs] == [("crawl", -1), ("page", 0)]
    assert [(job.name, job.distance) for job in file.queue.graph(submitter).jobs] == [("crawl", 0), ("page", 1)]
    assert any("found by crawl" in line for line in drawn(file, found))


def test_of_very_many_relatives_the_nearest_are_returned_and_all_are_counted(file: File) -> None:
    pages = [Job(f"page {number}", "functions:nothing") for number in range(300)]
    index = Job("index", "functions:nothing", dependencies=[page.id for page in pages])
    users = [Job(f"user {number}", "functions:nothing", dependencies=[index.id]) for number in range(5)]
    file.queue.submit_many([*pages, index, *users])
    found = file.queue.graph(index.id, 10)
    assert (len(found.jobs), found.number, found.is_complete) == (10, 306, True)
    assert [(level.distance, level.number) for level in found.levels] == [(-1, 300), (0, 1), (1, 5)]
    assert drawn(file, index.id, limit=10)[4:] == [
        "●  300 × nothing, 1 step before  300 ready",
        "◌  index (this job)              waiting",
        "●  5 × nothing, 1 step after     5 waiting",
    ]


def test_beyond_a_number_relatives_are_not_looked_for(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relatives, "MOST", 3)
    jobs = [Job("0", "functions:nothing")]
    for number in range(1, 7):
        jobs.append(Job(f"{number}", "functions:nothing", dependencies=[jobs[-1].id]))
    file.queue.submit_many(jobs)
    found = file.queue.graph(jobs[0].id)
    assert ([job.name for job in found.jobs], found.is_complete) == (["0", "1", "2", "3"], False)
    assert not file.queue.graph(jobs[6].id).is_complete
    assert file.queue.graph(jobs[3].id).is_complete


def test_an_unknown_job_has_no_graph(file: File) -> None:
    with pytest.raises(JobNotFound):
        file.queue.graph("unknown")


def test_the_look_reads_no_whole_table(file: File, family: dict[str, str]) -> None:
    found = plans(file, lambda: file.queue.graph(family["join"], within=60))
    assert len(found) > 4 and scanning(found) == {}
