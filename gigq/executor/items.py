"""A call that was asked for: the future that its caller holds, and what the executor knows of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from functools import partial
from typing import Any

from gigq.executor.callbacks import Callbacks

_DECIDED = "_is_decided"


class Item(Future[Any]):
    """The future of one call.

    Attributes:
        job_id: the id of its job.
        function: the path of its function.
        raised: an execution, and what the function has raised in it, in a thread of this process.
    """

    def __init__(
        self, job_id: str, function: str, *, callbacks: Callbacks, withdraw: Callable[[Item], object]
    ) -> None:
        super().__init__()
        self.job_id = job_id
        self.function = function
        self.raised: tuple[int, BaseException] | None = None
        self._callbacks = callbacks
        self._withdraw = withdraw

    def cancel(self) -> bool:
        """Cancel the call. Returns False, and does nothing, if it runs or has ended."""
        is_cancelled = super().cancel()
        if is_cancelled:
            self._withdraw(self)
        return is_cancelled

    def begin(self) -> bool:
        """Whether the function may be called: from now on it cannot be cancelled. False if it was.

        Any thread may ask, and as often as it likes: the function may be called again after a worker has died.
        """
        token = object()
        if self.__dict__.setdefault(_DECIDED, token) is token:  # one of all who ask tells the future, and only once
            return self.set_running_or_notify_cancel()
        return not self.cancelled()

    def end(self, resolve: Callable[[], object]) -> None:
        """Tell those who wait for it; what `resolve` raises, they get."""
        if self.begin():
            try:
                resolve()
            except InvalidStateError:
                pass  # somebody has resolved it otherwise
            except Exception as error:  # what stands in the file is no JSON
                self.set_exception(error)
        self.raised = None

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        """Have a function called with the future when it is done, as `concurrent.futures` does.

        That is in a thread of its own, or at once in this one, if the future is done or is cancelled here.
        """
        self._callbacks.expect()
        super().add_done_callback(partial(self._callbacks.call, fn))
