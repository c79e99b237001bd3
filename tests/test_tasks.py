"""Tasks: functions that make jobs of their calls, and stay functions."""

from __future__ import annotations

from typing import Any

import functions
import odd_functions
import pytest

from gigq import InvalidJob, Job, JobQueue, Task, task
from gigq.testing import drain


@task
def bare(a: int, b: int = 2) -> list[int]:
    """Return both."""
    return [a, b]


@task()
def called() -> None:
    pass


@task(name="nightly", priority="high", tags=["x"], timeout=None)
def with_options() -> str:
    return "done"


def ordinary(a: int) -> int:
    return a


def test_a_task_is_called_like_its_function() -> None:
    assert bare(1) == [1, 2]
    assert bare(b=4, a=3) == [3, 4]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        bare()  # type: ignore[call-arg]


def test_a_task_has_the_name_and_docstring_of_its_function() -> None:
    assert (bare.__name__, bare.__doc__, bare.__module__) == ("bare", "Return both.", __name__)
    assert repr(with_options) == "<task 'nightly'>"


@pytest.mark.parametrize(
    ("made", "name"),
    [(bare, "bare"), (called, "called"), (with_options, "nightly"), (task(ordinary), "ordinary")],
)
def test_a_job_has_the_name_of_the_function_unless_another_is_given(made: Task[Any, Any], name: str) -> None:
    assert isinstance(made, Task)
    assert made.to_job().name == name


def test_a_job_of_a_task_has_its_options() -> None:
    job = with_options.to_job()
    assert (job.priority, job.tags, job.timeout, job.max_attempts) == (100, ("x",), None, 3)


def test_every_call_of_to_job_makes_another_job() -> None:
    assert called.to_job().id != called.to_job().id


def test_arguments_may_be_positional_or_by_keyword() -> None:
    job = bare.to_job(1, b=5)
    assert (job.args, job.params) == ((1,), {"b": 5})


@pytest.mark.parametrize("name", ["self", "queue", "function", "name", "args", "params", "options", "priority"])
def test_a_function_may_have_a_parameter_of_any_name(queue: JobQueue, name: str) -> None:
    taker = task(odd_functions.keywords, name="any")
    job_id = taker.submit(queue, **{name: 1})
    assert queue.get_status(job_id)["params"] == {name: 1}
    assert queue.get_status(job_id)["name"] == "any"


def test_a_submitted_task_runs(queue: JobQueue) -> None:
    job_id = functions.greet.submit(queue, name="you")
    drain(queue)
    assert queue.result(job_id) == "hello you"
    assert (queue.get_status(job_id)["max_attempts"], queue.get_status(job_id)["tags"]) == (5, ["hello"])


def test_a_submitted_task_runs_with_positional_arguments(queue: JobQueue) -> None:
    job_id = functions.greet.submit(queue, "you")
    drain(queue)
    assert queue.result(job_id) == "hello you"


def test_a_task_inside_a_class_runs(queue: JobQueue) -> None:
    job_id = odd_functions.Plain.static_task.submit(queue, a=7)
    drain(queue)
    assert queue.result(job_id) == 7


@pytest.mark.parametrize("function", [functions.greet, functions.greet.function, "functions:greet", "functions.greet"])
def test_a_job_may_be_made_of_a_task_or_of_its_function(queue: JobQueue, function: Any) -> None:
    job_id = queue.submit(Job("greet", function, {"name": "you"}))
    drain(queue)
    assert queue.result(job_id) == "hello you"


def test_an_enqueued_task_keeps_its_options(queue: JobQueue) -> None:
    status = queue.get_status(queue.enqueue(functions.greet, "you"))
    assert (status["name"], status["max_attempts"], status["tags"], status["args"]) == ("greet", 5, ["hello"], ["you"])


def test_a_call_that_does_not_fit_the_function_is_refused_and_nothing_is_stored(queue: JobQueue) -> None:
    with pytest.raises(
        InvalidJob, match="job 'greet': its arguments do not fit the function: got an unexpected keyword argument 'nam'"
    ):
        functions.greet.submit(queue, nam="you")
    assert queue.stats()["total"] == 0


