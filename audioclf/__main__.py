"""`python -m audioclf ...`: the command line."""

import sys

from audioclf.cli.main import main

sys.exit(main())
