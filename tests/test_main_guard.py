"""A module that is imported for a job submits nothing meanwhile, and starts no worker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from runtime.gates import PATIENCE

from gigq import Job, JobQueue, Worker
from gigq.main_guard import IMPORTS
from gigq.testing import drain

Write = Callable[[str, str], Path]

REMEDY = "put what the script does when it is run under if __name__ == '__main__':"

HEAD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from gigq import Job, JobQueue, Worker, Workflow
from gigq.testing import drain

def job():
    return "done"

queue = JobQueue({path!r})
"""

ACTS = {
    "submit": "queue.submit(Job('again', job))",
    "submit_many": "queue.submit_many([Job('again', job)])",
    "enqueue": "queue.enqueue(job)",
    "a workflow": "workflow = Workflow('w'); workflow.add_job(Job('again', job)); workflow.submit_all(queue)",
    "a schedule": "queue.schedules.add('nightly', job, every=60)",
    "a worker": "Worker({path!r})",
    "drain": "drain(queue)",
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> Write:
    """Writes a module that does something while it is imported."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, act: str) -> Path:
        file = tmp_path / f"{name}.py"
        file.write_text((HEAD + act + "\nqueue.close()\n").format(path=path))
        return file

    return write


@pytest.mark.parametrize("act", ACTS)
def test_an_act_of_a_module_that_is_imported_for_a_job_is_refused_with_the_remedy(
    queue: JobQueue, write: Write, act: str
) -> None:
    name = f"unguarded_{list(ACTS).index(act)}"
    write(name, f"try:\n    {ACTS[act]}\nfinally:\n    queue.close()")
    job_id = queue.submit(Job("first", f"{name}:job", max_attempts=1))
    drain(queue)
    status = queue.get_status(job_id)
    assert status["status"] == "failed"
    assert f"the module '{name}' was being imported for a job" in status["error"]
    assert REMEDY in status["error"]
    assert (len(queue.list_jobs()), list(queue.schedules)) == (1, [])


def test_a_module_may_read_while_it_is_imported(queue: JobQueue, write: Write) -> None:
    write("reading_only", "queue.stats()")
    job_id = queue.submit(Job("first", "reading_only:job"))
    drain(queue)
    assert queue.result(job_id) == "done"


def test_what_is_refused_during_an_import_is_allowed_after_it(queue: JobQueue) -> None:
    with IMPORTS.of("elsewhere"), pytest.raises(RuntimeError, match="'elsewhere' was being imported"):
        queue.submit(Job("job", "m:f"))
    queue.submit(Job("job", "m:f"))


def test_a_worker_that_was_made_before_does_not_run_while_a_module_is_imported(queue: JobQueue, path: str) -> None:
    with Worker(path) as worker, IMPORTS.of("tasks"):
        for act in (worker.start, worker.process_one):
            with pytest.raises(RuntimeError, match="while the module 'tasks' was being imported"):
                act()


UNGUARDED = """
ids = [queue.submit(Job("job", job, max_attempts=1))]
with Worker({path!r}, mode="process", burst=True) as worker:
    worker.start()
print(queue.get_status(ids[0])["error"])
"""

IN_THREADS = """
if __name__ == "__main__":
    queue.submit(Job("job", job))
    with Worker({path!r}, mode="process", burst=True) as worker:
        worker.start()
else:
    with ThreadPoolExecutor() as pool:
        pool.map(queue.submit, [Job("again", "m:f")])
"""

SPAWNED = """
import multiprocessing
queue.submit(Job("job", "m:f"))
if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=job)
    process.start()
    process.join()
    print(process.exitcode)
"""


@pytest.mark.parametrize(
    ("script", "said"), [(UNGUARDED, REMEDY), (IN_THREADS, ""), (SPAWNED, "1\n")], ids=["all", "in threads", "spawned"]
)
def test_a_script_that_child_processes_import_does_not_submit_again(
    queue: JobQueue, write: Write, script: str, said: str
) -> None:
    file = write("my_script", script)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert said in done.stdout
    assert queue.stats()["total"] == 1, done.stderr
