"""`gigq submit`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, JobRecord, Worker

Run = Callable[..., Any]


def test_submit_takes_an_expiry(run: Run, queue: JobQueue) -> None:
    job = run("submit", "tasks.f", "--expires-at", "2999-01-01T12:00:00+01:00", "--json").json["id"]

    assert queue.get_status(job)["expires_at"] == "2999-01-01T11:00:00.000000Z"


def test_a_bad_expiry_is_named_in_the_error(run: Run) -> None:
    outcome = run("submit", "tasks.f", "--expires-at", "tomorrow")

    assert outcome.code == 1
    assert outcome.err.startswith("gigq: job 'f': --expires-at is 'tomorrow'; ")
    assert outcome.err.count("\n") == 1


def test_a_unique_key_that_is_taken_prints_the_id_of_the_job_that_has_it(run: Run, queue: JobQueue) -> None:
    first = run("submit", "tasks.f", "--unique-key", "k").out.removeprefix("Job submitted: ")

    assert run("submit", "tasks.f", "--unique-key", "k").out == f"Already there: {first}"
    assert run("submit", "tasks.f", "--unique-key", "k", "--json").json == {"id": first.strip(), "is_new": False}
    assert queue.stats()["total"] == 1


@pytest.fixture
def submitted(run: Callable[..., Any], open_queue: Callable[..., JobQueue]) -> Callable[..., JobRecord]:
    """Submits by the command line, and reads what the file holds then."""

    def submit(*words: str) -> JobRecord:
        outcome = run("submit", *words)
        assert (outcome.code, outcome.err) == (0, "")
        job = open_queue().get_job(outcome.out.removeprefix("Job submitted: ").strip())
        assert job is not None
        return job

    return submit


def test_submit_prints_the_id_of_a_pending_job(submitted: Callable[..., JobRecord]) -> None:
    job = submitted("functions.add", "--name", "sum", "-p", "a=1")

    assert (job.name, job.function, job.params, job.status.value) == ("sum", "functions.add", {"a": 1}, "pending")


@pytest.mark.parametrize("function", ["functions.nothing", "functions:nothing", "nothing"])
def test_the_default_name_is_that_of_the_function(submitted: Callable[..., JobRecord], function: str) -> None:
    assert submitted(function).name == "nothing"


def test_every_option_reaches_the_file(submitted: Callable[..., JobRecord]) -> None:
    job = submitted(
        *("functions.nothing", "--priority", "high", "--max-attempts", "5", "--timeout", "2h"),
        *("--description", "adds up", "--queue", "sums", "--tag", "red", "--tag", "blue", "--delay", "1d"),
    )

    assert (job.priority, job.max_attempts, job.timeout) == (100, 5, 7200)
    assert (job.description, job.queue, job.tags) == ("adds up", "sums", ("blue", "red"))
    assert job.run_at is not None
    assert (job.run_at - job.created_at).total_seconds() == 86400


def test_the_retry_delay_reaches_the_worker(
    submitted: Callable[..., JobRecord], run: Callable[..., Any], queue: JobQueue
) -> None:
    job = submitted("functions.fail", "--retry-delay", "1h")
    run("worker", "--once")

    record = queue.get_job(job.id)
    assert record is not None
    assert record.phase.value == "retrying"


@pytest.mark.parametrize("longest", [(), ("--retry-max-delay", "8h")])
def test_a_retry_delay_of_hours_is_not_cut(
    run: Callable[..., Any], queue: JobQueue, longest: tuple[str, ...]
) -> None:
    run("submit", "functions.fail", "--retry-delay", "6h", *longest)
    run("worker", "--once")

    (record,) = queue.find_jobs()
    assert record.run_at
    assert record.completed_at is None
    assert (record.run_at - record.updated_at).total_seconds() == 21_600


def test_a_longest_wait_below_the_first_is_refused(run: Callable[..., Any]) -> None:
    refused = run("submit", "functions.fail", "--retry-delay", "6h", "--retry-max-delay", "1h")

    assert refused.code == 1
    assert "--retry-max-delay is 3600; it must be at least --retry-delay, which is 21600" in refused.err


def test_a_timeout_may_be_none(submitted: Callable[..., JobRecord]) -> None:
    assert submitted("functions.nothing", "--timeout", "none").timeout is None


def test_a_parent_may_be_named_by_a_prefix_of_its_id(submitted: Callable[..., JobRecord], queue: JobQueue) -> None:
    parents = [queue.submit(Job(name, "functions.add", id=name)) for name in ("first", "second")]

    assert submitted("functions.collect", "--after", "fir", "--after", "second").dependencies == tuple(
        parents
    )


@pytest.mark.parametrize("before", [True, False])
def test_db_may_be_typed_before_the_command_or_after_it(run: Callable[..., Any], tmp_path: Path, before: bool) -> None:
    other = str(tmp_path / "other.db")
    words = ["--db", other, "submit", "functions.nothing"] if before else ["submit", "functions.nothing", "--db", other]

    assert run(*words).code == 0
    assert Path(other).exists()


def test_submit_as_json_is_the_id(run: Callable[..., Any], queue: JobQueue) -> None:
    assert queue.get_job(run("submit", "functions.nothing", "--json").json["id"]) is not None


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["not a function"], 1, "is not a function's path"),
        ([""], 2, "must be given"),
        (["functions.nothing", "--name", ""], 1, "gigq: --name must not be empty"),
        (["functions.nothing", "--timeout", "0"], 1, "timeout is 0; it must be more than 0, or none for no limit"),
        (["functions.nothing", "--after", "nobody"], 1, "no job has the id 'nobody'"),
        (["functions.nothing", "-p", "a=1", "-p", "a=2"], 2, "'a' was given twice"),
        (["functions.nothing", "-p", "a"], 2, "'a' is not a parameter"),
        (["functions.nothing", "--max-attempts", "0"], 2, "at least 1"),
        (["functions.nothing", "--priority", "urgent"], 2, "low, normal, high, critical"),
        (["functions.nothing", "--delay", "soon"], 2, "'soon' is not a duration"),
        (["functions.nothing", "--delay", "-5"], 2, "'-5' is not a duration"),
        (["functions.nothing", "--prio", "5"], 2, "unrecognized arguments: --prio; did you mean '--priority'"),
        ([], 2, "give a function"),
    ],
)
def test_a_job_that_cannot_be_submitted_is_one_line_of_error(
    run: Callable[..., Any], queue: JobQueue, words: list[str], code: int, reason: str
) -> None:
    outcome = run("submit", *words)

    assert (outcome.code, outcome.out, queue.count()) == (code, "", 0)
    assert outcome.err.startswith("gigq: ")
    assert outcome.err.count("\n") == 1
    assert reason in outcome.err


@pytest.mark.parametrize("place", [":memory:", "sqlite:///:memory:"])
def test_submit_refuses_a_queue_in_memory(run: Callable[..., Any], place: str) -> None:
    outcome = run("submit", "functions.nothing", "--db", place)

    assert outcome.code == 2
    assert "memory" in outcome.err


def test_the_defaults_in_the_help_are_those_of_the_library() -> None:
    job, worker = Job("add", "functions.add"), inspect.signature(Worker).parameters

    assert (job.max_attempts, job.timeout, job.retry_delay, job.queue) == (3, 300, 0, "default")
    assert [worker[name].default for name in ("polling_interval", "concurrency", "lease", "shutdown_timeout")] == [
        5,
        1,
        15,
        30,
    ]
    assert worker["durability"].default == "full"


@pytest.mark.parametrize(
    ("words", "params"),
    [
        (["-p", "a=1.10"], {"a": 1.1}),
        (["-s", "a=1.10"], {"a": "1.10"}),
        (["--set-text", "a=true", "--param", "b=true"], {"a": "true", "b": True}),
        (["-s", "a=", "-s", "b=x=y"], {"a": "", "b": "x=y"}),
        (["-s", "a=007", "-s", "b=[1"], {"a": "007", "b": "[1"}),
    ],
)
def test_a_parameter_is_json_or_text_as_it_is_asked_for(
    submitted: Callable[..., JobRecord], words: list[str], params: dict[str, Any]
) -> None:
    assert submitted("functions.add", *words).params == params


def test_a_parameter_is_given_once_whether_as_json_or_as_text(run: Run) -> None:
    assert "'a' was given twice" in run("submit", "functions.add", "-s", "a=1", "-p", "a=1").err


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[None]:
    """A package in the current directory, whose modules do all that modules do when they are imported."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "shop" / "mail.py").write_text(
        "def send(to, copy=None): pass\n"
        "def each(*, to): yield to\n"
        "async def later(): pass\n"
        "def collect(parent_results): pass\n"
        "def anything(**options): pass\n"
        "LIMIT = 3\n"
        "class Post:\n    @staticmethod\n    def send(): pass\n"
    )
    (tmp_path / "shop" / "broken.py").write_text("import no_such_package\n")
    (tmp_path / "shop" / "down.py").write_text("raise ConnectionError('no route')\n")
    (tmp_path / "shop" / "unguarded.py").write_text(
        "import gigq\ngigq.JobQueue('q.db').submit(gigq.Job('f', 'shop.unguarded:f'))\n"
    )
    (tmp_path / "shop" / "script.py").write_text("import sys\nsys.exit('usage: script')\n")
    (tmp_path / "shop" / "loud.py").write_text("print('imported')\ndef collect(parent_results): pass\n")
    yield
    for name in [each for each in sys.modules if each.partition(".")[0] in ("shop", "data")]:
        del sys.modules[name]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("command", [["submit"], ["schedule", "add", "--every", "1h", "nightly"]])
