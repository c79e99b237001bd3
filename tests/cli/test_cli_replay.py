"""`gigq replay`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from screen import gigq_on

from gigq import Job, JobQueue

Run = Callable[..., Any]

SHOP = """
import json, logging, sys
from gigq import current_job

def price(amount, text="[1", *, factor=1):
    job = current_job()
    print("pricing", amount)
    logging.getLogger("shop").info("attempt %d of %s", job.attempt, job.name)
    job.progress(1, 2, "half")
    return sum(json.loads(text)) * amount * factor

def found():
    return current_job().submit(nothing)

def leave():
    sys.exit(3)

def stop():
    raise KeyboardInterrupt

def nothing():
    pass

def ended():
    import os, signal
    current_job().submit(nothing)
    os.kill(os.getpid(), signal.SIGHUP)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "shop.py").write_text(SHOP)
    level = logging.root.level
    yield
    logging.root.setLevel(level)
    sys.modules.pop("shop", None)


@pytest.fixture
def broken(run: Run, queue: JobQueue) -> str:
    """A job that has failed."""
    job_id = queue.submit(Job("price it", "shop:price", args=[3], params={"text": "[1"}, max_attempts=1))
    run("worker", "--once")
    assert queue.get_status(job_id)["status"] == "failed"
    return job_id


def test_a_replay_shows_what_the_function_prints_and_logs_and_the_traceback_of_its_own_code(
    run: Run, queue: JobQueue, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])  # nobody has set up logging
    before = queue.get_job(broken)
    outcome = run("replay", broken)
    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert lines[:2] == ["pricing 3", "Traceback (most recent call last):"]
    assert '    return sum(json.loads(text)) * amount * factor' in lines
    assert "  … 3 frames in json" in lines
    assert lines[-1].startswith("json.decoder.JSONDecodeError: Expecting ',' delimiter")
    assert " INFO shop: attempt 1 of price it\n" in outcome.err
    assert "gigq: progress: 1 of 2 (50 %), half\n" in outcome.err
    assert outcome.err.endswith("; nothing was recorded\n")
    assert "gigq: it failed after " in outcome.err
    assert queue.get_job(broken) == before


def test_the_whole_traceback_is_shown_on_demand(run: Run, broken: str) -> None:
    lines = run("replay", broken, "-v").out.splitlines()
    assert not [line for line in lines if "frames in" in line]
    assert [line for line in lines if "decoder.py" in line]


def test_a_changed_argument_is_json_or_text_and_the_result_is_printed(run: Run, broken: str) -> None:
    outcome = run("replay", broken, "--arg", "text=[1, 2]", "--arg", "amount=5")
    assert (outcome.code, outcome.out) == (1, "pricing 5\n" + outcome.out.partition("\n")[2])  # a list is no text
    outcome = run("replay", broken, "--arg", 'text="[1, 2]"', "--arg", "amount=5", "--arg", "factor=10")
    assert (outcome.code, outcome.out) == (0, "pricing 5\n150\n")
    assert "gigq: it returned after " in outcome.err
    outcome = run("replay", broken, "--arg", "colour=red")
    assert (outcome.code, outcome.out) == (1, "")
    assert "'shop:price' has no parameter 'colour'; it has amount, text, factor" in outcome.err
    assert run("replay", broken, "--arg", "amount").code == 2


def test_a_replay_in_json_is_one_object_and_what_the_function_prints_is_elsewhere(run: Run, broken: str) -> None:
    outcome = run("replay", broken, "--json")
    found = outcome.json
    assert outcome.code == 1
    assert list(found) == [
        "job_id", "status", "result", "error", "error_type", "traceback", "duration", "submitted"
    ]  # fmt: skip
    assert (found["job_id"], found["status"], found["error_type"]) == (broken, "failed", "JSONDecodeError")
    assert "pricing 3\n" in outcome.err
    assert "nothing was recorded" not in outcome.err
    outcome = run("replay", broken, "--json", "--arg", 'text="[1]"')
    assert (outcome.code, outcome.json["status"], outcome.json["result"]) == (0, "completed", 3)
    assert run("replay", broken, "-q").out == f"{broken}\n"


