"""Functions and whole networks as formulas, and functions fixed to them."""
