"""`gigq why` of the whole queue, `gigq next`, `gigq graph`, `gigq health`, `gigq info` and `gigq stats`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, Worker
from gigq.cli.fields import HEALTH, INFO, NEXT_JOB

Run = Callable[..., Any]

NO_WORKER = "there is no worker; `gigq worker` starts one."


# why


def test_why_without_an_id_is_about_the_whole_queue(run: Run, queue: JobQueue) -> None:
    assert run("why").out == "Nothing is waiting.\n"
    queue.submit(Job("job", "tasks:f"))
    (sentence,) = run("why").out.splitlines()
    assert sentence.endswith(NO_WORKER)
    found = run("why", "--json").json
    assert (found["id"], len(found["reasons"])) == (None, 1)


# next


def test_next_shows_the_order_the_reason_and_what_it_rests_on(run: Run, queue: JobQueue) -> None:
    assert run("next").out == "Nothing is about to run.\n"
    last, first = queue.submit(Job("last", "tasks:f")), queue.submit(Job("first", "tasks:f", priority=9, queue="mail"))
    title, one, other, rest = run("next").out.splitlines()
    assert title.split() == ["starts", "takes", "id", "name", "queue", "priority", "phase", "reason"]
    assert one.split()[:5] == ["?", first, "first", "mail", "9"]
    assert other.split()[1:3] == [last, "last"]
    assert one.endswith("no live worker serves its queue")
    assert rest == "There is no live worker, so that nobody can tell when a job starts."
    assert run("next", "--limit", "1", "-q").out.split() == [first]
    assert run("next", "--queue", "default", "-q").out.split() == [last]


def test_next_tells_when_a_job_starts(run: Run, queue: JobQueue, path: str) -> None:
    with Worker(path) as worker:
        queue.submit(Job("done", "functions:nothing"))
        worker.process_one()
        queue.submit(Job("now", "functions:nothing"))
        queue.submit(Job("later", "functions:nothing", delay=3000))
        title, one, other, _ = run("next").out.splitlines()
        assert "reason" not in title
        assert (one.split()[0], other.split()[:3]) == ("now", ["in", "50", "min"])
        found = run("next", "--json")
        assert [set(each) for each in found.json] == [set(NEXT_JOB)] * 2
        assert run("next", "--time=iso").out.splitlines()[2].startswith(found.json[1]["starts_at"])
        assert found.err.endswith("Nothing new arrives, no job fails, and each function takes its median time of late.\n")


def test_next_refuses_no_jobs(run: Run, queue: JobQueue) -> None:
    outcome = run("next", "--limit", "0")
    assert (outcome.code, outcome.out) == (2, "") and "--limit" in outcome.err


# graph


@pytest.fixture
def family(queue: JobQueue) -> tuple[str, str]:
    parent = queue.submit(Job("load", "tasks:f", id="parent-1"))
    return parent, queue.submit(Job("clean", "tasks:f", id="child-1", dependencies=[parent]))


def test_graph_draws_the_job_between_its_relatives(run: Run, family: tuple[str, str]) -> None:
    assert run("graph", "parent").out.splitlines() == [
        "load",
        "0 of 2 jobs have ended",
        "○ 1 ready  ◌ 1 waiting",
        "",
        "○  load (this job)  ready",
        "◌  clean            waiting",
    ]
    assert run("graph", "parent", "-q").out.split() == list(family)


def test_graph_is_also_mermaid_svg_and_json(run: Run, family: tuple[str, str], tmp_path: Path) -> None:
    assert "flowchart TD" in run("graph", "child", "--mermaid").out
    assert run("graph", "child", "--svg").out.startswith("<svg")
    file = tmp_path / "graph.svg"
    assert run("graph", "child", "--svg", str(file)).out == f"Picture written: {file}\n"
    assert file.read_text(encoding="utf-8").startswith("<svg")
    found = run("graph", "child", "--json").json
    assert (found["id"], found["edges"], found["number"]) == ("child-1", [["parent-1", "child-1"]], 2)


def test_graph_of_many_jobs_says_that_they_are_drawn_by_levels(run: Run, queue: JobQueue) -> None:
    parents = queue.submit_many(Job(f"p{number}", "tasks:f") for number in range(5))
    child = queue.submit(Job("child", "tasks:f", dependencies=parents))
    outcome = run("graph", child, "--limit", "3")
    assert "5 × f, 1 step before" in outcome.out
    assert outcome.err == "gigq: 6 jobs are drawn level by level; --limit N draws up to N one by one\n"


def test_graph_of_an_unknown_job_is_an_error(run: Run, queue: JobQueue) -> None:
    outcome = run("graph", "nothing")
    assert (outcome.code, outcome.out) == (1, "") and "nothing" in outcome.err


# health


def test_health_is_one_line_and_an_exit_code(run: Run, queue: JobQueue) -> None:
    outcome = run("health")
    assert (outcome.code, outcome.out, outcome.err) == (0, "OK: Nothing is waiting.\n", "")
    queue.submit(Job("job", "tasks:f"))
    outcome = run("health")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.startswith("NOT OK: 1 ready job waits, for ") and outcome.out.endswith(NO_WORKER + "\n")


def test_health_as_json_has_the_same_exit_code(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "tasks:f"))
    outcome = run("health", "--json")
    assert (outcome.code, set(outcome.json), outcome.json["is_ok"]) == (1, set(HEALTH), False)


def test_health_takes_how_long_a_job_may_wait(run: Run, queue: JobQueue, path: str) -> None:
    with Worker(path, queues=["default"]) as worker:
        worker.process_one()
        queue.submit(Job("job", "tasks:f"))
        assert run("health").code == 0
        assert run("health", "--older-than", "none").code == 0
        outcome = run("health", "--older-than", "0.0000001s")
        assert (outcome.code, "longer than" in outcome.out) == (1, True)
    assert run("health", "--older-than", "soon").code == 2


def test_health_of_a_file_that_is_not_there_or_no_queue_is_one_line(run: Run, path: str, tmp_path: Path) -> None:
    outcome = run("health")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (1, "", 1)
    assert not os.path.exists(path)
    (tmp_path / "notes.txt").write_text("no database at all")
    outcome = run("--db", str(tmp_path / "notes.txt"), "health")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (1, "", 1)


# info and stats


def test_info_shows_what_the_file_is(run: Run, queue: JobQueue, path: str) -> None:
    queue.submit(Job("job", "tasks:f"))
    fields = dict(line.split(":", 1) for line in run("info").out.splitlines())
    assert fields["File"].strip() == path
    assert fields["Jobs"].strip() == "1: 1 pending"
    assert fields["Log"].endswith(" (wal)")
    assert fields["Versions"].split(",")[2] == " tables 2"
    found = run("info", "--json").json
    assert (set(found), found["jobs"]) == (set(INFO), 1)
    assert json.loads(run("info", "--json=path,jobs").out) == {"path": path, "jobs": 1}


def test_stats_counts_one_queue(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("a", "tasks:f", queue="mail"), Job("b", "tasks:f")])
    assert run("stats", "--queue", "mail", "--json").json["pending"] == 1
    assert run("stats", "--json").json["total"] == 2


# queues and workers


def test_queues_show_for_how_long_they_have_been_paused(run: Run, queue: JobQueue) -> None:
    queue.pause("mail")
    (found,) = queue.queues()
    assert run("queues").out.splitlines()[1].split()[:2] == ["mail", "0s"]
    assert found.as_dict()["paused_at"] in run("queues", "--time=iso").out


def test_workers_show_what_they_run_and_for_how_long(run: Run, queue: JobQueue) -> None:
    job = queue.submit(Job("import", "tasks:f", timeout=None))
    claim = queue.dequeue("ann")
    assert claim is not None
    _, _, _, title, row = run("workers").out.splitlines()
    assert title.split() == ["worker", "job", "name", "attempt", "running", "for", "limit", "progress"]
    assert row.split() == ["ann", job, "import", "1", "0s"]
    assert run("workers", "--json").json[0]["jobs"][0]["id"] == job


def test_why_and_graph_take_the_last_job_and_ends_of_ids(
    run: Run, queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    queue.submit(Job("other", "tasks:f"))
    job = queue.submit(Job("job", "tasks:f"))
    assert run("why", job[-8:], "-q").out.split() == [job]
    assert run("graph", "-", "-q").out.split() == [job]
    assert run("why", "-", "--json").json["id"] == job
