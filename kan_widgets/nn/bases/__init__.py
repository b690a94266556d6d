"""Basis functions: the protocol `Basis`, and one file per family."""
