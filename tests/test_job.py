"""The fields of a job: their values, the form in which they are kept, and subclasses."""

from __future__ import annotations

import copy
import math
import pickle
import sys
import uuid
from collections import ChainMap
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from inspect import signature
from types import MappingProxyType
from typing import Any, Unpack, get_args, get_type_hints

import functions
import pytest

from gigq import InvalidJob, Job, JobOptions, JobQueue, JobStatus, JobTimeout, Phase, Priority, task
from gigq.checks import MOST_INTEGER
from gigq.clock import unix_microseconds
from gigq.job_ids import new_job_id
from gigq.priority import PriorityLevel, to_priority
from gigq.queue.schedules import ScheduleOptions
from gigq.status import PhaseText, StatusText

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


# str() of it is "Queue.MAIL"; its value is meant.
class Queue(str, Enum):  # noqa: UP042
    MAIL = "mail"


class NoLuck(Exception):
    pass


def job(**fields: Any) -> Job:
    return Job(**{"name": "a", "function": functions.nothing, **fields})


def test_a_job_needs_only_a_name_and_a_function() -> None:
    made = Job("greet", functions.greet)
    assert (made.max_attempts, made.timeout, made.priority, made.queue) == (3, 300.0, 0, "default")
    assert (made.params, made.args, made.dependencies, made.tags, made.metadata) == ({}, (), (), (), {})
    assert (made.run_at, made.delay, made.pass_parent_results, made.on_parent_failure) == (None, None, None, "cancel")
    assert (made.retry_delay, made.retry_backoff, made.retry_max_delay, made.retry_jitter) == (0.0, 1.0, None, 0.0)


