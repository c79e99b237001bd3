"""The rules of schedules: the instants at which cron lines and intervals tick, also where the clocks change.

The rules are Vixie's. A line of fixed times ticks when the wall clock first shows such a time *or a later one*: at the
first of two 02:30s, and for a 02:30 that is skipped right after the gap. Times that are skipped together are one tick.
A line whose minute or hour begins with ``*`` follows real time: in both of two equal hours, and not in a skipped one.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import dropwhile, islice, takewhile
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from gigq.clock import to_instant, to_seconds

_FIRST, _END = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)  # room for time zones at both ends
_TINY, _SECOND = timedelta(microseconds=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A cron line, read by `parse`. Two are equal if their lines are. Safe to share between threads."""

    line: str
    minutes: tuple[int, ...] = field(repr=False, compare=False)
    hours: tuple[int, ...] = field(repr=False, compare=False)
    days: tuple[int, ...] = field(repr=False, compare=False)
    months: tuple[int, ...] = field(repr=False, compare=False)
    weekdays: frozenset[int] = field(repr=False, compare=False)  # from 0, which is Sunday, to 6
    is_either_day_enough: bool = field(repr=False, compare=False)  # neither day field begins with "*"
    is_real_time: bool = field(repr=False, compare=False)  # the minute or the hour begins with "*"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read five fields (minute, hour, day of month, month, day of week) or one word such as ``@daily``.

        A field is a list of ``*``, ``a`` and ``a-b``, each with or without a step ``/n``; ``a/n`` goes on to the
        field's last value. Months and days of the week have names too. A range must not go backwards, but it may
        end on Sunday: ``fri-sun`` is ``5-7``. If neither day field begins with ``*``, either is enough.

        Raises:
            ValueError: it is not a cron line, or its day never comes.
        """
        line, texts = _split(line)
        minutes, hours, days, months, weekdays = (_values(*each, line) for each in zip(_FIELDS, texts, strict=True))
        any_minute, any_hour, any_day, _, any_weekday = (text.startswith("*") for text in texts)
        if (any_day or any_weekday) and days[0] > max(monthrange(2000, month)[1] for month in months):
            raise ValueError(f"day of month is {texts[2]!r} in {line!r}; no month of {texts[3]!r} has that many days")
        return cls(
            line=line,
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(weekday % 7 for weekday in weekdays),
            is_either_day_enough=not (any_day or any_weekday),
            is_real_time=any_minute or any_hour,
        )

    def after(self, instant: datetime, zone: tzinfo) -> datetime | None:
        """Return the first tick strictly after an aware instant, in UTC; None if there is none before the year 9999.

        `zone` is the time zone of the line: one from `zone_named`, or another that supports `fold` (PEP 495). No tick
        is before the year 2. It takes 10 to 20 microseconds however far the tick is, 50 near a change of the clocks.
        """
        instant = max(_aware(instant), _FIRST)
        if instant >= _END:
            return None
        wall = _wall(instant, zone)
        tick = self._first_shown(wall, instant, zone)
        if not self.is_real_time or (again := _instants_of(wall, zone)[1]) <= instant:
            return tick
        change = _change(instant.replace(microsecond=0), again, zone)  # to this time or one before it
        tick_again = self._first_shown(_wall(change, zone) - _TINY, change - _TINY, zone)
        return min((each for each in (tick, tick_again) if each), default=None)

    def _first_shown(self, wall: datetime, instant: datetime, zone: tzinfo) -> datetime | None:
        """Return the first tick after `instant` that is for a time beyond `wall`."""
        while shown := self._wall_after(wall):
            wall = shown
            first, last = _instants_of(wall, zone)
            if first > last:
                change = _change(last, first, zone)
                if not self.is_real_time:
                    return change
                wall = _wall(change, zone) - _TINY  # on where the gap ends
            elif first > instant:
                return first
            elif last > instant and self.is_real_time:
                return last
        return None

    def _wall_after(self, wall: datetime) -> datetime | None:
        for day in self._days_from(wall.date()):
            hour, minute = (wall.hour, wall.minute) if day == wall.date() else (-1, 59)
            if hour in self.hours and minute < self.minutes[-1]:
                return datetime.combine(day, time(hour, self.minutes[bisect_right(self.minutes, minute)]))
            if hour < self.hours[-1]:
                return datetime.combine(day, time(self.hours[bisect_right(self.hours, hour)], self.minutes[0]))
        return None

    def _days_from(self, today: date) -> Iterator[date]:
        months = ((year, month) for year in range(today.year, _END.year) for month in self.months)
        for year, month in dropwhile(lambda each: each < (today.year, today.month), months):
            first = today.day if (year, month) == (today.year, today.month) else 1
            last = monthrange(year, month)[1]
            for number in range(first, last + 1) if self.is_either_day_enough else self.days:
                if first <= number <= last and self._has(day := date(year, month, number)):
                    yield day

    def _has(self, day: date) -> bool:
        is_weekday = day.isoweekday() % 7 in self.weekdays
        return is_weekday or (self.is_either_day_enough and day.day in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A tick at regular intervals of real time, counted from `anchor` both ways. Safe to share between threads.

    Attributes:
        seconds: its length, from 1 (workers look about once a second) to 100 years, exact to the microsecond.
        anchor: one of the ticks, an aware instant.

    Raises:
        ValueError: another length, or an anchor without a time zone.
    """

    seconds: float
    anchor: datetime

    def __post_init__(self) -> None:
        seconds = to_seconds(self.seconds)
        if not 1 <= seconds <= 100 * 366 * 86_400:
            raise ValueError(f"every is {self.seconds!r:.80}; it must be from 1 second to 100 years")
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "anchor", _aware(self.anchor))

    def after(self, instant: datetime, zone: tzinfo = UTC) -> datetime | None:
        """Return the first tick strictly after an aware instant, as `Cron.after` does. It is the same in every zone."""
        instant, step = max(_aware(instant), _FIRST), timedelta(seconds=self.seconds)
        wait = step - (instant - self.anchor) % step
        return instant + wait if wait < _END - instant else None


