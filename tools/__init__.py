"""Developer tools; they are not deployed."""
