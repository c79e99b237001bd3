"""Readers of typed words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gigq.cli import values
from gigq.cli.exits import BadValue


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-2.5", -2.5),
        ("true", True),
        ("null", None),
        ("[1, 2]", [1, 2]),
        ('{"a": [false]}', {"a": [False]}),
        ('"quoted"', "quoted"),
        ("plain text", "plain text"),
        ("", ""),
        ("007", "007"),
        ("True", "True"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("[NaN]", "[NaN]"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("a=b", "a=b"),
        ("{broken", "{broken"),
    ],
)
def test_a_parameter_is_json_or_else_text(text: str, value: object) -> None:
    assert values.parameter(f"key={text}") == ("key", value)


@pytest.mark.parametrize("text", ["key", "=value", "", "key=" + "[" * 200_000])
def test_a_bad_parameter_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        values.parameter(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("1.5", 1.5), (".5s", 0.5), ("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604800)],
)
def test_a_duration_is_seconds_or_has_a_unit(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90.0), ("7d", "7d"), ("2026-01-31", "2026-01-31"), ("2026-01-31T09:00:00Z", "2026-01-31T09:00:00Z")],
)
def test_how_old_something_is_may_be_said_by_a_duration_or_by_an_instant(text: str, value: object) -> None:
    assert values.older_than(text) == value


@pytest.mark.parametrize("text", ["", "yesterday", "-1", "7 d", "2026-13-01", "9" * 400])
def test_an_age_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="duration"):
        values.older_than(text)


@pytest.mark.parametrize("text", ["", "s", "-1", "5 m", "5M", "1h30m", "nan", "inf", "1e3", "٣", "9" * 400])
def test_a_bad_duration_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is not a duration"):
        values.duration(text)


@pytest.mark.parametrize(("text", "seconds"), [("2", 172800), ("0.5", 43200), ("12h", 43200), ("7d", 604800)])
def test_an_age_without_a_unit_is_in_days(text: str, seconds: float) -> None:
    assert values.age(text) == seconds


@pytest.mark.parametrize(("text", "number"), [("low", -100), ("CRITICAL", 200), ("7", 7), ("-7", -7)])
def test_a_priority_is_a_number_or_a_name(text: str, number: int) -> None:
    assert values.priority(text) == number


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (values.priority, "urgent"),
        (values.priority, "9" * 25),
        (values.whole, "-1"),
        (values.whole, "1.5"),
        (values.whole, "9" * 5000),
        (values.at_least_one, "0"),
        (values.prefix, ""),
    ],
)
def test_bad_numbers_and_ids_are_refused(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(BadValue):
        read(text)
