"""Instants and durations, as callers give them and as the file holds them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from gigq import ManualClock, SystemClock
from gigq.clock import (
    attempts,
    from_text,
    in_seconds,
    later,
    stamper,
    to_instant,
    to_past,
    to_seconds,
    to_text,
    unix_microseconds,
)

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moves this process into a time zone, by its POSIX rule."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change its time zone")

    def move(rule: str) -> None:
        monkeypatch.setenv("TZ", rule)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


CENTRAL_EUROPE = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (datetime(2026, 7, 1, 12), datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 11, tzinfo=UTC)),
        ("2026-07-01T12:00:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-01-01 12:00", datetime(2026, 1, 1, 11, tzinfo=UTC)),
        ("2026-01-01", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        # 02:30 comes twice on the last Sunday of October.
        (datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 30, fold=1), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_naive_instant_is_local_time(in_zone: Any, given: Any, instant: datetime) -> None:
    in_zone(CENTRAL_EUROPE)
    assert to_instant(given) == instant


@pytest.mark.parametrize(
    "given",
    [
        NOON,
        datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2))),
        "2026-07-01T12:00:00Z",
        "2026-07-01T12:00:00.000000Z",
        "2026-07-01T14:00:00+02:00",
        "2026-07-01 06:30:00-0530",
        "20260701T120000Z",
    ],
)
def test_an_aware_instant_means_the_same_everywhere(in_zone: Any, given: Any) -> None:
    in_zone(CENTRAL_EUROPE)
    instant = to_instant(given)
    assert instant == NOON
    assert instant.tzinfo is UTC


@pytest.mark.parametrize(
    "given",
    [
        "",
        "tomorrow",
        "12:00",
        "2026-13-01",
        "2026-02-30",
        "2026-01-01T25:00",
        " 2026-01-01",
        "2026-01-01T00:00:00 UTC",
        "\0",
    ],
)
def test_text_that_is_not_an_instant_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValueError, match="it must be ISO-8601 text such as 2026-01-31T09:00:00"):
        to_instant(given)


@pytest.mark.parametrize("given", [None, 0, 1.5, True, b"2026-01-01", date(2026, 1, 1), timedelta(1), ["2026-01-01"]])
def test_a_value_that_is_not_an_instant_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="it must be a datetime or ISO-8601 text"):
        to_instant(given)


@pytest.mark.parametrize(
    ("zone", "given"),
    [
        ("EAST-14", datetime.min),
        ("WEST+12", datetime.max),
        ("UTC0", datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))),
        ("UTC0", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
        ("UTC0", "0001-01-01T00:00:00+00:01"),
        ("UTC0", "9999-12-31T23:59:59-00:01"),
    ],
)
def test_an_instant_outside_the_years_1_to_9999_is_refused(in_zone: Any, zone: str, given: Any) -> None:
    in_zone(zone)
    with pytest.raises(ValueError, match="it must be in the years 1 to 9999 in UTC"):
        to_instant(given)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (NOON, "2026-07-01T12:00:00.000000Z"),
        (NOON.replace(microsecond=7), "2026-07-01T12:00:00.000007Z"),
        (datetime(2026, 7, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-06-30T23:00:00.000000Z"),
        (datetime.min.replace(tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        (LAST, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_instant_is_written_in_one_form_and_read_back(instant: datetime, text: str) -> None:
    assert to_text(instant) == text
    assert from_text(text) == instant


def test_an_instant_without_a_zone_is_read_as_utc() -> None:
    """That is how SQLite's `datetime('now')` writes it, which people use when they change a file."""
    assert from_text("2026-07-01 12:00:00") == NOON


@pytest.mark.parametrize("written", ["soon", "", "12:00", "9" * 1000, 7, 1.5, b"2026-07-01", None])
def test_text_in_the_file_that_is_not_an_instant_is_refused_and_shown(written: Any) -> None:
    with pytest.raises(
        ValueError, match=f"^{re.escape(f'{written!r:.80}')} is not an instant in the form that the file holds$"
    ):
        from_text(written)


def test_written_instants_sort_in_the_order_of_time() -> None:
    instants = [
        datetime.min.replace(tzinfo=UTC),
        NOON,
        NOON + timedelta(microseconds=1),
        NOON + timedelta(days=1),
        LAST,
    ]
    assert sorted(map(to_text, instants)) == [to_text(each) for each in instants]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (0, 0.0),
        (300, 300.0),
        (0.25, 0.25),
        (timedelta(minutes=5), 300.0),
        (timedelta(microseconds=1), 1e-6),
        (timedelta(0), 0.0),
        (timedelta.max, timedelta.max.total_seconds()),
        (1e308, 1e308),
        (10**300, 1e300),
        ("30s", 30.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("7d", 604_800.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("0d", 0.0),
    ],
)
def test_a_duration_is_seconds_or_a_timedelta_or_text_with_a_unit(given: Any, seconds: float) -> None:
    assert to_seconds(given) == seconds
    assert type(to_seconds(given)) is float


_NOT_A_DURATION = r"it must be seconds from 0 up, a timedelta, or text such as 30s, 5m, 2h or 7d$"


@pytest.mark.parametrize(
    "given", [-1, -1e-9, timedelta(microseconds=-1), timedelta.min, math.nan, math.inf, -math.inf, 10**400, -(10**400)]
)
def test_a_duration_is_finite_and_not_negative(given: Any) -> None:
    with pytest.raises(ValueError, match=_NOT_A_DURATION):
        to_seconds(given)


