"""How each phase is shown: its sign, its shape and its colours, never without its word."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from typing import NamedTuple

from gigq.status import Phase


class Look(NamedTuple):
    """How a phase is shown.

    Attributes:
        sign: one character for a terminal.
        plain: the same in ASCII.
        shape: the sign as the path of an SVG, 12 pixels wide and high, drawn with a line.
        light: the colour of its words on a light ground.
        dark: the same on a dark ground.
        terminal: its colour on a terminal, as numbers of an escape sequence.
        is_filled: whether the shape is filled as well.
        is_dashed: whether the line of the shape is dashed.
    """

    sign: str
    plain: str
    shape: str
    light: str
    dark: str
    terminal: str = ""
    is_filled: bool = False
    is_dashed: bool = False


_CIRCLE = "M1.5 6a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0"
_GREY = ("#4b5a6b", "#b3bfcc")
_AMBER = ("#9a5b00", "#f2c14e")
_BLUE = ("#1261c9", "#6cb0ff")

LOOKS = {
    Phase.READY: Look("○", "o", _CIRCLE, *_GREY),
    Phase.SCHEDULED: Look("◷", "@", f"{_CIRCLE}M6 3.5V6H8.5", "#5b4bb5", "#a99cff", "34"),
    Phase.WAITING: Look("◌", ".", _CIRCLE, *_GREY, is_dashed=True),
    Phase.PAUSED: Look("‖", "=", "M4 2V10M8 2V10", *_AMBER, "33"),
    Phase.RETRYING: Look("↻", "~", "M10 6.5a4 4 0 1 1-1.2-3.4M9.2 .8V3.4H6.6", *_AMBER, "33"),
    Phase.RESERVED: Look("◐", "%", f"{_CIRCLE}M6 1.5V10.5M4.6 2.2V9.8M3.2 3.2V8.8", *_BLUE, "36"),
    Phase.RUNNING: Look("▶", ">", "M3 1.8L10 6L3 10.2Z", *_BLUE, "36", is_filled=True),
    Phase.COMPLETED: Look("✓", "v", "M1.8 6.4L4.7 9.4L10.2 2.8", "#0f7b6c", "#45d0a8", "32"),
    Phase.FAILED: Look("✕", "x", "M2.3 2.3L9.7 9.7M9.7 2.3L2.3 9.7", "#c2182b", "#ff7a70", "31"),
    Phase.CANCELLED: Look("⊘", "/", f"{_CIRCLE}M9.2 2.8L2.8 9.2", "#646b73", "#98a1ab", "2"),
    Phase.TIMEOUT: Look("⧖", "!", "M2.5 1.5H9.5L2.5 10.5H9.5Z", "#8f2fa0", "#e39bf0", "35"),
}


class Ground(NamedTuple):
    """The colours of a picture that are not those of a phase."""

    panel: str
    hairline: str
    box: str
    border: str
    text: str
    muted: str
    line: str
    warning: str
    tint: float
    """How much of its own colour the ground of a phase has."""


LIGHT = Ground("#ffffff", "#d9dcdf", "#f1f3f4", "#848b93", "#1b1f24", "#57606a", "#848b93", "#c2182b", 0.08)
DARK = Ground("#1b1f24", "#343a42", "#101317", "#6b7580", "#e8eaed", "#a0a8b2", "#7c8692", "#ff7a70", 0.14)


def blended(colour: str, ground: str, share: float) -> str:
    """Return a colour of which `share` is one colour, and the rest another."""
    pairs = zip(_parts(colour), _parts(ground), strict=True)
    return "#" + "".join(f"{round(one * share + other * (1 - share)):02x}" for one, other in pairs)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
