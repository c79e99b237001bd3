"""A claimed job, with everything that is needed to run it."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from typing import NamedTuple


# A named tuple: a frozen dataclass of this size takes 5 us to make, and one is made for every job.
class Claim(NamedTuple):
    """A job that a worker has claimed, with everything that is needed to run it. JSON is kept as the text in the file.

    Attributes:
        execution_id: the proof of ownership when the execution is settled; never used again.
        is_ahead: whether it is prefetched, for a slot that is still busy. Its start is written when it has begun.
        timeout: the time limit of the execution, in seconds; None for no limit.
        pass_parent_results: None passes them if the function takes them.
        crashes: how many times a worker has died while it held the job.
        cursor: the place in a long loop that the function has set in an earlier execution, as JSON; None without one.
        tags: in alphabetical order.
        parent_results: ``{parent id: result}``, or None where there are none.
    """

    execution_id: int
    is_ahead: bool
    job_seq: int
    job_id: str
    name: str
    queue: str
    function: str
    args: str
    params: str
    attempt: int
    max_attempts: int
    timeout: float | None
    retry_on: str
    no_retry_on: str
    pass_parent_results: bool | None
    metadata: str
    crashes: int = 0
    cursor: str | None = None
    tags: tuple[str, ...] = ()
    parent_results: str | None = None

    @property
    def must_run_alone(self) -> bool:
        """Whether a worker has died with the job before, and this is its last attempt.

        It is then run alone. If it brings the worker down again, it takes no other job with it; and if it was only the
        victim of another job, that one cannot make it fail for good.
        """
        return self.crashes > 0 and self.attempt == self.max_attempts
