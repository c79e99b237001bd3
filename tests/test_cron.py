"""The ticks of cron lines, also where the clocks change, and of intervals; missed ticks; the names of time zones."""

from __future__ import annotations

import math
import random
import sys
import zoneinfo
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from gigq.cron import Cron, Interval, missed, ticks, zone_named

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    assert instant.tzinfo is not None, f"{text} lacks an offset"
    return instant


def zone_or_skip(name: str) -> tzinfo:
    try:
        return zone_named(name)
    except ValueError as error:
        pytest.skip(str(error))


# Reading a line


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("*", range(60)),
        ("0", [0]),
        ("59", [59]),
        ("007", [7]),
        ("5,3,5", [3, 5]),
        ("10-13", [10, 11, 12, 13]),
        ("7-7", [7]),
        ("*/15", [0, 15, 30, 45]),
        ("*/1", range(60)),
        ("*/59", [0, 59]),
        ("10-20/5", [10, 15, 20]),
        ("10-20/6", [10, 16]),
        ("50/4", [50, 54, 58]),
        ("1,10-12,*/30,55/3", [0, 1, 10, 11, 12, 30, 55, 58]),
    ],
)
def test_a_field_is_a_list_of_numbers_ranges_and_steps(text: str, minutes: Any) -> None:
    assert Cron.parse(f"{text} * * * *").minutes == tuple(minutes)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("* 5/9 * * *", {"hours": (5, 14, 23)}),
        ("* * 29/2 * *", {"days": (29, 31)}),
        ("* * */10 * *", {"days": (1, 11, 21, 31)}),
        ("* * * */5 *", {"months": (1, 6, 11)}),
        ("* * * jan *", {"months": (1,)}),
        ("* * * JAN,Dec,mar-may *", {"months": (1, 3, 4, 5, 12)}),
        ("* * * 2-dec/5 *", {"months": (2, 7, 12)}),
        ("* * * * *", {"weekdays": {0, 1, 2, 3, 4, 5, 6}}),
        ("* * * * 0", {"weekdays": {0}}),
        ("* * * * 7", {"weekdays": {0}}),
        ("* * * * sun", {"weekdays": {0}}),
        ("* * * * 0-7", {"weekdays": {0, 1, 2, 3, 4, 5, 6}}),
        ("* * * * 5-7", {"weekdays": {5, 6, 0}}),
        ("* * * * Mon-FRI", {"weekdays": {1, 2, 3, 4, 5}}),
        ("* * * * sat,sun", {"weekdays": {6, 0}}),
        # A week may end on Sunday, by either of its numbers
        ("* * * * fri-sun", {"weekdays": {5, 6, 0}}),
        ("* * * * 5-0", {"weekdays": {5, 6, 0}}),
        ("* * * * mon-sun/2", {"weekdays": {1, 3, 5, 0}}),
        ("* * * * sun-sun", {"weekdays": {0}}),
        ("* * * * sun-tue", {"weekdays": {0, 1, 2}}),
        ("* * * * */2", {"weekdays": {0, 2, 4, 6}}),
        ("* * * * 1/2", {"weekdays": {1, 3, 5, 0}}),
    ],
)
def test_every_field_has_its_own_values_and_names(line: str, values: dict[str, Any]) -> None:
    cron = Cron.parse(line)
    assert {name: getattr(cron, name) for name in values} == values


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        (" @Daily\n", "0 0 * * *"),
    ],
)
def test_a_word_such_as_daily_is_a_whole_line(word: str, line: str) -> None:
    berlin = zone_or_skip("Europe/Berlin")
    one, other = Cron.parse(word), Cron.parse(line)
    assert one.line == word.strip()
    assert (one.is_real_time, one.is_either_day_enough) == (other.is_real_time, other.is_either_day_enough)
    assert ticks(one, NEW_YEAR, zone=berlin, count=20) == ticks(other, NEW_YEAR, zone=berlin, count=20)


def test_blanks_do_not_matter() -> None:
    assert Cron.parse("\t5  4 *\t* * \r\n") == Cron.parse("5 4 * * *")


