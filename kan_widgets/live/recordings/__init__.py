"""Runs in files: written while they go on, read back, followed from elsewhere."""
