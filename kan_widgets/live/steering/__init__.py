"""What others want of a training: pauses, stops, other rates, changed functions."""
