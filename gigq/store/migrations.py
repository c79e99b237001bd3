"""The upgrade of a file from an older version of our tables to the present one, in place."""

from __future__ import annotations

from gigq.errors import NotAQueue
from gigq.store.engine.transaction import Transaction
from gigq.store.indexes import INDEXES
from gigq.store.tables import TABLES, VERSION
from gigq.store.views import VIEWS

STEPS: dict[int, tuple[str, ...]] = {
    2: (
        "UPDATE job_workers SET mode = 'manual' WHERE mode = 'hand'",
        "ALTER TABLE jobs ADD COLUMN has_begun INTEGER NOT NULL DEFAULT 0 CHECK (has_begun BETWEEN 0 AND 1)",
        """
        ALTER TABLE jobs
          ADD COLUMN releases INTEGER NOT NULL DEFAULT 0
              CHECK (typeof(releases) = 'integer' AND releases BETWEEN 0 AND 1000000000000000)
        """,
        """
        UPDATE jobs
           SET has_begun = 1
         WHERE seq IN (SELECT job_seq
                         FROM executions
                        WHERE started_at IS NOT NULL AND status <> 'running' AND status <> 'completed')
        """,
        """
        UPDATE jobs
           SET releases = (SELECT count(*) FROM executions WHERE job_seq = jobs.seq AND status = 'released')
         WHERE seq IN (SELECT job_seq FROM executions WHERE status = 'released')
        """,
        "DROP INDEX jobs_expiring",
        """
        CREATE INDEX jobs_expiring -- claim: jobs that were not started in time
          ON jobs (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL AND has_begun = 0
        """,
        INDEXES["jobs_ready_by_function"],
        "ALTER TABLE jobs ADD COLUMN ready_at TEXT",
        "ALTER TABLE job_workers ADD COLUMN missing TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE job_workers ADD COLUMN trouble TEXT",
        "ALTER TABLE jobs ADD COLUMN workflow_seq INTEGER",
        "ALTER TABLE jobs ADD COLUMN submitted_by INTEGER REFERENCES jobs (seq) ON DELETE SET NULL",
        "ALTER TABLE jobs ADD COLUMN is_detached INTEGER NOT NULL DEFAULT 0 CHECK (is_detached BETWEEN 0 AND 1)",
        """
        ALTER TABLE jobs
          ADD COLUMN generation INTEGER NOT NULL DEFAULT 0
              CHECK (typeof(generation) = 'integer' AND generation BETWEEN 0 AND 1000000000000000)
        """,
        "ALTER TABLE jobs ADD COLUMN cursor TEXT CHECK (typeof(cursor) <> 'blob')",
        INDEXES["jobs_of_workflow"],
        INDEXES["jobs_submitted_by"],
        TABLES["job_workflows"],
        TABLES["job_steps"],
        INDEXES["job_steps_of_job"],
        TABLES["job_missing_functions"],
        TABLES["job_waits"],
        "ALTER TABLE job_queues ADD COLUMN paused_at TEXT",
        TABLES["job_actions"],
    ),
}
"""The statements that turn the tables of the version before into those of each version."""

VIEWS_OF = {1: ("job_overview", "execution_overview")}
"""The views that a file of each older version has."""


def migrate(tx: Transaction, version: int, *, path: str) -> None:
    """Bring a file of an older version up to date: all of it, or nothing if the transaction fails.

    The views hold no data, so they are dropped first and created as they are now. That makes every migration one that
    changes the schema, which connections of older code notice before they write anything more.

    Raises:
        NotAQueue: something else in the file has the name of a new view.
    """
    _refuse_taken_names(tx, version, path)
    for view in VIEWS_OF[version]:
        tx.execute(f"DROP VIEW IF EXISTS {view}")
    for step in range(version + 1, VERSION + 1):
        for statement in STEPS[step]:
            tx.execute(statement)
    for statement in VIEWS.values():
        tx.execute(statement)
    tx.execute("UPDATE job_schema SET version = ?", (VERSION,))


def _refuse_taken_names(tx: Transaction, version: int, path: str) -> None:
    names = {name for (name,) in tx.execute("SELECT name FROM sqlite_master")}
    taken = sorted(names & (VIEWS.keys() - set(VIEWS_OF[version])))
    if taken:
        raise NotAQueue(
            f"{path!r} has the tables of version {version}, and a {taken[0]!r} of another application, which is the "
            f"name of a view of version {VERSION}; rename that, and open the queue again"
        )