def test_fields_that_code_passes_by_position_keep_their_positions() -> None:
    made = Job("n", functions.add, {"a": 1}, 5, ["p"], 2, 9, "text", True, 4)
    assert (made.name, made.params, made.priority, made.dependencies) == ("n", {"a": 1}, 5, ("p",))
    assert (made.max_attempts, made.timeout, made.description) == (2, 9.0, "text")
    assert (made.pass_parent_results, made.retry_delay) == (True, 4.0)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("name", "x" * 10_000, "x" * 10_000),
        ("name", Queue.MAIL, "mail"),
        ("description", "", ""),
        ("description", None, ""),
        ("queue", Queue.MAIL, "mail"),
        ("id", "order-17", "order-17"),
        ("params", None, {}),
        ("params", MappingProxyType({"a": 1}), {"a": 1}),
        ("params", ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
        ("metadata", {"a": [1]}, {"a": [1]}),
        ("args", [1, 2], (1, 2)),
        ("args", range(3), (0, 1, 2)),
        ("args", (each for each in "ab"), ("a", "b")),
        ("dependencies", None, ()),
        ("dependencies", ["b", "a", "b"], ("b", "a")),
        ("dependencies", "order-17", ("order-17",)),
        ("tags", ["x", "y", "x"], ("x", "y")),
        ("tags", [Queue.MAIL], ("mail",)),
        ("tags", "mail", ("mail",)),
        ("tags", Queue.MAIL, ("mail",)),
        ("priority", "high", 100),
        ("priority", Priority.LOW, -100),
        ("priority", MOST_INTEGER, MOST_INTEGER),
        ("priority", -MOST_INTEGER, -MOST_INTEGER),
        ("max_attempts", MOST_INTEGER, MOST_INTEGER),
        ("timeout", None, None),
        ("timeout", timedelta(minutes=1), 60.0),
        ("timeout", 1e-6, 1e-6),
        ("run_at", NOON, NOON),
        ("run_at", "2026-07-01T12:00:00Z", NOON),
        ("delay", 0, 0.0),
        ("delay", timedelta(hours=1), 3600.0),
        ("retry_delay", timedelta(seconds=1.5), 1.5),
        ("retry_max_delay", 0, 0.0),
        ("retry_max_delay", None, None),
        ("retry_backoff", 1, 1.0),
        ("retry_backoff", 1e6, 1e6),
        ("retry_jitter", 1, 1.0),
        ("retry_on", [KeyError, "my.Error"], ("builtins.KeyError", "my.Error")),
        ("no_retry_on", {JobTimeout}, ("gigq.errors.JobTimeout",)),
        ("retry_on", [NoLuck, NoLuck], (f"{__name__}.NoLuck",)),
        ("retry_on", NoLuck, (f"{__name__}.NoLuck",)),
        ("retry_on", "my.Error", ("my.Error",)),
        ("no_retry_on", KeyError, ("builtins.KeyError",)),
        ("no_retry_on", "my.Error", ("my.Error",)),
        ("pass_parent_results", False, False),
        ("on_parent_failure", "run", "run"),
    ],
)
def test_a_field_is_kept_in_one_form(field: str, given: Any, kept: Any) -> None:
    found = getattr(job(**{field: given}), field)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *[("name", wrong) for wrong in ("", None, 5, b"x", "\ud800")],
        *[("queue", wrong) for wrong in ("", None, 5, ["a"], "\ud800")],
        *[("id", wrong) for wrong in ("", None, 5, uuid.UUID(int=0))],
        *[("description", wrong) for wrong in (5, b"text", "\udfff")],
        *[("params", wrong) for wrong in ([], [("a", 1)], "a=1", 5)],
        *[("metadata", wrong) for wrong in ([], "x", 5)],
        *[("args", wrong) for wrong in ("ab", b"ab", {"a": 1}, 5, None)],
        *[("dependencies", wrong) for wrong in ("", b"id", 0, False, {"id": 1}, [""], [None], [5], ["\ud800"])],
        *[("tags", wrong) for wrong in ("", b"tag", None, 5, [""], [5], ["\ud800"])],
        *[("priority", wrong) for wrong in ("urgent", "", "5", None, 1.0, True, MOST_INTEGER + 1, -MOST_INTEGER - 1)],
        *[("max_attempts", wrong) for wrong in (0, -1, 1.0, True, "3", None, MOST_INTEGER + 1)],
        *[("timeout", wrong) for wrong in (0, 0.0, -0.0, -1, True, "5", math.nan, math.inf, 10**400, timedelta(0))],
        *[("delay", wrong) for wrong in (-1, True, "5", math.nan, math.inf, timedelta(-1))],
        *[("retry_delay", wrong) for wrong in (-1, None, False, "5", math.nan, math.inf, 10**400)],
        *[("retry_max_delay", wrong) for wrong in (-1, True, "5", math.nan, math.inf)],
        *[("retry_backoff", wrong) for wrong in (0.5, 0, -1, 1e7, True, "2", None, math.nan, math.inf, 10**400)],
        *[("retry_jitter", wrong) for wrong in (-0.1, 1.1, True, "0.5", None, math.nan)],
        *[("run_at", wrong) for wrong in (5, "", "soon", True, timedelta(1), datetime.max.replace(tzinfo=None).date())],
        *[("retry_on", wrong) for wrong in ("", int, b"E", None, ValueError(), [ValueError()], [int], [5], [""])],
        *[("no_retry_on", wrong) for wrong in ("", object, [object], [None])],
        *[("pass_parent_results", wrong) for wrong in ("yes", 2, [])],
        *[("on_parent_failure", wrong) for wrong in ("fail", "", None, True, ["cancel"])],
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_field(field: str, wrong: Any) -> None:
    owner = "(job .*)?" if field == "name" else "job .*"  # what has no name is not called by it
    with pytest.raises(InvalidJob, match=rf"^{owner}\b{field}\b"):
        job(**{field: wrong})


