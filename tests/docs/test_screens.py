"""The screens that the documentation shows are those of the program."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from model.loop_runner import SteppedRunner

from gigq import ExecutionStatus, Job, JobQueue, ManualClock
from gigq.cli.top import plain
from gigq.cli.top.pieces import Look
from gigq.cli.top.scene import Scene
from gigq.cli.top.state import State
from gigq.cli.top.view import view
from gigq.cli.top.watch import Watch
from gigq.reports import Progress, Report
from gigq.testing import drain
from gigq.worker.loop import Loop
from gigq.worker.options import WorkerOptions

PAGE = Path(__file__).parents[2] / "docs/how-to/look-from-the-terminal.md"
SCREEN = re.compile(
    r"^<!-- not run: ([^\n]+), as tests/docs/test_screens.py makes it -->\n```text\n(.*?)^```$", re.M | re.DOTALL
)
SCREENS = dict(SCREEN.findall(PAGE.read_text()))


def job(number: int, name: str, function: str, **settings: object) -> Job:
    spread = number * 5**15 % 2**48  # so that the ends of the ids look as chance makes them
    return Job(name, function, id=f"019cae4f-3f00-7000-8000-{spread:012x}", **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scene() -> Scene:
    """The queue of a shop at half past nine: an hour of mails, a payment that fails, three reports that run."""
    clock = ManualClock(datetime(2026, 3, 2, 8, 30, tzinfo=UTC))
    with JobQueue(":memory:", clock=clock) as queue:
        fill(queue, clock)
        watch = Watch(queue, reopen=lambda: queue)
        watch.look()
        assert not watch.scene.trouble
        return watch.scene._replace(path="/srv/shop/jobs.db")


def fill(queue: JobQueue, clock: ManualClock) -> None:
    for minute in range(60):
        mails = [job(100 * minute + each, "mail", "functions:nothing", queue="mail") for each in range(minute * 7 % 11)]
        failing = [
            job(9000 + minute, f"charge order {4711 + minute}", "functions:fail", max_attempts=1,
                params={"message": f"card of order {4711 + minute} was declined"})
        ] if minute % 13 == 5 else []  # fmt: skip
        queue.submit_many([*mails, *failing])
        drain(queue)
        clock.advance(60)
    runner = SteppedRunner(clock, slots=3, keeps_reports=False)
    loop = Loop(queue.database, runner, WorkerOptions(worker_id="box-1", concurrency=3), clock=clock)
    reports = [
        job(7000 + each, f"report {each + 1}", "reports:build", queue="reports", timeout=None) for each in range(9)
    ]
    queue.submit_many(reports[:3])
    turn(loop, runner)
    clock.advance(140)
    for execution in list(runner.held):
        runner.end(execution, Report(ExecutionStatus.COMPLETED, result="null"))
    queue.submit_many(reports[3:])
    queue.submit(job(8000, "newsletter", "shop:newsletter", queue="mail", delay=9000))
    queue.submit_many([job(8001 + each, f"news {each + 1}", "shop:send", queue="news") for each in range(212)])
    queue.pause("news")
    turn(loop, runner)
    for share, seconds in ((30, 21), (42, 50)):
        clock.advance(seconds)
        for number, held in enumerate(runner.held.values()):
            held.progress = Progress(min(100, share + 17 * number), 100)
        turn(loop, runner)


def turn(loop: Loop, runner: SteppedRunner) -> None:
    for _ in range(3):
        loop.turn()
        runner.fill()
    loop.turn()


@pytest.mark.parametrize(
    ("name", "rows", "columns"), [("gigq top on 80 columns", 24, 80), ("gigq top on 40 columns", 10, 40)]
)
def test_the_page_shows_the_live_screen_as_it_is(scene: Scene, name: str, rows: int, columns: int) -> None:
    state = State(chosen={"running": scene.running[0].id})
    drawn = view(scene, state, scene.at, rows=rows, columns=columns, look=Look(is_unicode=True))
    shown = "".join(f"{''.join(text for text, _ in line).rstrip()}\n" for line in drawn.lines)
    assert SCREENS[name] == shown


def test_the_page_shows_the_line_for_logs_as_it_is(scene: Scene) -> None:
    assert SCREENS["a line of gigq top"] == plain.line(scene, scene.at) + "\n"


def test_every_screen_of_the_page_is_tested() -> None:
    assert set(SCREENS) == {"gigq top on 80 columns", "gigq top on 40 columns", "a line of gigq top"}
