"""`gigq workflow`, and the workflows in other commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import functions
import pytest

from gigq import Job, JobQueue, Workflow
from gigq.testing import drain

Run = Callable[..., Any]


@pytest.fixture
def flow(queue: JobQueue) -> Workflow:
    """A workflow of which a job has failed, so that the next was cancelled, and the job at its end has completed."""
    flow = Workflow("nightly report", id="flow-1")
    bad = Job("bad", functions.fail, max_attempts=1, id="bad")
    flow.chain(Job("good", functions.nothing, id="good"), bad, Job("next", functions.nothing, id="next"))
    flow.at_end(Job("mail", functions.nothing, id="mail"))
    flow.submit_all(queue)
    drain(queue)
    return flow


def test_workflows_are_listed_the_newest_first_with_their_counts(run: Run, queue: JobQueue, flow: Workflow) -> None:
    other = Workflow("other", id="other")
    other.add_job(Job("job", functions.nothing))
    other.submit_all(queue)
    titles, first, second = run("workflow", "list").out.splitlines()
    assert titles.split() == [
        "id", "name", "done", "jobs", "pending", "running", "completed", "failed", "cancelled", "timeout", "age",
    ]  # fmt: skip
    assert first.split()[:6] == ["other", "other", "0", "%", "1", "1"]
    assert second.split()[:9] == ["flow-1", "nightly", "report", "100", "%", "4", "2", "1", "1"]
    listed = run("workflow", "list", "--json").json
    assert listed == [each.as_dict() for each in queue.workflows()]
    assert [each["done"] for each in listed] == [0.0, 1.0]


def test_a_list_is_limited_and_says_that_there_are_more(run: Run, queue: JobQueue, flow: Workflow) -> None:
    for number in range(2):
        other = Workflow(f"other {number}")
        other.add_job(Job("job", functions.nothing))
        other.submit_all(queue)
    limited = run("workflow", "list", "--limit", "2")
    assert limited.out.splitlines()[-1] == "there are more; --limit 0 shows all"
    assert "nightly" not in limited.out
    assert "there are more" in run("workflow", "list", "--limit", "2", "--json").err
    assert "more" not in run("workflow", "list", "--limit", "3").out + run("workflow", "list", "--limit", "0").out


def test_on_a_terminal_of_80_columns_a_list_shows_how_many_failed(
    run: Run, queue: JobQueue, flow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    title, row = run("workflow", "list").out.splitlines()
    assert title.endswith("failed  cancelled  timeout") and len(row) <= 80
    told = run("env").out.splitlines()
    assert any(line.startswith("GIGQ_DB ") and "  --db" in line for line in told)
    assert all(len(line) <= 80 for line in told) and any("the program" in line for line in told)


def test_a_queue_without_workflows_says_so(run: Run, queue: JobQueue) -> None:
    assert run("workflow", "list").out == "No workflows found.\n"
    assert run("workflow", "list", "--json").json == []


def test_a_workflow_is_shown_with_its_counts_and_its_drawing(run: Run, queue: JobQueue, flow: Workflow) -> None:
    shown = run("workflow", "show", "flow")
    lines = shown.out.splitlines()
    assert lines[0] == "Workflow: nightly report (flow-1)"
    assert [line for line in lines if "completed" in line or "have ended" in line][:2] == [
        "4 of 4 jobs have ended", "✓ 2 completed  ✕ 1 failed  ⊘ 1 cancelled",
    ], "and it says so once"  # fmt: skip
    assert "At its end: mail" in lines
    assert not any(line.startswith("Time left") for line in lines)
    drawn = lines[lines.index("") :]
    assert [name for name in ("good", "bad", "next", "mail") if any(f" {name} " in line for line in drawn)] == [
        "good", "bad", "next", "mail",
    ]  # fmt: skip
    assert run("workflow", "show", "flow-1", "--json").json == flow.status(queue).as_dict()


def test_what_is_not_known_of_an_unfinished_workflow_is_said(run: Run, queue: JobQueue, flow: Workflow) -> None:
    flow.requeue_failed(queue)
    shown = run("workflow", "show", "flow-1").out
    assert "1 of 4 jobs have ended\n○ 1 ready  ◌ 2 waiting  ✓ 1 completed\n" in shown
    assert "Completed: -\n" in shown
    assert "Time left: not known\n" in shown


def test_thousands_of_jobs_are_shown_in_a_few_lines(run: Run, queue: JobQueue) -> None:
    flow = Workflow("wide", id="wide")
    for number in range(2_000):
        flow.add_job(Job(f"page {number}", "functions:nothing"))
    flow.submit_all(queue)
    assert len(run("workflow", "show", "wide").out.splitlines()) < 30
    assert len(run("workflow", "graph", "wide").out.splitlines()) < 30


def test_a_picture_is_printed_or_written(run: Run, queue: JobQueue, flow: Workflow, tmp_path: Path) -> None:
    mermaid = run("workflow", "graph", "flow-1")
    assert "flowchart" in mermaid.out
    assert mermaid.out == run("workflow", "graph", "flow-1", "--mermaid").out
    svg = run("workflow", "graph", "flow-1", "--svg")
    assert svg.out.startswith("<svg")
    file = tmp_path / "flow.svg"
    assert run("workflow", "graph", "flow-1", "--svg", str(file)).out == f"Picture written: {file}\n"
    assert file.read_text(encoding="utf-8").strip() == svg.out.strip()
    as_json = run("workflow", "graph", "flow-1", "--svg", str(file), "--json")
    assert as_json.json == {"id": "flow-1", "file": str(file)}


def test_the_graph_is_there_for_programs(run: Run, queue: JobQueue, flow: Workflow) -> None:
    graph = run("workflow", "graph", "flow-1", "--json").json
    assert [(job["id"], job["phase"]) for job in graph["jobs"]] == [
        ("good", "completed"), ("bad", "failed"), ("next", "cancelled"), ("mail", "completed"),
    ]  # fmt: skip
    assert graph["edges"] == [
        ["good", "bad"], ["bad", "next"], ["good", "mail"], ["bad", "mail"], ["next", "mail"],
    ]  # fmt: skip


def test_a_file_that_cannot_be_written_is_one_line_of_error(run: Run, queue: JobQueue, flow: Workflow) -> None:
    refused = run("workflow", "graph", "flow-1", "--svg", "nowhere/flow.svg")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "gigq: 'nowhere/flow.svg' cannot be written: No such file or directory\n"


def test_a_picture_is_of_one_kind(run: Run, queue: JobQueue, flow: Workflow) -> None:
    assert run("workflow", "graph", "flow-1", "--mermaid", "--svg").code == 2


def test_what_has_failed_is_requeued_and_what_is_unfinished_cancelled(
    run: Run, queue: JobQueue, flow: Workflow
) -> None:
    assert run("workflow", "requeue", "flow").code == 4
    assert run("workflow", "requeue", "low-1", "--dry-run").out.startswith("This would requeue 1 job:\n")
    assert run("workflow", "requeue", "flow", "--yes").out == "Jobs requeued: 1\n"
    assert flow.status(queue).statuses["pending"] == 3
    assert run("workflow", "requeue", "flow", "--yes", "--json").json == {"id": "flow-1", "requeued": 0}
    assert run("workflow", "cancel", "flow", "--dry-run").out.startswith("This would cancel 2 jobs:\n")
    assert run("workflow", "cancel", "flow", "--yes", "--json").json == {"id": "flow-1", "cancelled": 2}
    assert flow.status(queue).phases["ready"] == 1
    assert run("workflow", "cancel", "flow", "--yes").out == "Jobs cancelled: 0\n"


@pytest.mark.parametrize("command", ["show", "graph", "cancel", "requeue"])
def test_an_unknown_workflow_is_one_line_of_error(run: Run, queue: JobQueue, command: str) -> None:
    outcome = run("workflow", command, "nothing")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("gigq: no workflow has the id 'nothing'")


def test_a_prefix_of_several_ids_is_refused(run: Run, queue: JobQueue, flow: Workflow) -> None:
    other = Workflow("other", id="flow-2")
    other.add_job(Job("job", functions.nothing))
    other.submit_all(queue)
    outcome = run("workflow", "show", "flow")
    assert (outcome.code, outcome.err) == (
        1,
        "gigq: several workflows have ids that begin or end with 'flow'; give more of it\n",
    )


def test_a_job_shows_its_workflow(run: Run, queue: JobQueue, flow: Workflow) -> None:
    assert "Workflow: nightly report (flow-1)\n" in run("status", "bad").out
    assert run("status", "bad", "--json").json["workflow"] == {"id": "flow-1", "name": "nightly report"}
    job_id = queue.submit(Job("alone", functions.nothing))
    assert "Workflow" not in run("status", job_id).out
    assert run("status", job_id, "--json").json["workflow"] is None


def test_jobs_are_chosen_by_their_workflow(run: Run, queue: JobQueue, flow: Workflow) -> None:
    queue.submit(Job("alone", functions.fail, max_attempts=1, id="alone"))
    drain(queue)
    assert [job["id"] for job in run("list", "--workflow", "flow", "--json").json] == ["mail", "next", "bad", "good"]
    assert [job["id"] for job in run("dead", "--each", "--workflow", "flow", "--json").json] == ["bad"]
    assert run("requeue", "--workflow", "flow", "--status", "failed", "--yes").out == "Jobs requeued: 1\n"
    assert run("cancel", "--workflow", "flow", "--yes").out.startswith("Jobs cancelled: 1; 1 more went with one")
    assert run("delete", "--workflow", "flow", "--yes").out == "Jobs deleted: 4\n"
    assert run("workflow", "list").out == "No workflows found.\n"
    assert queue.stats()["total"] == 1
    assert run("list", "--workflow", "flow").code == 1


def test_workflow_without_a_command_shows_its_commands(run: Run) -> None:
    outcome = run("workflow")
    assert (outcome.code, outcome.err) == (0, "")
    assert "picture" in outcome.out
