"""The moves of a job from status to status."""

from __future__ import annotations

import pytest

from gigq.status import DEAD, ENDED_BADLY, FINISHED, UNFINISHED, ExecutionStatus, JobStatus, Move, move_after

COMPLETED, FAILED, TIMEOUT, CANCELLED, LOST, RELEASED = (
    ExecutionStatus.COMPLETED,
    ExecutionStatus.FAILED,
    ExecutionStatus.TIMEOUT,
    ExecutionStatus.CANCELLED,
    ExecutionStatus.LOST,
    ExecutionStatus.RELEASED,
)


# The move of the job with attempts left, and with none.
@pytest.mark.parametrize(
    ("ended", "is_final", "with_attempts", "without"),
    [
        (COMPLETED, False, Move.COMPLETE, Move.COMPLETE),
        (FAILED, False, Move.RETRY, Move.FAIL),
        (LOST, False, Move.RETRY, Move.FAIL),
        (TIMEOUT, False, Move.RETRY, Move.TIME_OUT),
        (FAILED, True, Move.FAIL, Move.FAIL),
        (RELEASED, False, Move.RELEASE, Move.RELEASE),
        (CANCELLED, False, Move.CANCEL, Move.CANCEL),
    ],
)
@pytest.mark.parametrize("attempts_left", [1, 2, 10**9])
def test_the_end_of_an_execution_decides_the_move(
    ended: ExecutionStatus, is_final: bool, with_attempts: Move, without: Move, attempts_left: int
) -> None:
    assert move_after(ended, is_final=is_final, attempts_left=attempts_left) is with_attempts
    assert move_after(ended, is_final=is_final, attempts_left=0) is without


@pytest.mark.parametrize("ended", [FAILED, LOST, TIMEOUT])
def test_a_job_with_more_attempts_than_it_may_have_is_not_retried(ended: ExecutionStatus) -> None:
    assert move_after(ended, is_final=False, attempts_left=-1).target in DEAD


def test_a_running_execution_has_no_move() -> None:
    with pytest.raises(ValueError, match="running has not ended"):
        move_after(ExecutionStatus.RUNNING, is_final=False, attempts_left=1)


@pytest.mark.parametrize("ended", [status for status in ExecutionStatus if status is not ExecutionStatus.RUNNING])
@pytest.mark.parametrize("is_final", [False, True])
@pytest.mark.parametrize("attempts_left", [0, 1])
def test_every_end_leads_away_from_running(ended: ExecutionStatus, is_final: bool, attempts_left: int) -> None:
    move = move_after(ended, is_final=is_final, attempts_left=attempts_left)
    assert JobStatus.RUNNING in move.sources
    assert move.target is not JobStatus.RUNNING


@pytest.mark.parametrize(
    ("move", "sources", "target"),
    [
        (Move.CLAIM, {"pending"}, "running"),
        (Move.COMPLETE, {"running"}, "completed"),
        (Move.RETRY, {"running"}, "pending"),
        (Move.RELEASE, {"running"}, "pending"),
        (Move.FAIL, {"running"}, "failed"),
        (Move.TIME_OUT, {"running"}, "timeout"),
        (Move.CANCEL, {"pending", "running"}, "cancelled"),
        (Move.REQUEUE, {"failed", "timeout", "cancelled"}, "pending"),
        (Move.RERUN, {"completed"}, "pending"),
    ],
)
def test_a_move_leads_from_its_sources_to_its_target(move: Move, sources: set[str], target: str) -> None:
    assert set(move.sources) == sources
    assert move.target == target


def test_no_two_moves_are_the_same() -> None:
    assert len(Move) == 9
    assert len({move.label for move in Move}) == len(Move)


def test_only_the_last_job_of_a_workflow_leaves_completed() -> None:
    assert [move for move in Move if JobStatus.COMPLETED in move.sources] == [Move.RERUN]


def test_every_status_can_be_reached_from_pending() -> None:
    reached, before = {JobStatus.PENDING}, set[JobStatus]()
    while reached != before:
        before = set(reached)
        reached |= {move.target for move in Move if not before.isdisjoint(move.sources)}
    assert reached == set(JobStatus)


def test_a_status_is_either_unfinished_or_finished() -> None:
    assert sorted([*UNFINISHED, *FINISHED]) == sorted(JobStatus)
    assert set(DEAD) < set(ENDED_BADLY) < set(FINISHED)


@pytest.mark.parametrize("status", JobStatus)
def test_a_status_is_the_word_that_the_file_holds(status: JobStatus) -> None:
    assert f"{status}" == status.value == status.name.lower()
