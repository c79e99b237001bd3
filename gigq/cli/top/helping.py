"""What the screen says to who needs it: the keys and signs, and how to begin with a queue without jobs."""

from __future__ import annotations

from gigq.cli.columns import Pieces, columns
from gigq.cli.top.pieces import KEY, MUTED, TITLE, Look
from gigq.status import Phase

_KEYS = (
    ("Tab, arrows", "another pane, another line"),
    ("Enter", "open the job; of a queue, show its jobs"),
    ("/", "show the jobs that match a filter, such as status:failed queue:mail"),
    ("Esc", "back: out of a job, then without the filter"),
    ("Space", "hold the screen, and go on"),
    ("z", "give the pane the whole screen, and back"),
    ("q", "quit"),
)
_VERBS = (
    ("p", "pause the queue, or resume it"),
    ("R", "requeue the job, or all jobs with this failure"),
    ("K", "cancel the job"),
)
_SIGNS = (
    Phase.READY, Phase.SCHEDULED, Phase.WAITING, Phase.PAUSED, Phase.RETRYING, Phase.RESERVED, Phase.RUNNING,
    Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED, Phase.TIMEOUT,
)  # fmt: skip
_BEGINNINGS = (
    ("No jobs yet.", ""),
    ("Submit one: ", "gigq submit package.module:function"),
    ("Run it:     ", "gigq worker"),
    ("More:       ", "gigq --help"),
)


def lines(look: Look, *, width: int, is_read_only: bool) -> list[Pieces]:
    """Return the keys and the signs with their meanings."""
    keys = [*_KEYS[:-1], *(() if is_read_only else _VERBS), _KEYS[-1]]
    found: list[Pieces] = [[(" keys", TITLE)]]
    found += [[(f"  {key:<12}", KEY), (f" {meaning}", "")] for key, meaning in keys]
    found += [[], [(" signs", TITLE)], []]
    for phase in _SIGNS:
        piece: Pieces = [(f"  {look.sign(phase)} ", str(phase)), (f"{phase:<10}", "")]
        if sum(columns(text) for text, _ in found[-1] + piece) > width:
            found.append([])
        found[-1] = found[-1] + piece
    return found


def welcome(look: Look, *, width: int, room: int) -> list[Pieces]:
    """Return how to begin, in the middle of the screen."""
    wide = max(len(words) + len(command) for words, command in _BEGINNINGS)
    left = " " * max(1, (width - wide) // 2)
    above = max(0, (room - len(_BEGINNINGS) - 1) // 2)
    found: list[Pieces] = [[] for _ in range(above)]
    for words, command in _BEGINNINGS:
        found.append([(left, ""), (words, MUTED if command else TITLE), (command, KEY)])
        if not command:
            found.append([])
    return found
