"""Count the steps of a training, take frames between them, and what users hold: the binding."""
