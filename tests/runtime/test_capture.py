"""What a function logs and prints is kept with its execution, and with no other."""

from __future__ import annotations

import contextvars
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from calls import claim
from process_runs import PATIENCE, Make, job, report_of
from test_progress import ended

from gigq import SystemClock
from gigq.claims import Claim
from gigq.reports import Report
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.output import LOG_LIMIT, Log
from gigq.runtime.threads import ThreadRunner
from gigq.status import ExecutionStatus

app = logging.getLogger("app")


@pytest.fixture(autouse=True)
def let_everything_through() -> Iterator[None]:
    app.setLevel(logging.DEBUG)
    yield
    app.setLevel(logging.NOTSET)


def call_of(function: Callable[..., object], *, keeps_logs: bool = True) -> Callable[[Claim], Report]:
    functions = Functions(handlers={"f": function})
    return caller(functions, clock=SystemClock(), result_limit=1000, keeps_logs=keeps_logs)


def log_of(function: Callable[..., object]) -> str:
    log = call_of(function)(claim()).log
    assert log is not None
    return log


def test_a_record_is_kept_with_its_time_level_and_logger() -> None:
    (line,) = log_of(lambda: app.info("%d of %s", 3, "them")).splitlines()
    stamp, rest = line.split(" ", 1)
    assert stamp.endswith("Z")
    assert rest == "INFO app: 3 of them"


def test_a_record_of_an_exception_comes_with_its_traceback() -> None:
    def function() -> None:
        try:
            raise ValueError("no")
        except ValueError:
            app.exception("it failed")

    log = log_of(function)
    assert "ERROR app: it failed\nTraceback" in log
    assert log.endswith("ValueError: no\n")


def test_handlers_see_the_record_as_if_it_were_not_kept() -> None:
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign]
    app.addHandler(handler)
    app.propagate = False  # handlers at the root, as of pytest, leave traces of their own
    log_of(lambda: app.info("hello %s", "you"))
    app.propagate = True
    app.removeHandler(handler)
    assert [(record.msg, record.args, hasattr(record, "message")) for record in seen] == [("hello %s", ("you",), False)]


def test_a_record_whose_arguments_do_not_fit_is_kept_unformatted() -> None:
    before, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        assert "'%d of %s' (TypeError while formatting it)" in log_of(lambda: app.info("%d of %s", 1))
    finally:
        logging.raiseExceptions = before


def test_there_is_no_log_unless_it_was_asked_for_and_something_was_logged() -> None:
    assert call_of(lambda: app.info("hello"), keeps_logs=False)(claim()).log is None
    assert call_of(lambda: None)(claim()).log is None


def test_what_is_logged_outside_a_job_is_in_no_log() -> None:
    call = call_of(lambda: app.info("inside"))
    app.info("before")
    log = call(claim()).log
    app.info("after")
    assert log is not None
    assert (log.count("\n"), "inside" in log) == (1, True)


def test_a_failed_attempt_keeps_its_log() -> None:
    def function() -> None:
        app.warning("it will not go well")
        raise ValueError("no")

    report = call_of(function)(claim())
    assert report.status is ExecutionStatus.FAILED
    assert "it will not go well" in (report.log or "")


def test_jobs_that_run_at_the_same_time_have_separate_logs() -> None:
    meeting = threading.Barrier(4)

    def function(number: int) -> None:
        for turn in range(50):
            meeting.wait(PATIENCE)
            app.info("job %d, turn %d", number, turn)

    runner = ThreadRunner(call_of(function), slots=4, clock=SystemClock())
    runner.start([claim(execution_id=each, params=f'{{"number":{each}}}') for each in range(4)])
    reports = []
    while len(reports) < 4:
        reports += ended(runner)
    for each, report in reports:
        messages = [line.partition("app: ")[2] for line in (report.log or "").splitlines()]
        assert messages == [f"job {each.execution_id}, turn {turn}" for turn in range(50)]
    runner.close()


def test_a_thread_that_the_job_starts_in_its_context_writes_to_its_log() -> None:
    def function() -> None:
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: context.run(app.info, "from a thread"))
        thread.start()
        thread.join()

    assert "from a thread" in log_of(function)


