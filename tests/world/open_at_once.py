"""Open a new queue from 120 processes at once: ``PYTHONPATH=. python tests/world/open_at_once.py [processes]``.

Takes a minute on two cores, so no test does it; one with 40 processes stands in tests/store/test_database.py.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from gigq import JobQueue

OPEN = """
import sys
from gigq import Job, JobQueue
sys.stdin.read()
with JobQueue(sys.argv[1]) as queue:
    queue.submit(Job("job", "functions:nothing"))
"""


def main(processes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "jobs.db")
        command = [sys.executable, "-c", OPEN, path]
        started = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(processes)]
        for each in started:
            assert each.stdin is not None
            each.stdin.close()  # they begin together
        codes = [each.wait() for each in started]
        with JobQueue(path) as queue:
            print(f"{codes.count(0)} of {processes} have opened it; {queue.count()} jobs; {queue.check() or 'sound'}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