def test_lines_are_values() -> None:
    assert {Cron.parse("5 4 * * *"), Cron.parse("5 4 * * *"), Cron.parse("6 4 * * *")} == {
        Cron.parse("6 4 * * *"),
        Cron.parse("5 4 * * *"),
    }
    assert repr(Cron.parse("5 4 * * *")) == "Cron(line='5 4 * * *')"
    with pytest.raises(AttributeError):
        Cron.parse("5 4 * * *").line = "6 4 * * *"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("61 * * * *", "minute is '61' in '61 * * * *'; it must be 0 to 59"),
        ("* 24 * * *", "hour is '24' in '* 24 * * *'; it must be 0 to 23"),
        ("* * 0 * *", "day of month is '0' in '* * 0 * *'; it must be 1 to 31"),
        ("* * 32 * *", "day of month is '32' in '* * 32 * *'; it must be 1 to 31"),
        ("* * * 13 *", "month is '13' in '* * * 13 *'; it must be 1 to 12 or jan to dec"),
        ("* * * january *", "month is 'january' in '* * * january *'; it must be 1 to 12 or jan to dec"),
        ("* * * * 8", "day of week is '8' in '* * * * 8'; it must be 0 to 7 or sun to sat"),
        ("* * * * jan", "day of week is 'jan' in '* * * * jan'; it must be 0 to 7 or sun to sat"),
        ("mon * * * *", "minute is 'mon' in 'mon * * * *'; it must be 0 to 59"),
        # The message names the item, not the whole list
        ("1,2,60 * * * *", "minute is '60' in '1,2,60 * * * *'; it must be 0 to 59"),
        ("1,,2 * * * *", "minute is '' in '1,,2 * * * *'; it must be 0 to 59"),
        ("1, * * * *", "minute is '' in '1, * * * *'; it must be 0 to 59"),
        ("-1 * * * *", "minute is '-1' in '-1 * * * *'; it must be 0 to 59"),
        ("5- * * * *", "minute is '5-' in '5- * * * *'; it must be 0 to 59"),
        ("1-2-3 * * * *", "minute is '1-2-3' in '1-2-3 * * * *'; it must be 0 to 59"),
        ("*-5 * * * *", "minute is '*-5' in '*-5 * * * *'; it must be 0 to 59"),
        ("** * * * *", "minute is '**' in '** * * * *'; it must be 0 to 59"),
        ("1.5 * * * *", "minute is '1.5' in '1.5 * * * *'; it must be 0 to 59"),
        ("+1 * * * *", "minute is '+1' in '+1 * * * *'; it must be 0 to 59"),
        ("1_0 * * * *", "minute is '1_0' in '1_0 * * * *'; it must be 0 to 59"),
        ("0x5 * * * *", "minute is '0x5' in '0x5 * * * *'; it must be 0 to 59"),
        ("٣ * * * *", "minute is '٣' in '٣ * * * *'; it must be 0 to 59"),
        ("² * * * *", "minute is '²' in '² * * * *'; it must be 0 to 59"),
        ("\0 * * * *", r"minute is '\x00' in '\x00 * * * *'; it must be 0 to 59"),
        ("\ud800 * * * *", r"minute is '\ud800' in '\ud800 * * * *'; it must be 0 to 59"),
        # Forms that only other crons accept
        ("* * L * *", "day of month is 'l' in '* * L * *'; it must be 1 to 31"),
        ("* * ? * *", "day of month is '?' in '* * ? * *'; it must be 1 to 31"),
        ("* * * * 5#3", "day of week is '5#3' in '* * * * 5#3'; it must be 0 to 7 or sun to sat"),
        # Ranges and steps
        ("30-10 * * * *", "minute is '30-10' in '30-10 * * * *'; a range must not go backwards"),
        ("* 5-0 * * *", "hour is '5-0' in '* 5-0 * * *'; a range must not go backwards"),
        ("* * * nov-feb *", "month is 'nov-feb' in '* * * nov-feb *'; a range must not go backwards"),
        ("* * * * fri-mon", "day of week is 'fri-mon' in '* * * * fri-mon'; a range must not go backwards"),
        ("* * * * 7-1", "day of week is '7-1' in '* * * * 7-1'; a range must not go backwards"),
        ("*/0 * * * *", "minute is '*/0' in '*/0 * * * *'; a step must be 1 to 59"),
        ("*/60 * * * *", "minute is '*/60' in '*/60 * * * *'; a step must be 1 to 59"),
        ("*/-5 * * * *", "minute is '*/-5' in '*/-5 * * * *'; a step must be 1 to 59"),
        ("*/ * * * *", "minute is '*/' in '*/ * * * *'; a step must be 1 to 59"),
        ("*/5/5 * * * *", "minute is '*/5/5' in '*/5/5 * * * *'; a step must be 1 to 59"),
        ("/5 * * * *", "minute is '/5' in '/5 * * * *'; it must be 0 to 59"),
        ("* */24 * * *", "hour is '*/24' in '* */24 * * *'; a step must be 1 to 23"),
        ("* * * */mar *", "month is '*/mar' in '* * * */mar *'; a step must be 1 to 12"),
        # Days that do not exist
        ("0 0 30 2 *", "day of month is '30' in '0 0 30 2 *'; no month of '2' has that many days"),
        ("0 0 30,31 feb *", "day of month is '30,31' in '0 0 30,31 feb *'; no month of 'feb' has that many days"),
        ("0 0 31 4,6,9,11 *", "day of month is '31' in '0 0 31 4,6,9,11 *'; no month of '4,6,9,11' has that many days"),
        ("0 0 30 2 */2", "day of month is '30' in '0 0 30 2 */2'; no month of '2' has that many days"),
    ],
)
def test_a_wrong_field_is_named_with_its_allowed_values(line: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Cron.parse(line)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "line", ["", " ", "\0", "*", "* * * *", "* * * * * *", "0 0 * * * root", "@reboot", "@every 5m"]
)
def test_a_line_without_five_fields_is_refused_with_the_accepted_forms(line: str) -> None:
    with pytest.raises(ValueError) as caught:
        Cron.parse(line)
    assert str(caught.value) == (
        f"{line.strip()!r} is not a cron line; it must be five fields (minute, hour, day of month, month, day of week)"
        " or one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"
    )


@pytest.mark.parametrize("line", [None, 5, b"* * * * *", ["*"] * 5, "*" * 1_000_000, "* " * 500_000, "1," * 501])
def test_a_line_that_is_not_text_or_far_too_long_is_refused(line: Any) -> None:
    with pytest.raises(ValueError, match="is not a cron line; it must be text of at most 1000 characters") as caught:
        Cron.parse(line)
    assert len(str(caught.value)) < 200


