"""Child processes that run functions, one for each slot."""
