"""What a job prints where nobody reads it does not fail the job."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from process_runs import PATIENCE, script

from gigq.runtime.process.stdio import Patient

REPORT = """runner.start([claim(function='process_functions:print_much', params={params!r})])
        print(all_ended(runner)[0][1][:3], file=open({path!r}, 'w'))"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for each in ends:
        os.close(each)


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", ">&-"])
def test_a_job_may_print_where_a_standard_file_of_the_worker_is_closed(tmp_path: Path, closed: str) -> None:
    report = report_of(tmp_path, program="echo", shell=f'exec "$@" {closed}', output=subprocess.DEVNULL)
    assert report == "(<ExecutionStatus.COMPLETED: 'completed'>, '0', None)\n"


def test_a_job_may_print_when_the_reader_is_gone(tmp_path: Path) -> None:
    there, here = os.pipe()
    os.close(there)
    try:
        report = report_of(tmp_path, program="echo", output=here)
    finally:
        os.close(here)
    assert report == "(<ExecutionStatus.COMPLETED: 'completed'>, '0', None)\n"


def test_a_job_may_print_when_nobody_reads(tmp_path: Path, pipe: tuple[int, int]) -> None:
    _, here = pipe
    report = report_of(tmp_path, program="true", output=here)
    assert report == "(<ExecutionStatus.COMPLETED: 'completed'>, '0', None)\n"


def test_what_is_dropped_is_counted_where_it_would_have_been(pipe: tuple[int, int]) -> None:
    there, here = pipe
    stream = Patient(here, "wb", closefd=False)
    written = sum(stream.write(b"x" * 4096) for _ in range(20))
    read = len(os.read(there, 1 << 20))
    stream.write(b"later")
    note = f"\n… {written - read:,} bytes were dropped here, because nobody read them …\nlater"
    assert os.read(there, 1000).decode() == note
    stream.close()


def report_of(folder: Path, *, program: str, output: int, shell: str = 'exec "$@"') -> str:
    """Have a child print 200 kB to each stream, more than a pipe holds, and return how that ended."""
    written = folder / "written"
    params = json.dumps({"count": 2000, "program": program})
    command = script(folder, REPORT.format(params=params, path=str(written)))
    subprocess.run(["sh", "-c", shell, "sh", *command], stdout=output, stderr=output, timeout=PATIENCE, check=True)
    return written.read_text()
