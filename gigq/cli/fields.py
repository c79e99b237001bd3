"""The fields of the records that commands answer with in JSON, which ``--json=`` chooses from.

They stand here as words, so that a command line with a wrong one is refused before anything is imported or done; a test
compares them with what is printed.
"""

from __future__ import annotations

JOB = (
    "exists", "id", "name", "status", "phase", "queue", "priority", "function", "args", "params", "result",
    "error", "attempts", "max_attempts", "releases", "timeout", "retry_delay", "pass_parent_results",
    "description", "created_at", "updated_at", "run_at", "expires_at", "started_at", "completed_at",
    "worker_id", "progress", "cursor", "unique_key", "dependencies", "submitted_by", "workflow", "tags",
    "metadata", "executions", "function_module", "function_name", "retry_after",
)  # fmt: skip
WORKER = (
    "id", "mode", "concurrency", "queues", "pid", "running", "completed", "failed", "started_at", "seen_at",
    "stop", "missing", "trouble", "jobs", "state",
)  # fmt: skip
QUEUE = (
    "name", "is_paused", "paused_at", "ready", "scheduled", "running", "oldest_ready_at", "max_running", "rate_limit",
    "rate_period",
)  # fmt: skip
SCHEDULE = (
    "name", "cron", "every", "timezone", "missed", "overlap", "is_paused", "next_at", "last_at", "last_job",
    "created_at", "function", "queue",
)  # fmt: skip
WORKFLOW = ("id", "name", "created_at", "statuses", "last_job", "total", "done")
WORKFLOW_STATUS = (
    "id", "name", "created_at", "started_at", "completed_at", "statuses", "phases", "time_left", "last_job",
    "total", "done", "has_ended",
)  # fmt: skip
NEXT_JOB = (
    "id", "name", "function", "queue", "priority", "phase", "run_at", "starts_at", "duration", "reason",
)  # fmt: skip
HEALTH = ("is_ok", "sentences", "at", "workers", "slots", "busy", "ready", "oldest_ready_age")
INFO = (
    "path", "size", "log_size", "page_size", "pages", "free_pages", "disk_free", "written_at", "journal_mode",
    "schema_version", "sqlite_version", "gigq_version", "oldest_job_at", "newest_job_at", "statuses", "claims",
    "workers", "schedules", "workflows", "jobs",
)  # fmt: skip
FAILURE = (
    "key", "function", "error_type", "message", "failures", "jobs", "dead", "first_at", "last_at", "job_id", "error",
)  # fmt: skip
FUNCTION = ("function", "runs", "failures", "running", "waiting", "slot_seconds", "share", "wasted_seconds")
ACTION = (
    "id", "at", "ended_at", "actor", "face", "verb", "filter", "options", "bound", "done", "changed", "skipped",
)  # fmt: skip
BAR = (
    "id", "job_id", "name", "function", "queue", "attempt", "status", "worker_id", "claimed_at", "started_at",
    "completed_at", "error_type", "error", "lane",
)  # fmt: skip
DRY_RUN = ("dry_run", "verb", "count", "is_exact")
"""What every command that can be tried with ``--dry-run`` says then."""
DIFFERENCE = ("left", "right", "facts", "arguments", "traceback", "log")


def of_bulk(done: str) -> tuple[str, ...]:
    """Return the fields of an answer about one job or several, to which something was done, such as ``cancelled``.

    Not every answer has all of them: one about one job has its ID, a dry run what it would have done.
    """
    return ("id", done, "along", "changed", "skipped", "ids", "refused", *DRY_RUN)
