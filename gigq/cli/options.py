"""Arguments that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.command import Argument, argument

if TYPE_CHECKING:
    from enum import StrEnum

FILTERS = ("queue", "name", "tags", "workflow", "search")
"""The values of `filters`, apart from the statuses."""

AGES = ("older_than", "keep")
"""The values of `ages`."""

ID = "the job's ID, or at least 4 characters of its end or beginning; - is the job that you named last"

ONE_ID = argument("id", metavar="ID", type=values.prefix, completes="jobs", help=ID)
"""The ID of one job."""


def choice(name: str, words: Sequence[StrEnum], meaning: str) -> Argument:
    """Return an option that takes one of several words, and may be typed several times."""
    choices = [word.value for word in words]
    return argument(name, action="append", choices=choices, help=f"{meaning}; repeat it for several")


def filters() -> list[Argument]:
    """Return the options that choose among jobs."""
    # fmt: off
    return [
        argument("--queue", metavar="NAME", completes="queues", help="only jobs in this queue"),
        argument("--name", completes="names", help="only jobs with exactly this name"),
        argument("--tag", dest="tags", metavar="TAG", action="append", completes="tags",
            help="only jobs with this tag; repeat it to require several"),
        argument("--workflow", metavar="ID", type=values.prefix, completes="workflows",
            help="only jobs of the workflow that has this ID, or one that begins or ends with it"),
        argument("--search", metavar="TEXT",
            help="only jobs with this text in their ID, name, description, function, arguments or error"),
    ]
    # fmt: on


def ages() -> list[Argument]:
    """Return the options that choose among finished jobs by their age."""
    # fmt: off
    return [
        argument("--older-than", metavar="DURATION", type=values.older_than,
            help="only jobs that ended at least this long ago, such as 7d, or before this instant (ISO 8601)"),
        argument("--keep", metavar="N", type=values.whole, help="keep the N of them that ended last"),
    ]
    # fmt: on
