"""Times in the past, as people type them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gigq.clock import to_text
from gigq.times import moment, period

NOW = datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
"""The morning after clocks in Berlin went forward: 09:00 there."""


@pytest.fixture(autouse=True)
def in_berlin() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def told(instant: datetime | None) -> str | None:
    return None if instant is None else to_text(instant)[:16]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2h", "2026-03-30T05:00"),
        ("1.5h", "2026-03-30T05:30"),
        ("now", "2026-03-30T07:00"),
        ("08:30", "2026-03-30T06:30"),
        ("8:30", "2026-03-30T06:30"),
        ("08:30:30", "2026-03-30T06:30"),
        ("09:00", "2026-03-30T07:00"),
        ("09:30", "2026-03-29T07:30"),
        ("01:30", "2026-03-29T23:30"),
        ("today", "2026-03-29T22:00"),
        ("Yesterday", "2026-03-28T23:00"),
        ("2026-03-29", "2026-03-28T23:00"),
        ("2026-03-29T09:00", "2026-03-29T07:00"),
        ("2026-03-29 09:00", "2026-03-29T07:00"),
        ("2026-03-29T09:00Z", "2026-03-29T09:00"),
        ("2026-03-29T09:00:00+05:30", "2026-03-29T03:30"),
        ("9999999999d", "0001-01-01T00:00"),
    ],
)
def test_a_time_is_read_as_a_person_means_it(typed: str, meant: str) -> None:
    assert told(moment(typed, now=NOW)) == meant


@pytest.mark.parametrize("typed", ["", "x", "2", "-2h", "25:00", "24:00", "9:3", "2026-13-01", "tomorrow", "2w", "nan"])
def test_what_is_no_time_is_refused_with_what_can_be_written(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time: write a duration such as 2h") as caught:
        moment(typed, now=NOW)
    assert repr(typed) in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "since", "until"),
    [
        ("2h..1h", "2026-03-30T05:00", "2026-03-30T06:00"),
        ("2h..", "2026-03-30T05:00", None),
        ("2h", "2026-03-30T05:00", None),
        ("..08:30", None, "2026-03-30T06:30"),
        ("yesterday", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("2026-03-28..2026-03-29", "2026-03-27T23:00", "2026-03-29T22:00"),
        ("yesterday..08:30", "2026-03-28T23:00", "2026-03-30T06:30"),
    ],
)
def test_a_range_ends_before_its_end_and_a_day_is_whole(typed: str, since: str | None, until: str | None) -> None:
    assert tuple(map(told, period(typed, now=NOW))) == (since, until)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("..", "is no range"), ("", "is no range"), ("1h..2h", "ends before it begins"), ("1h..1h", "ends before"),
        ("1h..x", "is not a time"), ("9999-12-30..9999-12-31", "is not a time"),
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused(typed: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        period(typed, now=NOW)
