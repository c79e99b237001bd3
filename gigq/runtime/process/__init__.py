"""Child processes that call the functions: one for each slot."""
