"""What becomes of a process that a job has forked."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import fork_functions
import pytest
from forked import ForkedProcess

from gigq import Job, JobQueue

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

CONSUME = """
import sys
from gigq import JobQueue, Worker
from gigq.testing import drain

path, way = sys.argv[1:]
if way == "drain":
    with JobQueue(path) as queue:
        drain(queue)
elif way == "execute_job":
    with JobQueue(path) as queue:
        while claim := queue.dequeue():
            queue.execute_job(claim)
elif way == "process_one":
    with Worker(path) as worker:
        while worker.process_one():
            pass
else:
    with Worker(path, mode=way, burst=True) as worker:
        worker.start()
print("the script goes on", flush=True)
"""


@pytest.mark.parametrize("way", ["thread", "process", "process_one", "drain", "execute_job"])
def test_a_fork_ends_where_the_function_ends_and_the_script_goes_on_once(
    queue: JobQueue, path: str, tmp_path: Path, way: str
) -> None:
    written = tmp_path / "written"
    given = {"path": str(written)}
    ids = [queue.submit(Job(end, fork_functions.fork, {"way": end, **given})) for end in fork_functions.EXITS]
    terminated = queue.submit(Job("terminated", fork_functions.terminate))
    script = ForkedProcess(CONSUME, [path, way])
    output, errors = script.communicate(60)
    assert script.returncode == 0, errors
    assert output == b"the script goes on\n"
    assert dict(zip(fork_functions.EXITS, map(queue.result, ids), strict=True)) == fork_functions.EXITS
    assert queue.result(terminated) == -signal.SIGTERM, "it does what the signal has it do anywhere else"
    assert [len(job["executions"]) for job in queue.list_jobs()] == [1] * (len(ids) + 1)
    assert errors.count(b"enough\n") == errors.count(b"ValueError: no\n") == 1
    assert written.read_text() == "written\n", "a fork waits for its threads"


def test_a_process_that_a_listener_forks_ends_with_the_listener(queue: JobQueue, path: str) -> None:
    queue.submit(Job("job", fork_functions.fork, {"way": "returns", "path": path}))
    script = """
import os, sys
from gigq import Worker

def listen(event):
    if event.kind == "job.completed" and (child := os.fork()):
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)

with Worker(sys.argv[1], burst=True, on_event=listen) as worker:
    worker.start()
"""
    assert ForkedProcess(script, [path]).communicate(60)[0] == b"0\n"


def test_a_module_that_forks_while_it_is_imported_runs_its_job_once(queue: JobQueue, path: str, tmp_path: Path) -> None:
    (tmp_path / "forking_tasks.py").write_text(
        "import os\nchild = os.fork()\nif child:\n    os.waitpid(child, 0)\ndef job():\n    return 'done'\n"
    )
    job_id = queue.submit(Job("job", "forking_tasks:job"))
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{CONSUME}"
    assert ForkedProcess(script, [path, "process_one"]).communicate(60)[0] == b"the script goes on\n"
    assert queue.result(job_id) == "done"
