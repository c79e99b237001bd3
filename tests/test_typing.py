"""The types that a type checker sees: signatures of tasks, options, statuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

mypy = pytest.importorskip("mypy.api", reason="mypy is not installed")

ROOT = Path(__file__).parents[1]

SNIPPET = """
from typing import Unpack

from gigq import Job, JobOptions, JobQueue, JobRecord, JobStatus, Phase, Task, Workflow, task

@task
def bare(a: int, *, b: str = "") -> list[int]:
    return [a]

@task(max_attempts=5)
def with_options(a: int) -> str:
    return ""

def plain(a: int) -> bytes:
    return b""

def wrapped(**options: Unpack[JobOptions]) -> Job:
    return Job(function=plain, **options)

queue = JobQueue(":memory:")
queue.list_jobs(JobStatus.FAILED, phase=["ready", Phase.WAITING])
queue.find_jobs(["failed", JobStatus.TIMEOUT])
queue.schedules.add("s", plain, every=60, params={"a": 1}, priority="high", missed="all")

reveal_type(bare)                           # -> Task[[a: int, *, b: str =], list[int]]
reveal_type(bare(1, b="x"))                 # -> list[int]
reveal_type(with_options)                   # -> Task[[a: int], str]
reveal_type(with_options(1))                # -> str
reveal_type(task(plain, priority="high"))   # -> Task[[a: int], bytes]
reveal_type(bare.options(delay=1)(2))       # -> list[int]
reveal_type(bare.submit(queue, 1))          # -> JobId
reveal_type(bare.submit(queue, 1).is_new)   # -> bool
reveal_type(bare.to_job(1))                 # -> Job
reveal_type(queue.find_jobs()[0].phase)     # -> Phase
reveal_type(queue.find_jobs().cursor)       # -> str | None
reveal_type(queue.count(at_most=9).is_exact) # -> bool
reveal_type(queue.wait("id").status)        # -> JobStatus
reveal_type(queue.wait(["id"])[0].error)    # -> str | None
reveal_type(Workflow("w").add_task(bare))   # -> Job
reveal_type(Workflow("w").add_task(plain))  # -> Job

from gigq import QueueExecutor

executor = QueueExecutor("jobs.db", 4, name="n", mode="process", timeout=5, retry_on=[OSError])
reveal_type(executor.submit(plain, 1))      # -> Future[bytes]
reveal_type(executor.submit(bare, 1, b="")) # -> Future[list[int]]
reveal_type(executor.map(plain, [1]))       # -> Iterator[bytes]
reveal_type(executor.forget())              # -> int

from gigq import Queue                      # !! attr-defined

executor.submit(plain, "1")                 # !! arg-type
executor.submit(plain)                      # !! call-arg
executor.submit("m:f")                      # !! arg-type
QueueExecutor("jobs.db", mode="coroutine")  # !! arg-type
QueueExecutor("jobs.db", queue="mine")      # !! call-arg

bare("1")                                   # !! arg-type
bare()                                      # !! call-arg
bare(1, c=2)                                # !! call-arg
bare(1, "x")                                # !! call-arg misc
with_options(1, 2)                          # !! call-arg
bare.options(delay=1)("2")                  # !! arg-type
bare.submit("jobs.db")                      # !! arg-type
queue.list_jobs(colour="red")               # !! call-arg
task(5)                                     # !! call-overload arg-type
task(plain, max_atempts=3)                  # !! call-overload
task(max_atempts=3)                         # !! call-overload
task(plain, timeout=b"5m")                  # !! call-overload arg-type
bare.options(max_atempts=3)                 # !! call-arg
bare.options(on_parent_failure="ignore")    # !! typeddict-item arg-type
Job("n", plain, on_parent_failure="ignore") # !! arg-type
Job("n", plain, priority="urgent")          # !! arg-type
queue.list_jobs("done")                     # !! arg-type
queue.list_jobs(["failed", "done"])         # !! list-item
queue.list_jobs(phase="done")               # !! arg-type
queue.prune("done")                         # !! arg-type
queue.schedules.add("s", plain, max_atempts=3)          # !! call-arg
queue.schedules.add("s", plain, every=9, delay=3)       # !! call-arg
queue.schedules.add("s", plain, every=9, missed="some") # !! arg-type
JobQueue("x", durability="some")            # !! arg-type
Workflow("w").add_task("f")                 # !! arg-type
"""


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[str]]:
    """The messages of mypy, by the line of the snippet."""
    snippet = tmp_path_factory.mktemp("typing") / "snippet.py"
    snippet.write_text(SNIPPET)
    with pytest.MonkeyPatch.context() as patch:
        # Run here with the options of `mypy gigq`, so that the two share their cache.
        patch.chdir(ROOT)
        output, errors, _ = mypy.run(["--strict", str(snippet)])
    assert errors == ""
    lines: dict[int, list[str]] = {}
    for number, message in re.findall(r"snippet\.py:(\d+): (.*)$", output, re.MULTILINE):
        lines.setdefault(int(number), []).append(message)
    return lines


def with_output(mark: str) -> list[tuple[int, str]]:
    lines = enumerate(SNIPPET.splitlines(), start=1)
    return [(number, line.partition(mark)[2].strip()) for number, line in lines if mark in line]


@pytest.mark.parametrize(("line", "type_"), with_output("# ->"))
def test_a_revealed_type_is_the_expected_one(messages: dict[int, list[str]], line: int, type_: str) -> None:
    modules = r"\b(builtins|typing|concurrent\.futures\._base|gigq\.\w+)\."
    plain_words = [re.sub(modules, "", message) for message in messages[line]]
    assert plain_words == [f'note: Revealed type is "{type_}"']


@pytest.mark.parametrize(("line", "codes"), with_output("# !!"))
def test_a_wrong_call_is_an_error(messages: dict[int, list[str]], line: int, codes: str) -> None:
    found = re.findall(r"^error: .*\[([\w-]+)\]$", "\n".join(messages.get(line, [])), re.MULTILINE)
    assert found
    assert set(found) <= set(codes.split())


def test_nothing_else_is_an_error(messages: dict[int, list[str]]) -> None:
    expected = {number for mark in ("# ->", "# !!") for number, _ in with_output(mark)}
    assert {number: found for number, found in messages.items() if number not in expected} == {}