@pytest.mark.parametrize(
    "given",
    [
        True, False, None, "", "s", "5 m", "5M", "-5s", "1h30m", "5w", "9" * 400 + "d", b"5", [5], 5j, Decimal(5), NOON,
    ],
)  # fmt: skip
def test_a_value_that_is_not_a_duration_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=_NOT_A_DURATION):
        to_seconds(given)


@pytest.mark.parametrize("given", ["7", "0", "1.5", "9" * 400])
def test_text_without_a_unit_is_refused_as_a_duration_because_it_may_mean_anything(given: str) -> None:
    shown = f"{given!r:.80}".replace(".", r"\.")
    with pytest.raises(ValueError, match=f"^delay is {shown}, without a unit; write .*s, or m, h or d instead of s$"):
        to_seconds(given, "delay")
    with pytest.raises(ValueError, match="without a unit"):
        to_past(given, "older_than", now=NOON)


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (90, NOON - timedelta(seconds=90)),
        (timedelta(days=1), NOON - timedelta(days=1)),
        ("2h", NOON - timedelta(hours=2)),
        (1e12, datetime.min.replace(tzinfo=UTC)),
        (NOON - timedelta(days=9), NOON - timedelta(days=9)),
        (datetime(2026, 6, 1, 9), datetime(2026, 6, 1, 7, tzinfo=UTC)),
        ("2026-06-01T09:00:00", datetime(2026, 6, 1, 7, tzinfo=UTC)),
        ("2026-06-01T09:00:00Z", datetime(2026, 6, 1, 9, tzinfo=UTC)),
        ("2026-06-01", datetime(2026, 5, 31, 22, tzinfo=UTC)),
    ],
)
def test_how_old_something_is_may_be_said_by_a_duration_or_by_an_instant(
    in_zone: Any, given: Any, instant: datetime
) -> None:
    in_zone(CENTRAL_EUROPE)
    assert to_past(given, "older_than", now=NOON) == instant


@pytest.mark.parametrize("given", ["", "yesterday", "7 days", None, True, -1, math.nan, b"7d", [], object()])
def test_an_age_that_is_neither_is_refused_with_both_that_it_may_be(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^older_than is .*; it must be .*duration such as 7d$|, or an instant$"):
        to_past(given, "older_than", now=NOON)


@pytest.mark.parametrize(
    ("seconds", "instant"),
    [
        (0, NOON),
        (90, NOON + timedelta(seconds=90)),
        (1e-6, NOON + timedelta(microseconds=1)),
        (1e11, NOON + timedelta(seconds=1e11)),
        (1e12, LAST),
        (1e308, LAST),
    ],
)
def test_a_later_instant_is_at_most_the_last_that_can_be_written(seconds: float, instant: datetime) -> None:
    assert later(NOON, seconds) == instant


def test_a_stamper_returns_the_time_of_its_clock_as_the_file_holds_it(in_zone: Any) -> None:
    in_zone(CENTRAL_EUROPE)
    clock, stamp = ManualClock(), stamper(SystemClock())
    assert stamper(clock)() == to_text(clock.now())
    for _ in range(1000):
        assert to_text(SystemClock().now()) <= stamp() <= to_text(SystemClock().now())


def test_a_manual_clock_stands_still() -> None:
    clock = ManualClock(NOON)
    assert (clock.now(), clock.monotonic()) == (clock.now(), clock.monotonic()) == (NOON, 0.0)


def test_advancing_a_manual_clock_moves_both_of_its_times() -> None:
    clock = ManualClock(NOON)
    clock.advance(1.5)
    clock.sleep(0.5)
    assert clock.now() == NOON + timedelta(seconds=2)
    assert clock.monotonic() == 2.0
    clock.advance("1h")
    clock.advance(timedelta(minutes=1))
    assert clock.now() == NOON + timedelta(seconds=3662)


@pytest.mark.parametrize("to", [NOON - timedelta(days=1), NOON + timedelta(days=1)])
def test_setting_a_manual_clock_leaves_its_monotonic_time(to: datetime) -> None:
    clock = ManualClock(NOON)
    clock.set(to)
    assert clock.now() == to
    assert clock.monotonic() == 0.0


def test_the_monotonic_time_of_a_manual_clock_cannot_go_back() -> None:
    clock = ManualClock(NOON)
    with pytest.raises(ValueError, match=r"only set\(\) turns the wall clock back"):
        clock.advance(-1)
    assert (clock.now(), clock.monotonic()) == (NOON, 0.0)


def test_a_manual_clock_tells_the_time_in_utc() -> None:
    clock = ManualClock(datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now().isoformat() == "2026-07-01T12:00:00+00:00"


def test_the_system_clock_tells_utc_whatever_the_zone(in_zone: Any) -> None:
    in_zone("EAST-14")
    before = unix_microseconds()
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert before <= round(now.timestamp() * 1e6) <= unix_microseconds()


def test_the_system_clock_sleeps() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - before >= 0.001


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.1, "0.1 seconds"), (1.0, "1 second"), (1_209_600.0, "1209600 seconds"), (0, "0 seconds")]
)
def test_a_duration_is_told_with_all_its_digits(seconds: float, text: str) -> None:
    assert in_seconds(seconds) == text


def test_a_timeout_of_0_allows_one_attempt() -> None:
    assert list(attempts(0, longest_pause=0.001)) == [None]


def test_attempts_go_on_until_the_timeout() -> None:
    before = time.monotonic()
    assert len(list(attempts(0.02, longest_pause=0.001))) > 1
    assert time.monotonic() - before >= 0.02
