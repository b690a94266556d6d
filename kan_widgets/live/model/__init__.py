"""The model of a binding: its layers as read, edits, what reaches them, and examples traced."""
