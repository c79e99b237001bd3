"""The terminal of the tests: what its screen shows, and how a command on it is driven."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from emulator import Emulator, Style
from screen import Session

HANDLES = """
import os, shutil, signal, sys
def say(*_):
    size = shutil.get_terminal_size()
    os.write(1, f"{size.columns} {size.lines}\\n".encode())  # not print, which may not be interrupted by itself
signal.signal(signal.SIGWINCH, say)
say()
while (line := sys.stdin.readline()):
    print("got", line.strip(), flush=True)
sys.exit(7)
"""


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"one\r\ntwo", "one\ntwo"),
        (b"abcdefghij", "abcdefgh\nij"),
        (b"abcdefgh\r\nx", "abcdefgh\nx"),  # a full line does not wrap before the next letter
        ("日本語x".encode(), "日本語x"),
        ("abcdefg日".encode(), "abcdefg\n日"),  # a wide letter is not parted
        ("e\u0301a".encode(), "e\u0301a"),
        ("日\b\bx".encode(), "x"),
        ("日\b\b\bx".encode(), "x"),
        (b"\x1b[2;3Hx\x1b[1;1Hy", "y\n  x"),
        (b"abc\x1b[2Dx", "axc"),
        (b"abc\x1b[2D\x1b[K", "a"),
        (b"abc\x1b[1K", ""),
        (b"a\r\nb\r\nc\x1b[2;1H\x1b[J", "a"),
        (b"a\r\nb\x1b[2J", ""),
        (b"abcdef\x1b[1;2H\x1b[2P", "adef"),
        (b"abc\x1b[1;2H\x1b[2@", "a  bc"),
        (b"abc\x1b[1;1H\x1b[2X", "  c"),
        (b"a\x1b[3b", "aaaa"),
        (b"a\tb", "a      b"),
        (b"1\r\n2\r\n3\r\n4\r\n5", "2\n3\n4\n5"),
        (b"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3;1H\n", "1\n3\n\n4"),
        (b"1\r\n2\r\n3\x1b[2;1H\x1b[L", "1\n\n2\n3"),
        (b"1\r\n2\r\n3\x1b[2;1H\x1b[M", "1\n3"),
        (b"1\r\n2\x1b[1;1H\x1bM", "\n1\n2"),
        (b"\x1b(0lqk\x1b(B", "┌─┐"),
        (b"shell\x1b[?1049h\x1b[Hprogram", "program"),
        (b"shell\x1b[?1049h\x1b[Hprogram\x1b[?1049l$", "shell$"),
        (b"\x1b7abc\x1b8x", "xbc"),
        (b"\x1b]0;title\x07a\x1b]52;c;eA==\x1b\\b", "ab"),
    ],
)
def test_what_the_screen_shows(sent: bytes, shown: str) -> None:
    whole, piecemeal = Emulator(4, 8), Emulator(4, 8)
    whole.write(sent)
    for byte in sent:
        piecemeal.write(bytes([byte]))
    assert whole.text == piecemeal.text == shown
    assert whole.unknown == []


def test_it_knows_styles() -> None:
    screen = Emulator()
    screen.write(b"\x1b[1;31mred\x1b[0m \x1b[38;5;208;44morange\x1b[39;49m \x1b[7mturned\x1b[27m \x1b[90mgrey\x1b[m")
    assert screen.style_of("red") == Style("red", "", frozenset({"bold"}))
    assert screen.style_of("orange") == Style("208", "blue")
    assert screen.style_of("turned").marks == {"reverse"}
    assert screen.style_of("grey").foreground == "bright black"


def test_what_it_does_not_know_is_told() -> None:
    screen = Emulator()
    screen.write(b"\x1b[5y\x1bZ\x01 \xc2\x9b")
    assert screen.unknown == ["\x1b[5y", "\x1bZ", "\x01", "\x9b"]
    screen.write(b"\x1b]0;mine\x07")
    assert screen.titles == ["\x1b]0;mine\x07"]


def test_a_smaller_screen_keeps_the_line_of_the_cursor() -> None:
    screen = Emulator(4, 8)
    screen.write(b"1\r\n2\r\n3\r\n4")
    screen.resize(2, 4)
    assert screen.lines == ["3", "4"]
    screen.resize(3, 8)
    assert (screen.lines, screen.row) == (["3", "4", ""], 1)


def test_a_command_is_typed_to_and_resized() -> None:
    with Session(sys.executable, "-c", HANDLES, rows=10, columns=40) as session:
        session.wait_for("40 10")
        session.resize(20, 60)
        session.wait_for("60 20")
        session.type("hello\r")
        session.wait_for("got hello")
        session.press("Ctrl-D")
        assert session.wait() == 7
        assert session.state() == session.state_before
        assert session.lines[:4] == ["40 10", "60 20", "hello", "got hello"]


def test_ctrl_c_reaches_the_command() -> None:
    with Session("cat") as session:
        session.type("begun\r")
        session.wait_for("begun\nbegun")
        session.press("Ctrl-C")
        assert session.wait() == -signal.SIGINT


def test_a_stream_can_be_a_pipe_while_the_others_are_the_terminal() -> None:
    probe = "import sys; print([s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)], file=sys.stderr)"
    with Session(sys.executable, "-c", probe, pipes={"stdout": subprocess.PIPE}) as session:
        session.wait_for("[True, False, True]")
        assert session.wait() == 0


def test_who_waits_in_vain_is_shown_the_screen() -> None:
    with Session("echo", "something else") as session, pytest.raises(AssertionError, match="something else"):
        session.wait_for("this", seconds=5)
