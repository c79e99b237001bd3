"""The indexes of the file, as SQL, each with what it serves."""

from __future__ import annotations

from gigq.store.tables import OPEN, READY

INDEXES = {
    "jobs_ready": f"""
CREATE INDEX jobs_ready -- claim: the next jobs of a queue
  ON jobs (queue, priority DESC, seq)
 WHERE {READY}""",
    "jobs_ready_by_function": f"""
CREATE INDEX jobs_ready_by_function -- claim: the next jobs of a function, for many queues or missing functions
  ON jobs (function, priority DESC, seq, queue)
 WHERE {READY}""",
    "jobs_due": """
CREATE INDEX jobs_due -- claim: jobs that have become due, and when the next one will
  ON jobs (run_at) WHERE status = 'pending' AND run_at IS NOT NULL""",
    "jobs_expiring": """
CREATE INDEX jobs_expiring -- claim: jobs that were not started in time
  ON jobs (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL AND has_begun = 0""",
    "jobs_unique": """
CREATE UNIQUE INDEX jobs_unique -- submit: the unfinished job that has a key
  ON jobs (unique_key) WHERE unique_key IS NOT NULL AND completed_at IS NULL""",
    "jobs_retrying": """
CREATE INDEX jobs_retrying -- claim: retries scheduled before the clock was set back
  ON jobs (updated_at)
 WHERE status = 'pending' AND run_at IS NOT NULL AND attempts > 0""",
    "jobs_finished": """
CREATE INDEX jobs_finished -- prune, list and count finished jobs
  ON jobs (status, completed_at) WHERE completed_at IS NOT NULL""",
    "jobs_failed_parent": """
CREATE INDEX jobs_failed_parent -- requeue: the jobs that were cancelled because of this one
  ON jobs (failed_parent) WHERE failed_parent IS NOT NULL""",
    "jobs_of_workflow": """
CREATE INDEX jobs_of_workflow -- workflows: the jobs of one, how many of each status, and when the last one ended
  ON jobs (workflow_seq, status, completed_at) WHERE workflow_seq IS NOT NULL""",
    "jobs_submitted_by": """
CREATE INDEX jobs_submitted_by -- submit, prune: the jobs that a job has submitted
  ON jobs (submitted_by) WHERE submitted_by IS NOT NULL""",
    "job_steps_of_job": """
CREATE INDEX job_steps_of_job -- steps of one job in their order: to show them, and to forget them from one on
  ON job_steps (job_seq)""",
    "schedules_due": """
CREATE INDEX schedules_due -- claim: the schedules whose tick is due
  ON job_schedules (next_at) WHERE is_paused = 0 AND next_at IS NOT NULL""",
    "executions_open": f"""
CREATE UNIQUE INDEX executions_open -- at most one open execution per job; renew and sweep: what a worker holds
  ON executions (job_seq) WHERE {OPEN}""",
    "executions_of_job": """
CREATE INDEX executions_of_job -- the history of a job, and its deletion
  ON executions (job_seq)""",
    "job_dependencies_of_parent": """
CREATE INDEX job_dependencies_of_parent -- settle: the children of a job
  ON job_dependencies (parent)""",
    "job_tags_by_tag": """
CREATE INDEX job_tags_by_tag -- lists: the jobs with a tag
  ON job_tags (tag, job_seq)""",
}
