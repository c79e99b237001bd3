"""The job that a worker has claimed, with all that is needed to run it."""

from __future__ import annotations

from typing import NamedTuple


# A named tuple: a frozen dataclass of this size takes 5 us to make, and one is made for every job.
class Claim(NamedTuple):
    """A job that a worker has taken, with all that is needed to run it. What is JSON in the file is so here.

    Attributes:
        execution_id: proves the ownership when the execution is settled; never used again.
        is_ahead: claimed for a slot that is still busy; its start is written when it has begun.
        timeout: seconds, or None.
        pass_parent_results: None leaves it to whether the function takes them.
        crashes: how often a worker has died while it held the job.
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
    tags: tuple[str, ...] = ()
    parent_results: str | None = None

    @property
    def must_run_alone(self) -> bool:
        """Whether a worker has died with it, and it has but one attempt left.

        It is run alone then: if it brings the worker down again it takes no other job with it, and if it was another
        one's victim it fails for no fault of that other.
        """
        return self.crashes > 0 and self.attempt == self.max_attempts
