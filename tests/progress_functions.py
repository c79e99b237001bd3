"""Functions that report progress and log. A worker's child process imports them as `progress_functions`."""

from __future__ import annotations

import logging

import functions

from gigq import current_job


def halfway_and_spin() -> None:
    current_job().progress(1, 2)
    functions.spin()


def log() -> None:
    logging.getLogger("app").warning("it is late")
