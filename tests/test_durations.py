"""Lengths of time in words."""

from __future__ import annotations

import math

import pytest

from gigq.clock import to_seconds
from gigq.durations import age, countdown, span


@pytest.mark.parametrize(
    ("seconds", "in_words", "in_a_column", "on_a_clock"),
    [
        (0, "0 ms", "0s", "0:00"),
        (0.04, "40 ms", "0s", "0:00"),
        (0.9996, "1 s", "0s", "0:01"),
        (2.12, "2.1 s", "2s", "0:02"),
        (59.9, "60 s", "59s", "1:00"),
        (60, "1 min", "1m", "1:00"),
        (9.96, "10 s", "9s", "0:10"),
        (3599, "60 min", "59m", "59:59"),
        (210, "3.5 min", "3m", "3:30"),
        (3600, "1 h", "1h", "1:00:00"),
        (7262, "2 h", "2h", "2:01:02"),
        (172_799, "48 h", "1d", "47:59:59"),
        (172_800, "2 days", "2d", "2 d 0 h"),
        (86_400 * 41, "41 days", "41d", "41 d 0 h"),
        (-5, "0 ms", "0s", "0:00"),
        (math.nan, "0 ms", "0s", "0:00"),
        (math.inf, "11574074 days", "11574074d", "99 d 23 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_unit(
    seconds: float, in_words: str, in_a_column: str, on_a_clock: str
) -> None:
    assert (span(seconds), age(seconds), countdown(seconds)) == (in_words, in_a_column, on_a_clock)


@pytest.mark.parametrize("seconds", [0, 59, 60, 3599, 86_400, 10**9])
def test_what_a_column_shows_can_be_typed_as_a_duration(seconds: int) -> None:
    assert to_seconds(age(seconds)) <= seconds < to_seconds(age(seconds)) * 60 + 60
