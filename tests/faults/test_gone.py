"""A process that is gone in the middle of a write leaves a sound file, and never half of what it was doing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.operations import JOINED_OPERATIONS, OPERATIONS

TESTS = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the process that ends is forked")


@pytest.fixture(scope="module")
def let_processes_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[int, list[str]]]]:
    """Lets processes end at each statement of an operation; returns at how many, and what was wrong afterwards."""
    folder = tmp_path_factory.mktemp("gone")
    arguments = [sys.executable, "-W", "error", "-m", "faults.gone", str(folder)]
    with subprocess.Popen(arguments, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as gone:
        assert gone.stdin
        assert gone.stdout

        def let_end(name: str) -> tuple[int, list[str]]:
            print(name, file=gone.stdin, flush=True)
            deaths, wrong = json.loads(gone.stdout.readline())
            return deaths, wrong

        yield let_end


@pytest.mark.parametrize("name", [*OPERATIONS, *JOINED_OPERATIONS])
def test_a_write_whose_process_ends_at_any_statement_is_done_completely_or_not_at_all(
    let_processes_end: Callable[[str], tuple[int, list[str]]], name: str
) -> None:
    deaths, wrong = let_processes_end(name)
    assert wrong == []
    assert deaths >= 3, "it has a BEGIN, something to do, and a COMMIT"
