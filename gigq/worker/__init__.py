"""The worker: one loop that claims jobs, hands them to slots, and writes what became of them."""