@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["shop.mail.sned"], "module 'shop.mail' has no function 'sned'; did you mean 'send'?"),
        (["shop.mail:Post.snd"], "'Post' has no function 'snd'; did you mean 'send'?"),
        (["shop.male.send"], "there is no module 'shop.male': 'shop.male.send' cannot be called"),
        (["shop.mail.Post.send"], "there is no module 'shop.mail.Post': 'shop.mail.Post.send' cannot be called"),
        (["shop.mail.LIMIT"], "'shop.mail.LIMIT' is int, not a function"),
        (["shop.mail.later"], "'shop.mail.later' is async, and jobs are plain calls"),
        (["shop.mail.each"], "'shop.mail.each' is a generator"),
        (["shop.mail.send"], "'shop.mail.send' needs 'to', as in -p to=VALUE"),
        (["shop.mail.send", "-p", "to=a", "-p", "cpoy=b"], "has no parameter 'cpoy'; did you mean 'copy'?"),
        (["shop.mail.collect"], "needs 'parent_results'"),
    ],
)
def test_what_a_module_lacks_is_refused_at_once(
    run: Run, queue: JobQueue, command: list[str], words: list[str], error: str
) -> None:
    outcome = run(*command, *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert error in outcome.err
    assert queue.count() == len(list(queue.schedules)) == 0


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("function", "note"),
    [
        ("elsewhere.f", "'elsewhere' cannot be imported here; the job needs a worker that can"),
        ("data.tasks.f", "'data.tasks' cannot be imported here; the job needs a worker that can"),
        ("shop.broken.f", "here (ModuleNotFoundError: No module named 'no_such_package'); the job needs"),
        ("shop.down.f", "here (ConnectionError: no route); the job needs"),
        ("shop.unguarded.f", "was being imported for a job; put what the script does when it is run under if"),
        ("shop.script.f", "here (SystemExit: usage: script); the job needs"),
    ],
)
def test_what_cannot_be_imported_here_is_submitted_with_a_note(run: Run, function: str, note: str) -> None:
    outcome = run("submit", function)

    assert outcome.code == 0
    assert outcome.out.startswith("Job submitted: ")
    assert outcome.err.count("\n") == 1
    assert note in outcome.err


@pytest.mark.usefixtures("shop")
def test_what_a_module_prints_is_not_in_the_answer(spawn: Run, queue: JobQueue) -> None:
    parent = queue.submit(Job("parent", "f"))
    process = spawn("submit", "shop.loud:collect", "--after", parent)

    out, err = process.communicate()

    assert (process.returncode, out.count("\n"), err) == (0, 1, "imported\n")
    assert out.startswith("Job submitted: ")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "words",
    [["shop.mail:send", "-p", "to=a"], ["shop.mail:Post.send"], ["shop.mail.anything", "-p", "x=1"], ["a_handler"]],
)
def test_a_function_that_fits_is_submitted_without_a_word(
    submitted: Callable[..., JobRecord], words: list[str]
) -> None:
    assert submitted(*words).function == words[0]


def test_nothing_is_created_where_the_function_is_refused(run: Run, path: str) -> None:
    assert run("submit", "functions.fale").code == 1
    assert not Path(path).exists()
