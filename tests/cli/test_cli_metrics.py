"""`gigq metrics`, read by an independent reader of the Prometheus text format."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from gigq import Job, JobQueue, Worker
from gigq.testing import drain

Run = Callable[..., Any]

NASTY = ['with "quotes"', "back\\slash", "new\nline", "a\\nb", "{brace},=", "tab\t", "\r", "\x1b[2J", "ü€😀", " ", "#"]

"""Names that queues may have."""


def add(a: int) -> int:
    return a


# metrics: an independent reader of Prometheus' text format, version 0.0.4


class Sample(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")

_LABEL = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)=")

_VALUE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|Inf)|NaN")

_ESCAPED = {"\\": "\\", '"': '"', "n": "\n"}


def read(text: str) -> tuple[dict[str, str], list[Sample]]:
    """The types of all metrics and their samples; whatever breaks the format's rules fails."""
    assert text.endswith("\n")
    types: dict[str, str] = {}
    helped: list[str] = []
    samples: list[Sample] = []
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, words = line.removeprefix("# HELP ").partition(" ")
            assert name not in helped
            assert words
            helped.append(name)
        elif line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            assert name not in types
            assert kind in ("counter", "gauge", "summary", "histogram", "untyped")
            types[name] = kind
        else:
            samples.append(sample_of(line))
            assert samples[-1].name == list(types)[-1], "a sample stands below the type of its own metric"
    assert helped == list(types)
    assert_series_differ(samples)
    for name, kind in types.items():
        assert_fits(name, kind, [sample for sample in samples if sample.name == name])
    return types, samples


def sample_of(line: str) -> Sample:
    name = _NAME.match(line)
    assert name, line
    labels, rest = labels_of(line[name.end() :])
    value = rest.removeprefix(" ")
    assert _VALUE.fullmatch(value), line
    return Sample(name[0], labels, float(value))


def labels_of(text: str) -> tuple[dict[str, str], str]:
    labels: dict[str, str] = {}
    if not text.startswith("{"):
        return labels, text
    text = text[1:]
    while not text.startswith("}"):
        label = _LABEL.match(text)
        assert label, text
        assert label[1] not in labels
        assert not label[1].startswith("__")
        labels[label[1]], text = quoted(text[label.end() :])
        text = text.removeprefix(",")
    return labels, text[1:]


def quoted(text: str) -> tuple[str, str]:
    assert text.startswith('"'), text
    value, rest = "", text[1:]
    while not rest.startswith('"'):
        if rest[0] == "\\":
            value, rest = value + _ESCAPED[rest[1]], rest[2:]
        else:
            value, rest = value + rest[0], rest[1:]
    return value, rest[1:]


def assert_series_differ(samples: list[Sample]) -> None:
    series = [(sample.name, frozenset(sample.labels.items())) for sample in samples]
    assert len(series) == len(set(series))


def assert_fits(name: str, kind: str, samples: list[Sample]) -> None:
    """What is a counter ends in _total and is not negative; what is a gauge takes no word of another kind."""
    assert name.endswith("_total") == (kind == "counter")
    assert kind in ("counter", "gauge"), "for a summary or a histogram this reader has no rules"
    assert not name.endswith(("_sum", "_count", "_bucket"))
    for sample in samples:
        assert not {"quantile", "le"} & set(sample.labels)
        assert math.isfinite(sample.value)
        assert sample.value >= 0


@pytest.fixture
def busy(queue: JobQueue) -> JobQueue:
    """Something of everything, in queues of all names."""
    for name in NASTY:
        queue.submit(Job("job", add, {"a": 1}, queue=name, priority=-3))
    drain(queue)
    for number, name in enumerate(NASTY, start=1):
        queue.submit_many(Job("job", add, {"a": 1}, queue=name) for _ in range(number))
    queue.pause(NASTY[0])
    return queue


def test_metrics_follow_the_rules_of_the_prometheus_format(run: Run, busy: JobQueue) -> None:
    types, samples = read(run("metrics").out)

    assert {name for name in types if not name.startswith("gigq_")} == set()
    assert {sample.name for sample in samples} == set(types)


def test_an_empty_queue_has_the_same_metrics(run: Run, busy: JobQueue, tmp_path: Any) -> None:
    full, _ = read(run("metrics").out)
    with JobQueue(tmp_path / "empty.db"):
        empty, samples = read(run("--db", str(tmp_path / "empty.db"), "metrics").out)

    assert empty == full
    assert {sample.value for sample in samples} == {0.0}


def test_any_queue_name_survives_escaping(run: Run, busy: JobQueue) -> None:
    _, samples = read(run("metrics").out)

    ready = {sample.labels["queue"]: sample.value for sample in samples if sample.name == "gigq_queue_ready_jobs"}
    assert ready == {name: number for number, name in enumerate(NASTY, start=1)}
    paused = {sample.labels["queue"] for sample in samples if sample.name == "gigq_queue_paused" and sample.value}
    assert paused == {NASTY[0]}


def test_metrics_are_those_of_the_library(run: Run, busy: JobQueue, path: str) -> None:
    with Worker(path, "here", queues=["none"]) as worker:
        worker.process_one()
        found = busy.metrics()
        _, samples = read(run("metrics").out)
    values = {(sample.name, *sample.labels.values()): sample.value for sample in samples}

    assert values["gigq_jobs", "completed"] == found["statuses"]["completed"] == len(NASTY)
    assert values["gigq_jobs_by_phase", "paused"] == found["phases"]["paused"] == 1
    assert values["gigq_ready_jobs", "0"] == found["priorities"]["0"]
    assert values["gigq_window_executions", "5m", "completed"] == len(NASTY)
    assert values["gigq_window_running_seconds", "5m", "max"] == found["windows"]["5m"]["running"]["max"]
    assert values["gigq_claims_total",] == len(NASTY)
    assert (values["gigq_workers", "idle"], values["gigq_workers", "busy"], values["gigq_worker_slots",]) == (1, 0, 1)


def test_metrics_as_json_are_those_of_the_library(run: Run, queue: JobQueue) -> None:
    found, known = run("metrics", "--json").json, queue.metrics()
    assert found | {"at": None} == known | {"at": None}


def test_metrics_in_a_pipe_are_utf_8_in_any_locale(spawn: Run, queue: JobQueue) -> None:
    queue.pause("é\r")
    process = spawn("metrics", variables={"PYTHONIOENCODING": "ascii"})
    out = process.stdout.buffer.read()

    assert process.wait(timeout=60) == 0
    assert 'gigq_queue_paused{queue="é\r"} 1\n'.encode() in out
