"""Take frames of a model while it trains; and what users hold: the binding."""
