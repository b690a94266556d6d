"""Layers that no adapter reads: run to find out whether they add up functions, and sampled.

`ways` finds what inputs one takes and what stands around its sum, `samples` samples functions, more
finely where they bend, and keeps them until they are due anew; `adapter` finds out whether they add
up and makes layers of them, `mixed` takes the weights of plain layers as they are, and
`activations` reads learned activations.
"""
