"""`gigq submit --stdin`: many jobs as lines of JSON, in one transaction; and `--check`, which submits nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, Worker

Run = Callable[..., Any]


@pytest.fixture
def lines(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Types `gigq submit --stdin`, with these lines at standard input; an object is written as JSON."""

    def submit(*lines: Any, words: tuple[str, ...] = ()) -> Any:
        file = tmp_path / "jobs.jsonl"
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        file.write_bytes(b"".join(text + b"\n" for text in texts))
        with open(file, encoding="utf-8") as opened:
            monkeypatch.setattr(sys, "stdin", opened)
            return run("submit", "--stdin", *words)

    return submit


def test_each_line_is_a_job_and_blank_ones_are_none(lines: Run, queue: JobQueue) -> None:
    first = {"function": "functions.add", "params": {"a": 1, "b": 2}, "priority": "high", "tags": ["t"], "delay": 60}
    outcome = lines(first, b"  ", {"function": "functions:nothing", "name": "second", "metadata": {"k": 1}})

    assert (outcome.code, outcome.out, outcome.err) == (0, "Jobs submitted: 2\n", "")
    second, job = queue.find_jobs()
    assert (job.name, job.params, job.priority, job.tags) == ("add", {"a": 1, "b": 2}, 100, ("t",))
    assert (job.phase.value, second.name, second.metadata) == ("scheduled", "second", {"k": 1})


def test_what_is_typed_is_for_lines_that_do_not_say_it(lines: Run, queue: JobQueue) -> None:
    words = ("functions.add", "--queue", "red", "-p", "a=1", "--priority", "high")

    lines({}, {"queue": "blue", "params": {"a": 2}, "function": "functions:add", "name": "own"}, words=words)

    found = [(job.name, job.function, job.queue, job.params, job.priority) for job in reversed(queue.find_jobs())]
    assert found == [
        ("add", "functions.add", "red", {"a": 1}, 100),
        ("own", "functions:add", "blue", {"a": 2}, 100),
    ]


def test_a_line_may_wait_for_an_earlier_one_or_for_a_job_of_the_file(lines: Run, queue: JobQueue) -> None:
    old = queue.submit(Job("old", "functions.nothing"))
    collect = {"function": "functions.collect"}
    lines(
        {"function": "functions.nothing", "id": "mine"},
        {**collect, "dependencies": ["mine", old[-8:]]},
        {**collect, "dependencies": "mine"},
    )

    third, second, *_ = queue.find_jobs()
    assert (second.dependencies, third.dependencies) == (("mine", str(old)), ("mine",))


def test_for_programs_there_are_the_ids_and_whether_they_are_new(lines: Run, queue: JobQueue) -> None:
    job = {"function": "functions.nothing", "id": "mine"}

    assert lines(job, job, words=("--json",)).json == [{"id": "mine", "is_new": True}, {"id": "mine", "is_new": False}]
    assert lines(job, words=("-q",)).out == "mine\n"
    assert lines(job).out == "Jobs submitted: 0; already there: 1\n"
    assert lines(words=("--json",)).json == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"function": ', "it is not JSON: Expecting value at character 13"),
        (b'{"function": NaN}', "it is not JSON, which has no NaN"),
        (b"\xff\xfe\x00", "it is not UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'"functions.nothing"', 'it is not an object of JSON, such as {"function": "app.send"}'),
        ({}, 'there must be a "function", such as "package.module.name"'),
        ({"function": "m.f", "prams": {}}, "there is no option 'prams'; did you mean 'params'?"),
        ({"function": "m.f", "max_attempts": 0}, "job 'f': max_attempts is 0; "),
        ({"function": "m.f", "params": []}, "job 'f': params is []; "),
        ({"function": "m.f", "dependencies": ["nobody"]}, "no job has the id 'nobody'"),
        ({"function": "m.f", "dependencies": 5}, "job 'f': dependencies is 5; "),
        ({"function": "functions.nothng"}, "module 'functions' has no function 'nothng'; did you mean 'nothing'?"),
        ({"function": "functions.greet", "params": {"nam": 1}}, "'functions.greet' has no parameter 'nam'; "),
        ({"function": "not a path"}, "'not a path' is not a function's path"),
        ({"function": "m.f", "params": {"text": "x" * 1_100_000}}, "job 'f': params "),
    ],
)
def test_an_error_names_its_line_and_nothing_is_submitted(lines: Run, queue: JobQueue, line: Any, reason: str) -> None:
    outcome = lines({"function": "functions.nothing"}, b"", line, {"function": "functions.nothing"})

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"gigq: line 3: {reason}")
    assert outcome.err.count("\n") == 1
    assert queue.count() == 0