def test_a_huge_number_is_refused() -> None:
    with pytest.raises(ValueError, match="it must be 0 to 59"):
        Cron.parse("9" * 900 + " * * * *")


def test_a_line_may_list_every_value_of_every_field() -> None:
    whole = [range(60), range(24), range(1, 32), range(1, 13), range(8)]
    line = " ".join(",".join(map(str, values)) for values in whole)
    assert Cron.parse(line).minutes == tuple(range(60))


@pytest.mark.parametrize("seed", range(8))
def test_random_text_is_accepted_or_refused_in_one_line(seed: int) -> None:
    chance = random.Random(seed)
    alphabets = ["0123456789*/,-", "0123456789*/,- \t", "05*/-,sunmojan@ ", "".join(map(chr, range(0x250)))]
    for _ in range(300):
        alphabet = chance.choice(alphabets)
        texts = ("".join(chance.choices(alphabet, k=chance.randint(1, 5))) for _ in range(5))
        line = " ".join(text if chance.random() < 0.6 else "*" for text in texts)
        try:
            cron = Cron.parse(line)
        except ValueError as error:
            assert "\n" not in str(error), repr(line)
        else:
            assert cron.after(NEW_YEAR, UTC) is not None, repr(line)


# Days


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("0 0 * * *", ["2025-01-02", "2025-01-03"]),
        ("0 0 * * fri", ["2025-01-03", "2025-01-10"]),
        ("0 0 13 * *", ["2025-01-13", "2025-02-13"]),
        ("0 0 31 * *", ["2025-01-31", "2025-03-31", "2025-05-31", "2025-07-31"]),
        ("0 0 31 4-6 *", ["2025-05-31", "2026-05-31"]),
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        # Both are restricted: either is enough
        ("0 0 13 * fri", ["2025-01-03", "2025-01-10", "2025-01-13", "2025-01-17"]),
        ("0 0 1-31 * fri", ["2025-01-02", "2025-01-03"]),
        ("0 0 13 * 0-6", ["2025-01-02", "2025-01-03"]),
        ("0 0 30 2 fri", ["2025-02-07", "2025-02-14", "2025-02-21", "2025-02-28", "2026-02-06"]),
        # One begins with a star: both must match
        ("0 0 */2 * fri", ["2025-01-03", "2025-01-17", "2025-01-31", "2025-02-07"]),
        ("0 0 13 * */5", ["2025-04-13", "2025-06-13", "2025-07-13"]),
        ("0 0 *,13 * fri", ["2025-01-03", "2025-01-10"]),
        ("0 0 29 2 */7", ["2032-02-29", "2060-02-29", "2088-02-29", "2128-02-29"]),
    ],
)
def test_the_two_day_fields_are_combined_as_in_vixie_cron(line: str, days: list[str]) -> None:
    found = ticks(Cron.parse(line), NEW_YEAR, zone=UTC, count=len(days))
    assert [tick.date().isoformat() for tick in found] == days


