"""PAR: names of parameters that are wrong, of another version, obsolete, or never used."""