def test_a_job_of_a_handler_needs_its_function(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "pricing", {"amount": 2, "text": "[4]"}))
    outcome = run("replay", job_id)
    assert outcome.code == 1
    assert f"gigq: job {job_id} calls what workers know as 'pricing'; say which function that is" in outcome.err
    assert run("replay", job_id, "--handler", "pricing=shop:price").out.splitlines()[-1] == "8"
    outcome = run("replay", job_id, "--handler", "pricing=shop:prize")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "gigq: --handler pricing: 'shop:prize' is not found here: " in outcome.err


def test_a_function_that_is_not_found_is_one_line(run: Run, queue: JobQueue) -> None:
    outcome = run("replay", queue.submit(Job("job", "no_such_shop:price")))
    assert (outcome.code, outcome.out) == (1, "ModuleNotFoundError: No module named 'no_such_shop'\n")
    assert "gigq: its function was not found after " in outcome.err


def test_what_a_replay_would_have_submitted_is_counted(run: Run, queue: JobQueue) -> None:
    outcome = run("replay", queue.submit(Job("job", "shop:found")))
    assert outcome.code == 0
    assert "gigq: it would have submitted 1 job\n" in outcome.err
    assert "gigq: the job writes to its queue's file: a copy takes its place (0." in outcome.err
    assert queue.count() == 1


def test_sys_exit_is_a_failure_and_ctrl_c_interrupts_the_command(run: Run, queue: JobQueue) -> None:
    left, stopped = queue.submit(Job("job", "shop:leave")), queue.submit(Job("job", "shop:stop"))
    outcome = run("replay", left)
    assert (outcome.code, outcome.out.splitlines()[-1]) == (1, "SystemExit: 3")
    assert run("replay", stopped).code == 130


def test_a_terminal_that_is_closed_ends_it_and_the_copy_is_gone(queue: JobQueue, path: str, tmp_path: Path) -> None:
    job, copies = queue.submit(Job("job", "shop:ended")), tmp_path / "copies"
    copies.mkdir()
    with gigq_on(path, "replay", job, cwd=os.getcwd(), environment={"TMPDIR": str(copies)}) as session:
        assert session.wait() == -signal.SIGHUP
    assert os.listdir(copies) == []


def test_a_handler_without_its_function_is_an_error_of_the_command(run: Run, broken: str) -> None:
    outcome = run("replay", broken, "--handler", "send")
    assert outcome.code == 2 and "'send' is not a name and a function such as send=shop.tasks:send" in outcome.err


def test_an_unknown_job_and_a_debugger_for_programs_are_refused(run: Run, broken: str) -> None:
    assert run("replay", "99999999").code == 1
    outcome = run("replay", broken, "--pdb", "--json")
    assert (outcome.code, outcome.err) == (
        2, "gigq: --pdb is for people; leave out the option that asks for another form of output\n"
    )  # fmt: skip


def test_a_debugger_has_nothing_to_show_of_a_function_that_was_not_called(run: Run, queue: JobQueue) -> None:
    outcome = run("replay", queue.submit(Job("job", "shop:nothing")), "--arg", "a=1")
    assert outcome.code == 1
    job_id = queue.submit(Job("job", "shop:nothing", {"a": 1}))
    outcome = run("replay", job_id, "--pdb")
    assert outcome.code == 1
    assert outcome.err.endswith("gigq: there is nothing to look at: the function was not called\n")


def test_the_debugger_begins_where_the_function_failed(path: str, broken: str) -> None:
    with gigq_on(path, "replay", broken, "--pdb", cwd=os.getcwd()) as session:
        session.wait_for("(Pdb)")
        session.type("up\nup\nup\np amount, text\n")
        session.wait_for("(3, '[1')")
        session.type("import sys; print(type(sys.last_value).__name__)\n")
        session.wait_for("JSONDecodeError\n")
        session.type("q\n")
        assert session.wait() == 1
        assert session.state() == session.state_before
