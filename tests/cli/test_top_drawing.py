"""`gigq top`: what is sent to a terminal so that it shows other lines than before, and how little that is."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest
from emulator import Emulator
from screen import SOURCES

from gigq.cli.columns import Pieces
from gigq.cli.top import bars
from gigq.cli.top.capabilities import Capabilities, capabilities
from gigq.cli.top.keys import Keyboard
from gigq.cli.top.painter import Painter
from gigq.cli.top.palette import palette
from gigq.cli.top.pieces import wrapped

ROWS, COLUMNS = 6, 70
ROLES = ("", "muted", "failed", "upside down", "chosen")
LETTERS = ("a", "b", " ", " ", "▅", "▇", "日", "e\u0301", "👨‍👩‍👧", "é")


def painter(**changes: object) -> Painter:
    can = Capabilities()._replace(**changes)
    return Painter(can, palette(can.colours), rows=ROWS, width=COLUMNS - 1)


def shown(screen: Emulator, sent: str) -> Emulator:
    screen.write(sent.encode())
    assert screen.unknown == []
    return screen


def random_line(chance: random.Random) -> Pieces:
    pieces = []
    for _ in range(chance.randrange(5)):
        pieces.append(("".join(chance.choices(LETTERS, k=chance.randrange(1, 25))), chance.choice(ROLES)))
    return pieces


def edited(chance: random.Random, line: Pieces) -> Pieces:
    """A line that differs a little: a letter, a role, or a part that has moved."""
    text, roles = "".join(text for text, _ in line), [role for text, role in line for _ in text]
    by = chance.choice((0, 0, 1, 2, 5))
    text, roles = text[by:] + "".join(chance.choices(LETTERS[:6], k=by)), roles[by:] + [""] * by
    cells = list(zip(text, roles, strict=False))
    if cells:
        cells[chance.randrange(len(cells))] = (chance.choice(LETTERS[:6]), chance.choice(ROLES))
    return cells


@pytest.mark.parametrize("seed", range(8))
def test_a_terminal_shows_the_same_whether_it_is_drawn_anew_or_changed(seed: int) -> None:
    chance = random.Random(seed)
    changed, screen = painter(can_shift=bool(seed % 4)), Emulator(ROWS, COLUMNS)
    lines: list[Pieces] = [random_line(chance) for _ in range(ROWS)]
    for _ in range(20):
        shown(screen, changed.paint(lines))
        fresh = shown(Emulator(ROWS, COLUMNS), painter().paint(lines))
        assert [screen.cells(row) for row in range(ROWS)] == [fresh.cells(row) for row in range(ROWS)]
        assert changed.paint(lines) == ""
        lines = [edited(chance, line) if chance.random() < 0.5 else line for line in lines]
        lines[chance.randrange(ROWS)] = random_line(chance)


def test_only_what_has_changed_is_sent() -> None:
    one = painter()
    one.paint([[("queue mail", "title"), ("    elapsed 1:03", "")]])
    sent = one.paint([[("queue mail", "title"), ("    elapsed 1:04", "")]])
    assert sent == "\x1b[1;26H4"


def test_an_hour_that_has_moved_by_a_minute_takes_a_few_bytes() -> None:
    one, screen = painter(), Emulator(ROWS, COLUMNS)
    chance = random.Random(1)
    hour = "".join(chance.choice("▁▂▃▄▅▆▇█") for _ in range(60))
    shown(screen, one.paint([[("done ", ""), (hour, "completed"), (" 42", "muted")]]))
    sent = one.paint([[("done ", ""), (hour[1:] + "▅", "completed"), (" 43", "muted")]])
    assert shown(screen, sent).lines[0] == f"done {hour[1:]}▅ 43"
    assert len(sent.encode()) < 60
    assert len(painter(can_shift=False).paint([[(hour, "completed")]]).encode()) > 180


def test_no_letter_wider_than_was_thought_moves_what_follows_it() -> None:
    sent = painter().paint([[("👨‍👩‍👧", ""), ("after", "")]])
    assert sent.endswith("👨‍👩‍👧\x1b[1;7Hafter")


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (b"j\r\t q", ["j", "Enter", "Tab", " ", "q"]),
        (b"\x1b[A\x1bOB\x1b[5~\x1b[1;5C\x1b[Z", ["Up", "Down", "PageUp", "Right", "Shift-Tab"]),
        ("é日".encode(), ["é", "日"]),
        (b"\x1b[200~\x1b[99~\x01\x00", []),
        (b"\x1by", ["Escape", "y"]),
        (b"\x7f\x08", ["Backspace", "Backspace"]),
    ],
)
def test_keys_have_names_however_their_bytes_come(sent: bytes, keys: list[str]) -> None:
    assert Keyboard().keys(sent) == keys
    one = Keyboard()
    assert [key for byte in sent for key in one.keys(bytes([byte]))] == keys


def test_escape_alone_is_known_once_nothing_follows() -> None:
    keyboard = Keyboard()
    assert (keyboard.keys(b"\x1b"), keyboard.is_in_sequence) == ([], True)
    assert keyboard.nothing_followed() == ["Escape"]
    assert (keyboard.keys(b"q"), keyboard.is_in_sequence) == (["q"], False)


def test_columns_have_eighths_and_anything_is_seen() -> None:
    assert bars.heights([0, 1, 500, 1000], 1000) == [0, 1, 4, 8]
    assert bars.row_of_columns([0, 1, 4, 8], 0) == " ▁▄█"
    assert [bars.row_of_columns([3, 12, 16], row) for row in (1, 0)] == [" ▄█", "▃██"]
    assert bars.row_of_hanging_columns([0, 1, 4, 8]) == "█▇▄ "  # the ground, to be drawn upside down
    assert bars.row_of_columns([0, 1, 4, 8], 0, is_unicode=False) == " .=@"
    assert bars.heights([0, 0], 0) == [0, 0]


@pytest.mark.parametrize(
    ("share", "drawn", "plain"),
    [(0, "    ", "...."), (0.5, "██  ", "##.."), (0.55, "██▎ ", "##.."), (2, "████", "####")],
)
def test_the_bar_of_a_job_has_eighths(share: float, drawn: str, plain: str) -> None:
    assert bars.progress(share, 4) == drawn
    assert bars.progress(share, 4, is_unicode=False) == plain


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("", [""]),
        ("abcdefghijkl m", ["abcdefgh", "ijkl m"]),
        ("日本語日本語", ["日本語日", "本語"]),
    ],
)
def test_text_is_broken_between_words_where_there_is_such_a_place(text: str, lines: list[str]) -> None:
    assert wrapped(text, 8) == lines


@pytest.mark.parametrize("colours", [0, 8, 16, 256])
def test_every_number_of_colours_has_a_look_for_what_is_chosen_and_what_fails(colours: int) -> None:
    found = palette(colours)
    assert "7" in found["chosen"] and "7" in found["upside down"]
    assert ("failed" in found) == bool(colours)


def known(name: str) -> str:
    """What `capabilities` says of a terminal, in a Python of its own: terminfo is read once in a process."""
    script = "import sys; from gigq.cli.top.capabilities import capabilities as c; print(c({'TERM': sys.argv[1]}, 1))"
    settings = os.environ | {"PYTHONPATH": SOURCES}
    return subprocess.check_output([sys.executable, "-c", script, name], env=settings, text=True, timeout=60)


@pytest.mark.parametrize(("name", "colours"), [("linux", 8), ("xterm-of-tomorrow", 8)])
def test_what_a_terminal_can_do_is_known_also_of_one_that_is_newer_than_the_machine(name: str, colours: int) -> None:
    assert f"has_styles=True, colours={colours})" in known(name)


def test_a_terminal_whose_cursor_cannot_be_moved_as_ansi_has_it_is_not_drawn_on() -> None:
    assert capabilities({"TERM": "dumb"}, 1) is capabilities({}, 1) is None
    assert known("vt52") == "None\n"
