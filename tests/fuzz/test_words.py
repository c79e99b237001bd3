"""Random words are read, or refused with the one error that their reader documents."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from gigq import InvalidJob, Job
from gigq.claims import Claim
from gigq.cli import values
from gigq.cli.exits import BadValue
from gigq.clock import from_text, to_instant, to_text
from gigq.cron import Cron, zone_named
from gigq.errors import NotImportable
from gigq.paths import path_of, resolve
from gigq.reports import Progress, Report
from gigq.runtime.output import Log, Output
from gigq.runtime.process.wire import Lines, claim_line, output_line, read_claim, read_output, read_report, report_line
from gigq.status import ExecutionStatus

ROUNDS = 3000

ODD = [
    "",
    " ",
    "\0",
    "\n",
    "\x1b[2J",
    "é",
    "漢",
    "🦀",
    "\udc80",
    "٣",
    "1" * 400,
    "-",
    "+",
    "=",
    "'",
    '"',
    "\\",
    "%s",
    "{}",
]


def texts(seed: int, pieces: list[str]) -> Iterator[str]:
    """Texts that are nearly right: made of the pieces of right ones, with an odd piece in between now and then."""
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        chosen = [chance.choice(ODD if chance.random() < 0.1 else pieces) for _ in range(chance.randrange(1, 9))]
        yield "".join(chosen)


def refusal_of(read: Callable[[str], object], text: str, *allowed: type[Exception]) -> str | None:
    """The error for a text that is refused, which must be one line; None for a text that is read."""
    try:
        read(text)
    except allowed as error:
        assert not isinstance(error, UnicodeError), repr(text)
        assert "\n" not in str(error), repr(text)
        return str(error)
    return None


CRON = [
    "*",
    "*/",
    "/",
    ",",
    "-",
    " ",
    " ",
    " ",
    "0",
    "5",
    "59",
    "60",
    "7",
    "31",
    "12",
    "JAN",
    "mon",
    "L",
    "#",
    "?",
    "@daily",
    "* * * * *",
]


def test_a_cron_line_is_refused_or_has_ticks_in_order() -> None:
    now, zone = datetime(2026, 3, 29, 0, 59, tzinfo=UTC), zone_named("Europe/Berlin")
    ticking = 0
    for text in texts(1, CRON):
        if refusal_of(Cron.parse, text, ValueError) is None:
            tick = Cron.parse(text).after(now, zone)
            assert tick is None or tick > now, repr(text)
            ticking += 1
    assert ticking > 20


def test_a_duration_is_finite_seconds_or_refused() -> None:
    read = 0
    for text in texts(2, ["1", "90", "0", ".", "5", "s", "m", "h", "d", "e", "inf", "nan", "_"]):
        for reader in (values.duration, values.age, values.limit):
            if refusal_of(reader, text, BadValue) is None:
                seconds = reader(text)
                assert seconds is None or (math.isfinite(seconds) and seconds >= 0), repr(text)
                read += 1
    assert read > 100


def test_a_number_is_refused_or_fits_into_the_file() -> None:
    for text in texts(3, ["1", "0", "9" * 9, "-", "high", "LOW", " ", "."]):
        for reader in (values.whole, values.at_least_one, values.priority):
            if refusal_of(reader, text, BadValue) is None:
                assert abs(reader(text)) < 2**63, repr(text)


INSTANT = [
    "2026",
    "-",
    "01",
    "31",
    "T",
    " ",
    "09",
    ":",
    "30",
    ".",
    "123456",
    "Z",
    "+",
    "+01:00",
    "W05",
    "0001-01-01",
    "9999-12-31",
]


def test_an_instant_is_refused_or_the_same_when_written_and_read_again() -> None:
    read = 0
    for text in texts(4, [*INSTANT, "2026-01-31", "T09:30:00"]):
        if refusal_of(to_instant, text, ValueError) is None:
            instant = to_instant(text)
            assert from_text(to_text(instant)) == instant, repr(text)
            read += 1
    assert read > 20


def test_any_value_in_place_of_an_instant_is_read_or_refused() -> None:
    odd: list[Any] = [None, 0, -1.5, b"\xff", [], *texts(5, INSTANT)]
    for value in odd:
        if refusal_of(from_text, value, ValueError) is None:
            assert from_text(value).utcoffset() is not None, repr(value)


def test_a_path_of_a_function_is_resolved_or_refused() -> None:
    for text in texts(
        6, ["os", ".", ":", "path", "join", "functions", "nothing", "__main__", "odd", "Class", "1", " "]
    ):
        if refusal_of(path_of, text, NotImportable) is None:
            refusal_of(resolve, text, NotImportable)


def test_a_parameter_is_refused_or_a_key_and_a_json_value() -> None:
    read = 0
    pieces = [
        "k",
        "=",
        "=",
        "1",
        "e5",
        "-",
        "[",
        "]",
        "{",
        "}",
        '"',
        ":",
        ",",
        "null",
        "true",
        "NaN",
        "Infinity",
        "1e999",
    ]
    for text in [*texts(7, pieces), "k=" + "[" * 100_000, "k=" + "9" * 10_000]:
        if refusal_of(values.parameter, text, BadValue) is None:
            key, value = values.parameter(text)
            assert key and text.startswith(f"{key}=")
            json.dumps(value, allow_nan=False)
            read += 1
    assert read > 100


# the lines that a worker and its child processes exchange


def words(chance: random.Random) -> str:
    pieces = [*ODD, "a", "output ", "null", "\u2028", "[", "]"]
    return "".join(chance.choice(pieces) for _ in range(chance.randrange(6)))


def claim_of(chance: random.Random) -> Claim:
    return Claim(
        chance.getrandbits(63), chance.random() < 0.5, chance.getrandbits(63), *(words(chance) for _ in range(6)),
        attempt=chance.getrandbits(30), max_attempts=chance.getrandbits(63), timeout=chance.choice([None, 0.1, 1e300]),
        retry_on=words(chance), no_retry_on=words(chance), pass_parent_results=chance.choice([None, True, False]),
        metadata=words(chance), crashes=chance.getrandbits(9), cursor=chance.choice([None, words(chance)]),
        tags=tuple(words(chance) for _ in range(3)), parent_results=chance.choice([None, words(chance)]),
    )  # fmt: skip


def report_of(chance: random.Random) -> Report:
    return Report(
        chance.choice(list(ExecutionStatus)), words(chance), words(chance), words(chance), words(chance),
        chance.random() < 0.5, chance.uniform(0, 1e9),
        chance.choice([None, "2026-01-01T00:00:00.000000Z"]),
        chance.choice([None, Progress(chance.random(), 2.0, words(chance))]), chance.choice([None, words(chance)]),
        cursor=chance.choice([None, words(chance)]),
    )  # fmt: skip


def values_of(output: Output) -> tuple[object, ...]:
    return (output.execution_id, output.log and output.log.text(), output.progress, output.cursor)


def test_claims_reports_and_outputs_survive_the_wire_however_it_cuts_them() -> None:
    chance = random.Random(8)
    sent: list[Any] = []
    stream = b""
    for _ in range(300):
        claim, report, output = claim_of(chance), report_of(chance), Output(1, Log(words(chance)), Progress(1.0))
        sent += [claim, report, values_of(output)]
        stream += claim_line(claim) + report_line(report) + output_line(output)
    lines, received, position = Lines(), list[bytes](), 0
    while position < len(stream):
        size = chance.randrange(1, 200)
        received += lines.feed(stream[position : position + size])
        position += size
    readers = itertools.cycle((read_claim, read_report, lambda line: values_of(read_output(line))))
    assert [read(line) for read, line in zip(readers, received, strict=False)] == sent


def test_a_line_that_no_worker_has_written_raises_only_errors_of_values() -> None:
    chance = random.Random(9)
    sound = [claim_line(claim_of(chance)), report_line(report_of(chance))]
    for _ in range(ROUNDS):
        line = bytearray(chance.choice(sound))
        for _ in range(chance.randrange(1, 4)):
            line[chance.randrange(len(line))] = chance.randrange(256)
        cut = bytes(line[: chance.randrange(len(line))] if chance.random() < 0.3 else line)
        for read in (read_claim, read_report):
            with suppress(ValueError, TypeError, LookupError, AttributeError):
                read(cut)


@pytest.mark.parametrize("seed", range(3))
def test_a_job_with_random_values_is_made_or_invalid(seed: int) -> None:
    chance = random.Random(seed)
    odd: list[Any] = [
        None,
        0,
        -1,
        2**70,
        1e308,
        math.nan,
        math.inf,
        "",
        "\udc80",
        b"x",
        [],
        {},
        [None],
        {"a": {1}},
        object(),
        True,
    ]
    fields = [each for each in Job.__dataclass_fields__ if each not in ("name", "function")]
    for _ in range(1000):
        given = {chance.choice(fields): chance.choice(odd) for _ in range(chance.randrange(1, 4))}
        with suppress(InvalidJob):
            Job("job", "functions:nothing", **given)
