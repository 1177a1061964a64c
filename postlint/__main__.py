"""``python -m postlint``."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the working directory: nothing in a configuration's folder is to be run

from postlint.cli.main import program

program()
