"""`gigq top` as time goes by: when it reads, when it draws, what it sends. Without a terminal, under a set clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from gigq import Job, JobQueue, ManualClock, ReadTooLong
from gigq.cli.top.acting import act
from gigq.cli.top.capabilities import Capabilities
from gigq.cli.top.live import Live
from gigq.cli.top.palette import palette
from gigq.cli.top.pieces import Look
from gigq.cli.top.questions import Question, about
from gigq.cli.top.scene import Scene
from gigq.cli.top.watch import Watch
from gigq.redaction import Redactor
from gigq.testing import drain


class Stage:
    """A terminal on which waiting takes no time: the clock is moved instead.

    Attributes:
        sent: what was written, with the seconds since the beginning.
    """

    def __init__(self, clock: ManualClock, seconds: float, typed: Iterable[tuple[float, str]] = ()) -> None:
        self._clock, self._began = clock, clock.monotonic()
        self._seconds, self._typed = seconds, list(typed)
        self.sent: list[tuple[float, str]] = []
        self.waits = 0
        self.is_new, self.is_gone, self.size = True, False, (24, 80)
        self.meanwhile: Callable[[float], object] = lambda at: None

    def write(self, text: str) -> None:
        self.sent.append((self._now, text))

    def keys(self, seconds: float) -> list[str]:
        if self._typed and self._typed[0][0] <= self._now:
            return [self._typed.pop(0)[1]]
        self.waits += 1
        self._clock.advance(max(seconds, 0.001))
        self.is_gone = self._now >= self._seconds
        self.meanwhile(self._now)
        return []

    @property
    def _now(self) -> float:
        return self._clock.monotonic() - self._began


class CountedWatch(Watch):
    """Counts how often the queue is read, besides the question whether it has changed."""

    reads = 0

    def _light(self, scene):  # type: ignore[no-untyped-def]
        self.reads += 1
        return super()._light(scene)


@pytest.fixture
def show(open_queue: Callable[..., JobQueue], clock: ManualClock) -> Callable[..., tuple[Stage, CountedWatch]]:
    """Shows the queue for some seconds."""

    def run(seconds: float, typed: Iterable[tuple[float, str]] = (), meanwhile: object = None) -> object:
        queue = open_queue(clock=clock)
        stage, watch = Stage(clock, seconds, typed), CountedWatch(queue, reopen=lambda: queue)
        if meanwhile:
            stage.meanwhile = meanwhile  # type: ignore[assignment]
        can = Capabilities()
        Live(
            watch, stage, capabilities=can, palette=palette(256), look=Look(is_unicode=True),  # type: ignore[arg-type]
            story=lambda job_id: [[(f"story of {job_id}", "")]], act=lambda asked: "done", is_read_only=False,
        ).run()  # fmt: skip
        return stage, watch

    return run  # type: ignore[return-value]


def test_an_idle_queue_with_a_full_hour_behind_it_sends_at_most_two_hundred_bytes_a_minute(
    open_queue: Callable[..., JobQueue], clock: ManualClock, show: Callable[..., tuple[Stage, CountedWatch]]
) -> None:
    queue = open_queue(clock=clock)
    for minute in range(60):
        queue.submit_many([Job("job", "functions:nothing") for _ in range(minute * 7 % 11)])
        queue.submit_many([Job("bad", "functions:fail", max_attempts=1) for _ in range(minute % 3)])
        drain(queue)
        clock.advance(60)
    stage, watch = show(400)
    minutes = [0] * 8
    for at, text in stage.sent[1:]:
        minutes[int(at // 60)] += len(text.encode())
    assert max(minutes) <= 200
    assert watch.reads <= 9


def test_it_draws_four_times_a_second_at_most_while_everything_changes(
    open_queue: Callable[..., JobQueue], clock: ManualClock, show: Callable[..., tuple[Stage, CountedWatch]]
) -> None:
    queue = open_queue(clock=clock)
    stage, _ = show(5, meanwhile=lambda at: queue.submit(Job("job", "functions:nothing")))
    draws = [int(at) for at, _ in stage.sent[1:]]
    assert 3 <= max(draws.count(second) for second in range(5)) <= 4


def test_it_reads_only_after_the_file_has_changed(
    queue: JobQueue, show: Callable[..., tuple[Stage, CountedWatch]]
) -> None:
    queue.submit(Job("job", "functions:nothing"))
    stage, watch = show(50)
    assert watch.reads <= 2
    assert stage.waits <= 50 * 4 + 2


def test_a_screen_that_is_held_stays_as_it_is_until_it_goes_on(
    open_queue: Callable[..., JobQueue], clock: ManualClock, show: Callable[..., tuple[Stage, CountedWatch]]
) -> None:
    queue = open_queue(clock=clock)
    stage, _ = show(
        20, typed=[(1, " "), (15, " ")], meanwhile=lambda at: queue.submit(Job("job", "functions:nothing"))
    )
    held = [text for at, text in stage.sent if 1.5 < at < 15]
    assert held == []
    assert [text for at, text in stage.sent if at > 15.1]


def test_a_wrong_filter_says_what_is_wrong_and_a_right_one_shows_its_jobs(
    queue: JobQueue, show: Callable[..., tuple[Stage, CountedWatch]]
) -> None:
    queue.submit_many([Job("mine", "functions:nothing", queue="mail"), Job("other", "functions:nothing")])
    wrong, right = "/colour:red", "/queue:mail"
    typed = [(1, key) for key in [*wrong, "Enter"]] + [(2, key) for key in [*right, "Enter"]]
    stage, watch = show(3, typed=typed)
    assert any("colour" in text and "queue" in text for at, text in stage.sent if 1 <= at < 2)
    assert [job.name for job in watch.scene.running] == ["mine"]
    assert watch.scene.filter == "queue:mail"


def test_an_opened_job_is_told_again_when_it_changes(
    queue: JobQueue, show: Callable[..., tuple[Stage, CountedWatch]]
) -> None:
    queue.submit(Job("mine", "functions:nothing", id="the-id"))
    stage, _ = show(3, typed=[(1, "/"), (1, "m"), (1, "i"), (1, "Enter"), (1.5, "Down"), (1.5, "Enter")])
    assert any("story of the-id" in text for _, text in stage.sent)


def scene_of(queue: JobQueue) -> Scene:
    watch = Watch(queue, reopen=lambda: queue)
    watch.look()
    return watch.scene


def agreed(queue: JobQueue, key: str, subject: object) -> str:
    """Answer yes to what a key asks, and return what became of it."""
    asked = about(key, subject)  # type: ignore[arg-type]
    assert isinstance(asked, Question), asked
    return act(queue, asked)


def test_all_jobs_that_failed_alike_are_requeued_and_none_that_came_later(queue: JobQueue) -> None:
    def fail(number: int) -> None:
        queue.submit(Job("bad", "functions:fail", {"message": f"no user {number}"}, max_attempts=1))
        drain(queue)

    for number in range(3):
        fail(number)
    (failures,) = scene_of(queue).failures
    fail(3)
    assert (failures.times, failures.dead) == (3, 3)
    assert agreed(queue, "R", failures) == "3 jobs requeued"
    assert queue.count("pending") == 3
    assert about("R", scene_of(queue).failures[0]._replace(dead=0)) == (
        "no job of functions:fail is left that has failed like this for good"
    )


def test_a_queue_is_paused_and_goes_on(queue: JobQueue) -> None:
    queue.submit(Job("job", "functions:nothing", queue="mail"))
    assert agreed(queue, "p", scene_of(queue).queues[0]) == "queue 'mail' is paused; p resumes it"
    assert scene_of(queue).queues[0].is_paused
    assert agreed(queue, "p", scene_of(queue).queues[0]) == "queue 'mail' goes on"
    assert not scene_of(queue).queues[0].is_paused


def test_what_has_changed_before_the_yes_is_said(queue: JobQueue) -> None:
    queue.submit(Job("job", "functions:nothing", id="the-id"))
    waiting = scene_of(queue).next[0]
    drain(queue)
    assert agreed(queue, "K", waiting) == "job job (the-id) had ended; nothing was cancelled"


def test_a_job_is_requeued(queue: JobQueue) -> None:
    queue.submit(Job("bad", "functions:fail", max_attempts=1, id="the-id"))
    drain(queue)
    failed = Watch(queue, reopen=lambda: queue).job("the-id")
    assert agreed(queue, "R", failed) == "job bad (the-id) is requeued"
    assert agreed(queue, "R", failed).endswith("nothing was requeued")


def test_a_filter_by_age_goes_on_with_the_time(open_queue: Callable[..., JobQueue], clock: ManualClock) -> None:
    queue = open_queue(clock=clock)
    queue.submit(Job("job", "functions:nothing"))
    watch = Watch(queue, reopen=lambda: queue)
    watch.show("since:1h")
    watch.look()
    assert [job.name for job in watch.scene.running] == ["job"]
    clock.advance(3700)
    watch.look()
    assert watch.scene.running == ()


def test_secrets_are_hidden_in_what_failed(queue: JobQueue) -> None:
    queue.submit(Job("bad token=abc123", "functions:fail", {"message": "password=hunter2 was refused"}, max_attempts=1))
    drain(queue)
    watch = Watch(queue, reopen=lambda: queue, hide=Redactor().text)
    watch.show("status:failed")
    watch.look()
    shown = repr((watch.scene.failures[0]._replace(group=None), watch.scene.running))
    assert "hunter2" not in shown and "abc123" not in shown


class SlowWatch(Watch):
    """Reads in two seconds of a set clock."""

    def _heavy(self, scene, now):  # type: ignore[no-untyped-def]
        self.queue.clock.advance(2)  # type: ignore[attr-defined]
        return super()._heavy(scene, now)


def test_the_first_look_may_take_long_and_later_ones_make_it_rest(
    open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    watch = SlowWatch(queue, reopen=lambda: queue)
    watch.look()
    assert watch.due - clock.monotonic() < 1, "it was the imports"
    queue.submit(Job("job", "functions:nothing"))
    watch.look()
    assert watch.due - clock.monotonic() > 10


def test_a_sentence_is_not_said_twice_because_it_has_grown_older_meanwhile(
    open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    queue.submit(Job("job", "functions:nothing"))
    clock.advance(1.5)
    why = queue.why

    def late(**options: float) -> list[str]:
        clock.advance(0.3)
        return why(**options)

    queue.why = late  # type: ignore[method-assign, assignment]
    assert [each.partition(",")[0] for each in scene_of(queue).sentences] == ["1 ready job waits"]


def test_a_file_that_cannot_be_opened_again_is_said_as_whoever_opens_it_is_told(
    open_queue: Callable[..., JobQueue], path: str
) -> None:
    queue = open_queue()
    watch = Watch(queue, reopen=lambda: JobQueue(path, read_only=True))
    watch.look()
    for each in Path(path).parent.glob(f"{Path(path).name}*"):
        each.unlink()
    watch.look()
    assert watch.scene.trouble.startswith(f"there is no queue at {path!r}")
    JobQueue(path).close()
    watch.look()
    watch.look()
    assert watch.scene.trouble == ""
    watch.close()


def test_reads_that_are_too_slow_are_told_and_the_others_shown(queue: JobQueue) -> None:
    queue.submit(Job("job", "functions:nothing"))

    def slow(*arguments: object, **options: object) -> list[str]:
        raise ReadTooLong("it took longer than 0.2 s")

    queue.next_jobs = queue.why = slow  # type: ignore[method-assign, assignment]
    scene = scene_of(queue)
    assert scene.unread == {"next", "sentences", "crew"} and scene.queues[0].ready == 1
