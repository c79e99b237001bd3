"""The command line as `python -m gigq`."""

import sys

from gigq.cli import main

sys.exit(main())
