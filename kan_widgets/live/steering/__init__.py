"""The run: steps counted, pauses, stops, rates, progress, and what is due between two steps."""
