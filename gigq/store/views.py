"""The views of the file, as SQL: one SELECT answers each of the usual questions, with plain words and numbers.

No view ranks, sorts or scans: a row that is looked up by an id, and the first rows of a view, come from indexes however
many jobs there are. `tests/store/test_views.py` proves it for each of them.
"""

from __future__ import annotations

from gigq.status import FINISHED, JobStatus
from gigq.store.tables import OPEN, READY, phase_of
from gigq.store.worker_health import SILENCE

_NOW = "strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'"


def _seconds(start: str, end: str) -> str:
    """The SQL of the seconds between two instants, with three decimals."""
    return f"round((julianday({end}) - julianday({start})) * 86400.0, 3)"


def _in_words(seconds: str) -> str:
    """The SQL of a length of time as people say it."""
    return f"""
    CASE
      WHEN {seconds} IS NULL   THEN NULL
      WHEN {seconds} < 1       THEN CAST(round(max({seconds}, 0) * 1000) AS INTEGER) || ' ms'
      WHEN {seconds} < 100     THEN round({seconds}, 1) || ' s'
      WHEN {seconds} < 6000    THEN CAST(round({seconds} / 60) AS INTEGER) || ' min'
      WHEN {seconds} < 172800  THEN CAST(round({seconds} / 3600) AS INTEGER) || ' h'
      ELSE CAST(round({seconds} / 86400) AS INTEGER) || ' days'
    END"""


_AGE = _seconds("jobs.created_at", _NOW)
_JOB_DURATION = _seconds(
    "jobs.started_at", f"coalesce(jobs.completed_at, CASE jobs.status WHEN 'running' THEN {_NOW} END)"
)
_DURATION = _seconds("executions.started_at", f"coalesce(executions.completed_at, {_NOW})")
_STEP_DURATION = _seconds("job_steps.started_at", "job_steps.completed_at")
_WORKFLOW_AGE = _seconds("job_workflows.created_at", _NOW)
_ACTION_AGE = _seconds("at", _NOW)
_SILENCE = f"CASE WHEN mode <> 'manual' THEN {_seconds('seen_at', _NOW)} END"
_NEXT = f"CASE WHEN is_paused = 0 THEN {_seconds(_NOW, 'next_at')} END"



def _jobs_that_are(*statuses: str) -> str:
    """The SQL of how many jobs of a workflow have one of these statuses, read from the index of its jobs."""
    words = ", ".join(f"'{each}'" for each in statuses)
    return f"""
       (SELECT count(*)
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = job_workflows.seq AND status IN ({words}))"""