def test_the_log_of_a_thread_that_overruns_is_kept() -> None:
    def function() -> None:
        app.info("still here")
        while True:
            pass

    runner = ThreadRunner(call_of(function), slots=1, clock=SystemClock())
    runner.start([claim(timeout=0.2)])
    while not (found := runner.ended()):
        runner.wait(0.01)
    ((_, report),) = found
    assert report.status is ExecutionStatus.TIMEOUT
    assert "still here" in (report.log or "")
    runner.close()


def test_the_log_of_a_running_job_can_be_read() -> None:
    said, may_end = threading.Semaphore(0), threading.Semaphore(0)

    def function() -> None:
        app.info("so far")
        said.release()
        may_end.acquire()

    runner = ThreadRunner(call_of(function), slots=1, clock=SystemClock())
    runner.start([claim(execution_id=3)])
    said.acquire()
    assert "so far" in (runner.logs()[3].text() or "")
    may_end.release()
    ended(runner)
    runner.close()


def test_the_beginning_and_the_end_of_a_long_log_are_kept() -> None:
    log = Log()
    for number in range(20_000):
        log.write(f"line {number}\n")
    text = log.text()
    assert text is not None
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("line 19999\n")
    written = sum(len(f"line {number}") + 1 for number in range(20_000))
    assert f"… {written - LOG_LIMIT:,} characters are left out …" in text
    assert len(text) < LOG_LIMIT + 100


@pytest.mark.parametrize("size", [1, 1000, LOG_LIMIT, LOG_LIMIT + 1, 10 * LOG_LIMIT])
def test_one_huge_piece_is_shortened_as_many_small_ones_are(size: int) -> None:
    text = "".join(chr(97 + number % 26) for number in range(size))
    whole, pieces = Log(), Log()
    whole.write(text)
    for start in range(0, size, 777):
        pieces.write(text[start : start + 777])
    assert whole.text() == pieces.text()
    assert (whole.text() == text) is (size <= LOG_LIMIT)


def test_a_log_is_text_that_the_file_can_hold() -> None:
    log = Log()
    log.write("a\ud800b")
    assert log.text() == "a\\ud800b"


def test_a_child_also_keeps_what_is_printed_and_what_other_threads_log(make: Make) -> None:
    runner = make(keeps_logs=True)
    for number in range(2):
        log = report_of(runner, job("output_functions:print_and_log", number=number)).log
        assert log is not None
        printed, complained, logged, thread = log.splitlines()
        assert (printed, complained) == (f"printed {number}", "complained")
        assert logged.endswith(f"INFO app: logged {number}")
        assert thread.endswith("WARNING app.thread: from a thread")


def test_what_is_printed_still_appears(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    report_of(make(keeps_logs=True), job("output_functions:print_and_log"))
    out, err = capfd.readouterr()
    assert (out, err) == ("printed 0\n", "complained\nfrom a thread\n")


def test_a_record_that_a_handler_prints_is_kept_once(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    log = report_of(make(keeps_logs=True), job("output_functions:log_through_a_handler")).log
    assert log is not None
    assert log.count("once") == 1
    assert capfd.readouterr().err == "DEBUG:app:once\n"


def test_warnings_still_reach_standard_error(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    log = report_of(make(keeps_logs=True), job("output_functions:warn_with_no_handler")).log
    assert log is not None
    assert log.count("mind the gap") == 1
    assert "UserWarning: old" in log
    assert capfd.readouterr().err.startswith("mind the gap\n")


def test_a_long_output_of_a_child_is_shortened_only_in_the_log(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    log = report_of(make(keeps_logs=True), job("output_functions:print_much", count=10_000)).log
    assert log is not None
    assert "characters are left out" in log
    assert log.endswith("line 9999\n")
    assert capfd.readouterr().out.count("\n") == 10_000


def test_the_log_that_a_child_has_sent_before_it_dies_is_kept(make: Make, tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    os.mkfifo(gate)
    runner = make(keeps_logs=True)
    runner.start([job("output_functions:log_and_die", 6, gate=gate)])
    deadline = SystemClock().monotonic() + PATIENCE
    while 6 not in runner.logs():
        assert SystemClock().monotonic() < deadline
        runner.wait(1)
        runner.ended()
    with open(gate, "wb") as sender:
        sender.write(b".")
    while not (found := runner.ended()):
        runner.wait(1)
    ((_, report),) = found
    assert report.error_type == "ProcessDied"
    assert "last words" in (report.log or "")
