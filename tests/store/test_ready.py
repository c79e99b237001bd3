"""The jobs that come next where there are many queues, or where a worker lacks functions: the order, and the cost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from store.verbs import File

from gigq import Job, JobQueue, ManualClock
from gigq.missing import NOTHING, Lacking

FEW, MANY = 5, 40


@pytest.fixture
def other(clock: ManualClock) -> Iterator[File]:
    """A second file."""
    with JobQueue(":memory:", clock=clock) as queue:
        yield File(queue, clock)


@pytest.mark.parametrize("queues", [FEW, MANY])
@pytest.mark.parametrize("seed", range(8))
def test_jobs_are_claimed_in_order_whatever_is_closed_or_missing(file: File, queues: int, seed: int) -> None:
    chance = random.Random(seed)
    jobs = [(f"q{chance.randrange(queues)}", f"m:f{chance.randrange(4)}", chance.randrange(3)) for _ in range(300)]
    file.queue.submit_many(Job(str(n), f, queue=q, priority=p) for n, (q, f, p) in enumerate(jobs))
    names = [f"q{number}" for number in range(queues)]
    paused, served = {*chance.sample(names, 2)}, {*chance.sample(names, queues - 1)}
    limits = {name: chance.randrange(1, 4) for name in chance.sample(names, 3)}
    for name in paused:
        file.queue.pause(name)
    for name, limit in limits.items():
        file.queue.configure(name, max_running=limit)
    lacking = Lacking(absent=["m:f1", "m:f9"], probed=["m:f2"]) if seed % 2 else Lacking()

    running, tried, expected = Counter[str](), False, list[str]()
    for number, (queue, function, _) in sorted(enumerate(jobs), key=lambda each: (-each[1][2], each[0])):
        is_closed = queue in paused or queue not in served or running[queue] == limits.get(queue, 999)
        if not is_closed and function not in lacking.absent and not (function in lacking.probed and tried):
            expected.append(str(number))
            running[queue] += 1
            tried |= function in lacking.probed
    assert file.outlook(sorted(served), lacking).is_ready
    assert file.names(file.claim(10, queues=sorted(served), lacking=lacking)) == expected[:10]


@pytest.mark.parametrize("closed", [3, 100, 700])
def test_jobs_of_open_queues_are_found_behind_those_of_a_closed_one(file: File, closed: int) -> None:
    file.queue.submit_many(Job(str(n), "m:f", queue="closed") for n in range(closed))
    file.queue.submit_many(Job(f"open {n}", "m:f", queue=f"q{n}") for n in range(MANY))
    file.queue.pause("closed")
    assert file.names(file.claim(2)) == ["open 0", "open 1"]


@pytest.mark.parametrize(("limit", "value"), [("_DEPTHS", (4,)), ("_MOST_PASSED", 20), ("_MOST_READ", 8)])
def test_more_jobs_of_a_closed_queue_than_are_passed_over_hide_no_other(
    file: File, monkeypatch: pytest.MonkeyPatch, limit: str, value: object
) -> None:
    monkeypatch.setattr(f"gigq.store.ready.{limit}", value)
    file.queue.submit_many(Job(str(n), "m:f", queue="closed", priority=1) for n in range(30))
    file.queue.submit_many(Job(f"open {n}", f"m:f{n % 3}", queue=f"q{n}") for n in range(MANY))
    file.queue.pause("closed")
    assert file.outlook(lacking=Lacking(absent=["m:f0"])).is_ready
    assert file.names(file.claim(2, lacking=Lacking(absent=["m:f0"]))) == ["open 1", "open 2"]


def test_one_job_is_claimed_of_a_function_that_may_still_be_missing(file: File) -> None:
    for number in range(3):
        file.submit(f"probe {number}", "m:probed")
        file.submit(f"other {number}", "m:other")
    assert file.names(file.claim(10, lacking=Lacking(probed=["m:probed"]))) == [
        "probe 0", "other 0", "other 1", "other 2",
    ]  # fmt: skip


def test_nothing_is_expected_of_a_function_that_is_missing(file: File) -> None:
    file.submit(function="m:absent")
    assert not file.outlook(lacking=Lacking(absent=["m:absent"])).is_ready
    assert file.outlook(lacking=Lacking(probed=["m:absent"])).is_ready
    assert file.claim(lacking=Lacking(absent=["m:absent"])) == []


def steps_of(file: File, act: Callable[[], object]) -> int:
    """The steps of SQLite's virtual machine that `act` takes, in hundreds."""
    with file.queue.database.read() as tx:
        connection = tx.connection
    counted: list[None] = []
    connection.set_progress_handler(lambda: counted.append(None), 100)
    act()
    connection.set_progress_handler(None, 0)
    return len(counted)


def cost(file: File, lacking: Lacking = NOTHING) -> tuple[int, int]:
    """The steps of one claim, and of one look."""
    file.claim(lacking=lacking)  # so that what is done once has been done
    return steps_of(file, lambda: file.claim(lacking=lacking)), steps_of(file, lambda: file.outlook(lacking=lacking))


def test_a_claim_and_a_look_cost_the_same_with_2000_queues_as_with_one(file: File, other: File) -> None:
    for each, queues in ((file, 1), (other, 2000)):
        each.queue.submit_many(Job("job", f"m:f{n % 5}", queue=f"q{n % queues}") for n in range(2000))
    few, many = cost(file), cost(other)
    assert many[0] <= few[0] + 10  # a thousand steps take about 20 microseconds
    assert many[1] <= few[1] + 10


@pytest.mark.parametrize("limits", [{"max_running": 1}, None])
def test_a_few_closed_queues_among_2000_cost_little(file: File, limits: dict[str, int] | None) -> None:
    file.queue.submit_many(Job("job", "m:f", queue=f"q{n % 2000}") for n in range(4000))
    before = cost(file)
    for number in range(0, 100, 10):
        if limits:
            file.queue.configure(f"q{number}", **limits)
        else:
            file.queue.pause(f"q{number}")
    after = cost(file)
    assert after[0] <= before[0] + 20
    assert after[1] <= before[1] + 20


def test_a_claim_costs_the_same_behind_any_number_of_jobs_that_the_worker_cannot_run(
    file: File, other: File
) -> None:
    lacking = Lacking(absent=["m:absent"])
    for each, jobs in ((file, 10), (other, 5000)):
        each.queue.submit_many(Job("job", "m:absent", priority=1) for _ in range(jobs))
        each.queue.submit_many(Job("mine", "m:here") for _ in range(10))
    assert cost(other, lacking)[0] <= cost(file, lacking)[0] + 1
    assert other.names(other.claim(lacking=lacking)) == ["mine"]
