"""The slots that run functions. No module here knows the store; only call.py catches everything a function raises."""
