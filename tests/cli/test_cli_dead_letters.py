"""`gigq dead`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gigq import JobQueue

Run = Callable[..., Any]


@pytest.mark.parametrize("words", [["dead"], ["dead", "list"]])
def test_dead_letters_are_listed_latest_end_first(run: Run, ended: JobQueue, words: list[str]) -> None:
    title, new, old = run(*words).out.splitlines()

    assert title.split() == ["id", "name", "status", "attempts", "ended", "error"]
    assert new.split() == [ended.dead_letters()[0]["id"], "new", "failed", "failed", "1/1", "0s", "ValueError:", "bad"]
    assert "10d" in old


def test_dead_letters_as_json_are_those_of_the_library(run: Run, ended: JobQueue) -> None:
    assert run("dead", "--json").json == ended.dead_letters()
    assert run("dead", "--json", "--limit", "1").json == ended.dead_letters(1)
    assert run("dead", "--json", "--limit", "0", "--queue", "red").json == ended.dead_letters(queue="red")


@pytest.mark.parametrize(
    ("words", "requeued"), [([], 2), (["--tag", "t"], 1), (["--queue", "blue"], 0), (["--search", "worse"], 1)]
)
def test_dead_letters_are_requeued_by_filters(run: Run, ended: JobQueue, words: list[str], requeued: int) -> None:
    assert run("dead", "requeue", *words, "--delay", "1h").out == f"Jobs requeued: {requeued}\n"
    assert ended.count(phase="scheduled") == requeued


@pytest.mark.parametrize(("words", "purged"), [([], 2), (["--older-than", "7d"], 1), (["--keep", "1"], 1)])
def test_dead_letters_are_purged(run: Run, ended: JobQueue, words: list[str], purged: int) -> None:
    assert run("dead", "purge", *words, "--json").json == {"pruned": purged}
    assert len(ended.dead_letters()) == 2 - purged


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["purge", "--queue", "red"], "dead purge does not take --queue"),
        (["purge", "--tag", "t"], "dead purge does not take --tag"),
        (["list", "--older-than", "7d"], "dead list does not take --older-than"),
        (["requeue", "--keep", "3"], "dead requeue does not take --keep"),
        (["bury"], "bury"),
    ],
)
def test_dead_refuses_options_of_another_action(run: Run, ended: JobQueue, words: list[str], option: str) -> None:
    outcome = run("dead", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert option in outcome.err
    assert len(ended.dead_letters()) == 2
