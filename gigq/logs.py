"""The loggers of the package, which print nothing until the application configures logging."""

from __future__ import annotations

import logging

_PACKAGE = logging.getLogger("gigq")
# Without a handler of its own, an application that has not configured logging would see warnings on standard error.
_PACKAGE.addHandler(logging.NullHandler())


def logger(part: str) -> logging.Logger:
    """Return the logger of one part of the package, such as ``gigq.worker`` for ``worker``."""
    return _PACKAGE.getChild(part)


def setup_logging(level: int | str = logging.INFO) -> None:
    """Print the log of workers on standard error, from this level up."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _PACKAGE.setLevel(level)
