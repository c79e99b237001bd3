"""The upgrade of files of GigQ 0.5.1."""
