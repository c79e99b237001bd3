"""The tables of the file, as SQL."""

from __future__ import annotations

from collections.abc import Iterable

from gigq.status import ExecutionStatus, JobStatus

VERSION = 2
"""The version of the tables and views that this code reads and writes. `migrations` upgrades older ones."""

READY = "status = 'pending' AND blockers = 0 AND run_at IS NULL"
"""Of `jobs`: a worker may claim it, unless its queue is paused or at a limit. The index `jobs_ready` holds these."""

OPEN = "status = 'running'"
"""Of `executions`: it has not ended, so its worker owns the job. The index `executions_open` holds these."""


def _one_of(column: str, words: Iterable[str]) -> str:
    """The SQL of a choice. Not IN, for which SQLite builds a list for every row: that took a third of a claim."""
    return " OR ".join(f"{column} = '{word}'" for word in words)


def phase_of(now: str) -> str:
    """Return the SQL of the phase of a row of `jobs`, at the instant that the SQL `now` gives."""
    return f"""
    CASE
      WHEN jobs.status = 'running' AND jobs.started_at IS NULL THEN 'reserved'
      WHEN jobs.status <> 'pending' THEN jobs.status
      WHEN jobs.blockers > 0        THEN 'waiting'
      WHEN jobs.run_at > {now}      THEN CASE WHEN jobs.attempts > 0 THEN 'retrying' ELSE 'scheduled' END
      WHEN EXISTS (SELECT 1 FROM job_queues WHERE is_paused = 1 AND (name = jobs.queue OR name = '')) THEN 'paused'
      ELSE 'ready'
    END"""


SUBMITTER = "(SELECT id FROM jobs AS submitters WHERE submitters.seq = jobs.submitted_by)"
"""The SQL of the id of the job that has submitted a row of `jobs`."""


def _text(*columns: str) -> str:
    """The SQL of a check that all these columns hold text."""
    return "\n     AND ".join(f"typeof({column}) = 'text'" for column in columns)


def _whole(column: str, least: int, most: int = 10**15) -> str:
    """The SQL of a check for a whole number that can still grow. To SQLite any text is larger than any number."""
    return f"typeof({column}) = 'integer' AND {column} BETWEEN {least} AND {most}"


def _instant(column: str) -> str:
    """The SQL of a check for NULL, or an instant in the form in which this code writes it.

    It must come back the same from `strftime`: SQLite takes the 31st of February for a day in March.
    """
    shape = "????-??-??T??:??:" + "[0-5][0-9]." + 6 * "[0-9]" + "Z"
    minute = f"substr({column}, 1, 16)"
    return f"""{column} IS NULL OR (
         {column} GLOB '{shape}'
     AND {column} > '0001'
     AND strftime('%Y-%m-%dT%H:%M', julianday({minute})) IS {minute})"""


