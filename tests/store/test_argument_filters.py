"""The filters by arguments, functions and errors: what they pass, and what they never fail for."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from store.verbs import File

from gigq import Job
from gigq.status import ExecutionStatus
from gigq.store.filtering import spellings

CALL: dict[str, Any] = {
    "args": ["mail", {"to": ["ada", "bob"]}, 7],
    "params": {
        "user": {"id": 42, "name": "Ada \"the\" Müller"}, "n": 1.5, "whole": 2.0, "yes": True, "none": None,
        "a.b": "dotted", "a": {"b.c": "inside"}, "list": [[1, 2], {"x": "y"}], "0": "key", "text": "17", "big": 2**70,
        "": "empty", "blank": "",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("user.id", 42), ("user.id", 42.0), ("user.id", "42"), ("user.name", 'Ada "the" Müller'), ("n", 1.5),
        ("n", "1.5"), ("whole", 2), ("whole", "2.0"), ("yes", True), ("yes", "true"), ("none", None), ("none", "null"),
        ("a.b", "dotted"), ("a.b.c", "inside"), ("list.0.1", 2), ("list.1.x", "y"), ("list.1", {"x": "y"}),
        ("0", "mail"), ("0", "key"), ("1.to.1", "bob"), ("1.to", ["ada", "bob"]), ("2", 7), ("text", "17"),
        ("big", 2**70), ("blank", ""),
    ],
)  # fmt: skip
def test_an_argument_is_found_by_its_path_and_value(file: File, place: str, value: Any) -> None:
    file.submit("other", params={"user": {"id": 43}, "n": 1})
    job_id = file.submit(**CALL)
    assert [job.id for job in file.queue.find_jobs(args={place: value})] == [job_id]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("user.id", 4), ("user.id", True), ("user", 42), ("user.id.x", 42), ("yes", 1), ("yes", "True"), ("none", 0),
        ("none", ""), ("list.2", None), ("list.-1", {"x": "y"}), ("3", 7), ("text", 17), ("usr", 42), ("blank", None),
        ("user.name", "ada"), ("99999999999999999999", 1), ("list.00000000000000", 1), (".", "x"), ("%", "_"),
    ],
)  # fmt: skip
def test_what_is_elsewhere_or_otherwise_is_not_found(file: File, place: str, value: Any) -> None:
    file.submit(**CALL)
    assert file.queue.find_jobs(args={place: value}) == []


def test_several_arguments_are_all_asked_for(file: File) -> None:
    file.submit(**CALL)
    assert file.queue.count(args={"user.id": 42, "0": "mail"}) == 1
    assert file.queue.count(args={"user.id": 42, "0": "post"}) == 0
    assert file.queue.count(args={}) == 1


def test_arguments_are_asked_for_on_a_connection_of_the_callers_own(file: File, path: str) -> None:
    file.submit(**CALL)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        with file.queue.transaction(connection):
            assert file.queue.count(args={"user.id": 42}) == 1
        connection.rollback()


@pytest.mark.unsound
def test_arguments_that_somebody_has_spoilt_are_passed_over(file: File) -> None:
    file.submit(**CALL)
    file.submit("spoilt")
    file.submit("no UTF-8")
    with file.write() as tx:
        tx.execute("UPDATE jobs SET params = '{\"user\": {\"id\": 42' WHERE name = 'spoilt'")
        no_text = b'{"user": {"id": 42}}\xff'
        tx.execute("UPDATE jobs SET params = CAST(? AS TEXT) WHERE name = 'no UTF-8'", (no_text,))
    assert file.queue.count(args={"user.id": 42}) == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"x": object()}, r"args has <object object at .*> for 'x'; it must be a value that JSON can hold"),
        ({"": 1}, "a name in args must not be empty"),
        ({1: 2}, "a name in args is 1; it must be text"),
        ({"x": "\ud800"}, "args.* it must be text without lone surrogates"),
        ([("x", 1)], "args is .*; it must be a dict"),
    ],
)
def test_arguments_that_cannot_be_asked_for_are_refused(file: File, given: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        file.queue.find_jobs(args=given)


def test_a_function_may_be_written_with_a_dot_or_a_colon(file: File) -> None:
    functions = ("app.mail:send", "app.mail:Box.send", "send", "app.other:send")
    file.queue.submit_many(Job("job", each) for each in functions)
    for typed, found in {
        "app.mail:send": 1, "app.mail.send": 1, "app.mail.Box.send": 1, "app.mail:Box.send": 1, "send": 1, "mail": 0,
        "app:mail.send": 1, "app.mail": 0,
    }.items():  # fmt: skip
        assert file.queue.count(function=typed) == found, typed
    assert spellings("a.b.c") == ["a.b.c", "a.b:c", "a:b.c"]


def test_an_error_is_asked_for_by_its_class_or_by_its_text(file: File) -> None:
    for name, kind, text in (("one", "ValueError", "no route to Müller"), ("two", "ValueErrors", "ValueErrors: 50%")):
        file.submit(name)
        report = {"error": text, "error_type": kind, "is_final": True}
        file.settle(file.claim()[0], ExecutionStatus.FAILED, **report)
    retried = file.submit("went well in the end", retry_delay=0)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="no route", error_type="ValueError")
    file.complete(retried)

    def found(error: str) -> list[str]:
        return [job.name for job in file.queue.find_jobs(error=error)]

    assert found("ValueError") == ["two", "one"], "the text of one, the class of the other"
    assert found("MÜLLER") == ["one"]
    assert (found("valueerrors"), found("50%"), found("%")) == (["two"], ["two"], ["two"])
    assert (found("alueErrorz"), found("_")) == ([], [])