Rule = Cron | Interval
"""A rule by which a schedule ticks."""


def ticks(rule: Rule, start: datetime, *, zone: tzinfo, count: int) -> list[datetime]:
    """Return the next `count` ticks strictly after an aware instant, in UTC; fewer near the year 9999."""
    return list(islice(_following(rule, start, zone), max(0, count)))


def missed(rule: Rule, since: datetime, *, until: datetime, zone: tzinfo, limit: int) -> list[datetime]:
    """Return the ticks after `since` up to and including `until`, the earliest first; if too many, the latest `limit`.

    It halves the span of time until few enough are left: ten years of every minute take thirty looks at `limit` ticks.

    Raises:
        ValueError: `limit` is less than 1, or an instant has no time zone.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit!r}; it must be at least 1")
    since, until = _aware(since), _aware(until)

    def found(skipped: int) -> list[datetime]:
        following = _following(rule, since + skipped * _SECOND, zone)
        return list(islice(takewhile(lambda tick: tick <= until, following), limit + 1))

    if len(everything := found(0)) <= limit:
        return everything
    too_few = bisect_left(range((until - since) // _SECOND + 1), True, key=lambda skipped: len(found(skipped)) < limit)
    return found(too_few - 1)  # exactly `limit`, because no rule ticks twice a second


def _following(rule: Rule, instant: datetime, zone: tzinfo) -> Iterator[datetime]:
    while tick := rule.after(instant, zone):
        yield (instant := tick)


def zone_named(name: str) -> tzinfo:
    """Return the time zone with a name such as ``Europe/Berlin``. ``UTC`` needs no zone data on the machine.

    Raises:
        ValueError: there is no such time zone, or the machine has no zone data.
    """
    if zone := _zone_or_none(name):
        return zone
    if _zone_or_none("Europe/Berlin"):
        raise ValueError(f'timezone is {name!r:.80}; it must be "UTC" or the name of a zone such as "Europe/Berlin"')
    raise ValueError(f"time zone {name!r:.80} is unknown, because this machine has no zone data; install tzdata")


def _zone_or_none(name: str) -> tzinfo | None:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (LookupError, ValueError, OSError, TypeError):  # of "", "../x" or a directory, depending on the version
        return None


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"{instant!r} has no time zone; pass an aware datetime")
    return to_instant(instant)


def _wall(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _instants_of(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when the wall clock first and last shows a time. If it never does, the first is the later (PEP 495)."""
    first, last = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    return first.astimezone(UTC), last.astimezone(UTC)


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the instant, to the second, since when the zone has had the offset that it has at `after`."""
    offset = after.astimezone(zone).utcoffset()
    seconds = range((after - before) // _SECOND)
    return before + _SECOND * bisect_left(
        seconds, True, key=lambda second: (before + second * _SECOND).astimezone(zone).utcoffset() == offset
    )


class _Field(NamedTuple):
    name: str
    values: range
    may_be: str
    names: str = ""


_FIELDS = (
    _Field("minute", range(60), "0 to 59"),
    _Field("hour", range(24), "0 to 23"),
    _Field("day of month", range(1, 32), "1 to 31"),
    _Field("month", range(1, 13), "1 to 12 or jan to dec", "jan feb mar apr may jun jul aug sep oct nov dec"),
    _Field("day of week", range(8), "0 to 7 or sun to sat", "sun mon tue wed thu fri sat"),
)
_WORDS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip


def _split(line: str) -> tuple[str, list[str]]:
    """Return the line with single blanks, and its five fields in lower case."""
    if not isinstance(line, str) or len(line) > 1000:  # a line that lists all values of all fields has under 400
        raise ValueError(f"{line!r:.80} is not a cron line; it must be text of at most 1000 characters")
    line = " ".join(line.split())
    texts = _WORDS.get(line.lower(), line.lower()).split()
    if len(texts) != len(_FIELDS):
        form = f"five fields ({', '.join(each.name for each in _FIELDS)}) or one of {', '.join(_WORDS)}"
        raise ValueError(f"{line!r} is not a cron line; it must be {form}")
    return line, texts


def _values(field: _Field, text: str, line: str) -> tuple[int, ...]:
    values: set[int] = set()
    for item in text.split(","):
        try:
            values.update(_range(item, field))
        except ValueError as error:
            raise ValueError(f"{field.name} is {item!r} in {line!r}; {error}") from None
    return tuple(sorted(values))


def _range(item: str, field: _Field) -> range:
    span, has_step, text = item.partition("/")
    start, is_range, end = span.partition("-")
    first, last = field.values[0], field.values[-1]
    if span != "*":
        first = _value(start, field)
        last = _value(end, field) if is_range else last if has_step else first
    if last == 0 < first and field is _FIELDS[-1]:
        last = 7
    step = _number(text) if has_step else 1
    if last < first:
        raise ValueError("a range must not go backwards")
    if not 1 <= step <= field.values[-1]:
        raise ValueError(f"a step must be 1 to {field.values[-1]}")
    return range(first, last + 1, step)


def _value(text: str, field: _Field) -> int:
    names = field.names.split()
    value = names.index(text) + field.values[0] if text in names else _number(text)
    if value not in field.values:
        raise ValueError(f"it must be {field.may_be}")
    return value


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1