# Workers rely on these values, so SQLite refuses what somebody writes by hand and a worker could not go on with.
# Instants that are only shown to people, and those that every claim or settlement writes, have no check: it would take
# as long as all else that SQLite does for them, and the code that reads them copes with any value.
# Each column has a check of its own, because SQLite evaluates only the checks of columns that a statement writes.
# SQLite stores these statements with their comments, so `.schema` shows them to people who open the file.
TABLES = {
    "jobs": f"""
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY,                    -- order of submission; other tables refer to it
  id TEXT NOT NULL UNIQUE,                    -- the public id: a UUIDv7
  name TEXT NOT NULL,                         -- for people; need not be unique
  description TEXT NOT NULL,                  -- for people
  function TEXT NOT NULL,                     -- package.module:name, or the name of a handler
  args TEXT NOT NULL,                         -- positional arguments: a JSON list
  params TEXT NOT NULL,                       -- keyword arguments: a JSON object
  queue TEXT NOT NULL,                        -- named queue inside this file
  priority INTEGER NOT NULL,                  -- larger goes first
  status TEXT NOT NULL CHECK ({_one_of("status", JobStatus)}),
  blockers INTEGER NOT NULL,                  -- number of unfinished parents, while the job is unfinished
  run_at TEXT,                                -- not claimed before this instant; NULL: at once
  expires_at TEXT,                            -- cancelled if not started by then; NULL: never
  timeout REAL,                               -- limit of one execution in seconds; NULL: none
  max_attempts INTEGER NOT NULL,              -- how many attempts it may have, counting the first
  attempts INTEGER NOT NULL,                  -- how many attempts it has had that count
  retry_delay REAL NOT NULL,                  -- seconds before the first retry
  retry_backoff REAL NOT NULL,                -- each later wait is this many times the one before it
  retry_max_delay REAL NOT NULL,              -- the longest wait, in seconds
  retry_jitter REAL NOT NULL,                 -- share of a wait that may be cut off at random, 0 to 1
  retry_on TEXT NOT NULL,                     -- names of the exceptions to retry: a JSON list; empty: all
  no_retry_on TEXT NOT NULL,                  -- names of the exceptions not to retry: a JSON list
  pass_parent_results INTEGER CHECK (pass_parent_results BETWEEN 0 AND 1), -- NULL: if the function takes them
  on_parent_failure TEXT NOT NULL CHECK (on_parent_failure = 'cancel' OR on_parent_failure = 'run'),
  crashes INTEGER NOT NULL DEFAULT 0,         -- how often a worker died while it held this job
  unique_key TEXT,                            -- unique among unfinished jobs
  failed_parent INTEGER REFERENCES jobs (seq) ON DELETE SET NULL, -- the job whose bad end cancelled this one
  progress TEXT,                              -- as the function last reported it: a JSON object
  result TEXT,                                -- what the function returned: JSON
  error TEXT,                                 -- of the last execution, or why it was cancelled
  created_at TEXT NOT NULL,                   -- when it was submitted; all instants are ISO-8601 in UTC
  updated_at TEXT NOT NULL,                   -- when its status last changed
  started_at TEXT,                            -- when its last execution began
  completed_at TEXT,                          -- when it ended, in whatever status
  worker_id TEXT,                             -- of the last execution
  metadata TEXT NOT NULL,                     -- for the caller's own use: a JSON object
  has_begun INTEGER NOT NULL DEFAULT 0 CHECK (has_begun BETWEEN 0 AND 1), -- 1: started before, so it cannot expire
  releases INTEGER NOT NULL DEFAULT 0 CHECK ({_whole("releases", 0)}), -- how often it was given back unfinished
  ready_at TEXT,                              -- when it last became ready; NULL: when it was submitted, or never
  workflow_seq INTEGER,                       -- the workflow that it belongs to; NULL: none
  submitted_by INTEGER REFERENCES jobs (seq) ON DELETE SET NULL, -- the job whose function has submitted it; NULL: none
  is_detached INTEGER NOT NULL DEFAULT 0 CHECK (is_detached BETWEEN 0 AND 1), -- 1: no job waits for it unasked
  generation INTEGER NOT NULL DEFAULT 0 CHECK ({_whole("generation", 0)}), -- how often it was restarted from scratch
  cursor TEXT CHECK (typeof(cursor) <> 'blob'), -- the place in a long loop that its function last set: JSON
  CHECK ((status = 'pending' OR status = 'running') = (completed_at IS NULL)),
  CHECK ({_text("id", "name", "function", "args", "params", "queue", "retry_on", "no_retry_on", "metadata")}),
  CHECK (typeof(priority) = 'integer'),
  CHECK ({_whole("blockers", 0)}),
  CHECK ({_instant("run_at")}),
  CHECK ({_instant("expires_at")}),
  CHECK (timeout > 0 AND timeout < 9e999),
  CHECK (typeof(max_attempts) = 'integer' AND max_attempts > 0),
  CHECK (typeof(attempts) = 'integer' AND attempts >= 0 AND attempts + (status = 'pending') <= max_attempts),
  CHECK (retry_delay >= 0 AND retry_delay < 9e999),
  CHECK (retry_backoff >= 0 AND retry_backoff < 9e999),
  CHECK (retry_max_delay >= 0 AND retry_max_delay < 9e999),
  CHECK (retry_jitter BETWEEN 0 AND 1),
  CHECK ({_whole("crashes", 0)})
)""",
    "executions": f"""
CREATE TABLE executions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,       -- never reused, so a late report cannot hit a newer execution
  job_seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  attempt INTEGER NOT NULL,                   -- number of this attempt, from 1
  worker_id TEXT NOT NULL,                    -- the worker that ran it
  worker_seq INTEGER NOT NULL,                -- its row in job_workers, as long as it is registered
  status TEXT NOT NULL CHECK ({_one_of("status", ExecutionStatus)}), -- while running, this row is the lease
  started_at TEXT,                            -- when the function was called; NULL: not called yet, or never
  completed_at TEXT,
  error TEXT,                                 -- the exception's message, or why it ended
  error_type TEXT,                            -- class of the exception
  traceback TEXT,
  log TEXT,                                   -- what the function logged, if its worker captures logs
  CHECK ((status = 'running') = (completed_at IS NULL)),
  CHECK ({_whole("attempt", 1)}),
  CHECK (typeof(worker_seq) = 'integer')
)""",
    "job_dependencies": """
CREATE TABLE job_dependencies (
  child INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  parent INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  position INTEGER NOT NULL,                  -- order in which the child named its parents; found ones from 2^32 on
  PRIMARY KEY (child, parent)
) WITHOUT ROWID""",
    "job_tags": f"""
CREATE TABLE job_tags (
  job_seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (job_seq, tag),
  CHECK ({_text("tag")})
) WITHOUT ROWID""",
    "job_workers": f"""
CREATE TABLE job_workers (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,      -- never reused
  id TEXT NOT NULL,                           -- its name; a later worker may have the same
  heartbeat INTEGER NOT NULL,                 -- a counter: while it moves, the worker is alive
  mode TEXT NOT NULL,                         -- thread, process, or manual: a program that claims jobs itself
  concurrency INTEGER NOT NULL,               -- slots
  queues TEXT,                                -- names of the queues it serves: a JSON list; NULL: all
  handlers TEXT NOT NULL,                     -- names of its handlers: a JSON list
  completed INTEGER NOT NULL DEFAULT 0,       -- executions it has completed
  failed INTEGER NOT NULL DEFAULT 0,          -- jobs that failed for good or timed out for good
  wanted_concurrency INTEGER,                 -- slots it is asked to have; NULL: no such request
  stop TEXT CHECK (stop = 'graceful' OR stop = 'now'), -- how it is asked to stop; NULL: it is not asked
  machine_id TEXT NOT NULL,                   -- the machine it runs on
  boot_id TEXT NOT NULL,                      -- the boot of that machine
  pid_namespace TEXT NOT NULL,                -- the PID namespace, such as a container's
  pid INTEGER NOT NULL,                       -- its process ID
  started_at TEXT NOT NULL,
  seen_at TEXT NOT NULL,                      -- its last heartbeat, for people: only the counter decides liveness
  missing TEXT NOT NULL DEFAULT '{{}}',         -- functions that it does not find, and why: a JSON object
  trouble TEXT,                               -- why it can start no job at present; NULL: it can
  CHECK ({_whole("heartbeat", 0)}),
  CHECK ({_whole("concurrency", 0)}),
  CHECK ({_whole("completed", 0)}),
  CHECK ({_whole("failed", 0)}),
  CHECK (wanted_concurrency IS NULL OR ({_whole("wanted_concurrency", 0)})),
  CHECK ({_whole("pid", 0, 2**31 - 1)})
)""",
    "job_queues": """
CREATE TABLE job_queues (
  name TEXT PRIMARY KEY,                      -- a queue, whether or not it holds jobs; '' means all queues
  is_paused INTEGER NOT NULL DEFAULT 0 CHECK (is_paused BETWEEN 0 AND 1), -- 1: none of its jobs is claimed
  max_running INTEGER,                        -- how many of its jobs may run at a time; NULL: no limit
  rate_limit INTEGER,                         -- how many of its jobs may start in any rate_period; NULL: no limit
  rate_period REAL,                           -- seconds
  starts TEXT,                                -- starts in the last period: a JSON list of [execution, claimed, called]
  paused_at TEXT,                             -- when it was paused, for people; NULL: it is not, or nobody knows
  CHECK ((rate_limit IS NULL) = (rate_period IS NULL)),
  CHECK (max_running IS NULL OR (typeof(max_running) = 'integer' AND max_running > 0)),
  CHECK (rate_limit IS NULL OR (typeof(rate_limit) = 'integer' AND rate_limit > 0)),
  CHECK (rate_period > 0 AND rate_period < 9e999)
) WITHOUT ROWID""",
    "job_schedules": f"""
CREATE TABLE job_schedules (
  name TEXT PRIMARY KEY,                      -- unique; adding the same name again changes the schedule
  cron TEXT,                                  -- a cron line, or NULL
  every REAL,                                 -- or the seconds between ticks, or NULL
  timezone TEXT NOT NULL,                     -- the time zone of the cron line, such as Europe/Berlin
  missed TEXT NOT NULL CHECK (missed = 'once' OR missed = 'skip' OR missed = 'all'), -- ticks that no worker saw
  overlap INTEGER NOT NULL CHECK (overlap BETWEEN 0 AND 1), -- 0: no new job while the last one is unfinished
  is_paused INTEGER NOT NULL DEFAULT 0 CHECK (is_paused BETWEEN 0 AND 1), -- 1: its ticks submit nothing
  job TEXT NOT NULL,                          -- the job that each tick submits: a JSON object
  next_at TEXT,                               -- the next tick; NULL: there will be none
  last_at TEXT,                               -- the last tick that submitted a job
  last_job TEXT,                              -- the id of the job it submitted
  created_at TEXT NOT NULL,                   -- when it was first added
  updated_at TEXT NOT NULL,                   -- when a person last changed it
  CHECK ((cron IS NULL) <> (every IS NULL)),
  CHECK (every > 0 AND every < 9e999),
  CHECK ({_instant("next_at")})
) WITHOUT ROWID""",
    "job_workflows": """
CREATE TABLE job_workflows (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,      -- never reused
  id TEXT NOT NULL UNIQUE,                    -- the public id: a UUIDv7
  name TEXT NOT NULL,                         -- for people; need not be unique
  last_job INTEGER,                           -- runs when all others of the workflow have ended; NULL: there is none
  created_at TEXT NOT NULL                    -- when it was submitted
)""",
    "job_steps": f"""
CREATE TABLE job_steps (
  seq INTEGER PRIMARY KEY,                    -- order in which they were completed
  job_seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  name TEXT NOT NULL,                         -- outer/inner for a step inside another one
  occurrence INTEGER NOT NULL,                -- 1 for the first of its name in a run of the function, then 2, 3, ...
  depth INTEGER NOT NULL DEFAULT 0,           -- how many steps it is inside: a name may have slashes of its own
  kind TEXT NOT NULL CHECK (kind = 'step' OR kind = 'transaction'), -- transaction: it has written in the same commit
  fingerprint TEXT,                           -- of its arguments; NULL: JSON cannot hold them, so they are not compared
  arguments TEXT,                             -- the first 500 characters of them, as JSON; NULL likewise
  result TEXT NOT NULL,                       -- what it returned: JSON
  execution_id INTEGER NOT NULL,              -- the execution that completed it
  started_at TEXT NOT NULL,
  completed_at TEXT NOT NULL,
  UNIQUE (job_seq, name, occurrence),
  CHECK ({_text("name", "result")}),
  CHECK ({_whole("occurrence", 1)}),
  CHECK ({_whole("depth", 0)})
)""",
    "job_missing_functions": """
CREATE TABLE job_missing_functions (
  function TEXT PRIMARY KEY,                  -- that a worker did not find, and no worker has found since
  since TEXT NOT NULL                         -- when
) WITHOUT ROWID""",
    "job_waits": """
CREATE TABLE job_waits (
  execution INTEGER NOT NULL,                 -- whose function waits; it has ended if its worker was killed meanwhile
  job INTEGER NOT NULL,                       -- the job for which it waits
  PRIMARY KEY (execution, job)
) WITHOUT ROWID""",
    "job_actions": f"""
CREATE TABLE job_actions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,      -- order in which they were begun; never reused
  at TEXT NOT NULL,                           -- when it was begun
  ended_at TEXT NOT NULL,                     -- when the last of it was done: many jobs take several transactions
  actor TEXT NOT NULL,                        -- who did it: a person, as the face knows them
  face TEXT NOT NULL,                         -- where they did it, such as cli or dashboard
  verb TEXT NOT NULL,                         -- what they did: the name of the method, such as requeue_jobs
  filter TEXT NOT NULL,                       -- to what: filters of jobs, or an id or a name: a JSON object
  options TEXT NOT NULL,                      -- how: the other arguments of the verb: a JSON object
  bound INTEGER,                              -- only jobs up to this seq, the newest that was seen; NULL: no such bound
  done INTEGER NOT NULL,                      -- to how many jobs, workers or rules it was done
  changed INTEGER NOT NULL,                   -- how many jobs had changed meanwhile, so that it could not be done
  skipped INTEGER NOT NULL,                   -- to how many jobs it could not be done for another reason
  CHECK ({_text("actor", "face", "verb", "filter", "options")}),
  CHECK (at IS NOT NULL AND ({_instant("at")})),
  CHECK (ended_at IS NOT NULL AND ({_instant("ended_at")})),
  CHECK (bound IS NULL OR typeof(bound) = 'integer'),
  CHECK ({_whole("done", 0)}),
  CHECK ({_whole("changed", 0)}),
  CHECK ({_whole("skipped", 0)})
)""",
    "job_schema": """
CREATE TABLE job_schema (
  version INTEGER NOT NULL                    -- one row: the version of these tables
)""",
}