@pytest.mark.parametrize("seed", range(4))
def test_random_lines_match_the_days_found_by_walking_through_the_calendar(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        days, months, weekdays = (
            set(chance.sample(range(*ends), chance.randint(1, most)))
            for ends, most in [((1, 29), 4), ((1, 13), 3), ((0, 7), 2)]
        )
        has_days, has_weekdays = chance.random() < 0.6, chance.random() < 0.6
        first = date(chance.randint(1890, 2110), 1, 1) + DAY * chance.randint(0, 364)
        expected = [
            day
            for day in (first + DAY * number for number in range(1, 800))
            if day.month in months
            if (is_day_of(day, days, weekdays) if has_days or has_weekdays else True)
            if has_days or not has_weekdays or (day.weekday() + 1) % 7 in weekdays
            if has_weekdays or not has_days or day.day in days
        ]
        fields = [listed(days) if has_days else "*", listed(months), listed(weekdays) if has_weekdays else "*"]
        start = datetime(first.year, first.month, first.day, tzinfo=UTC)
        found = ticks(Cron.parse(f"0 0 {' '.join(fields)}"), start, zone=UTC, count=len(expected))
        assert [tick.date() for tick in found] == expected, fields


def is_day_of(day: date, days: set[int], weekdays: set[int]) -> bool:
    return day.day in days or (day.weekday() + 1) % 7 in weekdays


def listed(values: set[int]) -> str:
    return ",".join(map(str, values))


# The clocks change

CHANGES = [
    # Fixed times: a skipped one ticks right after the gap, and of two the first
    ("Europe/Berlin", "30 2 * * *", "2025-03-30T00:00", ["2025-03-30T03:00+02:00", "2025-03-31T02:30+02:00"]),
    ("Europe/Berlin", "30 2 * * *", "2025-10-26T00:00", ["2025-10-26T02:30+02:00", "2025-10-27T02:30+01:00"]),
    ("Europe/Berlin", "0,20,40 2 * * *", "2025-03-30T00:00", ["2025-03-30T03:00+02:00", "2025-03-31T02:00+02:00"]),
    ("Europe/Berlin", "0 2,3 * * *", "2025-03-30T00:00", ["2025-03-30T03:00+02:00", "2025-03-31T02:00+02:00"]),
    ("Europe/Berlin", "0 0-23 * * *", "2025-10-26T01:00", ["2025-10-26T02:00+02:00", "2025-10-26T03:00+01:00"]),
    ("Europe/Berlin", "0 3 * * *", "2025-10-26T00:00", ["2025-10-26T03:00+01:00", "2025-10-27T03:00+01:00"]),
    ("America/New_York", "30 2 9 3 *", "2025-01-01T00:00", ["2025-03-09T03:00-04:00", "2026-03-09T02:30-04:00"]),
    # Stars follow real time: skipped ticks are not made up for, repeated ones come twice
    ("Europe/Berlin", "0 * * * *", "2025-03-30T00:30", ["2025-03-30T01:00+01:00", "2025-03-30T03:00+02:00"]),
    ("Europe/Berlin", "30 * * * *", "2025-10-26T02:00", ["2025-10-26T02:30+02:00", "2025-10-26T02:30+01:00"]),
    ("Europe/Berlin", "30 */2 * * *", "2025-03-30T00:00", ["2025-03-30T00:30+01:00", "2025-03-30T04:30+02:00"]),
    ("Europe/Berlin", "30 */2 * * *", "2025-10-26T02:00", ["2025-10-26T02:30+02:00", "2025-10-26T02:30+01:00"]),
    ("Europe/Berlin", "*/30 2 * * *", "2025-03-30T00:00", ["2025-03-31T02:00+02:00", "2025-03-31T02:30+02:00"]),
    ("Europe/Berlin", "*/40 2 * * *", "2025-10-26T02:00", ["2025-10-26T02:40+02:00", "2025-10-26T02:00+01:00"]),
    # The clocks change by half an hour
    ("Australia/Lord_Howe", "15 2 * * *", "2025-10-05T00:00", ["2025-10-05T02:30+11:00", "2025-10-06T02:15+11:00"]),
    ("Australia/Lord_Howe", "45 1 * * *", "2025-04-06T00:00", ["2025-04-06T01:45+11:00", "2025-04-07T01:45+10:30"]),
    ("Australia/Lord_Howe", "45 * * * *", "2025-04-06T01:30", ["2025-04-06T01:45+11:00", "2025-04-06T01:45+10:30"]),
    ("Australia/Lord_Howe", "0 * * * *", "2025-10-05T00:30", ["2025-10-05T01:00+10:30", "2025-10-05T03:00+11:00"]),
    # Midnight is skipped, or comes twice
    ("America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00", ["2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"]),
    ("America/Sao_Paulo", "30 23 * * *", "2018-02-17T12:00", ["2018-02-17T23:30-02:00", "2018-02-18T23:30-03:00"]),
    ("Africa/Cairo", "0 0 * * fri", "2024-04-25T12:00", ["2024-04-26T01:00+03:00", "2024-05-03T00:00+03:00"]),
    ("Africa/Cairo", "*/30 * 31 10 *", "2024-10-31T23:00", ["2024-10-31T23:30+03:00", "2024-10-31T23:00+02:00"]),
    ("America/Havana", "0 0 * * *", "2025-11-01T12:00", ["2025-11-02T00:00-04:00", "2025-11-03T00:00-05:00"]),
    ("America/Havana", "@hourly", "2025-11-01T23:00", ["2025-11-02T00:00-04:00", "2025-11-02T00:00-05:00"]),
    ("America/Havana", "15 0 * * *", "2025-03-08T12:00", ["2025-03-09T01:00-04:00", "2025-03-10T00:15-04:00"]),
    ("Asia/Beirut", "@daily", "2025-03-29T12:00", ["2025-03-30T01:00+03:00", "2025-03-31T00:00+03:00"]),
    ("Asia/Beirut", "@daily", "2025-10-25T12:00", ["2025-10-26T00:00+02:00", "2025-10-27T00:00+02:00"]),
    # The clocks change a minute past midnight, after the first midnight
    ("America/St_Johns", "0 0 * * *", "2010-11-06T12:00", ["2010-11-07T00:00-02:30", "2010-11-08T00:00-03:30"]),
    ("America/St_Johns", "30 23 * * *", "2010-11-06T12:00", ["2010-11-06T23:30-02:30", "2010-11-07T23:30-03:30"]),
    ("America/St_Johns", "30 0 * * *", "2010-03-13T12:00", ["2010-03-14T01:01-02:30", "2010-03-15T00:30-02:30"]),
    # A whole day is skipped: the tick of its noon comes right after it
    ("Pacific/Apia", "0 12 * * *", "2011-12-29T12:00", ["2011-12-31T00:00+14:00", "2011-12-31T12:00+14:00"]),
    ("Pacific/Apia", "0 12 30 * *", "2011-12-01T00:00", ["2011-12-31T00:00+14:00", "2012-01-30T12:00+14:00"]),
    ("Pacific/Apia", "0 * * * *", "2011-12-29T22:30", ["2011-12-29T23:00-10:00", "2011-12-31T00:00+14:00"]),
    ("Pacific/Apia", "0 * * * fri", "2011-12-29T22:30", ["2012-01-06T00:00+14:00", "2012-01-06T01:00+14:00"]),
    # Negative summer time, and clocks that go back for Ramadan
    ("Europe/Dublin", "30 1 * * *", "2025-03-30T00:00", ["2025-03-30T02:00+01:00", "2025-03-31T01:30+01:00"]),
    ("Europe/Dublin", "30 1 * * *", "2025-10-26T00:00", ["2025-10-26T01:30+01:00", "2025-10-27T01:30+00:00"]),
    ("Africa/Casablanca", "30 2 * * *", "2025-02-23T00:00", ["2025-02-23T02:30+01:00", "2025-02-24T02:30+00:00"]),
    ("Africa/Casablanca", "30 2 * * *", "2025-04-06T00:00", ["2025-04-06T03:00+01:00", "2025-04-07T02:30+01:00"]),
    # A zone whose offset changes for good
    ("Asia/Kathmandu", "5 0 * * *", "1985-12-31T12:00", ["1986-01-01T00:15+05:45", "1986-01-02T00:05+05:45"]),
    ("Asia/Kathmandu", "0 9 * * *", "2025-01-01T00:00", ["2025-01-01T09:00+05:45", "2025-01-02T09:00+05:45"]),
    ("UTC", "30 2 * * *", "2025-03-30T00:00", ["2025-03-30T02:30+00:00", "2025-03-31T02:30+00:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "line", "start", "expected"), CHANGES)
def test_ticks_where_the_clocks_change_follow_vixie(zone: str, line: str, start: str, expected: list[str]) -> None:
    place = zone_or_skip(zone)
    found = ticks(
        Cron.parse(line), datetime.fromisoformat(start).replace(tzinfo=place), zone=place, count=len(expected)
    )
    assert [tick.astimezone(place).isoformat(timespec="minutes") for tick in found] == expected


@pytest.mark.parametrize(
    ("line", "start", "tick"),
    [
        # In the first 02:59, where the second 02:00 comes next, and in the second 02:00, which has been
        ("0 * * * *", "2025-10-26T02:59:30.5+02:00", "2025-10-26T02:00+01:00"),
        ("0 0-23 * * *", "2025-10-26T02:59:30.5+02:00", "2025-10-26T03:00+01:00"),
        ("0,30 2 * * *", "2025-10-26T02:00+01:00", "2025-10-27T02:00+01:00"),
        ("*/30 2 * * *", "2025-10-26T02:00+01:00", "2025-10-26T02:30+01:00"),
        # A microsecond before the change, and at it
        ("0 * * * *", "2025-10-26T02:59:59.999999+02:00", "2025-10-26T02:00+01:00"),
        ("30 2 * * *", "2025-03-30T01:59:59.999999+01:00", "2025-03-30T03:00+02:00"),
        ("30 2 * * *", "2025-03-30T03:00+02:00", "2025-03-31T02:30+02:00"),
    ],
)
def test_starting_within_a_change_of_the_clocks_loses_and_repeats_nothing(line: str, start: str, tick: str) -> None:
    assert Cron.parse(line).after(at(start), zone_or_skip("Europe/Berlin")) == at(tick)


def test_the_offset_of_a_zone_may_have_seconds() -> None:
    zone = zone_or_skip("America/New_York")
    [tick] = ticks(Cron.parse("0 9 * * *"), at("1880-01-01T00:00+00:00"), zone=zone, count=1)
    assert tick == at("1880-01-01T09:00-04:56:02")


# The same the other way round: minute by minute through real time, looking at the wall clock

Match = Callable[[datetime], bool]
LINES: dict[str, tuple[bool, Match]] = {
    "* * * * *": (True, lambda wall: True),
    "*/7 * * * *": (True, lambda wall: wall.minute % 7 == 0),
    "@hourly": (True, lambda wall: wall.minute == 0),
    "17,45 */3 * * *": (True, lambda wall: wall.minute in (17, 45) and wall.hour % 3 == 0),
    "*/20 0-2,23 * * *": (True, lambda wall: wall.minute % 20 == 0 and wall.hour in (0, 1, 2, 23)),
    "5 * * * sat,sun": (True, lambda wall: wall.minute == 5 and wall.isoweekday() in (6, 7)),
    "0 * 1-31/2 * mon": (True, lambda wall: wall.minute == 0 and (wall.day % 2 == 1 or wall.isoweekday() == 1)),
    "0,30 0-23 * * *": (False, lambda wall: wall.minute in (0, 30)),
    "30 2 * * *": (False, lambda wall: (wall.hour, wall.minute) == (2, 30)),
    "15,45 0,1 * * *": (False, lambda wall: wall.minute in (15, 45) and wall.hour in (0, 1)),
    "@daily": (False, lambda wall: (wall.hour, wall.minute) == (0, 0)),
    "59 23 * * sat,sun": (False, lambda wall: (wall.hour, wall.minute) == (23, 59) and wall.isoweekday() in (6, 7)),
    "0 1 */2 * *": (False, lambda wall: (wall.hour, wall.minute) == (1, 0) and wall.day % 2 == 1),
}
PLACES = [
    ("Europe/Berlin", 2025),
    ("America/New_York", 2039),
    ("Australia/Lord_Howe", 2025),
    ("America/Sao_Paulo", 2018),
    ("Africa/Cairo", 2024),
    ("America/Havana", 2025),
    ("Asia/Beirut", 2025),
    ("Pacific/Apia", 2011),
    ("Pacific/Kwajalein", 1993),
    ("Europe/Dublin", 2025),
    ("Africa/Casablanca", 2025),
    ("America/St_Johns", 2010),
    ("Asia/Kathmandu", 1986),
    ("Asia/Pyongyang", 2018),
    ("Antarctica/Troll", 2025),
    ("America/Nuuk", 2024),
    ("UTC", 2025),
]

Shown = tuple[datetime, datetime, datetime]
"""An instant, the time that the wall clock shows then, and the latest time that it had shown before."""


def look_at_the_wall(zone: tzinfo, start: datetime, end: datetime) -> Iterator[Shown]:
    instant, latest = start, start.astimezone(zone).replace(tzinfo=None)
    while (instant := instant + MINUTE) <= end:
        wall = instant.astimezone(zone).replace(tzinfo=None)
        yield instant, wall, latest
        latest = wall if wall > latest else latest


def seen(shown: Iterable[Shown], line: str) -> list[datetime]:
    is_real_time, match = LINES[line]
    if is_real_time:
        return [instant for instant, wall, _ in shown if match(wall)]
    return [
        instant
        for instant, wall, latest in shown
        if wall > latest and (match(wall) or (wall - latest > MINUTE and any(map(match, between(latest, wall)))))
    ]


def between(latest: datetime, wall: datetime) -> list[datetime]:
    return [latest + MINUTE * number for number in range(1, (wall - latest) // MINUTE)]


@cache
def windows(name: str, year: int) -> list[list[Shown]]:
    """About 50 hours around each change of the clocks in a year, and around another hour."""
    zone, first, chance = zone_named(name), datetime(year, 1, 1, tzinfo=UTC), random.Random(f"{name} {year}")
    hours = [first + HOUR * number for number in range(-12, 24 * 366)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    middles = [hour for hour, (one, other) in zip(hours, pairwise(offsets), strict=False) if one != other]
    middles.append(chance.choice(hours))
    return [list(look_at_the_wall(zone, middle - 26 * HOUR, middle + 26 * HOUR)) for middle in middles]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("name", "year"), PLACES)
def test_around_every_change_of_the_clocks_no_tick_is_lost_or_repeated(name: str, year: int, line: str) -> None:
    zone, cron, chance = zone_or_skip(name), Cron.parse(line), random.Random(line)
    for shown in windows(name, year):
        start, end = shown[0][0] - MINUTE, shown[-1][0]
        expected = seen(shown, line)
        if line != "* * * * *":  # it has so many ticks that the instants between them suffice
            assert missed(cron, start, until=end, zone=zone, limit=10_000) == expected
        for width in [HOUR, end - start] * 6:
            instant = start + (end - start) / 2 + width * (chance.random() - 0.5)
            found, place = cron.after(instant, zone), bisect_right(expected, instant)
            assert found is not None
            assert found == expected[place] if place < len(expected) else found > end


@pytest.mark.parametrize(
    ("name", "year", "line"),
    [
        ("Australia/Lord_Howe", 2025, "0,30 0-23 * * *"),
        ("Africa/Casablanca", 2026, "17,45 */3 * * *"),
        ("America/Sao_Paulo", 2018, "@daily"),
    ],
)
def test_over_a_quarter_in_which_the_clocks_change_no_tick_is_lost_or_repeated(name: str, year: int, line: str) -> None:
    zone = zone_or_skip(name)
    shown = look_at_the_wall(zone, datetime(year, 2, 1, tzinfo=UTC), datetime(year, 5, 1, tzinfo=UTC))
    assert lost_or_repeated(list(shown), line, zone) == []


def lost_or_repeated(shown: list[Shown], line: str, zone: tzinfo) -> list[datetime]:
    start, end = shown[0][0] - MINUTE, shown[-1][0]
    found = missed(Cron.parse(line), start, until=end, zone=zone, limit=len(shown) + 1)
    return sorted({*found} ^ {*seen(shown, line)}) + [one for one, other in pairwise(found) if one >= other]


# Instants and zones of every kind


@pytest.mark.parametrize(
    ("start", "tick"),
    [
        ("2025-01-01T09:00:00+00:00", "2025-01-01T09:01+00:00"),
        ("2025-01-01T08:59:59.999999+00:00", "2025-01-01T09:00+00:00"),
        ("2025-01-01T09:00:00.000001+00:00", "2025-01-01T09:01+00:00"),
        ("2025-01-01T00:00:30-05:00", "2025-01-01T05:01+00:00"),
    ],
)
def test_a_tick_is_strictly_after_the_instant_and_in_utc(start: str, tick: str) -> None:
    found = Cron.parse("* * * * *").after(at(start), UTC)
    assert found == at(tick)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("rule", [Cron.parse("0 0 * * *"), Interval(seconds=60, anchor=NEW_YEAR)])
def test_an_instant_without_a_zone_is_refused(rule: Cron | Interval) -> None:
    naive = datetime(2025, 1, 1)
    for ask in [
        lambda: rule.after(naive, UTC),
        lambda: ticks(rule, naive, zone=UTC, count=1),
        lambda: missed(rule, naive, until=NEW_YEAR, zone=UTC, limit=1),
        lambda: missed(rule, NEW_YEAR, until=naive, zone=UTC, limit=1),
    ]:
        with pytest.raises(ValueError, match="has no time zone; pass an aware datetime"):
            ask()


@pytest.mark.parametrize("hours", [-23.99, -12, 0, 5.75, 14, 23.99])
@pytest.mark.parametrize("rule", [Cron.parse("* * * * *"), Cron.parse("0 0 29 2 0-7"), Cron.parse("@yearly")])
def test_a_fixed_offset_works_as_a_zone_from_the_first_year_to_the_last(rule: Cron, hours: float) -> None:
    zone = timezone(timedelta(seconds=round(hours * 3600)))
    first = rule.after(datetime.min.replace(tzinfo=UTC), zone)
    assert first is not None
    assert first.astimezone(zone).year in (1, 2, 3, 4)
    assert rule.after(datetime.max.replace(tzinfo=UTC), zone) is None
    assert rule.after(datetime(9999, 1, 1, tzinfo=UTC), zone) is None


def test_there_is_no_tick_after_the_last_year() -> None:
    start = datetime(9998, 12, 31, 23, 57, tzinfo=UTC)
    assert [tick.minute for tick in ticks(Cron.parse("* * * * *"), start, zone=UTC, count=10)] == [58, 59]
    assert ticks(Cron.parse("0 0 29 2 *"), datetime(9996, 3, 1, tzinfo=UTC), zone=UTC, count=10) == []
    assert Interval(seconds=86_400, anchor=NEW_YEAR).after(start) is None


class CountingZone(tzinfo):
    """UTC, counting how many times it is asked."""

    asked = 0

    def utcoffset(self, when: datetime | None) -> timedelta:
        self.asked += 1
        return timedelta(0)

    def dst(self, when: datetime | None) -> timedelta:
        return timedelta(0)


@pytest.mark.parametrize("line", ["* * * * *", "0 0 29 2 *", "0 0 29 2 */7", "59 23 31 12 *", "0 0 1 jan mon"])
def test_a_distant_tick_costs_no_more_than_a_near_one(line: str) -> None:
    zone = CountingZone()
    assert Cron.parse(line).after(datetime(1897, 1, 1, tzinfo=UTC), zone) is not None
    assert zone.asked < 10


# Intervals


@pytest.mark.parametrize(
    ("seconds", "anchor", "start", "tick"),
    [
        (300, "2025-01-01T00:00+00:00", "2025-01-01T00:00+00:00", "2025-01-01T00:05+00:00"),
        (300, "2025-01-01T00:00+00:00", "2025-01-01T00:04:59.999999+00:00", "2025-01-01T00:05+00:00"),
        (300, "2025-01-01T00:00+00:00", "2031-01-01T00:07+00:00", "2031-01-01T00:10+00:00"),
        (1.5, "2025-01-01T00:00+00:00", "2025-01-01T00:00:04.4+00:00", "2025-01-01T00:00:04.5+00:00"),
        (86_400, "2025-01-01T09:30+01:00", "2025-06-01T00:00+00:00", "2025-06-01T08:30+00:00"),
        # Before the anchor too: a clock that was wrong when the anchor was set does not stop it
        (300, "2025-01-01T00:02+00:00", "2024-12-31T23:50+00:00", "2024-12-31T23:52+00:00"),
        (7, "2025-01-01T00:00+00:00", "2024-12-31T23:59:59+00:00", "2025-01-01T00:00+00:00"),
        (100 * 366 * 86_400, "2025-01-01T00:00+00:00", "2025-01-01T00:00+00:00", "2125-03-18T00:00+00:00"),
    ],
)
def test_an_interval_ticks_from_its_anchor(seconds: float, anchor: str, start: str, tick: str) -> None:
    found = Interval(seconds=seconds, anchor=at(anchor)).after(at(start))
    assert found == at(tick)
    assert found.tzinfo is UTC


def test_an_interval_is_the_same_in_every_zone() -> None:
    zone = zone_or_skip("Europe/Berlin")
    rule, start = Interval(seconds=3600, anchor=NEW_YEAR), at("2025-03-29T23:00+00:00")
    found = ticks(rule, start, zone=zone, count=4)
    assert found == ticks(rule, start, zone=UTC, count=4) == [start + HOUR * number for number in range(1, 5)]


def test_fractions_of_a_second_do_not_drift() -> None:
    rule = Interval(seconds=4 / 3, anchor=NEW_YEAR)
    start = NEW_YEAR + 1000 * timedelta(seconds=4 / 3)
    assert ticks(rule, NEW_YEAR, zone=UTC, count=1000)[-1] == start
    assert rule.after(start - timedelta(microseconds=1)) == start


@pytest.mark.parametrize("seconds", [0, 0.5, 0.999999, 3.2e9, 1e300])
def test_an_interval_outside_its_range_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"^every is .*; it must be from 1 second to 100 years$"):
        Interval(seconds=seconds, anchor=NEW_YEAR)


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, 10**400, "60", None, True])
def test_an_interval_that_is_not_a_duration_is_refused(seconds: Any) -> None:
    with pytest.raises(ValueError, match=r"it must be seconds from 0 up, a timedelta|without a unit"):
        Interval(seconds=seconds, anchor=NEW_YEAR)


def test_an_anchor_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        Interval(seconds=60, anchor=datetime(2025, 1, 1))


def test_intervals_are_values() -> None:
    same = Interval(seconds=60, anchor=at("2025-01-01T01:00+01:00"))
    assert {Interval(seconds=60.0, anchor=NEW_YEAR), same} == {same}
    assert Interval(seconds=timedelta(minutes=1), anchor=NEW_YEAR) == same  # type: ignore[arg-type]


# What was missed

RULES = [
    Cron.parse("* * * * *"),
    Cron.parse("*/20 2 * * *"),
    Cron.parse("* * 1 * *"),
    Cron.parse("0 9 * * mon-fri"),
    Cron.parse("@yearly"),
    Interval(seconds=3607, anchor=NEW_YEAR),
    Interval(seconds=1, anchor=NEW_YEAR),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("limit", [1, 2, 7, 100])
@pytest.mark.parametrize("span", [timedelta(0), timedelta(seconds=30), timedelta(seconds=90.7), 33 * DAY])
def test_the_latest_missed_ticks_are_found(rule: Cron | Interval, limit: int, span: timedelta) -> None:
    zone, since = zone_or_skip("Europe/Berlin"), at("2025-03-09T08:00:30.5+00:00")
    until, first = since + span, rule.after(since, zone)
    found = missed(rule, since, until=until, zone=zone, limit=limit)
    assert len(found) <= limit
    assert found == ticks(rule, found[0] - timedelta(microseconds=1), zone=zone, count=len(found)) if found else True
    assert ticks(rule, found[-1] if found else since, zone=zone, count=1)[0] > until
    assert len(found) == limit or not found or found[0] == first


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        ("00:00", "00:02", [1, 2]),
        ("00:00:01", "00:01:59", [1]),
        ("00:00", "00:04", [1, 2, 3, 4]),
        ("00:00", "00:05", [2, 3, 4, 5]),
        ("00:00", "00:59:59.999999", [56, 57, 58, 59]),
        ("00:01", "00:01", []),
        ("00:01", "00:00", []),
    ],
)
def test_missed_ticks_lie_after_the_first_instant_and_up_to_the_second(
    since: str, until: str, minutes: list[int]
) -> None:
    start, end = at(f"2025-01-01T{since}Z"), at(f"2025-01-01T{until}Z")
    found = missed(Cron.parse("* * * * *"), start, until=end, zone=UTC, limit=4)
    assert found == [NEW_YEAR + MINUTE * number for number in minutes]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("* * * * *", ["2024-12-31T23:58Z", "2024-12-31T23:59Z", "2025-01-01T00:00Z"]),
        ("* * * 2-6 *", ["2024-06-30T23:57Z", "2024-06-30T23:58Z", "2024-06-30T23:59Z"]),
        ("* * 29 2 *", ["2024-02-29T23:57Z", "2024-02-29T23:58Z", "2024-02-29T23:59Z"]),
    ],
)
def test_the_latest_of_millions_of_missed_ticks_are_found_without_walking_through_all(
    line: str, found: list[str]
) -> None:
    zone = CountingZone()
    latest = missed(Cron.parse(line), datetime(1925, 1, 1, tzinfo=UTC), until=NEW_YEAR, zone=zone, limit=3)
    assert latest == [at(text) for text in found]
    assert zone.asked < 3_000


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_at_least_one(limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit is {limit}; it must be at least 1"):
        missed(RULES[0], NEW_YEAR, until=NEW_YEAR + DAY, zone=UTC, limit=limit)


@pytest.mark.parametrize("count", [-1, 0, 1, 3])
def test_a_preview_is_as_long_as_asked_for(count: int) -> None:
    found = ticks(Cron.parse("@daily"), NEW_YEAR, zone=UTC, count=count)
    assert found == [NEW_YEAR + DAY * number for number in range(1, count + 1)]


# Zones by name


def test_a_zone_is_found_by_its_name() -> None:
    zone = zone_or_skip("Asia/Kathmandu")
    assert NEW_YEAR.astimezone(zone).utcoffset() == timedelta(hours=5, minutes=45)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc/passwd",
        "Europe",
        "Europe/",
        "Europe/../Europe/Berlin",
        "Europe/Berlin\n",
        "Europe/Berlin\0",
        "Europe/Atlantis",
        "\0",
        "\ud800",
        "CET+1",
        "+02:00",
        "zone.tab",
        "x" * 5_000,
        None,
        5,
        b"UTC",
        ["UTC"],
    ],
)
def test_a_name_that_is_not_a_time_zone_is_refused_with_an_example(name: Any) -> None:
    zone_or_skip("Europe/Berlin")
    with pytest.raises(ValueError) as caught:
        zone_named(name)
    assert str(caught.value) == (
        f'timezone is {repr(name)[:80]}; it must be "UTC" or the name of a zone such as "Europe/Berlin"'
    )


@pytest.fixture
def no_zone_data(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without zone data, such as Windows without the package tzdata."""
    before = zoneinfo.TZPATH
    for module in [name for name in sys.modules if name.partition(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=before)


@pytest.mark.usefixtures("no_zone_data")
def test_a_machine_without_zone_data_is_named_as_the_reason() -> None:
    message = "^time zone 'Europe/Berlin' is unknown, because this machine has no zone data; install tzdata$"
    with pytest.raises(ValueError, match=message):
        zone_named("Europe/Berlin")


@pytest.mark.usefixtures("no_zone_data")
def test_utc_needs_no_zone_data() -> None:
    assert zone_named("UTC") is UTC


def main() -> None:
    """Go through the whole year minute by minute, in every place, for every line."""
    for name, year in PLACES:
        zone = zone_named(name)
        shown = list(look_at_the_wall(zone, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)))
        for line in LINES:
            found = lost_or_repeated(shown, line, zone)
            print(name, year, line, f"{len(found)} wrong: {found[0]} …" if found else "well", flush=True)


if __name__ == "__main__":
    main()
