"""The rules for rows: pure functions and tables, without I/O and without a Google SDK."""
