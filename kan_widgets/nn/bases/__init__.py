"""The basis functions: the protocol `Basis`, and one family a file."""