@pytest.mark.parametrize("first", [10, 10.0, timedelta(seconds=10)])
def test_a_longest_wait_that_is_shorter_than_the_first_is_refused(first: Any) -> None:
    with pytest.raises(InvalidJob, match=r"retry_max_delay is 5; it must be at least retry_delay, which is 10"):
        job(retry_delay=first, retry_max_delay=5)
    with pytest.raises(InvalidJob, match="retry_max_delay"):
        replace(job(retry_max_delay=5), retry_delay=first)
    with pytest.raises(InvalidJob, match="retry_max_delay"):
        task(functions.nothing, retry_max_delay=5).options(retry_delay=first)


def test_a_first_wait_may_be_the_longest_too() -> None:
    assert job(retry_delay=10, retry_max_delay=10).retry_max_delay == 10.0
    assert job(retry_delay=0, retry_max_delay=0).retry_max_delay == 0.0


def test_a_refusal_names_the_job() -> None:
    with pytest.raises(InvalidJob, match=r"^job 'nightly': max_attempts is 0; it must be a whole number from 1 up"):
        Job("nightly", functions.nothing, max_attempts=0)


def test_run_at_and_delay_exclude_each_other() -> None:
    with pytest.raises(InvalidJob, match="run_at and delay were both given; give one"):
        job(run_at=NOON, delay=5)


def test_an_unknown_field_is_refused_with_the_one_that_was_perhaps_meant() -> None:
    with pytest.raises(TypeError, match=r"^there is no option 'max_atempts'; did you mean 'max_attempts'\?$"):
        job(max_atempts=3)
    with pytest.raises(TypeError, match=r"^there is no option 'colour'; there are name, function, params, "):
        job(colour="red")


@pytest.mark.parametrize(
    ("args", "options", "reason"),
    [
        ((), {}, "missing 2 required positional arguments: 'name' and 'function'"),
        (("n",), {}, "missing 1 required positional argument: 'function'"),
        ((), {"function": functions.nothing}, "missing 1 required positional argument: 'name'"),
        (("n", functions.nothing), {"name": "m"}, "multiple values for argument 'name'"),
        (("n", functions.nothing, *range(9)), {}, "takes from 3 to 11 positional arguments but 12 were given"),
    ],
)
def test_a_call_that_python_would_refuse_is_refused_in_its_words(
    args: tuple[Any, ...], options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TypeError, match=reason):
        Job(*args, **options)


def test_the_signature_shows_every_option_with_its_default() -> None:
    parameters = signature(Job).parameters
    assert list(parameters) == [each.name for each in fields(Job)]
    assert (parameters["max_attempts"].default, parameters["timeout"].default) == (3, 300)


def test_options_are_typed_as_the_fields_of_a_job() -> None:
    types = {name: kind for name, kind in get_type_hints(Job).items() if name not in ("function", "params", "args")}
    assert get_type_hints(JobOptions) == types
    assert get_type_hints(ScheduleOptions).items() <= get_type_hints(Job).items()


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ([status.value for status in JobStatus], StatusText),
        ([phase.value for phase in Phase], PhaseText),
        ([level.name.lower() for level in Priority], get_args(PriorityLevel)[1]),
    ],
)
def test_the_texts_that_may_be_given_are_those_that_exist(words: list[str], texts: Any) -> None:
    assert sorted(get_args(texts)) == sorted(words)


def test_a_job_is_immutable() -> None:
    made = job()
    with pytest.raises(FrozenInstanceError):
        made.name = "b"  # type: ignore[misc]


def test_changing_the_values_that_were_passed_does_not_change_the_job() -> None:
    params, tags = {"a": 1}, ["x"]
    made = job(params=params, tags=tags)
    params["b"] = 2
    tags.append("y")
    assert (made.params, made.tags) == ({"a": 1}, ("x",))


@pytest.mark.parametrize("replaced", [replace, *([copy.replace] if sys.version_info >= (3, 13) else [])])
def test_a_changed_copy_is_the_same_job(replaced: Callable[..., Job]) -> None:
    made = job(run_at=NOON, retry_on=[NoLuck], timeout=None)
    changed = replaced(made, priority="high")
    assert (changed.id, changed.run_at, changed.retry_on, changed.timeout) == (made.id, NOON, made.retry_on, None)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_copied_or_pickled_job_has_the_same_fields(copied: Callable[[Job], Job]) -> None:
    made = job(run_at=NOON, retry_on=[NoLuck], params={"a": [1]}, tags=["x"])
    assert vars(copied(made)) == vars(made)


