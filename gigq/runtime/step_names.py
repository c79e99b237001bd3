"""Which step a call is: its full name, its occurrence in this run of the function, and what it is called with."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from itertools import count
from threading import get_ident
from typing import Any, NamedTuple

from gigq import checks
from gigq.codec import canonical
from gigq.errors import StepChanged
from gigq.steps import Place

NAME_LIMIT = 500
"""The most characters of a step's name, with those of the steps around it."""

ARGUMENTS_LIMIT = 500
"""The most characters of a step's arguments that are kept for people."""


class StepCall(NamedTuple):
    """One call of a step.

    Attributes:
        name: its full name: ``outer/inner`` for a step inside another one, ``outer[2]/inner`` inside its second call.
        occurrence: 1 for the first call of this name in this run of the function, then 2, 3, ...
        depth: how many steps it is inside.
        fingerprint: of its arguments; None if JSON cannot hold them, so that they are not compared.
        arguments: the first characters of them, as JSON; None likewise.
        is_repeated: whether it repeats one of this run that has failed.
    """

    name: str
    occurrence: int
    depth: int
    fingerprint: str | None
    arguments: str | None
    is_repeated: bool = False

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"step {self.name!r}" + ("" if self.occurrence == 1 else f" ({_ordinal(self.occurrence)} time)")

    @property
    def beginning(self) -> str:
        """How the names of the steps inside it begin."""
        return f"{self.name}/" if self.occurrence == 1 else f"{self.name}[{self.occurrence}]/"

    def check_unchanged(self, *, depth: int, fingerprint: str | None, arguments: str | None) -> None:
        """Compare this call with the one that is remembered.

        Raises:
            StepChanged: it is called with other arguments, or it is another step whose full name is the same.
        """
        if depth != self.depth:
            raise StepChanged(
                f"{self.title} was remembered {_where(depth)} and is now called {_where(self.depth)}; "
                "a name with a slash in it can be that of a step inside another one, so give it another name"
            )
        if None not in (fingerprint, self.fingerprint) and fingerprint != self.fingerprint:
            raise StepChanged(
                f"{self.title} was remembered for {arguments} and is now called for {self.arguments}"
                f"{'' if arguments != self.arguments else ', which differs further on'}; name each, such as "
                f"f'{self.name} {{item}}', take what may change from a step of its own, or forget it with "
                f"requeue_job(id, from_step={self.name!r})"
            )


class StepNames:
    """The names of the steps that one run of a job's function has reached. Safe to use from several threads."""

    __slots__ = ("_calls", "_counts", "_failed", "_users")

    def __init__(self) -> None:
        # No lock, because JobTimeout may be raised in the middle of it: `setdefault` is one step of Python, and only
        # the thread that has a name counts its calls.
        self._users: dict[str, tuple[int, str]] = {}
        self._counts: dict[str, int] = {}
        self._failed: dict[str, str | None] = {}  # the fingerprints of the last calls, where those have failed
        self._calls = count(1)

    def reach(self, name: str, args: Sequence[Any], params: Mapping[str, Any]) -> StepCall:
        """Return which step a call is, and count it, unless it repeats the last call of its name, which has failed.

        A loop that tries a call again until it succeeds thus finds its result, however often it failed before, and so
        do the steps inside it, which are counted anew. Without arguments nobody can tell such a call from that for the
        next item, so each is counted.

        Raises:
            ValueError: the name is no text, empty or too long.
            RuntimeError: another thread of this run, or a step elsewhere in it, has used the name first.
        """
        own, (outer, depth, _) = checks.text(name, "the name of a step"), self._around()
        full = outer + own
        if len(full) > NAME_LIMIT:
            size = f"{len(full):,} characters; {NAME_LIMIT} are allowed"
            raise ValueError(f"step {checks.shown(full)} has a name of {size}")
        user, place = self._users.setdefault(full, (get_ident(), outer))
        if user != get_ident():
            raise RuntimeError(
                f"another thread of this job has used the step name {full!r} before, so that the order of the calls is "
                "left to chance; in threads give each step a name of its own, such as f'fetch {item}'"
            )
        if place != outer:
            raise RuntimeError(f"two steps of this job have the full name {full!r}, one inside another; rename one")
        fingerprint, arguments = described(args, params)
        failed = self._failed.pop(full, None)
        if failed is None or failed != fingerprint or not (args or params):
            self._counts[full] = self._counts.get(full, 0) + 1
            return StepCall(full, self._counts[full], depth, fingerprint, arguments)
        call = StepCall(full, self._counts[full], depth, fingerprint, arguments, is_repeated=True)
        self._begin_again(call)
        return call

    def _begin_again(self, step: StepCall) -> None:
        """Count the steps inside this one from 1 again, in whatever thread they are called."""
        for name, (_, place) in self._users.copy().items():
            if place.startswith(step.beginning):
                self._counts.pop(name, None)
                self._failed.pop(name, None)
                self._users.pop(name, None)

    @contextmanager
    def trying(self, step: StepCall) -> Iterator[None]:
        """Note that a call has failed if the block raises."""
        is_done = False
        try:
            yield
            is_done = True
        finally:
            if not is_done:
                self._failed[step.name] = step.fingerprint

    @contextmanager
    def inside(self, step: StepCall) -> Iterator[None]:
        """Name the steps that are called in the block, in this context, as steps inside this one."""
        token = _AROUND.set((self, step.beginning, step.depth + 1, next(self._calls)))
        try:
            yield
        finally:
            _AROUND.reset(token)

    @property
    def place(self) -> Place:
        """The steps that are being called in this context."""
        steps, _, call = self._around()
        return Place(steps, call)

    @property
    def is_inside_one(self) -> bool:
        """Whether a step is being called in this context."""
        return self._around()[1] > 0

    def _around(self) -> tuple[str, int, int]:
        """Return how the names of steps begin here, how many steps are around, and which call of the innermost."""
        names, steps, depth, call = _AROUND.get() or (self, "", 0, 0)
        # Otherwise it is a job that was called by a step of another one.
        return (steps, depth, call) if names is self else ("", 0, 0)


_AROUND: ContextVar[tuple[StepNames, str, int, int] | None] = ContextVar("gigq_step", default=None)


def described(args: Sequence[Any], params: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the fingerprint of a call's arguments, and their beginning for people; None twice if they are not JSON."""
    text = canonical([args, params])
    if text is None:
        return None, None
    shown = " ".join(canonical(part) or "" for part in ([args, params] if args and params else [args or params or []]))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(), _shortened(shown)


def _shortened(text: str) -> str:
    cut = text if len(text) <= ARGUMENTS_LIMIT else f"{text[: ARGUMENTS_LIMIT - 1]}…"
    return cut.encode(errors="backslashreplace").decode()


def _ordinal(number: int) -> str:
    last = 0 if number % 100 in (11, 12, 13) else number % 10
    return f"{number:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th')}"


def _where(depth: int) -> str:
    return "at the top of the job" if depth == 0 else "inside another step"
