"""`python -m audioclf ...`: the command line."""

import sys

from audioclf.cli import main

sys.exit(main())
