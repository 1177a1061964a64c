"""``python -m postlint``."""

from postlint.cli.main import main

raise SystemExit(main())
