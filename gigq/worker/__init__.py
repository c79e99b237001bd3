"""The worker: a loop that claims jobs, hands them to slots, and writes how they ended."""
