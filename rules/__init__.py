"""The bundled rules of postlint, imported as ``postlint_rules``."""

if __name__ == "rules":  # a second copy of every rule would be registered
    raise ImportError("import this package as postlint_rules")
