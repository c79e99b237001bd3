"""Times in the past as people type them: ``2h`` ago, ``09:30``, ``yesterday``, ISO 8601, and ranges of these."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from gigq.clock import earlier, to_instant, to_seconds

KINDS = "a duration such as 2h, a time such as 09:30, a day such as 2026-01-31, yesterday, or an instant in ISO 8601"

_DURATION = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)[smhd]")
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAYS = {"today": 0, "yesterday": 1}


def moment(text: str, *, now: datetime) -> datetime:
    """Return the instant that a person means, in UTC.

    Args:
        text: a duration, which is that long ago; a time of the day, the last one that has passed; ``now``, ``today``
            or ``yesterday``; a day; or an instant in ISO 8601. Without a zone it is local time, and a day is its
            first moment.
        now: what it counts from.

    Raises:
        ValueError: it is none of these.
    """
    return _told(text, now, is_end=False)


def period(text: str, *, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the beginning and the end that a person means by ``a..b``, ``a..``, ``..b`` or ``a``; None where open.

    The end is not part of it, but a day that is the end is, and a day alone is from its first moment to its last.
    Any other time alone is the beginning.

    Raises:
        ValueError: a time is none, both are missing, or the end does not come after the beginning.
    """
    first, dots, last = (part.strip() for part in text.partition(".."))
    if not first and not last:
        raise ValueError(f"{text!r:.80} is no range of times: write a..b, a.. or ..b")
    if not dots and _is_day(first):
        last = first
    since = moment(first, now=now) if first else None
    until = _told(last, now, is_end=True) if last else None
    if since is not None and until is not None and until <= since:
        raise ValueError(f"{text!r:.80} ends before it begins")
    return since, until


def _told(text: str, now: datetime, *, is_end: bool) -> datetime:
    try:
        instant = _moment(text.strip(), now)
        return _next_day(instant) if is_end and _is_day(text) else instant
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r:.80} is not a time: write {KINDS}") from None


def _moment(text: str, now: datetime) -> datetime:
    if _DURATION.fullmatch(text):
        return earlier(now, to_seconds(text))
    word = text.lower()
    if word == "now":
        return now
    if word in _DAYS:
        return _first_moment(now, days=_DAYS[word])
    if _TIME.fullmatch(text):
        return _last(time.fromisoformat(text if text[2] == ":" else f"0{text}"), now)
    return to_instant(text)


def _next_day(instant: datetime) -> datetime:
    return (instant.astimezone().replace(tzinfo=None) + timedelta(days=1)).astimezone(UTC)


def _is_day(text: str) -> bool:
    return text.lower() in _DAYS or _DAY.fullmatch(text) is not None


def _first_moment(now: datetime, *, days: int) -> datetime:
    return datetime.combine(now.astimezone().date() - timedelta(days=days), time()).astimezone(UTC)


def _last(at: time, now: datetime) -> datetime:
    """Return the last instant that has passed at which clocks here have shown this time."""
    # Local time without a zone, which astimezone() looks up for each day: the clocks may have changed in between.
    today = now.astimezone().date()
    instant = datetime.combine(today, at).astimezone(UTC)
    return instant if instant <= now else datetime.combine(today - timedelta(days=1), at).astimezone(UTC)
