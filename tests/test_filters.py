"""Filters as a caller gives them, and as the store reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gigq import Job, JobStatus, Phase, Priority
from gigq.filters import Filters

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "field", "read"),
    [
        ({"status": None}, "statuses", None),
        ({"status": "failed"}, "statuses", ["failed"]),
        ({"status": JobStatus.FAILED}, "statuses", ["failed"]),
        ({"status": ["failed", JobStatus.TIMEOUT]}, "statuses", ["failed", "timeout"]),
        ({"status": ("failed", "failed")}, "statuses", ["failed"]),
        ({"status": []}, "statuses", []),
        ({"phase": "ready"}, "phases", ["ready"]),
        ({"phase": [Phase.WAITING, "retrying"]}, "phases", ["waiting", "retrying"]),
        ({"phase": None}, "phases", None),
        ({"tags": "red"}, "tags", ["red"]),
        ({"tags": ("red", "blue")}, "tags", ["red", "blue"]),
        ({"tags": None}, "tags", []),
        ({"tags": []}, "tags", []),
        ({"priority": "high"}, "priority", 100),
        ({"priority": Priority.LOW}, "priority", -100),
        ({"priority": 0}, "priority", 0),
        ({"priority": None}, "priority", None),
        ({"since": "2026-07-01T12:00:00Z"}, "since", NOON),
        ({"until": NOON}, "until", NOON),
        ({"queue": "mail"}, "queue", "mail"),
        ({"name": "greet"}, "name", "greet"),
        ({"worker_id": "w"}, "worker_id", "w"),
        ({"search": "x"}, "search", "x"),
        ({"ids": "x"}, "ids", ["x"]),
        ({"ids": ["x", Job("job", "f", id="y"), "x"]}, "ids", ["x", "y"]),
        ({"ids": []}, "ids", []),
    ],
)
def test_a_filter_is_kept_in_one_form(given: dict[str, Any], field: str, read: Any) -> None:
    found = getattr(Filters.of(**given), field)
    assert (list(found) if isinstance(found, tuple) else found) == read


def test_no_filter_lets_every_job_pass() -> None:
    assert Filters.of() == Filters()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"status": "done"}, "status is 'done'; it must be \"pending\", "),
        ({"status": "FAILED"}, "status is 'FAILED'"),
        ({"status": ["failed", "lost"]}, "status is 'lost'"),
        ({"status": "ready"}, "status is 'ready'"),
        ({"status": ""}, "status is ''"),
        ({"phase": "pending"}, "phase is 'pending'"),
        ({"priority": "urgent"}, "priority is 'urgent'; it must be a whole number"),
        ({"priority": True}, "priority is True"),
        ({"since": "yesterday"}, "since is 'yesterday'; it must be ISO-8601 text"),
        ({"until": 5}, "until is 5; it must be a datetime"),
        ({"status": 5}, "status is 5; it must be text, or a list of texts"),
        ({"status": [["failed"]]}, r"status is \['failed'\]; it must be"),
        ({"phase": {"ready": 1}}, "phase is {'ready': 1}; it must be text, or a list of texts"),
        ({"tags": 5}, "tags is 5; it must be text, or a list of texts"),
        ({"tags": [5]}, "an entry of tags is 5; it must be text"),
        ({"tags": b"red"}, "tags is b'red'; it must be text, or a list of texts"),
        ({"queue": ["mail"]}, r"queue is \['mail'\]; it must be text"),
        ({"name": 5}, "name is 5; it must be text"),
        ({"search": b"x"}, "search is b'x'; it must be text"),
        ({"ids": [""]}, "an entry of ids must not be empty"),
    ],
)
def test_an_invalid_value_of_a_filter_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Filters.of(**given)


def test_an_unknown_filter_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(TypeError, match="there is no filter 'colour'; there are phase, queue, name, function, tags"):
        Filters.of(colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["queue", "name", "worker_id"])
def test_empty_text_that_no_job_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must not be empty$"):
        Filters.of(**{name: ""})  # type: ignore[misc]
    assert Filters.of(search="").search == ""
