"""Failure detection: when a worker is considered dead, and when it must not be."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gigq.liveness import FailureDetector, Heartbeat, ProcessIdentity, WorkerKey, certainly_dead

LEASE = 15.0
HERE = ProcessIdentity(machine_id="machine", boot_id="boot", pid_namespace="ns", pid=100)
NEIGHBOUR = HERE._replace(pid=200)
ANN, BOB = WorkerKey(1, "ann"), WorkerKey(2, "bob")


def heartbeat(process: ProcessIdentity = NEIGHBOUR, *, counter: int | None = 1, key: WorkerKey = ANN) -> Heartbeat:
    return Heartbeat(key=key, counter=counter, process=process)


def nobody_is_gone(pid: int) -> bool:
    return False


def everybody_is_gone(pid: int) -> bool:
    return True


class Observer:
    """A failure detector that looks every second, as a worker does."""

    def __init__(self, *, here: ProcessIdentity = HERE, lease: float = LEASE) -> None:
        self.detector = FailureDetector(here, lease=lease)
        self.now = 1000.0

    def look(self, *heartbeats: Heartbeat) -> list[WorkerKey]:
        return self.detector.dead(heartbeats, now=self.now, is_gone=nobody_is_gone)

    def look_for(self, seconds: int, *heartbeats: Heartbeat) -> list[WorkerKey]:
        """Look every second for some seconds, and return what the last look found; the earlier ones found nothing."""
        found: list[WorkerKey] = []
        for _ in range(seconds):
            assert found == []
            self.now += 1
            found = self.look(*heartbeats)
        return found


# The identity of the other process, that of the observer, whether the pid is gone here, and the verdict of one look.
@pytest.mark.parametrize(
    ("there", "here", "gone", "is_dead"),
    [
        pytest.param(NEIGHBOUR, HERE, False, False, id="its process runs"),
        pytest.param(NEIGHBOUR, HERE, True, True, id="its process is gone"),
        pytest.param(
            NEIGHBOUR._replace(pid_namespace="other"), HERE, True, False, id="its pid means another process here"
        ),
        pytest.param(NEIGHBOUR._replace(pid_namespace=""), HERE, True, False, id="its namespace is unknown"),
        pytest.param(NEIGHBOUR, HERE._replace(pid_namespace=""), True, False, id="the observer's namespace is unknown"),
        pytest.param(NEIGHBOUR._replace(boot_id="before"), HERE, False, True, id="the machine has been started since"),
        pytest.param(
            NEIGHBOUR._replace(boot_id="before", machine_id="other"),
            HERE,
            True,
            False,
            id="another machine, another boot",
        ),
        pytest.param(
            NEIGHBOUR._replace(boot_id="before", machine_id=""),
            HERE._replace(machine_id=""),
            True,
            False,
            id="no machine ids",
        ),
        pytest.param(NEIGHBOUR._replace(boot_id=""), HERE, True, False, id="its boot is unknown"),
        pytest.param(NEIGHBOUR, HERE._replace(boot_id=""), True, False, id="the observer's boot is unknown"),
        pytest.param(
            NEIGHBOUR._replace(boot_id=""), HERE._replace(boot_id=""), True, False, id="both boots are unknown"
        ),
        pytest.param(
            NEIGHBOUR._replace(pid_namespace=""),
            HERE._replace(pid_namespace=""),
            True,
            True,
            id="a system of one namespace",
        ),
    ],
)
def test_a_death_is_certain_only_if_the_pid_or_the_boot_id_proves_it(
    there: ProcessIdentity, here: ProcessIdentity, gone: bool, is_dead: bool
) -> None:
    is_gone = everybody_is_gone if gone else nobody_is_gone
    verdict = [ANN] if is_dead else []
    assert certainly_dead([heartbeat(there)], here=here, is_gone=is_gone) == verdict
    assert FailureDetector(here, lease=LEASE).dead([heartbeat(there)], now=0.0, is_gone=is_gone) == verdict


def test_only_pids_of_the_observers_own_namespace_are_checked() -> None:
    asked: list[int] = []

    def is_gone(pid: int) -> bool:
        asked.append(pid)
        return False

    heartbeats = [
        heartbeat(),
        heartbeat(NEIGHBOUR._replace(pid_namespace="other", pid=300)),
        heartbeat(NEIGHBOUR._replace(boot_id="x", pid=400)),
    ]
    FailureDetector(HERE, lease=LEASE).dead(heartbeats, now=0.0, is_gone=is_gone)
    assert asked == [200]


def test_a_worker_is_dead_after_a_whole_lease_of_silence() -> None:
    observer = Observer()
    assert observer.look(heartbeat()) == []
    assert observer.look_for(14, heartbeat()) == []
    assert observer.look_for(1, heartbeat()) == [ANN]


def test_silence_counts_from_the_first_look_not_from_the_last_heartbeat() -> None:
    observer = Observer()
    observer.look()
    assert observer.look_for(20) == []
    assert observer.look(heartbeat()) == []
    assert observer.look_for(14, heartbeat()) == []
    assert observer.look_for(1, heartbeat()) == [ANN]


def test_a_counter_that_has_moved_ends_the_silence() -> None:
    observer = Observer()
    observer.look(heartbeat(counter=1))
    assert observer.look_for(14, heartbeat(counter=1)) == []
    assert observer.look_for(15, heartbeat(counter=2)) == []
    assert observer.look_for(1, heartbeat(counter=2)) == [ANN]


def test_silence_from_before_is_forgotten_on_request() -> None:
    observer = Observer()
    assert observer.look_for(int(LEASE) - 1, heartbeat()) == []
    observer.detector.forget()
    assert observer.look_for(int(LEASE), heartbeat()) == []
    assert observer.look_for(1, heartbeat()) == [ANN]


def test_a_counter_that_went_back_has_moved() -> None:
    observer = Observer()
    observer.look(heartbeat(counter=9))
    assert observer.look_for(14, heartbeat(counter=9)) == []
    assert observer.look_for(15, heartbeat(counter=3)) == []


def test_a_worker_without_a_counter_is_dead_only_if_that_is_certain() -> None:
    observer = Observer()
    observer.look(heartbeat(counter=None))
    assert observer.look_for(100, heartbeat(counter=None)) == []
    assert observer.detector.dead([heartbeat(counter=None)], now=observer.now, is_gone=everybody_is_gone) == [ANN]


def test_a_worker_whose_counter_moves_is_never_dead() -> None:
    observer = Observer()
    for counter in range(100):
        observer.now += 4.9
        assert observer.look(heartbeat(counter=counter)) == []


def test_an_observer_that_was_suspended_counts_no_silence_from_before() -> None:
    observer = Observer()
    observer.look(heartbeat())
    assert observer.look_for(14, heartbeat()) == []
    observer.now += 3600
    assert observer.look(heartbeat()) == []
    assert observer.look_for(14, heartbeat()) == []
    assert observer.look_for(1, heartbeat()) == [ANN]


@pytest.mark.parametrize(("gap", "is_dead"), [(LEASE / 3, True), (LEASE / 3 + 0.001, False)])
def test_a_third_of_a_lease_between_two_looks_counts_as_watching(gap: float, is_dead: bool) -> None:
    observer = Observer()
    observer.look(heartbeat())
    observer.look_for(12, heartbeat())
    observer.now += gap
    assert observer.look(heartbeat()) == ([ANN] if is_dead else [])


def test_each_worker_is_judged_on_its_own() -> None:
    observer = Observer()
    observer.look(heartbeat(), heartbeat(key=BOB))
    assert observer.look_for(10, heartbeat(), heartbeat(key=BOB)) == []
    assert observer.look_for(4, heartbeat(), heartbeat(key=BOB, counter=2)) == []
    assert observer.look_for(1, heartbeat(), heartbeat(key=BOB, counter=2)) == [ANN]


def test_a_worker_that_left_and_came_back_is_watched_from_the_start() -> None:
    observer = Observer()
    observer.look(heartbeat())
    assert observer.look_for(14, heartbeat()) == []
    assert observer.look_for(1) == []
    assert observer.look_for(1, heartbeat()) == []


def test_two_workers_of_one_name_are_told_apart() -> None:
    again = WorkerKey(7, "ann")
    observer = Observer()
    observer.look(heartbeat())
    observer.look_for(10, heartbeat())
    assert observer.look_for(5, heartbeat(), heartbeat(key=again)) == [ANN]


def test_an_observer_does_not_consider_itself_dead() -> None:
    def is_gone(pid: int) -> bool:
        return pid != HERE.pid

    detector = FailureDetector(HERE, lease=LEASE)
    for counter in range(100):
        assert detector.dead([heartbeat(HERE, counter=counter)], now=float(counter), is_gone=is_gone) == []


def test_heartbeats_may_be_an_iterator() -> None:
    def read() -> Iterable[Heartbeat]:
        yield heartbeat(key=ANN)
        yield heartbeat(key=BOB)

    assert FailureDetector(HERE, lease=LEASE).dead(read(), now=0.0, is_gone=everybody_is_gone) == [ANN, BOB]
