"""Pictures of jobs that depend on each other: as SVG, as Mermaid, and in the terminal.

Pure: no module here reads a file, a queue or the time.
"""
