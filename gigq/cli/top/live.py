"""The screen while it is live: look, draw, wait for a key, and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from gigq.cli.columns import Pieces
from gigq.cli.top.capabilities import Capabilities
from gigq.cli.top.display import Display
from gigq.cli.top.painter import Painter
from gigq.cli.top.pieces import Look
from gigq.cli.top.questions import Question
from gigq.cli.top.scene import JobLine, Scene
from gigq.cli.top.state import DO, FILTER, QUIT, REDRAW, Effect, State, pressed
from gigq.cli.top.view import View, view
from gigq.cli.top.watch import CHECK, Watch
from gigq.errors import GigqError
from gigq.status import Phase

Story = Callable[[str], list[Pieces]]
"""Returns what is told of a job when it is opened, as lines; given its id."""

_WORKING = "working on it"

_SOON = 60
"""Seconds before its start in which the time of a job is counted down."""


class Live:
    """The screen of a queue.

    Args:
        watch: what is read.
        display: the terminal.
        capabilities: what it can do.
        palette: the colours of each role.
        look: how what is shown is written.
        story: what is told of a job that is opened.
        act: does what was asked, and returns a sentence that says so.
        is_read_only: whether nothing may be changed.
    """

    def __init__(
        self,
        watch: Watch,
        display: Display,
        *,
        capabilities: Capabilities,
        palette: Mapping[str, str],
        look: Look,
        story: Story,
        act: Callable[[Question], str],
        is_read_only: bool,
    ) -> None:
        self._watch, self._display = watch, display
        self._can, self._palette, self._look = capabilities, palette, look
        self._story_of, self._story = story, list[Pieces]()
        self._opened: JobLine | None = None
        self._act, self._is_read_only = act, is_read_only
        self._state = State(filter="")
        self._view: View | None = None
        self._painter: Painter | None = None
        self._drawn_at: datetime | None = None

    def run(self) -> None:
        """Show the screen until a person quits, or the terminal has gone."""
        clock = self._watch.queue.clock
        while not self._display.is_gone:
            is_other = False
            if clock.monotonic() >= self._watch.due and not self._state.is_held:
                is_other = self._watch.look()
            if is_other:
                self._tell()
            if is_other or self._display.is_new or self._has_aged():
                self._draw()
            keys = self._display.keys(self._pause(clock.monotonic()))
            if not self._press(keys):
                return
            if keys:
                self._draw()

    def _pause(self, now: float) -> float:
        """The seconds until there may be something to draw: times are counted by the clock's whole seconds."""
        if self._state.is_held:
            return 1.0
        return max(0.0, min(self._watch.due - now, CHECK))

    def _has_aged(self) -> bool:
        """Whether times on the screen are older than they say: by a second where seconds are counted."""
        now, drawn = self._watch.now, self._drawn_at
        if drawn is None or self._state.is_held:
            return drawn is None
        if now.minute != drawn.minute or (now - drawn).total_seconds() >= 60:
            return True
        return now.second != drawn.second and counts_seconds(self._watch.scene, now)

    def _draw(self) -> None:
        rows, columns = self._display.size
        if self._painter is None or self._display.is_new:
            self._painter = Painter(self._can, self._palette, rows=rows, width=max(1, columns - 1))
            self._display.is_new = False
        if self._drawn_at is None or not self._state.is_held:
            self._drawn_at = self._watch.now
        self._view = view(
            self._watch.scene, self._state, self._drawn_at, rows=rows, columns=columns, look=self._look,
            story=self._story, is_read_only=self._is_read_only,
        )  # fmt: skip
        self._state = self._view.state
        sent = self._painter.paint(self._view.lines)
        if sent:
            self._display.write(sent)

    def _press(self, keys: list[str]) -> bool:
        """Do what keys say, and return whether to go on. What was typed ahead of a question answers nothing."""
        for key in keys:
            assert self._view is not None
            before = self._state
            self._state, effect = pressed(
                self._state, key, self._view.panes, page=self._view.page, is_read_only=self._is_read_only,
                lines=self._view.told, opened=self._opened,
            )  # fmt: skip
            if effect and not self._do(effect):
                return False
            if self._state.opened != before.opened:
                self._tell()
            if self._state.question and not before.question:
                break
        return True

    def _do(self, effect: Effect) -> bool:
        if effect.kind == QUIT:
            return False
        if effect.kind == REDRAW:
            self._display.is_new = True
        if effect.kind == FILTER:
            self._filter(effect.filter)
        if effect.kind == DO and effect.question:
            self._state = self._state._replace(notice=_WORKING)
            self._draw()  # the file may be locked, for as long as the question would stay there
            try:
                notice = self._act(effect.question)
            except (GigqError, ValueError, OSError) as error:
                notice = str(error)
            self._state = self._state._replace(notice=notice)
            self._watch.refresh()
        return True

    def _filter(self, text: str) -> None:
        try:
            self._watch.show(text)
            self._state = self._state._replace(filter=text, pane="running", notice="")
        except ValueError as error:
            self._state = self._state._replace(notice=str(error))

    def _tell(self) -> None:
        """Read what is told of the opened job."""
        if self._state.opened is None:
            self._story, self._opened = [], None
            return
        try:
            self._opened = self._watch.job(self._state.opened.job_id)
            self._story = self._story_of(self._state.opened.job_id)
        except (GigqError, ValueError, OSError) as error:
            self._story = [[self._look.piece(f" {error}")]]


def counts_seconds(scene: Scene, now: datetime) -> bool:
    """Whether the screen shows times that differ from one second to the next."""
    if scene.trouble:
        return False
    if any(job.phase is Phase.RUNNING for job in scene.running):
        return True
    return any(job.at and abs((job.at - now).total_seconds()) < _SOON for job in scene.next)


