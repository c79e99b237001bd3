"""What a runner shares with the function that it is calling."""

from __future__ import annotations

from gigq.runtime.output import Output


class CallState:
    """What a runner shares with the function that it is calling.

    Attributes:
        is_running: whether an exception may be raised in the function's thread to stop it.
        has_ended: whether no more will be.
        is_aimed_at: whether another thread is about to raise one.
        stop_reason: the exception that stops the function, once its runner has decided to stop it.
        output: what the last function that was called leaves behind. Its runner clears it.
        started_at: when that was, as the file holds it.
    """

    __slots__ = ("has_ended", "is_aimed_at", "is_running", "output", "started_at", "stop_reason")

    def __init__(self) -> None:
        self.is_running = self.has_ended = self.is_aimed_at = False
        self.stop_reason: type[BaseException] | None = None
        self.output: Output | None = None
        self.started_at: str | None = None
