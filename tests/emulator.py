"""A small terminal: what its screen shows after bytes were written to it, as rows and columns.

It knows what xterm, screen and vt100 have in common and what programs of today use. A sequence that it does not know is
kept in `unknown`, so that a test can say that there was none.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple
from unicodedata import category, east_asian_width

_SEQUENCE = re.compile(
    r"\x1b\[(?P<mark>[<=>?]?)(?P<numbers>[\d;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b(?P<string>[]PX^_])(?P<text>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b[()*+](?P<letters>.)"
    r"|\x1b(?P<short>[^][PX^_()*+])",
    re.DOTALL,
)
_BEGUN = re.compile(r"\x1b(?:\[[<=>?]?[\d;:]*[ -/]*|[]PX^_][^\x07\x1b]*\x1b?|[()*+])?\Z")
_LINES = dict(zip("jklmnqtuvwx~`afgyz{|}", "┘┐┌└┼─├┤┴┬│·◆▒°±≤≥π≠£", strict=True))
"""What letters mean while a program draws with the special graphics of a VT100."""

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_MARKS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 5: "blink", 7: "reverse", 8: "hidden", 9: "struck"}
_UNMARKED = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 25: {"blink"}, 27: {"reverse"}, 28: {"hidden"}}


class Style(NamedTuple):
    """How a cell is drawn: names of colours (``red``, ``bright red``, ``208``, ``#rrggbb``), and marks such as bold."""

    foreground: str = ""
    background: str = ""
    marks: frozenset[str] = frozenset()


class Cell(NamedTuple):
    """A place on the screen: a letter with its accents; empty text in the right half of a wide letter."""

    text: str = " "
    style: Style = Style()


class Emulator:
    """The screen of a terminal.

    Attributes:
        rows: how many lines it has.
        columns: how many cells a line has.
        row: the line of the cursor, from 0.
        column: its cell.
        shows_cursor: whether it is seen.
        is_alternate: whether the screen of a full-screen program is shown.
        titles: titles of the window, clipboards, links: whatever a program has said besides letters, as it was sent.
        unknown: sequences and controls that this terminal does not know.
        answers: what the terminal would type in answer to questions; the caller takes it.
    """

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.rows, self.columns = rows, columns
        self.titles: list[str] = []
        self.unknown: list[str] = []
        self.answers = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._reset()

    def write(self, sent: bytes) -> None:
        """Show what a program has written. It may end in the middle of a letter or of a sequence."""
        text, at = self._rest + self._decoder.decode(sent), 0
        while at < len(text):
            if text[at] == "\x1b":
                found = _SEQUENCE.match(text, at)
                if found is None and _BEGUN.match(text, at):
                    break  # the rest of it comes with the next bytes
                self._obey(found) if found else self.unknown.append(text[at : at + 2])
                at = found.end() if found else at + 1
            else:
                self._take(text[at])
                at += 1
        self._rest = text[at:]

    def resize(self, rows: int, columns: int) -> None:
        """Give the screen another size: lines are cut or made longer, and the last ones stay when there are fewer."""
        away = max(0, self.row - rows + 1)
        for cells in (self._cells, self._other):
            del cells[:away]
            cells[:] = [(line + [Cell()] * columns)[:columns] for line in (cells + [[] for _ in range(rows)])[:rows]]
        self.rows, self.columns, self._top, self._bottom = rows, columns, 0, rows - 1
        self._go(self.row - away, self.column)

    @property
    def lines(self) -> list[str]:
        """What each line shows, without the blanks at its end."""
        return ["".join(cell.text for cell in line).rstrip() for line in self._cells]

    @property
    def text(self) -> str:
        """What the whole screen shows, without empty lines at its end."""
        return "\n".join(self.lines).rstrip("\n")

    def cells(self, row: int) -> list[Cell]:
        """Return the cells of a line."""
        return list(self._cells[row])

    def style_of(self, text: str) -> Style:
        """Return the style of the first letter of a text that the screen shows."""
        for line in self._cells:
            at = "".join(cell.text or "\0" for cell in line).find(text)
            if at >= 0:
                return line[at].style
        raise AssertionError(f"the screen does not show {text!r}:\n{self.text}")

    def _reset(self) -> None:
        self._cells, self._other = self._blank(), self._blank()
        self.row = self.column = 0
        self._style, self._saved, self._waits = Style(), (0, 0, Style()), False
        self._top, self._bottom = 0, self.rows - 1
        self.shows_cursor, self.is_alternate, self._wraps, self._draws_lines = True, False, True, False
        self._last = " "

    def _blank(self) -> list[list[Cell]]:
        return [[Cell()] * self.columns for _ in range(self.rows)]

    def _take(self, letter: str) -> None:
        match letter:
            case "\r":
                self._go(self.row, 0)
            case "\n" | "\v" | "\f":
                self._feed()
            case "\b":
                self._go(self.row, self.column - 1)
            case "\t":
                self._go(self.row, min(self.columns - 1, self.column // 8 * 8 + 8))
            case "\x0e" | "\x0f":
                self._draws_lines = letter == "\x0e"
            case "\a" | "\0":
                pass
            case _ if category(letter) == "Cc":
                self.unknown.append(letter)
            case _:
                self._put(_LINES.get(letter, letter) if self._draws_lines else letter)

    def _put(self, letter: str) -> None:
        wide = width_of(letter)
        if not wide:
            at = max(0, self.column - (0 if self._waits else 1))
            at -= not self._cells[self.row][at].text and at > 0
            cell = self._cells[self.row][at]
            self._cells[self.row][at] = cell._replace(text=cell.text + letter)
            return
        if self._waits or (self._wraps and self.column + wide > self.columns):
            self._feed()
            self._go(self.row, 0)
        at = min(self.column, self.columns - wide)
        self._split(at), self._split(at + wide)
        self._cells[self.row][at : at + wide] = [Cell(letter, self._style), Cell("", self._style)][:wide]
        self._waits = self._wraps and at + wide == self.columns
        self.column = min(at + wide, self.columns - 1)
        self._last = letter

    def _split(self, at: int) -> None:
        """Blank a wide letter of which only one half will be overwritten."""
        line = self._cells[self.row]
        if 0 < at < self.columns and not line[at].text:
            line[at - 1 : at + 1] = [Cell(), Cell()]

    def _feed(self) -> None:
        if self.row == self._bottom:
            self._scroll(1)
        else:
            self._go(self.row + 1, self.column)

    def _scroll(self, lines: int, top: int | None = None) -> None:
        """Move the lines of the region up; down, if the number is negative."""
        top = self._top if top is None else top
        region = self._cells[top : self._bottom + 1]
        number = min(abs(lines), len(region))
        empty = [[self._erased] * self.columns for _ in range(number)]
        moved = region[number:] + empty if lines > 0 else empty + region[: len(region) - number]
        self._cells[top : self._bottom + 1] = moved

    @property
    def _erased(self) -> Cell:
        return Cell(" ", Style("", self._style.background))

    def _go(self, row: int, column: int) -> None:
        self.row, self.column = max(0, min(row, self.rows - 1)), max(0, min(column, self.columns - 1))
        self._waits = False

    def _erase(self, row: int, start: int = 0, end: int | None = None) -> None:
        end = self.columns if end is None else min(end, self.columns)
        self._cells[row][start:end] = [self._erased] * (end - start)

    def _obey(self, found: re.Match[str]) -> None:
        if found["string"]:
            self.titles.append(found[0])
        elif found["short"]:
            self._obey_short(found["short"])
        elif found["letters"]:
            if found[0][1] == "(":
                self._draws_lines = found["letters"] == "0"
        else:
            numbers = [int(each or 0) for each in re.split("[;:]", found["numbers"])]
            known = self._obey_control(found["mark"] + found["between"] + found["final"], numbers)
            if not known:
                self.unknown.append(found[0])

    def _obey_short(self, letter: str) -> None:
        match letter:
            case "7":
                self._saved = (self.row, self.column, self._style)
            case "8":
                self._restore()
            case "D":
                self._feed()
            case "E":
                self._feed()
                self._go(self.row, 0)
            case "M":
                self._scroll(-1) if self.row == self._top else self._go(self.row - 1, self.column)
            case "c":
                self._reset()
            case "=" | ">" | "\\":
                pass
            case _:
                self.unknown.append(f"\x1b{letter}")

    def _restore(self) -> None:
        row, column, self._style = self._saved
        self._go(row, column)

    def _obey_control(self, command: str, numbers: list[int]) -> bool:
        """Do what a control sequence says, and return whether it is known."""
        first, count = numbers[0], max(1, numbers[0])
        move = _moves(self.row, self.column, numbers).get(command)
        if move:
            self._go(*move)
            return True
        edits: dict[str, Callable[[], object]] = {
            "J": lambda: self._erase_screen(first),
            "K": lambda: self._erase_line(first),
            "X": lambda: self._erase(self.row, self.column, self.column + count),
            "P": lambda: self._shift(-count),
            "@": lambda: self._shift(count),
            "L": lambda: self._scroll(-count, self.row),
            "M": lambda: self._scroll(count, self.row),
            "S": lambda: self._scroll(count),
            "T": lambda: self._scroll(-count),
            "b": lambda: [self._put(self._last) for _ in range(count)],
            "m": lambda: self._colour(numbers),
            "r": lambda: self._limit(numbers),
            "s": lambda: self._obey_short("7"),
            "u": lambda: self._obey_short("8"),
            "?h": lambda: [self._switch(each, on=True) for each in numbers],
            "?l": lambda: [self._switch(each, on=False) for each in numbers],
            "n": lambda: self._answer(f"\x1b[{self.row + 1};{self.column + 1}R" if first == 6 else "\x1b[0n"),
            "c": lambda: self._answer("\x1b[?1;2c"),
            "h": lambda: None, "l": lambda: None, "t": lambda: None, "!p": lambda: None, " q": lambda: None,
        }  # fmt: skip
        if command in edits:
            edits[command]()
        return command in edits

    def _answer(self, text: str) -> None:
        self.answers += text

    def _erase_screen(self, what: int) -> None:
        self._erase_line(what)
        rows = {0: range(self.row + 1, self.rows), 1: range(self.row)}.get(what, range(self.rows))
        for row in rows:
            self._erase(row)

    def _erase_line(self, what: int) -> None:
        start, end = {0: (self.column, None), 1: (0, self.column + 1)}.get(what, (0, None))
        self._erase(self.row, start, end)

    def _shift(self, by: int) -> None:
        """Insert blanks at the cursor, or take letters away; the rest of the line moves."""
        line, blanks = self._cells[self.row], [self._erased] * abs(by)
        rest = blanks + line[self.column :] if by > 0 else line[self.column - by :] + blanks
        self._cells[self.row] = (line[: self.column] + rest + blanks)[: self.columns]

    def _limit(self, numbers: list[int]) -> None:
        top, bottom = numbers[0] or 1, (numbers[1] if len(numbers) > 1 else 0) or self.rows
        self._top, self._bottom = top - 1, min(bottom, self.rows) - 1
        self._go(0, 0)

    def _switch(self, mode: int, *, on: bool) -> None:
        match mode:
            case 7:
                self._wraps = on
            case 25:
                self.shows_cursor = on
            case 47 | 1047 | 1049 if on != self.is_alternate:
                if mode == 1049 and on:
                    self._obey_short("7")
                self._cells, self._other, self.is_alternate = self._other, self._cells, on
                if on:
                    self._cells[:] = self._blank()
                elif mode == 1049:
                    self._restore()

    def _colour(self, numbers: list[int]) -> None:
        left = list(numbers)
        while left:
            number = left.pop(0)
            foreground, background, marks = self._style
            if number in (38, 48):
                colour = _many(left)
                foreground, background = (colour, background) if number == 38 else (foreground, colour)
            elif number == 0:
                foreground, background, marks = Style()
            elif number in _MARKS:
                marks |= {_MARKS[number]}
            elif number in _UNMARKED:
                marks -= _UNMARKED[number]
            elif number // 10 in (3, 9):
                foreground = _few(number)
            elif number // 10 in (4, 10):
                background = _few(number)
            self._style = Style(foreground, background, marks)


def width_of(letter: str) -> int:
    """Return how many cells a letter takes."""
    if category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1


def _few(number: int) -> str:
    return "" if number % 10 == 9 else ("bright " if number >= 90 else "") + _COLOURS[number % 10]


def _many(left: list[int]) -> str:
    """Return the colour of ``5;n`` or ``2;r;g;b``, and take it off the numbers."""
    if left and left[0] == 5:
        del left[0]
        return str(left.pop(0)) if left else ""
    red, green, blue = [*left[1:4], 0, 0, 0][:3]
    del left[:4]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _moves(row: int, column: int, numbers: list[int]) -> dict[str, tuple[int, int]]:
    """Where each sequence that moves the cursor would move it."""
    count, second = max(1, numbers[0]), max(1, numbers[1]) if len(numbers) > 1 else 1
    return {
        "A": (row - count, column), "B": (row + count, column), "e": (row + count, column),
        "C": (row, column + count), "a": (row, column + count), "D": (row, column - count),
        "E": (row + count, 0), "F": (row - count, 0), "G": (row, count - 1), "`": (row, count - 1),
        "d": (count - 1, column), "H": (count - 1, second - 1), "f": (count - 1, second - 1),
        "I": (row, (column // 8 + count) * 8), "Z": (row, max(0, -(-column // 8) - count) * 8),
    }  # fmt: skip
