"""postlint: a linter and security auditor for Postfix configuration."""
