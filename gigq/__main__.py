"""`python -m gigq` is the command line."""

import sys

from gigq.cli import main

sys.exit(main())
