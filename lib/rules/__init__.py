"""What a row must be: pure functions and tables, no I/O and no Google SDK."""
