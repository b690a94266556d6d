"""What is known of a model at one time and over time: tensors, numbers and steps, no training."""
