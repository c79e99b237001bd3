"""The code blocks of the GigQ 0.5.1 guide to its queue, in their own spelling and order."""

BLOCKS = {
    "create": r"""
from gigq import JobQueue

# Create a new job queue (or connect to an existing one)
queue = JobQueue("jobs.db")
""",
    "connect": r"""
# Connect without initializing (useful if you're sure the DB is already initialized)
queue = JobQueue("jobs.db", initialize=False)
""",
    "submit": r"""
from gigq import Job

# Create a job
job = Job(
    name="example_job",
    function=process_data,
    params={"data": "example"}
)

# Submit the job
job_id = queue.submit(job)
print(f"Submitted job with ID: {job_id}")
""",
    "status": r"""
# Get job status
status = queue.get_status(job_id)

print(f"Job status: {status['status']}")
print(f"Created at: {status['created_at']}")

if status['status'] == 'completed':
    print(f"Result: {status['result']}")
elif status['status'] == 'failed':
    print(f"Error: {status['error']}")
""",
    "list": r"""
from gigq import JobStatus

# List all jobs
all_jobs = queue.list_jobs()

# List only pending jobs
pending_jobs = queue.list_jobs(status=JobStatus.PENDING)

# List with a limit
recent_jobs = queue.list_jobs(limit=10)

# Print job information
for job in pending_jobs:
    print(f"{job['id']}: {job['name']} (priority: {job['priority']})")
""",
    "cancel": r"""
# Cancel a job
result = queue.cancel(job_id)

if result:
    print(f"Job {job_id} cancelled successfully")
else:
    print(f"Failed to cancel job {job_id} (may not be in pending state)")
""",
    "requeue": r"""
# Requeue a failed job
result = queue.requeue_job(job_id)

if result:
    print(f"Job {job_id} requeued successfully")
else:
    print(f"Failed to requeue job {job_id} (may not be in failed state)")
""",
    "clear": r"""
# Clear all completed and cancelled jobs
count = queue.clear_completed()
print(f"Cleared {count} completed jobs")

# Clear jobs completed before a certain date
from datetime import datetime, timedelta
one_week_ago = (datetime.now() - timedelta(days=7)).isoformat()
count = queue.clear_completed(before_timestamp=one_week_ago)
print(f"Cleared {count} jobs older than one week")
""",
    "dependencies": r"""
# Create and submit a job
job1 = Job(name="first_job", function=first_function)
job1_id = queue.submit(job1)

# Create and submit a dependent job
job2 = Job(
    name="second_job",
    function=second_function,
    dependencies=[job1_id]
)
job2_id = queue.submit(job2)
""",
    "order": r"""
# High priority job (processes first)
high_job = Job(name="urgent", function=urgent_task, priority=100)
queue.submit(high_job)

# Normal priority job
normal_job = Job(name="normal", function=normal_task, priority=0)
queue.submit(normal_job)

# Low priority job (processes last)
low_job = Job(name="background", function=background_task, priority=-100)
queue.submit(low_job)
""",
    "monitor": r"""
import time

job_id = queue.submit(long_running_job)

while True:
    status = queue.get_status(job_id)
    print(f"Job status: {status['status']}")

    if status['status'] in ('completed', 'failed', 'cancelled', 'timeout'):
        break

    time.sleep(5)  # Check every 5 seconds
""",
    "several_files": r"""
# Create different queues for different types of jobs
high_priority_queue = JobQueue("high_priority.db")
background_queue = JobQueue("background.db")

# Submit to the appropriate queue
high_priority_queue.submit(important_job)
background_queue.submit(background_job)

# Create workers for each queue
high_worker = Worker("high_priority.db")
background_worker = Worker("background.db")
""",
    "dashboard": r'''
def print_queue_stats(queue):
    """Print statistics about the job queue."""
    # Get job counts by status
    statuses = ["pending", "running", "completed", "failed", "cancelled", "timeout"]
    counts = {}

    for status in statuses:
        jobs = queue.list_jobs(status=status)
        counts[status] = len(jobs)

    total = sum(counts.values())

    # Print summary
    print(f"=== Job Queue Statistics ===")
    print(f"Total jobs: {total}")
    for status, count in counts.items():
        percentage = (count / total) * 100 if total > 0 else 0
        print(f"{status.capitalize()}: {count} ({percentage:.1f}%)")

    # Print recently completed jobs
    completed = queue.list_jobs(status="completed", limit=5)
    if completed:
        print("\nRecently completed jobs:")
        for job in completed:
            print(f"  {job['name']} - Completed at {job['completed_at']}")

    # Print failed jobs
    failed = queue.list_jobs(status="failed", limit=5)
    if failed:
        print("\nRecent failures:")
        for job in failed:
            print(f"  {job['name']} - {job['error']}")

# Usage
queue = JobQueue("jobs.db")
print_queue_stats(queue)
''',
}
