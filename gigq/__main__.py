"""The command line: `gigq`, and `python -m gigq`."""

import sys


def main() -> int:
    """Run the command line, and return its exit code; also Ctrl-C while it is still being imported is no traceback."""
    try:
        from gigq.cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
