"""What is known of a model and its run at one time and over time, as data; nothing is trained."""
