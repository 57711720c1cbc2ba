"""`python -m allocsafe`: the same as the command."""

import sys

from allocsafe.cli import main

sys.exit(main())
