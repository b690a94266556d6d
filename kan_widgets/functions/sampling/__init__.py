"""Layers that no adapter reads: run to find out whether they add up functions, and sampled.

The way of one: `ways` finds what inputs it takes, `norms` what stands around its sum, `probe` runs
it so, `additivity` says whether it adds up functions of one input each, `sampled_basis` samples
them, more finely where they bend, `borders` finds what a convolution pads, `layers` puts it all
into words and `LayerFunctions`, and `samples` keeps it until it is due anew. `adapter` goes that
way; `activations` goes one of its own for learned activations.
"""
