"""The colours of each role: calm ones among 256, the user's own among 16, and none at all."""

from __future__ import annotations

from collections.abc import Mapping

from gigq.drawing.looks import LOOKS
from gigq.status import Phase

_WITHOUT = {
    "title": "1", "muted": "2", "warning": "1", "chosen": "7", "heading": "4", "title accent": "1;4", "accent": "1",
    "key": "1", "upside down": "7",
}  # fmt: skip
_FEW = _WITHOUT | {
    "muted": "2", "warning": "33", "heading": "2;4", "title accent": "1;4;36", "title": "1;4", "accent": "36",
    "key": "1", "upside down": "7;31",
    **{str(phase): look.terminal for phase, look in LOOKS.items()},
}  # fmt: skip
_AMBER, _BLUE, _VIOLET, _GREY = "38;5;172", "38;5;32", "38;5;98", "38;5;244"
_MANY = _FEW | {
    "muted": _GREY, "warning": _AMBER, "heading": f"{_GREY};4", "title accent": "1;4;38;5;32", "accent": _BLUE,
    "upside down": "7;38;5;167",
    Phase.SCHEDULED: _VIOLET, Phase.PAUSED: _AMBER, Phase.RETRYING: _AMBER, Phase.RESERVED: _BLUE, Phase.RUNNING: _BLUE,
    Phase.COMPLETED: "38;5;36", Phase.FAILED: "38;5;167", Phase.CANCELLED: _GREY, Phase.TIMEOUT: "38;5;133",
}  # fmt: skip
"""Colours in the middle, which are seen on a dark ground as on a light one: nobody tells which it is."""


def palette(colours: int) -> Mapping[str, str]:
    """Return the numbers of an escape sequence for each role, for a terminal of so many colours."""
    return _MANY if colours >= 256 else _FEW if colours >= 8 else _WITHOUT
