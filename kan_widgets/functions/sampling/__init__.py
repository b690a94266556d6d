"""Modules that no adapter reads: run, to test whether they add up functions, and sampled."""
