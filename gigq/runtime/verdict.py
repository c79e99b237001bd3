"""Describe how an execution ended whose function has raised, or was stopped."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from itertools import dropwhile
from traceback import FrameSummary
from types import TracebackType

from gigq.claims import Claim
from gigq.clock import in_seconds, to_seconds
from gigq.codec import decode
from gigq.errors import GigqError, GiveUp, JobCancelled, JobTimeout, NotImportable, RetryLater
from gigq.paths import IMPORTERS, NotFound, full_name, names_of
from gigq.reports import Report
from gigq.retry import is_worth_retrying, wait_after_release

_CALL = __file__.replace("verdict", "call")
"""The module whose frames are around those of every function; a reader learns nothing from them."""

_MOST_SHOWN = 10


def timed_out(claim: Claim, *, stack: Sequence[FrameSummary] = ()) -> Report:
    """Return the report of an execution that overran its job's timeout.

    Args:
        stack: where its function stood, if that is known.
    """
    error = f"timed out after {in_seconds(claim.timeout or 0)}"
    trace = _text_of(stack, f"{JobTimeout.__name__}: {error}") if stack else None
    return Report.timed_out(error, error_type=JobTimeout.__name__, traceback=trace)


def report_on(error: BaseException, claim: Claim, *, is_final: bool = False, is_found: bool = True) -> Report:
    """Return the report of an execution whose function has raised this error.

    Of a group of exceptions it counts what is inside, as far as all of that agrees.

    Args:
        is_final: whether it must not be tried again, even if the job's rules allow that.
        is_found: False if it was raised while the function was looked for.
    """
    try:
        if not is_found:
            if isinstance(error, NotFound):
                return _not_found(error)
            error = error.with_traceback(_of_the_module(error.__traceback__))
        # A function that is found and cannot be called will be no other next time.
        return _report(error, claim, is_final=is_final or (not is_found and isinstance(error, NotImportable)))
    except Exception as odd:  # an exception that breaks whatever looks at it
        text = f"an exception that cannot be shown: {type(odd).__name__} while reading it"
        return Report.failed(text, error_type=type(error).__qualname__, is_final=is_final)


def _not_found(error: NotFound) -> Report:
    cause = error.__cause__
    frames = cause and _of_the_module(cause.__traceback__)  # none if not even the module was found
    trace = _trace(cause.with_traceback(frames)) if cause and frames else None
    return Report.not_found(error.reason, error_type=error.error_type, traceback=trace)


def own_frames(error: BaseException) -> TracebackType | None:
    """Return the frames of an error from the first one on of the function, or of its module; None if it has none."""
    return _of_the_module(_of_the_function(error.__traceback__))


def was_not_entered(error: BaseException) -> bool:
    """Whether a function does not take its arguments: Python never entered it."""
    return isinstance(error, TypeError) and _of_the_function(error.__traceback__) is None


def _report(error: BaseException, claim: Claim, *, is_final: bool) -> Report:
    leaves = _leaves(error)
    if claim.timeout is not None and _are_all(leaves, JobTimeout):
        report = timed_out(claim)
        return report._replace(error=_summary(leaves[0]) if leaves[0].args else report.error, traceback=_trace(error))
    if _are_all(leaves, JobCancelled):
        return Report.cancelled(_summary(leaves[0]))
    delays = [to_seconds(leaf.delay) for leaf in leaves if isinstance(leaf, RetryLater)]
    if len(delays) == len(leaves):
        return Report.released(str(leaves[delays.index(max(delays))]), delay=wait_after_release(max(delays)))
    return Report.failed(
        _summary(leaves[0]) if len(leaves) == 1 else _summary_of_group(error, leaves),
        error_type=type(leaves[0] if len(leaves) == 1 else error).__qualname__,
        traceback=_trace(error),
        is_final=is_final or not _is_worth_retrying(error, leaves, claim),
    )


def _leaves(error: BaseException) -> list[BaseException]:
    """Return what a group of exceptions holds, in order and without the groups inside; or just the error itself."""
    leaves, rest = [], [error]
    while rest:
        each = rest.pop()
        if isinstance(each, BaseExceptionGroup):
            rest += reversed(each.exceptions)
        else:
            leaves.append(each)
    return leaves


def _are_all(leaves: Sequence[BaseException], kind: type[BaseException]) -> bool:
    return all(isinstance(leaf, kind) for leaf in leaves)


def _is_worth_retrying(error: BaseException, leaves: Sequence[BaseException], claim: Claim) -> bool:
    if any(isinstance(leaf, GigqError) and leaf.is_final for leaf in leaves):
        return False
    own = names_of(type(error))  # of a group, which a rule may name as well
    return is_worth_retrying(
        [own | names_of(type(leaf)) for leaf in leaves],
        retry_on=decode(claim.retry_on),
        no_retry_on=[*decode(claim.no_retry_on), full_name(GiveUp)],
    )


def _summary(error: BaseException) -> str:
    """Return the last line of a traceback, the class and the message, even if the error's `__str__` raises."""
    lines = traceback.format_exception_only(error)
    text = lines[-1] if isinstance(error, SyntaxError) else "".join(lines)  # a SyntaxError's file and line come first
    return text.strip().removeprefix("gigq.errors.")


def _summary_of_group(error: BaseException, leaves: Sequence[BaseException]) -> str:
    shown = [_summary(leaf) for leaf in leaves[:_MOST_SHOWN]] + ["…"] * (len(leaves) > _MOST_SHOWN)
    return f"{_summary(error)}: {'; '.join(shown)}"


def _trace(error: BaseException) -> str:
    frames = _of_the_function(error.__traceback__)
    return "".join(traceback.format_exception(type(error), error, frames))


def _of_the_function(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_frame.f_code.co_filename == _CALL:
        frames = frames.tb_next
    return frames


def _of_the_module(frames: TracebackType | None) -> TracebackType | None:
    """Return the frames from those on of the module that was imported."""
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(IMPORTERS):
        frames = frames.tb_next
    return frames


def _text_of(stack: Sequence[FrameSummary], last_line: str) -> str:
    """Return the text of a traceback of the function's own frames."""
    inside = dropwhile(lambda frame: frame.filename != _CALL, stack)
    frames = [*dropwhile(lambda frame: frame.filename == _CALL, inside)] or stack
    return "".join(["Traceback (most recent call last):\n", *traceback.format_list([*frames]), last_line])
