"""TBL: lookup tables, their files, keys, results, and the clients of databases."""
