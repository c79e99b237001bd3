"""The lines of JSON that a worker and its child processes exchange.

The worker sends `Settings` and then claims. The child sends `READY`, and then a report for each claim; before a report,
if its function has left something behind, its output so far.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from gigq.claims import Claim
from gigq.reports import Progress, Report
from gigq.runtime.output import Log, Output
from gigq.status import ExecutionStatus

READY = b"null"
"""The line by which a child says that it waits for claims."""

_OUTPUT = b"output "
"""How the line of an output begins, and that of a report does not."""

GO, SKIP = b"G", b"S"
"""A ticket for each claim: what the child does with it. It begins no claim before it has drawn the claim's ticket."""

# Made once, as in codec.py. Lists of values rather than objects: they take half the time of a small claim.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_DECODER = json.JSONDecoder()

# Replaced before the tuple is made: NamedTuple._replace would make another one.
_TAGS = Claim._fields.index("tags")
_STATUS, _PROGRESS = Report._fields.index("status"), Report._fields.index("progress")


class QueueFile(NamedTuple):
    """The file of a queue, for jobs that write to it.

    Attributes:
        opener: the import path of the function that opens it for an execution: it takes the claim and, by their names,
            the following two.
        path: the file.
        durability: as for `JobQueue`.
    """

    opener: str
    path: str
    durability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a child is sent first.

    Attributes:
        handlers: import paths by the names that jobs use for them.
        allow: as for `Functions`.
        result_limit: the most bytes that a result may have as JSON.
        default: the import path of what converts what JSON lacks in a result, or None.
        keeps_logs: whether reports include what the function has logged and printed.
        file: how a job gets to the file of the queue; None if there is none.
        watch: where a program waits for its jobs: the path of a function to call before the first, and its arguments as
            JSON. Reports then describe exceptions so that they can be raised again. None where nobody waits.
    """

    handlers: Mapping[str, str]
    allow: Sequence[str] | None
    result_limit: int
    default: str | None = None
    keeps_logs: bool = False
    file: QueueFile | None = None
    watch: Sequence[str] | None = None


def settings_line(settings: Settings) -> bytes:
    return _line(tuple(getattr(settings, each.name) for each in fields(Settings)))


def read_settings(line: bytes) -> Settings:
    values = dict(zip((each.name for each in fields(Settings)), _values(line), strict=True))
    file = values["file"]
    return Settings(**values | {"file": file and QueueFile(*file)})


def claim_line(claim: Claim) -> bytes:
    return _line(claim)


def read_claim(line: bytes) -> Claim:
    values = _values(line)
    values[_TAGS] = tuple(values[_TAGS])
    return Claim._make(values)


def report_line(report: Report) -> bytes:
    return _line(report)


def read_report(line: bytes) -> Report:
    values = _values(line)
    values[_STATUS] = ExecutionStatus(values[_STATUS])
    if progress := values[_PROGRESS]:
        values[_PROGRESS] = Progress(*progress)
    return Report._make(values)


def output_line(output: Output) -> bytes:
    return _OUTPUT + _line((output.execution_id, output.progress, output.log and output.log.text(), output.cursor))


def is_output(line: bytes) -> bool:
    return line.startswith(_OUTPUT)


def read_output(line: bytes) -> Output:
    execution_id, progress, text, cursor = _values(line.removeprefix(_OUTPUT))
    return Output(execution_id, text and Log(text), progress and Progress(*progress), cursor)


class Lines:
    """Joins the pieces that arrive to lines. Takes linear time, however many pieces there are."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the lines that this piece completes, without their line ends."""
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._begun, lines[0]])
            self._begun.clear()
        if rest:
            self._begun.append(rest)
        return lines


def _line(values: tuple[Any, ...]) -> bytes:
    # surrogatepass: the name of an exception's class may contain what UTF-8 cannot encode.
    return _ENCODER.encode(values).encode("utf-8", "surrogatepass") + b"\n"


def _values(line: bytes) -> list[Any]:
    values: list[Any] = _DECODER.raw_decode(line.decode("utf-8", "surrogatepass"))[0]
    return values
