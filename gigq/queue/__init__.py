"""The queue: what people hold, from JobQueue down to what each of its verbs does before it asks the store."""
