"""The grammar of filters."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gigq import InvalidFilter, JobQueue
from gigq.filters import Filters
from gigq.query import KEYS, parse, text_of

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("", {}),
        (" \t\n", {}),
        ("status:failed", {"status": ["failed"]}),
        ("STATUS:Failed,timeout status:failed", {"status": ["failed", "timeout"]}),
        ("phase:ready phase:retrying", {"phase": ["ready", "retrying"]}),
        ("queue:mail function:app.send worker:w1", {"queue": "mail", "function": "app.send", "worker_id": "w1"}),
        ("function:app:send", {"function": "app:send"}),
        ("tag:a tag:b tag:a", {"tags": ["a", "b"]}),
        ("priority:high", {"priority": 100}),
        ("priority:-3", {"priority": -3}),
        ("error:ValueError workflow:w", {"error": "ValueError", "workflow": "w"}),
        ("id:a-1 id:b", {"ids": ["a-1", "b"]}),
        ('queue:"my queue" name:\'it is\'', {"queue": "my queue", "name": "it is"}),
        (r'name:"a \"b\" \\ c"', {"name": 'a "b" \\ c'}),
        ("args.user:42 args.user.name:ann", {"args": {"user": 42, "user.name": "ann"}}),
        ("args.0:1.5 args.a:true args.b:null args.c:-1e3", {"args": {"0": 1.5, "a": True, "b": None, "c": -1000.0}}),
        ('args.user:"42" args."a b:c":x args.e:""', {"args": {"user": "42", "a b:c": "x", "e": ""}}),
        ("args.a:NaN args.b:1e999 args.c:01 args.d:[1]", {"args": {"a": "NaN", "b": "1e999", "c": "01", "d": "[1]"}}),
        (f"args.n:{2**63 - 1}", {"args": {"n": 2**63 - 1}}),
        ("since:2h", {"since": NOW - timedelta(hours=2)}),
        ("until:2026-01-30T00:00Z", {"until": datetime(2026, 1, 30, tzinfo=UTC)}),
        ("since:2h..1h", {"since": NOW - timedelta(hours=2), "until": NOW - timedelta(hours=1)}),
        ("ended:2h", {"ended_since": NOW - timedelta(hours=2)}),
        ("ended:..1h", {"ended_until": NOW - timedelta(hours=1)}),
        ('"free text"', {"search": "free text"}),
        ("free  text status:failed more", {"search": "free text more", "status": ["failed"]}),
        ("it's 5%", {"search": "it's 5%"}),
        ('""', {"search": ""}),
    ],
)
def test_filters_are_read_as_the_keyword_arguments_of_find_jobs(text: str, filters: dict[str, Any]) -> None:
    assert parse(text, now=NOW) == filters
    assert parse(text_of(filters), now=NOW) == filters
    Filters.of(**filters)


@pytest.mark.parametrize(
    ("text", "word", "problem"),
    [
        ("queue:a stats:failed", "stats:failed", "there is no filter 'stats' (did you mean 'status'?); there are status"),
        ("tags:a", "tags:a", "did you mean 'tag'?"),
        ("worker_id:a", "worker_id:a", "did you mean 'worker'?"),
        ("zzz:a", "zzz:a", "there is no filter 'zzz'; there are status, phase, queue, function, name, tag, priority"),
        ("http://a", "http://a", "and text to search for in quotes"),
        ("a status:faild b", "status:faild", "there is no status 'faild' (did you mean 'failed'?); there are pending"),
        ("status:ready", "status:ready", "it is no status; write phase:ready"),
        ("phase:pending", "phase:pending", "it is no phase; write status:pending"),
        ("status:failed,", None, None),
        ("status:,", "status:,", "there is no status ','"),
        ("a queue:", "queue:", "queue needs a value, such as queue:mail"),
        ('queue:""', 'queue:""', "queue needs a value"),
        ("queue:a queue:b", "queue:b", "queue was given twice"),
        ("since:1h until:2h since:3h", "since:3h", "since was given twice"),
        ("since:2h..1h until:2h", "until:2h", "until was given twice"),
        ("args.a:1 args.a:2", "args.a:2", "it was given twice"),
        ("args:1", "args:1", "args needs the name of an argument"),
        ("args.:1", "args.:1", "args needs the name of an argument"),
        ("x args.user", "args.user", "it needs a name and a value, such as args.user:42"),
        ("args.user: 1", "args.user:", "args needs a value"),
        ('args."a b".c:1', 'args."a', "it needs a name and a value"),
        ('name:"a b', 'name:"a b', "its quote is not closed"),
        ('name:"a"b c', 'name:"a"b', "a blank must follow its closing quote"),
        ("-status:failed", "-status:", "a filter cannot be negated"),
        ("priority:urgent", "priority:urgent", "it must be a whole number or one of low, normal, high, critical"),
        (f"priority:{2**70}", f"priority:{2**70}", "priority is"),
        ("since:soon", "since:soon", "'soon' is not a time: write a duration such as 2h"),
        ("ended:1h..2h", "ended:1h..2h", "ends before it begins"),
        ("queue:\ud800", "queue:\ud800", "without lone surrogates"),
        ("args.a:\ud800", "args.a:\ud800", "without lone surrogates"),
    ],
)
def test_what_cannot_be_understood_is_pointed_at_in_one_sentence(text: str, word: str | None, problem: str) -> None:
    if word is None:
        parse(text)
        return
    with pytest.raises(InvalidFilter) as caught:
        parse(text, now=NOW)
    error = caught.value
    assert (error.text[error.start : error.end], error.text) == (word, text)
    assert problem in str(error) and str(error).startswith(f"{word!r}"[:80])
    assert "\n" not in str(error)


def test_each_word_has_an_example_that_is_understood() -> None:
    for word, key in KEYS.items():
        assert key.example.startswith(word)
        assert key.filter in parse(key.example) or word == "ended", key


def test_a_filter_without_a_word_is_refused() -> None:
    for filters in ({"colour": "red"}, {"args": {"a": [1]}}):
        with pytest.raises(ValueError):
            text_of(filters)
    assert text_of({"status": None, "queue": None}) == ""


PIECES = (
    "status", "phase", "queue", "args", ".", ":", "..", '"', "'", "\\", " ", ",", "failed", "ready", "2h", "09:30", "-",
    "since", "ended", "until", "tag", "priority", "1", "e9", "true", "\n", "\0", "é", "\ud800", "x", "name", "[", "search",
)  # fmt: skip


def test_random_text_is_read_or_refused_and_what_is_read_is_written_so_that_it_is_read_again() -> None:
    chance, read = random.Random(13), 0
    with JobQueue(":memory:") as queue:
        for _ in range(1500):
            text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 12)))
            try:
                filters = parse(text, now=NOW)
            except InvalidFilter as error:
                assert 0 <= error.start < error.end <= len(text), text
                continue
            read += 1
            assert parse(text_of(filters), now=NOW) == filters, text
            if "\ud800" not in text:
                assert queue.count(**filters) == 0
    assert read > 100


def test_a_megabyte_of_text_is_read_at_once() -> None:
    for text in ("a" * 10**6, "a " * 50_000, '"' + "\\" * 10**6, "args." * 200_000, "a:" * 500_000, "tag:a " * 9000):
        try:
            parse(text, now=NOW)
        except InvalidFilter as error:
            assert len(str(error)) < 500
