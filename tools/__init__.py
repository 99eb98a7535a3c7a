"""Developer tools; nothing here is deployed."""
