"""Saved pages, and those that a server of ours connects with Python."""
