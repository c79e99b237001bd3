"""What people do to a queue is written down, in the transaction that does it; what programs do is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from store.verbs import File

from gigq import Job, JobQueue, ManualClock, Workflow
from gigq.store.acting import KEPT


def submit(queue: JobQueue, name: str = "job", **options: Any) -> str:
    return str(queue.submit(Job(name, "functions:nothing", id=name, **options)))


def done(queue: JobQueue) -> list[tuple[str, dict[str, Any], dict[str, Any], int]]:
    """The actions, the oldest first."""
    return [(each.verb, each.filter, each.options, each.done) for each in reversed(queue.history.actions(None))]


def test_an_action_says_who_did_what_by_which_face_and_when(
    open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    submit(queue)
    with queue.acting_as("ann", "cli"):
        assert queue.cancel("job")
    (action,) = queue.history.actions()
    assert (action.actor, action.face, action.verb, action.at) == ("ann", "cli", "cancel", clock.now())
    assert (action.filter, action.options, action.bound) == ({"id": "job"}, {}, None)
    assert (action.done, action.changed, action.skipped) == (1, 0, 0)
    assert action.as_dict()["at"] == "2026-01-01T00:00:00.000000Z"


def test_outside_of_such_a_block_nothing_is_written_down(queue: JobQueue) -> None:
    submit(queue)
    with queue.acting_as("ann"):
        pass
    queue.cancel("job")
    queue.pause()
    assert queue.history.actions() == []


def test_of_many_ids_that_were_given_the_first_are_written_down(queue: JobQueue) -> None:
    ids = [submit(queue, f"job {number:02}") for number in range(25)]
    with queue.acting_as("ann"):
        queue.cancel_jobs(ids=ids)
    (action,) = queue.history.actions()
    assert (action.done, action.filter["ids"], action.filter["number_of_ids"]) == (25, ids[:20], 25)


def test_every_verb_that_people_use_is_written_down(queue: JobQueue) -> None:
    with queue.acting_as("ann"):
        submit(queue, "a")
        queue.submit_many([Job(name, "functions:nothing", id=name) for name in "bc"])
        queue.reschedule("a", delay=60, priority="high")
        queue.cancel("a")
        queue.requeue_job("a", delay=5)
        queue.delete_job("a")
        queue.pause("mail")
        queue.resume()
        queue.configure("mail", max_running=2, rate_limit=None)
        queue.schedules.add("hourly", "functions:nothing", every=3600)
        queue.schedules.pause("hourly")
        queue.schedules.resume("hourly")
        ran = queue.schedules.run("hourly")
        queue.schedules.remove("hourly")
    run_at = done(queue)[2][2].pop("run_at")
    assert run_at > "2026"
    assert done(queue)[:2] == [
        ("submit", {"ids": ["a"]}, {"function": "functions:nothing", "name": "a"}, 1),
        ("submit", {"ids": ["b", "c"]}, {}, 2),
    ]
    found = done(queue)
    found[2][2].pop("run_at")
    assert found[2:] == [
        ("reschedule", {"id": "a"}, {"priority": 100}, 1),
        ("cancel", {"id": "a"}, {}, 1),
        ("requeue_job", {"id": "a"}, {"delay": 5.0}, 1),
        ("delete_job", {"id": "a"}, {}, 1),
        ("pause", {"queue": "mail"}, {}, 1),
        ("resume", {}, {}, 1),
        ("configure", {"queue": "mail"}, {"max_running": 2, "rate_limit": None}, 1),
        ("schedules.add", {"schedule": "hourly"}, {"every": 3600.0, "function": "functions:nothing"}, 1),
        ("schedules.pause", {"schedule": "hourly"}, {}, 1),
        ("schedules.resume", {"schedule": "hourly"}, {}, 1),
        ("schedules.run", {"schedule": "hourly"}, {"id": ran}, 1),
        ("schedules.remove", {"schedule": "hourly"}, {}, 1),
    ]


def test_what_is_asked_of_workers_is_written_down(open_queue: Callable[..., JobQueue], clock: ManualClock) -> None:
    queue = open_queue(clock=clock)
    file = File(queue, clock)
    submit(queue)
    file.claim()
    clock.advance(60)
    with queue.acting_as("ann"):
        queue.scale(3)
        queue.stop_workers(file.worker.id, graceful=False)
        assert queue.requeue_stuck(older_than=30) == 1
    assert done(queue) == [
        ("scale", {}, {"concurrency": 3}, 1),
        ("stop_workers", {"worker_id": file.worker.id}, {"graceful": False}, 1),
        ("requeue_stuck", {}, {"older_than": "2026-01-01T00:00:30.000000Z"}, 1),
    ]


def test_what_is_done_to_a_workflow_is_written_down(queue: JobQueue) -> None:
    flow = Workflow("flow", id="flow")
    flow.add_job(Job("first", "functions:nothing"))
    with queue.acting_as("ann"):
        flow.submit_all(queue)
        flow.add_job(Job("second", "functions:nothing"))
        flow.submit_all(queue)
        flow.cancel(queue)
        flow.cancel(queue)
    assert done(queue) == [
        ("Workflow.submit_all", {"workflow": "flow"}, {"name": "flow"}, 1),
        ("Workflow.submit_all", {"workflow": "flow"}, {"name": "flow"}, 1),
        ("Workflow.cancel", {"workflow": "flow"}, {}, 2),
    ]


def test_what_changes_nothing_leaves_no_row(queue: JobQueue) -> None:
    submit(queue)
    with queue.acting_as("ann"):
        assert not queue.requeue_job("job")
        assert not queue.cancel("nobody")
        assert not queue.schedules.remove("none")
        submit(queue)
    assert queue.history.actions() == []


def test_an_action_is_rolled_back_with_what_it_did(queue: JobQueue) -> None:
    submit(queue)
    with pytest.raises(ZeroDivisionError), queue.acting_as("ann"), queue.transaction():
        assert queue.cancel("job")
        raise ZeroDivisionError
    assert queue.history.actions() == []
    with queue.acting_as("ann"), queue.transaction():
        assert queue.cancel("job")
    assert [action.verb for action in queue.history.actions()] == ["cancel"]


def test_it_holds_for_this_thread_and_this_queue_alone(open_queue: Callable[..., JobQueue]) -> None:
    queue, other = open_queue(), open_queue()
    for name in "abc":
        submit(queue, name)
    with queue.acting_as("ann"):
        thread = threading.Thread(target=lambda: queue.cancel("a"))
        thread.start()
        thread.join()
        other.cancel("b")
        queue.cancel("c")
    assert [action.filter for action in queue.history.actions()] == [{"id": "c"}]


def test_in_an_inner_block_the_inner_one_counts(queue: JobQueue) -> None:
    with queue.acting_as("outer", "cli"):
        with queue.acting_as("inner", "page"):
            queue.pause("a")
        queue.pause("b")
    assert [(each.actor, each.face) for each in queue.history.actions()] == [("outer", "cli"), ("inner", "page")]


def test_the_last_thousand_actions_are_kept() -> None:
    with JobQueue(":memory:") as queue, queue.acting_as("ann"), queue.transaction():
        for _ in range(KEPT + 5):
            queue.pause("mail")
        ids = [action.id for action in queue.history.actions(None)]
        assert (len(ids), ids[0], ids[-1]) == (KEPT, KEPT + 5, 6)
        assert len(queue.history.actions()) == 50


@pytest.mark.parametrize("value", ["", None, 7])
def test_an_actor_and_a_face_are_text(queue: JobQueue, value: Any) -> None:
    with pytest.raises(ValueError, match="actor"):
        queue.acting_as(value)
    with pytest.raises(ValueError, match="face"):
        queue.acting_as("ann", value)
