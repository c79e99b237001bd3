"""The checks of a job at submit, and the form in which it is stored."""

from __future__ import annotations

import re
from typing import Any

import functions
import odd_functions
import pytest

from gigq import InvalidJob, Job, NotImportable, NotSerializable
from gigq.codec import PARAMS_LIMIT
from gigq.queue.preparing import prepare


def prepared(function: Any, *args: Any, **fields: Any) -> Any:
    return prepare(Job("a", function, args=args, **fields), limit=PARAMS_LIMIT)


@pytest.mark.parametrize(
    ("function", "args", "params", "reason"),
    [
        (functions.add, (), {}, "missing a required argument: 'a'"),
        (functions.add, (1, 2, 3), {}, "too many positional arguments"),
        (functions.add, (1,), {"c": 2}, "got an unexpected keyword argument 'c'"),
        (functions.add, (1,), {"a": 2}, "multiple values for argument 'a'"),
        (functions.greet, (), {"nme": "x"}, "got an unexpected keyword argument 'nme'"),
        (odd_functions.Plain.static, (1, 2), {}, "too many positional arguments"),
    ],
)
def test_a_call_that_does_not_fit_the_function_is_refused(
    function: Any, args: tuple[Any, ...], params: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidJob, match=rf"^job 'a': its arguments do not fit the function: .*{re.escape(reason)}"):
        prepared(function, *args, params=params)


def test_a_call_of_a_function_given_by_name_is_checked_by_the_worker() -> None:
    assert prepared("functions:add", 1, 2, 3, 4).args == "[1,2,3,4]"


# The function, the parents, the option pass_parent_results, and what is stored.
@pytest.mark.parametrize(
    ("function", "parents", "asked", "stored"),
    [
        (functions.collect, ["p"], None, True),
        (functions.collect, ["p"], True, True),
        (functions.nothing, ["p"], None, False),
        (functions.nothing, ["p"], False, False),
        (functions.nothing, [], None, False),
        (functions.nothing, [], True, False),
        (odd_functions.keywords, ["p"], None, False),
        (odd_functions.keywords, ["p"], True, True),
        (odd_functions.keywords, ["p"], False, False),
        (odd_functions.keywords, [], None, False),
        (odd_functions.hello, ["p"], None, False),
        (odd_functions.consumer, ["p"], None, True),
        ("functions:collect", ["p"], None, None),
        ("functions:collect", ["p"], False, False),
        ("functions:nothing", ["p"], True, True),
        ("functions:collect", [], None, False),
        ("functions:collect", [], True, False),
    ],
)
def test_a_child_gets_parent_results_if_its_function_takes_them(
    function: Any, parents: list[str], asked: bool | None, stored: bool | None
) -> None:
    assert prepared(function, dependencies=parents, pass_parent_results=asked).pass_parent_results is stored


@pytest.mark.parametrize(
    ("function", "params", "parents", "asked", "reason"),
    [
        (functions.nothing, {}, ["p"], True, "got an unexpected keyword argument 'parent_results'"),
        (functions.collect, {}, ["p"], False, "missing a required argument: 'parent_results'"),
        (functions.collect, {}, [], None, "missing a required argument: 'parent_results'"),
        (odd_functions.narrowed_child, {"a": 1}, ["p"], True, "got an unexpected keyword argument 'parent_results'"),
    ],
)
def test_parent_results_that_the_function_does_not_take_or_lacks_are_refused(
    function: Any, params: dict[str, Any], parents: list[str], asked: bool | None, reason: str
) -> None:
    with pytest.raises(InvalidJob, match=reason):
        prepared(function, params=params, dependencies=parents, pass_parent_results=asked)


def test_a_decorator_that_does_not_take_parent_results_gets_none() -> None:
    assert prepared(odd_functions.narrowed_child, 1, dependencies=["p"]).pass_parent_results is False


def test_a_job_without_parents_may_have_a_parameter_called_parent_results() -> None:
    assert prepared(functions.collect, params={"parent_results": {"x": 1}}).params == '{"parent_results":{"x":1}}'


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"function": lambda: None}, NotImportable, "<lambda> cannot be imported by name"),
        ({"function": "a b"}, NotImportable, "'a b' is not a function's path"),
        ({"params": {"b": b""}}, NotSerializable, 'params["b"] is of type bytes'),
        ({"params": {(1,): 2}}, NotSerializable, "params has the key (1,)"),
        (
            {"params": {"a": 1, 1: 2}},
            InvalidJob,
            "its arguments do not fit the function: got an unexpected keyword argument '1'",
        ),
        ({"args": [{1}]}, NotSerializable, "args[0] is of type set"),
        ({"metadata": {"m": 1j}}, NotSerializable, 'metadata["m"] is of type complex'),
        ({"params": {"b": "x" * 1_000_000}}, NotSerializable, "params has 1,000,008 bytes of JSON"),
        ({"args": ["x" * 1_000_000]}, NotSerializable, "args has 1,000,004 bytes of JSON"),
        ({"metadata": {"m": "x" * 1_000_000}}, NotSerializable, "metadata has 1,000,008 bytes of JSON"),
    ],
)
def test_a_job_that_cannot_be_stored_is_refused_by_name(
    fields: dict[str, Any], error: type[InvalidJob], reason: str
) -> None:
    with pytest.raises(error, match=f"^job 'nightly': {re.escape(reason)}") as raised:
        prepare(Job(**{"name": "nightly", "function": functions.add, **fields}), limit=PARAMS_LIMIT)
    assert type(raised.value) is error


def test_keyword_arguments_are_named_as_json_names_them() -> None:
    assert prepared(odd_functions.keywords, params={1: {2: 3}}).params == '{"1":{"2":3}}'


def test_default_converts_arguments_and_metadata() -> None:
    job = Job("a", functions.add, {"b": {1}}, args=[{2}], metadata={"m": {3}})
    new = prepare(job, limit=PARAMS_LIMIT, default=list)
    assert (new.args, new.params, new.metadata) == ("[[2]]", '{"b":[1]}', '{"m":[3]}')


def test_a_prepared_job_consists_of_text_numbers_and_instants() -> None:
    new = prepared(
        functions.add, 1, params={"b": 2}, retry_on=[KeyError], metadata={"ü": None}, tags=["x"], priority="low"
    )
    assert (new.function, new.args, new.params, new.metadata) == ("functions:add", "[1]", '{"b":2}', '{"ü":null}')
    assert (new.retry_on, new.no_retry_on, new.tags, new.priority) == ('["builtins.KeyError"]', "[]", ("x",), -100)