def test_a_bad_line_creates_no_file(lines: Run, path: str) -> None:
    assert lines(b"{").code == 1
    assert not Path(path).exists()


def test_an_id_of_ones_own_is_for_one_job(lines: Run) -> None:
    outcome = lines({"function": "functions.nothing"}, words=("--id", "mine"))

    assert (outcome.code, outcome.err) == (2, "gigq: --id is for one job; with --stdin, each line may have an id\n")


def test_a_module_that_is_not_here_is_noted_once(lines: Run, queue: JobQueue) -> None:
    outcome = lines(*[{"function": "elsewhere.send", "params": {"to": n, f"also {n}": 1}} for n in range(3)])

    assert (outcome.code, queue.count()) == (0, 3)
    assert outcome.err == "gigq: 'elsewhere' cannot be imported here; the job needs a worker that can\n"


# --check


def test_check_submits_nothing_and_creates_nothing(run: Run, lines: Run, path: str) -> None:
    outcome = run("submit", "functions.greet", "ada", "--check")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "functions.greet takes these arguments; nothing was submitted\n"
    assert run("submit", "functions.greet", "ada", "--check", "--json").json == {"checked": 1}
    checked = lines({"function": "functions.nothing"}, words=("--check",))
    assert checked.out == "Jobs checked: 1; nothing was submitted\n"
    assert not Path(path).exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["functions.add"], "'functions.add' needs 'a', as in -p a=VALUE"),
        (["functions.greet", "a", "b"], "'functions.greet' takes 1 positional argument, and 2 were given"),
        (
            ["functions.greet", "a", "-p", "name=b"],
            "'name' of 'functions.greet' was given twice: by its place and by its name",
        ),
        (["functions.gret", "a"], "module 'functions' has no function 'gret'; did you mean 'greet'?"),
        (["elsewhere.f"], "'elsewhere' cannot be imported here; the job needs a worker that can"),
        (["send"], "'send' is the name of a handler, which only a worker can check"),
        (["math.pow", "1", "2", "-p", "x=3"], "'math.pow' has no parameter 'x'"),
    ],
)
def test_check_fails_with_the_reason(run: Run, path: str, words: list[str], reason: str) -> None:
    outcome = run("submit", *words, "--check")

    assert (outcome.code, outcome.out, outcome.err) == (1, "", f"gigq: {reason}\n")
    assert not Path(path).exists()


def test_check_of_lines_names_the_line(lines: Run) -> None:
    outcome = lines({"function": "functions.nothing"}, {"function": "send"}, words=("--check",))

    assert outcome.err == "gigq: line 2: 'send' is the name of a handler, which only a worker can check\n"


# --wait


@pytest.fixture
def worked(path: str, queue: JobQueue) -> Iterator[None]:
    """A worker runs meanwhile."""
    with Worker(path, polling_interval=0.05) as worker, worker.running():
        yield


def test_wait_tells_how_the_job_has_ended(run: Run, worked: None) -> None:
    good = run("submit", "functions.nothing", "--wait")
    bad = run("submit", "functions.fail", "-p", "message=broken", "--max-attempts", "1", "--wait", "--json")

    submitted, ended = good.out.splitlines()
    job_id = submitted.removeprefix("Job submitted: ")
    assert (good.code, ended) == (0, f"completed  {job_id[-8:]}  nothing")
    assert (bad.code, bad.json) == (
        1,
        {"id": bad.json["id"], "is_new": True, "name": "fail", "status": "failed", "error": "ValueError: broken"},
    )


def test_wait_tells_how_all_jobs_of_standard_input_have_ended(lines: Run, worked: None) -> None:
    outcome = lines(
        {"function": "functions.nothing", "id": "a"},
        {"function": "functions.fail", "id": "b", "max_attempts": 1},
        words=("--wait",),
    )

    assert outcome.code == 1
    assert outcome.out.splitlines()[:3] == [
        "Jobs submitted: 2",
        "Jobs ended: 2 (1 completed, 1 failed)",
        "completed  a  nothing",
    ]


def test_wait_gives_up_after_its_timeout(run: Run, queue: JobQueue) -> None:
    outcome = run("submit", "functions.nothing", "--wait-timeout", "0")

    assert outcome.code == 3
    assert "had not ended after 0 s" in outcome.err
    assert queue.count("pending") == 1


def test_the_fields_of_an_ending_need_wait_before_anything_is_submitted(run: Run, path: str) -> None:
    outcome = run("submit", "functions.nothing", "--json=status")

    assert (outcome.code, outcome.err) == (2, "gigq: the field 'status' needs --wait\n")
    assert not Path(path).exists()
