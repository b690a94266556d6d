"""What happens to a layer besides training: grid updates, refinement, pruning, penalties.

Every function here takes a `kan_widgets.nn.core.LayerCore`; the methods of
`kan_widgets.nn.KANLayer` and the functions of `whole_models` call them.
"""
