"""Generated tables; ``tools/generate_facts.py`` writes the modules of this package."""
