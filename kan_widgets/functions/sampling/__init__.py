"""What no adapter reads is run, to find out whether it adds up functions, and sampled."""
