"""The log of a job line by line, while the job is running: what is new in it since the last look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gigq.runtime.output import LEFT_OUT, parts_of
from gigq.status import ExecutionStatus

if TYPE_CHECKING:
    from gigq.records import ExecutionRecord, JobRecord
    from gigq.redaction import Redactor

    Found: TypeAlias = list[tuple[ExecutionRecord, Sequence[str]]]


class Piece(NamedTuple):
    """What is new in the log of an attempt: whole lines, in order.

    Attributes:
        heading: what is shown before the lines; empty if the attempt needs no heading, or has it already.
    """

    execution: ExecutionRecord
    lines: Sequence[str]
    heading: str

    def hidden_by(self, redactor: Redactor) -> Piece:
        """Return it without the secrets in it."""
        return self._replace(lines=redactor.text("\n".join(self.lines)).split("\n"))

    def as_dict(self) -> dict[str, object]:
        """Return it as a record with the keys of `gigq logs`."""
        execution = self.execution
        return {
            "attempt": execution.attempt,
            "status": execution.status,
            "worker_id": execution.worker_id,
            "log": "".join(f"{line}\n" for line in self.lines),
        }


class Follower:
    """Remembers how much of the log of a job has been shown.

    Args:
        attempt: the attempt to follow; None for all.
        tail: how many of the lines that are there at first to show; None for all.
    """

    def __init__(self, *, attempt: int | None = None, tail: int | None = None) -> None:
        self._attempt = attempt
        self._tail = tail
        self._shown: dict[int, int] = {}  # characters, by execution
        self._last_headed: int | None = None

    def news(self, job: JobRecord) -> list[Piece]:
        """Return what is new since the last call, attempt by attempt."""
        found: Found = [(each, lines) for each in chosen(job, self._attempt) if (lines := self._new_lines(each))]
        if self._tail is not None:
            found, self._tail = last_lines(found, self._tail), None
        return [Piece(each, lines, self._heading(each, job)) for each, lines in found]

    def _new_lines(self, execution: ExecutionRecord) -> list[str]:
        """Return the lines that are complete: also the last one, if the execution has ended."""
        text, length = _text_after(self._shown.get(execution.id, 0), execution.log or "")
        unfinished = ""
        if execution.status is ExecutionStatus.RUNNING:
            *whole, unfinished = text.rpartition("\n")
            text = "".join(whole)
        self._shown[execution.id] = length - len(unfinished)
        return _lines(text)

    def _heading(self, execution: ExecutionRecord, job: JobRecord) -> str:
        is_headed = self._last_headed == execution.id
        is_alone = self._last_headed is None and len(chosen(job, self._attempt)) == 1
        self._last_headed = execution.id
        return "" if is_headed or is_alone else heading_of(execution)


def chosen(job: JobRecord, attempt: int | None) -> list[ExecutionRecord]:
    """Return the executions of an attempt of a job; of all, if it is None."""
    return [each for each in job.executions if attempt in (None, each.attempt)]


def last_lines(found: Found, number: int) -> Found:
    """Return the last lines of logs, at most so many in all."""
    kept: Found = []
    for execution, lines in reversed(found):
        lines = lines[max(0, len(lines) - number) :]
        number -= len(lines)
        if lines:
            kept.append((execution, lines))
    return kept[::-1]


def heading_of(execution: ExecutionRecord) -> str:
    """Return what is shown before the log of an attempt, if there are several."""
    return f"attempt {execution.attempt}: {execution.status}, worker {execution.worker_id}"


def lines_of(execution: ExecutionRecord) -> list[str]:
    """Return the whole log of an attempt, line by line."""
    return _lines(execution.log or "")


def _text_after(shown: int, log: str) -> tuple[str, int]:
    """Return the text of a log after so many characters, and how many it has, those that are left out included."""
    head, tail, dropped = parts_of(log)
    begins_at = len(head) + dropped
    new_head, missed = head[shown:], begins_at - max(shown, len(head))
    between = f"{new_head and chr(10)}{LEFT_OUT.format(missed)}\n" if missed > 0 else ""
    return f"{new_head}{between}{tail[max(0, shown - begins_at) :]}", begins_at + len(tail)


def _lines(text: str) -> list[str]:
    # Not splitlines: it would also break lines where a terminal does not.
    return [line.expandtabs() for line in text.removesuffix("\n").split("\n")] if text else []
