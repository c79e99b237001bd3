"""`python -m gigq.cli` is the command line, as in GigQ 0.5.1."""

import sys

from gigq.cli import main

sys.exit(main())
