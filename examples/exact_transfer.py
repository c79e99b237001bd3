"""Move money between accounts that are tables in the queue's own file, while processes are killed in the middle of it.

Run it from the root of the repository, with nothing installed; it takes a few seconds:

    $ PYTHONPATH=. python3 examples/exact_transfer.py
    20 payments: 20 completed, 5 of them after their process was killed
    money before: 5,000, and after: 5,000
    ada 892, bob 991, cem 1,026, dov 1,205, eva 874, fees 12

A payment takes the money and the fee from one account in one transaction, and gives the money to another in the one
that completes the job. Wherever its process is killed, each of them has happened or has not, and it happens once.
"""

import argparse
import os
import random
import signal
import tempfile
from pathlib import Path

from gigq import JobQueue, Worker, current_job, task

PEOPLE = ("ada", "bob", "cem", "dov", "eva")


@task
def pay(number, giver, taker, amount):
    job = current_job()
    fee = job.step("fee", fee_for, amount)  # may be asked again after a crash; is never asked once it is remembered
    be_killed(number, place=0)
    job.transact("take", take, giver, amount, fee)  # happens once, and so does the job that it submits
    be_killed(number, place=1)
    with job.transaction() as db:  # happens in the commit that completes the job
        db.execute("UPDATE account SET balance = balance + ? WHERE owner = ?", (amount, taker))
        be_killed(number, place=2)
    return f"{giver} has paid {amount} to {taker}"


def fee_for(amount):
    return 1 if amount > 50 else 0


def take(db, giver, amount, fee):
    db.execute("UPDATE account SET balance = balance - ? WHERE owner = ?", (amount + fee, giver))
    db.execute("UPDATE account SET balance = balance + ? WHERE owner = 'fees'", (fee,))


def be_killed(number, place):
    """Kill this process as an operating system does that has no memory left, in some first attempts."""
    if current_job().attempt == 1 and random.Random(number).randrange(10) == place:
        os.kill(os.getpid(), signal.SIGKILL)


def accounts(queue):
    with queue.transaction() as db:
        return dict(db.execute("SELECT owner, balance FROM account ORDER BY owner = 'fees', owner"))


def main(folder, payments):
    dice = random.Random(7)
    with JobQueue(folder / "bank.db") as queue:
        with queue.transaction() as db:
            db.execute("CREATE TABLE account (owner TEXT PRIMARY KEY, balance INTEGER NOT NULL)")
            db.executemany("INSERT INTO account VALUES (?, ?)", [*((name, 1000) for name in PEOPLE), ("fees", 0)])
        before = sum(accounts(queue).values())
        for number in range(payments):
            giver, taker = dice.sample(PEOPLE, 2)
            pay.submit(queue, number=number, giver=giver, taker=taker, amount=dice.randint(1, 100))
        with Worker(queue, mode="process", concurrency=2, burst=True) as worker:
            worker.start()
        jobs = queue.list_jobs("completed")
        again = sum(job["attempts"] > 1 for job in jobs)
        print(f"{payments} payments: {len(jobs)} completed, {again} of them after their process was killed")
        print(f"money before: {before:,}, and after: {sum(accounts(queue).values()):,}")
        print(", ".join(f"{owner} {balance:,}" for owner, balance in accounts(queue).items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Move money while processes are killed.")
    parser.add_argument("payments", nargs="?", type=int, default=20)
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder), parser.parse_args().payments)
