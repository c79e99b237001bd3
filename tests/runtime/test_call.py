"""Whatever a function does, its call ends in one report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import functions
import pytest
from calls import raising, report_of

from gigq import GiveUp, JobCancelled, JobTimeout, ManualClock, NotImportable, RetryLater, current_job
from gigq.clock import to_text
from gigq.reports import TEXT_LIMIT, Report
from gigq.runtime.functions import Functions
from gigq.status import ExecutionStatus


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Bottomless(Exception):
    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise KeyError("notes")


def test_the_return_value_of_a_function_is_its_result() -> None:
    report = report_of(functions.add, args="[1]", params='{"b":2}')
    assert report == Report(status=ExecutionStatus.COMPLETED, result="3", started_at=to_text(ManualClock().now()))


def test_a_function_is_imported_by_its_path() -> None:
    assert report_of("functions:add", args="[1]").result == "1"


def test_a_task_is_called_as_its_function() -> None:
    assert report_of("functions:greet").result == '"hello world"'


@pytest.mark.parametrize(
    "error",
    [ValueError("no"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("base"), MemoryError(),
     RecursionError("deep"), StopIteration(1), Unspeakable(), Bottomless("x"),
     UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
     ExceptionGroup("many", [ValueError(1), KeyError(2)])],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_no_exception_gets_past_the_report(error: BaseException) -> None:
    report = report_of(raising(error))
    assert (report.status, report.is_final) == (ExecutionStatus.FAILED, False)
    assert report.error
    assert report.error_type == type(error).__qualname__


def test_the_error_says_class_and_message_and_the_traceback_begins_in_the_users_code() -> None:
    report = report_of(functions.fail, params='{"message":"no such city"}')
    assert report.error == "ValueError: no such city"
    assert report.traceback is not None
    assert "in fail" in report.traceback
    assert "call.py" not in report.traceback


def test_the_traceback_of_an_import_begins_in_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name, line, first in (
        ("unhappy", "1 / 0", "Traceback (most recent call last):\n  "),
        ("lacking", "import no_such_module", "Traceback (most recent call last):\n  "),
        ("crooked", "def f(:", "  "),
    ):
        (tmp_path / f"{name}.py").write_text(line)
        shown = str(report_of(f"{name}:f").traceback)
        assert shown.startswith(f'{first}File "{tmp_path / name}.py", line 1'), shown


@pytest.mark.parametrize("name", ["no_such_module:f", "functions:no_such_name"])
def test_a_function_that_is_not_found_has_no_traceback(name: str) -> None:
    assert report_of(name).traceback is None


@pytest.mark.parametrize(
    "text",
    ["x" * 5_000_000, "ü" * 5_000_000, "\ud800" * 9_000, "\0", "\n" * 20_000],
    ids=["long", "long unicode", "surrogates", "nul", "lines"],
)
def test_an_error_text_is_shortened_and_can_be_stored(text: str) -> None:
    report = report_of(raising(ValueError(text)))
    for kept in (report.error, report.traceback):
        assert kept is not None
        assert len(kept) <= TEXT_LIMIT
        kept.encode()


def test_a_shortened_error_says_that_characters_are_left_out() -> None:
    report = report_of(raising(ValueError("begin" + "x" * 1_000_000 + "end")))
    assert report.error is not None
    assert report.error.startswith("ValueError: begin")
    assert report.error.endswith("end")
    assert "characters are left out" in report.error


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"x", {1: 2, "1": 3}, {(1, 2): 3}, "\ud800", 10**5000],
    ids=["object", "set", "bytes", "same keys", "tuple key", "surrogate", "huge int"],
)
def test_a_result_that_json_cannot_hold_fails_for_good(value: object) -> None:
    report = report_of(lambda: value)
    assert (report.status, report.is_final, report.error_type) == (ExecutionStatus.FAILED, True, "NotSerializable")
    assert report.error is not None
    assert "result" in report.error


def test_a_result_that_is_too_large_is_refused_with_its_size() -> None:
    report = report_of(lambda: "x" * 100, result_limit=50)
    assert report.is_final
    assert report.error is not None
    assert "102 bytes" in report.error


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("functions:no_such_name", "AttributeError: module 'functions' has no attribute 'no_such_name'"),
        ("nobody", "start the worker with handlers={'nobody': function}"),
    ],
)
def test_a_job_whose_function_is_not_found_is_given_back_with_the_reason(name: str, reason: str) -> None:
    report = report_of(name)
    assert (report.status, report.is_missing, report.has_begun) == (ExecutionStatus.RELEASED, True, False)
    assert report.error is not None
    assert reason in report.error


@pytest.mark.parametrize(
    ("error", "options", "is_final"),
    [
        (ValueError(), {}, False),
        (GiveUp("no such city"), {}, True),
        (ValueError(), {"retry_on": '["OSError"]'}, True),
        (FileNotFoundError(), {"retry_on": '["OSError"]'}, False),
        (FileNotFoundError(), {"retry_on": '["OSError"]', "no_retry_on": '["FileNotFoundError"]'}, True),
        (json.JSONDecodeError("m", "d", 0), {"no_retry_on": '["json.decoder.JSONDecodeError"]'}, True),
    ],
)
def test_some_failures_are_final(error: Exception, options: dict[str, Any], is_final: bool) -> None:
    assert report_of(raising(error), **options).is_final is is_final


def group(*errors: BaseException) -> BaseException:
    """The errors in a group inside another group, as nested task groups raise them."""
    return BaseExceptionGroup("outer", [BaseExceptionGroup("inner", errors)])


@pytest.mark.parametrize(
    ("errors", "options", "is_final"),
    [
        ([ConnectionError(), TimeoutError()], {"retry_on": '["ConnectionError","TimeoutError"]'}, False),
        ([ConnectionError(), ValueError()], {"retry_on": '["ConnectionError"]'}, True),
        ([ValueError()], {"retry_on": '["ExceptionGroup"]'}, False),
        ([PermissionError(), KeyError()], {"no_retry_on": '["OSError","KeyError"]'}, True),
        ([PermissionError(), ConnectionError()], {"no_retry_on": '["PermissionError"]'}, False),
        ([ValueError()], {"no_retry_on": '["ExceptionGroup"]'}, True),
        ([GiveUp(), GiveUp()], {}, True),
        ([GiveUp(), PermissionError()], {"no_retry_on": '["PermissionError"]'}, True),
        ([GiveUp(), ValueError()], {}, False),
        ([RetryLater(), ValueError()], {}, False),
        ([JobCancelled(), ValueError()], {}, False),
    ],
)
def test_a_rule_decides_about_a_group_if_it_matches_all_that_is_in_it(
    errors: list[BaseException], options: dict[str, Any], is_final: bool
) -> None:
    report = report_of(raising(group(*errors)), **options)
    assert (report.status, report.is_final) == (ExecutionStatus.FAILED, is_final)


def test_a_group_of_stops_or_of_requests_to_come_later_counts_as_one_of_them() -> None:
    later = report_of(raising(group(RetryLater(5, "soon"), RetryLater(60, "not ready"), RetryLater(30))))
    assert (later.status, later.delay, later.error) == (ExecutionStatus.RELEASED, 60.0, "not ready")
    assert report_of(raising(group(JobTimeout(), JobTimeout()))).status is ExecutionStatus.TIMEOUT
    assert report_of(raising(group(JobCancelled()))).status is ExecutionStatus.CANCELLED


def test_the_error_of_a_group_says_what_is_in_it() -> None:
    alone = report_of(raising(group(ConnectionError("away"))))
    assert (alone.error_type, alone.error) == ("ConnectionError", "ConnectionError: away")
    assert "outer (1 sub-exception)" in str(alone.traceback)
    both = report_of(raising(ExceptionGroup("tasks", [ConnectionError("away"), ValueError("no")])))
    assert both.error_type == "ExceptionGroup"
    assert both.error == "ExceptionGroup: tasks (2 sub-exceptions): ConnectionError: away; ValueError: no"
    many = report_of(raising(ExceptionGroup("tasks", [ValueError(n) for n in range(11)])))
    assert str(many.error).endswith("; ValueError: 9; …")


def test_a_job_can_be_given_back() -> None:
    report = report_of(raising(RetryLater(30, reason="the site is closed")))
    assert (report.status, report.delay, report.error) == (ExecutionStatus.RELEASED, 30.0, "the site is closed")


def test_the_exceptions_that_stop_a_job_end_as_timeout_and_cancelled() -> None:
    assert report_of(raising(JobTimeout())).status is ExecutionStatus.TIMEOUT
    assert report_of(raising(JobTimeout())).error == "timed out after 300 seconds"
    assert "in function" in str(report_of(raising(JobTimeout())).traceback)
    assert report_of(raising(JobCancelled())).status is ExecutionStatus.CANCELLED


def test_a_function_may_say_itself_why_it_takes_too_long() -> None:
    report = report_of(raising(JobTimeout("the site needs 30 s")))
    assert (report.status, report.error) == (ExecutionStatus.TIMEOUT, "JobTimeout: the site needs 30 s")
    assert report_of(raising(JobTimeout()), timeout=None).status is ExecutionStatus.FAILED


def test_a_function_knows_its_job() -> None:
    report = report_of(functions.context, job_id="7", attempt=2, tags=("a",), metadata='{"user":1}')
    assert report.result is not None
    assert json.loads(report.result) == {"id": "7", "name": "job", "attempt": 2, "tags": ["a"], "metadata": {"user": 1}}


def test_the_deadline_is_the_start_plus_the_timeout() -> None:
    seen = []
    report_of(lambda: seen.append(current_job().deadline), timeout=60)
    report_of(lambda: seen.append(current_job().deadline), timeout=None)
    assert [deadline and deadline.isoformat() for deadline in seen] == ["2026-01-01T00:01:00+00:00", None]


def test_a_function_that_uses_its_job_can_be_called_outside_of_one() -> None:
    report_of(functions.nothing)
    assert functions.context() == {"id": None, "name": None, "attempt": 1, "tags": [], "metadata": {}}
    job = current_job()
    assert (job.max_attempts, job.deadline, job.cancelled) == (1, None, False)
    job.check()
    job.progress(1, 2, "half")
    with pytest.raises(ValueError, match="current is -1"):
        job.progress(-1)


def test_the_context_of_a_function_shows_its_job_or_that_there_is_none() -> None:
    seen: list[str] = []
    report_of(lambda: seen.append(repr(current_job())), job_id="7", attempt=2)
    assert [*seen, repr(current_job())] == [
        "<JobContext 7 ('job'), attempt 2 of 3>",
        "<JobContext: no job is running here>",
    ]


@pytest.mark.parametrize(
    ("function", "passing", "passed"),
    [
        (lambda parent_results=None: parent_results, None, True),
        (lambda **params: params.get("parent_results"), None, False),
        (lambda **params: params.get("parent_results"), True, True),
        (lambda: None, None, False),
        (lambda parent_results=None: parent_results, False, False),
        (lambda parent_results=None: parent_results, True, True),
    ],
)
def test_parent_results_reach_a_function_that_takes_them(
    function: Callable[..., object], passing: bool | None, passed: bool
) -> None:
    report = report_of(function, pass_parent_results=passing, parent_results='{"p":1}')
    assert report.result == ('{"p":1}' if passed else "null")


def test_deep_recursion_is_an_ordinary_failure() -> None:
    def down() -> None:
        down()

    report = report_of(down)
    assert (report.status, report.error_type) == (ExecutionStatus.FAILED, "RecursionError")
    assert sys.getrecursionlimit() < 100_000


async def _later() -> None: ...


@pytest.mark.parametrize(
    ("handler", "problem"), [(_later, "is async"), ((lambda: (yield)), "is a generator"), (5, "is int")]
)
def test_what_cannot_be_called_as_a_job_is_refused_as_a_handler(handler: Any, problem: str) -> None:
    with pytest.raises(NotImportable, match=f"the handler 'h' {problem}"):
        Functions(handlers={"h": handler})


def test_an_async_function_given_by_its_path_is_refused_before_it_is_called() -> None:
    report = report_of(f"{__name__}:_later")
    assert (report.status, report.is_final) == (ExecutionStatus.FAILED, True)
    assert "is async, and jobs are plain calls" in str(report.error)


def test_arguments_that_the_function_does_not_take_fail_for_good() -> None:
    report = report_of(functions.add, params='{"c": 1}')
    assert (report.is_final, report.error_type) == (True, "TypeError")
    assert "unexpected keyword argument" in str(report.error)


def test_a_type_error_inside_the_function_may_be_retried() -> None:
    assert not report_of(lambda: functions.add(None, 1)).is_final  # type: ignore[arg-type]