VIEWS = {
    "job_overview": f"""
CREATE VIEW job_overview AS -- all jobs, the newest first
SELECT id, name, {phase_of(_NOW)} AS phase, queue, priority,
       {_in_words(_AGE)} AS age, {_AGE} AS age_seconds,
       {_in_words(_JOB_DURATION)} AS duration, {_JOB_DURATION} AS duration_seconds,
       attempts, max_attempts, worker_id, error, created_at, run_at, started_at, completed_at
  FROM jobs
 ORDER BY seq DESC""",
    "ready_jobs": f"""
CREATE VIEW ready_jobs AS -- the jobs that could start now, of each queue in the order in which workers claim them
SELECT queue, priority, id, name, {phase_of(_NOW)} AS phase,
       {_in_words(_AGE)} AS age, {_AGE} AS age_seconds, attempts, max_attempts, created_at
  FROM jobs
 WHERE {READY}
 ORDER BY queue, priority DESC, seq""",
    "execution_overview": f"""
CREATE VIEW execution_overview AS -- all executions, the newest first
SELECT executions.id AS execution, jobs.id AS job_id, jobs.name AS job_name, executions.attempt, executions.status,
       executions.worker_id, executions.started_at, executions.completed_at,
       {_in_words(_DURATION)} AS duration, {_DURATION} AS duration_seconds,
       executions.error_type, executions.error, executions.traceback
  FROM executions JOIN jobs ON jobs.seq = executions.job_seq
 ORDER BY executions.id DESC""",
    "step_overview": f"""
CREATE VIEW step_overview AS -- all steps that are remembered, the newest first
SELECT jobs.id AS job_id, jobs.name AS job_name, job_steps.name AS step, job_steps.occurrence, job_steps.kind,
       executions.attempt, job_steps.execution_id AS execution, job_steps.started_at, job_steps.completed_at,
       {_in_words(_STEP_DURATION)} AS duration, {_STEP_DURATION} AS duration_seconds,
       job_steps.arguments, job_steps.result
  FROM job_steps
  JOIN jobs ON jobs.seq = job_steps.job_seq
  LEFT JOIN executions ON executions.id = job_steps.execution_id
 ORDER BY job_steps.seq DESC""",
    "dependency_overview": """
CREATE VIEW dependency_overview AS -- which job depends on which, the newest job first
SELECT jobs.id AS job_id, jobs.name AS job_name, jobs.status AS job_status,
       parents.id AS parent_id, parents.name AS parent_name, parents.status AS parent_status,
       jobs.completed_at IS NULL AND parents.completed_at IS NULL AS is_waiting, jobs.on_parent_failure
  FROM job_dependencies
  JOIN jobs ON jobs.seq = job_dependencies.child
  JOIN jobs AS parents ON parents.seq = job_dependencies.parent
 ORDER BY job_dependencies.child DESC""",
    "worker_overview": f"""
CREATE VIEW worker_overview AS -- all workers, the oldest first
SELECT id, mode,
       CASE WHEN mode = 'manual' THEN NULL -- its heartbeat does not move
            WHEN {_SILENCE} > {SILENCE} THEN 'silent'
            WHEN stop IS NOT NULL THEN 'stopping'
            ELSE 'alive'
       END AS health,
       (SELECT count(*)
          FROM executions INDEXED BY executions_open
         WHERE {OPEN} AND worker_seq = job_workers.seq) AS running,
       concurrency, wanted_concurrency, coalesce(queues, 'all') AS queues, completed, failed, stop, machine_id, pid,
       started_at, seen_at, {_in_words(_SILENCE)} AS silence, {_SILENCE} AS silence_seconds
  FROM job_workers
 ORDER BY seq""",
    "workflow_overview": f"""
CREATE VIEW workflow_overview AS -- all workflows, the newest first, with the number of their jobs
SELECT id, name,{_jobs_that_are(*JobStatus)} AS jobs,{_jobs_that_are(*FINISHED)} AS ended,
{",".join(f"{_jobs_that_are(status)} AS {status}" for status in JobStatus)},
       {_in_words(_WORKFLOW_AGE)} AS age, {_WORKFLOW_AGE} AS age_seconds, created_at
  FROM job_workflows
 ORDER BY seq DESC""",
    "schedule_overview": f"""
CREATE VIEW schedule_overview AS -- all schedules, in alphabetical order
SELECT name, CASE is_paused WHEN 1 THEN 'paused' ELSE 'active' END AS status,
       coalesce(cron || ' (' || timezone || ')', 'every ' || {_in_words("every")}) AS rule,
       CASE WHEN json_valid(job) THEN json_extract(job, '$.function') END AS function,
       CASE WHEN json_valid(job) THEN json_extract(job, '$.queue') END AS queue,
       next_at, CASE WHEN {_NEXT} <= 0 THEN 'due' ELSE {_in_words(_NEXT)} END AS next_in, {_NEXT} AS next_in_seconds,
       last_at, last_job, missed, overlap
  FROM job_schedules
 ORDER BY name""",
    "action_overview": f"""
CREATE VIEW action_overview AS -- what people did to the queue, the newest first
SELECT at, actor, face, verb, filter, options, done, changed, skipped,
       {_in_words(_ACTION_AGE)} AS age, {_ACTION_AGE} AS age_seconds, bound, ended_at
  FROM job_actions
 ORDER BY seq DESC""",
}