def test_options_make_another_task_and_leave_the_first_one_alone() -> None:
    urgent = with_options.options(priority="critical", delay=60)
    assert (urgent.to_job().priority, urgent.to_job().delay, urgent.to_job().tags) == (200, 60.0, ("x",))
    assert (with_options.to_job().priority, with_options.to_job().delay) == (100, None)
    assert urgent() == "done"


def test_a_task_of_a_task_has_the_options_of_both() -> None:
    again = task(with_options, priority="low", max_attempts=9)
    job = again.to_job()
    assert (job.name, job.priority, job.max_attempts, job.tags) == ("nightly", -100, 9, ("x",))
    assert with_options.to_job().priority == 100
    assert again() == "done"
    assert again.function is with_options.function


def with_output() -> str:
    return "itself"


def test_attributes_of_the_function_do_not_become_the_task_s() -> None:
    with_output.function = with_output.submit = with_output._options = "not a task's"  # type: ignore[attr-defined]
    made = task(with_output, name="a")
    assert made() == "itself"
    assert made.function is with_output
    assert callable(made.submit)
    assert repr(made) == "<task 'a'>"


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"max_attempts": 0}, InvalidJob, "job 'ordinary': max_attempts is 0"),
        ({"priority": "urgent"}, InvalidJob, "priority is 'urgent'"),
        ({"timeout": -1}, InvalidJob, "timeout"),
        ({"name": ""}, InvalidJob, "name must not be empty"),
        ({"max_retries": 3}, TypeError, r"^there is no option of a task 'max_retries'; did you mean 'max_attempts'\?$"),
        ({"countdown": 3}, TypeError, r"^there is no option of a task 'countdown'; did you mean 'delay'\?$"),
        ({"max_atempts": 3}, TypeError, r"^there is no option of a task 'max_atempts'; did you mean 'max_attempts'\?$"),
        ({"retries": 3}, TypeError, "there is no option of a task 'retries'"),
        ({"params": {"a": 1}}, TypeError, "there is no option of a task 'params'"),
        ({"args": [1]}, TypeError, "there is no option of a task 'args'"),
        ({"function": "a:b"}, TypeError, "there is no option of a task 'function'"),
    ],
)
def test_a_wrong_option_is_refused_where_the_task_is_defined(
    options: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        task(**options)(ordinary)
    with pytest.raises(error, match=reason):
        task(ordinary, **options)
    with pytest.raises(error, match=reason):
        task(ordinary).options(**options)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (odd_functions.closure, "inside is defined inside another function; move it to the top level of its module"),
        (odd_functions.unwrapped, r"stands for 'unwrapped', and has hidden its name: put @functools.wraps\(function\)"),
        (odd_functions.nameless, "<lambda> cannot be imported by name; use def at the top level of a module"),
        (odd_functions.coroutine, r"coroutine is async, and jobs are plain calls; wrap it: def job\(\)"),
        (odd_functions.asynchronous_generator, "asynchronous_generator is async"),
        (odd_functions.generator, "generator is a generator, and calling it would run nothing; return a list"),
        (odd_functions.Plain().method, "Plain.method is a method, and its object cannot be stored; use a function"),
        (odd_functions.Plain.method, "Plain.method is a method"),
        (vars(odd_functions.Plain)["of_class"], "Plain.of_class is a method"),
        (vars(odd_functions.Plain)["static"], "Plain.static is a staticmethod object; put @staticmethod above"),
        (odd_functions.Plain, "Plain is a class"),
        (odd_functions.bound, r"partial\(plain, …\) has no name to import"),
        (odd_functions.cached, "plain is a cache around a function"),
        (odd_functions.an_object, "a Callable_ object is not a function"),
        (len, "len is a builtin"),
        (5, "5 is int, not a function"),
        ("functions:nothing", "'functions:nothing' is str, not a function"),
    ],
)
def test_what_no_worker_could_call_is_refused_at_the_decoration(function: Any, reason: str) -> None:
    for decorate in (task, task(), task(max_attempts=5)):
        with pytest.raises(TypeError, match=reason):
            decorate(function)


def test_a_task_is_submitted_to_a_queue_and_to_nothing_else(queue: JobQueue) -> None:
    for wrong in (1, None, "jobs.db", JobQueue, called):
        with pytest.raises(TypeError, match=r"^queue is .*; the first argument of submit must be a JobQueue$"):
            called.submit(wrong)  # type: ignore[arg-type]
    assert queue.count() == 0
