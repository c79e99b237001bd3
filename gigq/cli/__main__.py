"""The command line as `python -m gigq.cli`, as in GigQ 0.5.1."""

import sys

from gigq.cli import main

sys.exit(main())
