"""What a job binds in context variables is seen by no other job and not by its caller; what modules bind, by all."""

from __future__ import annotations

import decimal
import importlib
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import leftover_functions
import pytest
from calls import claim
from process_runs import ProcessRunner, job, result_of

from gigq import JobQueue, SystemClock, Worker
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.testing import drain

FRESH = ["nobody", "0.1428571428571428571428571429"]

Act = Callable[[Callable[[], Any]], Any]


@pytest.fixture(autouse=True)
def own_context(request: pytest.FixtureRequest) -> None:
    decimal.setcontext(decimal.Context())


@pytest.fixture(params=["the same thread", "another thread"])
def there(request: pytest.FixtureRequest) -> Act:
    """Calls something in a context of its own, in this thread or in another one."""
    if request.param == "the same thread":
        return lambda act: copy_context().run(act)
    return lambda act: ThreadPoolExecutor(1).submit(act).result(30)


def results_of(*functions: str) -> list[Any]:
    """Call functions one after the other as a worker does."""
    call = caller(Functions(), clock=SystemClock(), result_limit=1000)
    return [json.loads(call(claim(function=name)).result or "null") for name in functions]


def test_a_job_does_not_see_what_the_one_before_has_bound(there: Act) -> None:
    def act() -> None:
        assert results_of("leftover_functions:bind", "leftover_functions:seen") == [None, FRESH]
        assert leftover_functions.seen() == FRESH

    there(act)


def test_a_job_sees_what_its_caller_has_bound_and_changes_only_a_copy(there: Act) -> None:
    def act() -> None:
        leftover_functions.user.set("eve")
        decimal.getcontext().prec = 5
        assert results_of("leftover_functions:seen", "leftover_functions:bind") == [["eve", "0.14286"], None]
        assert leftover_functions.seen() == ["eve", "0.14286"]

    there(act)


def test_no_way_to_run_a_job_here_and_now_changes_the_callers_context(queue: JobQueue, path: str) -> None:
    def act() -> None:
        for _ in range(3):
            queue.enqueue(leftover_functions.bind)
        claimed = queue.dequeue()
        assert claimed is not None
        queue.execute_job(claimed)
        with Worker(path) as worker:
            worker.process_one()
        assert drain(queue) == 1
        assert leftover_functions.seen() == FRESH

    copy_context().run(act)


def test_a_job_in_a_child_process_does_not_see_what_the_one_before_has_bound(shared: ProcessRunner) -> None:
    assert result_of(shared, job("leftover_functions:bind")) is None
    assert result_of(shared, job("leftover_functions:seen")) == FRESH


def test_what_a_module_binds_while_it_is_imported_holds_for_all_jobs(
    there: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "precise.py").write_text(
        "import decimal\n"
        "import leftover_functions\n"
        "decimal.getcontext().prec = 7\n"
        "leftover_functions.user.set('module')\n"
        "from leftover_functions import bind, seen\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()

    def act() -> None:
        names = ("precise:seen", "precise:bind", "leftover_functions:seen")
        assert results_of(*names) == [["module", "0.1428571"], None, ["module", "0.1428571"]]
        assert leftover_functions.seen() == FRESH, "but not for the caller"

    there(act)
    sys.modules.pop("precise")
