"""The queue that people hold: `JobQueue`, and the steps of each of its verbs above the store."""
