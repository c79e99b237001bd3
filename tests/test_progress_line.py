"""The line that shows progress: what it says, that it fits, and that it is drawn on terminals alone."""

from __future__ import annotations

import io
import os

import pytest
from terminals import Terminal

from gigq import ManualClock
from gigq.progress_line import ProgressLine, fitted


def test_it_says_how_far_it_is_how_fast_and_how_long_it_will_take(clock: ManualClock, terminal: Terminal) -> None:
    with ProgressLine("crawl", clock=clock, stream=terminal.stream) as line:
        line.show(380, 1000, stored=380)
        assert terminal.written() == "\rcrawl 380/1000 38 %, 380 stored"
        clock.advance(4)
        line.show(412, 1000, stored=380, failed=2)
        assert terminal.written() == "\rcrawl 412/1000 41 % 8.0/s 1:14 left, 380 stored, 2 failed"
        clock.advance(100)
        line.show(1000, 1000, stored=380, failed=2)
    assert terminal.written() == "\rcrawl 1000/1000 100 % in 1:44, 380 stored, 2 failed      \r\n"


def test_it_says_in_words_how_it_is_where_that_is_no_number(clock: ManualClock, terminal: Terminal) -> None:
    with ProgressLine("crawl", clock=clock, stream=terminal.stream) as line:
        line.say("pending\x1b[2J")
        clock.advance(75)
        line.say("running")
    assert terminal.written() == "\rcrawl pending\\x1b[2J 0:00\rcrawl running 1:15       \r\n"
    with ProgressLine(clock=clock, stream=io.StringIO()) as silent:
        silent.say("pending")


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [
        (5000, 10, "500/s 0:10 left"),
        (1, 100, "0.6/min 11 d 13 h left"),
        (20, 100, "12/min 13:51:40 left"),
        (0, 10, "0/10000 0 %"),
        (9999, 1, "9999/10000 99 % 9999/s 0:00 left"),
    ],
)
def test_speeds_and_times_are_told_in_units_that_people_read(
    clock: ManualClock, terminal: Terminal, done: int, seconds: float, said: str
) -> None:
    line = ProgressLine(clock=clock, stream=terminal.stream)
    line.show(0, 10000)
    clock.advance(seconds)
    line.show(done, 10000)
    assert said in terminal.written()


def test_the_speed_is_that_of_the_last_half_minute(clock: ManualClock, terminal: Terminal) -> None:
    line = ProgressLine(clock=clock, stream=terminal.stream)
    for second in range(100):
        line.show(second * 10 if second < 50 else 500 + second - 50, 1000)
        clock.advance(1)
    line.show(550, 1000)
    assert terminal.written().split("\r")[-1].strip() == "550/1000 55 % 1.0/s 7:30 left"


def test_it_is_drawn_at_most_ten_times_a_second_and_only_what_is_new(clock: ManualClock, terminal: Terminal) -> None:
    line = ProgressLine(clock=clock, stream=terminal.stream)
    for done in range(100):
        line.show(done, 1000)
        clock.advance(0.01)
    assert 8 <= terminal.written().count("\r") <= 11
    clock.advance(1)
    line.show(1, 1000)
    assert terminal.written().startswith("\r1/1000 0 %")
    for _ in range(4):
        clock.advance(0.02)
        line.show(2, 1000)
    assert terminal.written() == ""
    line.close()
    line.close()
    assert terminal.written().count("\n") == 1


def test_a_shorter_line_leaves_nothing_of_a_longer_one(clock: ManualClock, terminal: Terminal) -> None:
    line = ProgressLine(clock=clock, stream=terminal.stream)
    line.show(10, 1000, stored=5, failed=1)
    terminal.written()
    clock.advance(1)
    line.show(1000, 1000)
    assert len(terminal.written()) == len("\r10/1000 1 %, 5 stored, 1 failed")


@pytest.mark.parametrize(
    ("label", "columns", "line"),
    [
        ("crawl", 40, "crawl 412/1000 41 %"),
        ("crawl all the pages", 30, "crawl all the... 412/1000 41 %"),
        ("crawl all the pages", 20, "412/1000 41 %"),
        ("crawl", 5, "412/1"),
        ("資料を集める仕事", 25, "資料を集... 412/1000 41 %"),
    ],
)
def test_what_does_not_fit_is_taken_from_the_label_first(label: str, columns: int, line: str) -> None:
    assert fitted(label, "412/1000 41 %", columns=columns) == line


def test_a_label_cannot_send_control_characters(clock: ManualClock, terminal: Terminal) -> None:
    ProgressLine("a\x1b[2Jb", clock=clock, stream=terminal.stream).show(1, 2)
    assert terminal.written() == "\ra\\x1b[2Jb 1/2 50 %"


def test_a_label_that_the_terminal_cannot_show_is_no_error(clock: ManualClock, terminal: Terminal) -> None:
    stream = os.fdopen(os.dup(terminal.stream.fileno()), "w", encoding="ascii")
    with stream, ProgressLine("données", clock=clock, stream=stream) as line:
        line.show(1, 2)
        assert terminal.written() == "\rdonn?es 1/2 50 %"


def test_where_there_is_no_terminal_nothing_is_written(
    clock: ManualClock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = io.StringIO()
    with ProgressLine("crawl", clock=clock, stream=text) as line:
        line.show(1, 2)
    assert text.getvalue() == ""
    monkeypatch.setattr("sys.stderr", None)
    with ProgressLine("crawl", clock=clock) as line:
        line.show(1, 2)
    monkeypatch.setenv("TERM", "dumb")
    with ProgressLine("crawl", clock=clock, stream=terminal.stream) as line:
        line.show(1, 2)
    assert terminal.written() == ""


def test_a_terminal_that_goes_away_ends_the_line_and_not_the_work(clock: ManualClock, terminal: Terminal) -> None:
    stream = os.fdopen(os.dup(terminal.stream.fileno()), "w")
    line = ProgressLine("crawl", clock=clock, stream=stream)
    line.show(1, 3)
    stream.close()
    clock.advance(1)
    line.show(2, 3)
    line.close()