class Mail(Job):
    def __init__(self, to: str, **options: Unpack[JobOptions]) -> None:
        super().__init__(**{"name": "mail", "queue": "mail", **options}, function=functions.nothing)
        self.to = to


class Checked(Job):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.words = len(self.name.split())


@dataclass(frozen=True, eq=False)
class Tenant(Job):
    queue: str = field(default="tenants", kw_only=True)
    tenant: str = ""


def test_a_subclass_may_have_attributes_of_its_own() -> None:
    mail = Mail("ada", priority="high")
    assert (mail.to, mail.name, mail.queue, mail.priority) == ("ada", "mail", "mail", 100)
    with pytest.raises(FrozenInstanceError):
        mail.queue = "other"  # type: ignore[misc]


def test_a_subclass_may_add_to_what_is_done_after_init() -> None:
    made = Checked("one two", functions.nothing, tags=["x"])
    assert (made.words, made.tags, made.metadata) == (2, ("x",), {})


def test_a_subclass_may_be_a_dataclass_with_other_defaults() -> None:
    made = Tenant("n", functions.nothing, tenant="t", timeout=timedelta(minutes=1))
    assert (made.tenant, made.queue, made.timeout, made.params, made.dependencies) == ("t", "tenants", 60.0, {}, ())
    assert replace(made, tenant="u").id == made.id
    with pytest.raises(InvalidJob, match="job 'n': queue must not be empty"):
        Tenant("n", functions.nothing, queue="")


def test_a_job_of_a_subclass_is_submitted(queue: JobQueue) -> None:
    for made in (Mail("ada"), Checked("a b", functions.nothing), Tenant("n", functions.nothing)):
        queue.submit(made)
        assert queue.get_status(made.id)["queue"] == made.queue


def test_every_job_has_dicts_of_its_own() -> None:
    first, second = job(), job()
    assert first.params is not second.params
    assert first.metadata is not second.metadata


def test_two_jobs_are_never_equal() -> None:
    assert job() != job()
    assert len({job(), job()}) == 2


@pytest.mark.parametrize(
    ("name", "number"),
    [("low", -100), ("normal", 0), ("high", 100), ("critical", 200), ("HIGH", 100), ("Critical", 200)],
)
def test_a_priority_has_a_name(name: str, number: int) -> None:
    assert to_priority(name) == number


def test_an_unknown_priority_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^priority is 'urgent'; it must be .* one of low, normal, high, critical"):
        to_priority("urgent")


def test_an_id_is_a_uuid_of_version_7() -> None:
    before = unix_microseconds() // 1000
    made = uuid.UUID(new_job_id())
    after = unix_microseconds() // 1000
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after


def test_an_id_is_written_in_the_usual_form_of_a_uuid() -> None:
    made = new_job_id()
    assert str(uuid.UUID(made)) == made


def test_ids_are_unique_and_random_throughout() -> None:
    made = [uuid.UUID(new_job_id()).int for _ in range(20_000)]
    assert len(set(made)) == len(made)
    tails = [each & (2**62 - 1) for each in made]
    ones = ones_of(tails)
    assert len(set(tails)) == len(tails)
    assert [bit for bit, count in enumerate(ones) if not 9_000 < count < 11_000] == []


def ones_of(numbers: list[int]) -> list[int]:
    return [sum(number >> bit & 1 for number in numbers) for bit in range(62)]


def test_ids_sort_by_the_microsecond_in_which_they_were_made() -> None:
    made = []
    for _ in range(2_000):
        made.append(new_job_id())
        since = unix_microseconds()
        while unix_microseconds() == since:
            pass
    assert made == sorted(made)
