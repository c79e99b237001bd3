"""The log of the package, in a process of its own that may set up logging as it likes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import gigq

WARN = "logging.getLogger('gigq.worker').warning('lost')"
INFORM = "logging.getLogger('gigq.worker').info('started')"


def said(*statements: str) -> str:
    """What a program prints on standard error."""
    code = "\n".join(["import gigq, gigq.logs, logging, sys", *statements])
    environment = {"PYTHONPATH": str(Path(gigq.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    return done.stderr


def test_a_program_that_has_not_set_up_logging_sees_the_warnings_and_nothing_else() -> None:
    assert said(WARN, INFORM) == "lost\n"


def test_a_program_that_has_set_up_logging_prints_the_log_as_its_own() -> None:
    assert said("logging.basicConfig(level='INFO', format='MINE %(message)s')", INFORM) == "MINE started\n"


def test_setup_logging_prints_a_line_with_its_time_and_zone() -> None:
    line = said("gigq.setup_logging()", INFORM)
    assert line.endswith(" INFO gigq.worker: started\n")
    assert line[:30].strip()[-6] in "+-"


@pytest.mark.parametrize(
    "others",
    [
        ["gigq.setup_logging()"],
        ["logging.basicConfig()"],
        ["logging.basicConfig(level='INFO')", "gigq.setup_logging()"],
        ["logging.root.addHandler(logging.StreamHandler(sys.stdout))"],
        ["logging.root.addHandler(logging.FileHandler('/dev/null'))"],
        ["logging.basicConfig(level='ERROR')", "logging.root.handlers[0].setLevel('ERROR')"],
    ],
)
def test_setup_logging_prints_each_line_once_whatever_the_root_logger_has(others: list[str]) -> None:
    for order in ([*others, "gigq.setup_logging()"], ["gigq.setup_logging()", *others]):
        assert said("sys.stdout = sys.stderr", *order, INFORM).count("started") == 1


def test_setup_logging_takes_a_level_and_a_format_and_the_last_call_counts() -> None:
    assert said("gigq.setup_logging('info')", "gigq.setup_logging('warning')", INFORM) == ""
    entry = json.loads(said("gigq.setup_logging()", "gigq.setup_logging(format='json')", INFORM))
    assert entry.pop("time").endswith("Z")
    assert entry == {"level": "INFO", "logger": "gigq.worker", "message": "started"}


def test_a_format_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match='format is \'xml\'; it must be "text" or "json"'):
        gigq.setup_logging(format="xml")  # type: ignore[arg-type]


def test_a_program_without_standard_error_prints_nothing() -> None:
    assert said("gigq.setup_logging()", "sys.stderr = None", INFORM) == ""
