"""`python -m diffdope`, where the script is not on the path: the same command line."""

from __future__ import annotations

import sys

from diffdope.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
