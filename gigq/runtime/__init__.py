"""Runs functions. No module here knows the store; none but call.py catches what a function raises."""
