"""The first lines of an adapter for a layer that nobody reads, with the names of its tensors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from kan_widgets.functions.attributes import INPUT_NAMES

_OUTPUT_NAMES = (
    "out_features out_channels output_dim outdim out_dim output_size out_size n_out d_out "
    "num_outputs output_features outputs out_planes"
).split()


def first_lines(module: nn.Module) -> str:
    """Return the code of an adapter to be completed; empty if a module has no tensor for one.

    Examples
    --------
    >>> import torch
    >>> class PolyLayer(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.in_features, self.out_features = 4, 2
    ...         self.poly = nn.Parameter(torch.zeros(2, 4, 3))
    ...         self.bias = nn.Parameter(torch.zeros(2))
    >>> print(first_lines(PolyLayer()))
    import kan_widgets as kw
    from kan_widgets.functions import check, tensor_adapter
    <BLANKLINE>
    tensor_adapter(
        "PolyLayer",
        {
            "poly": ("out", "in", 3),
            "bias": ("out",),
        },
        # The coefficients of φ(x) = Σ_b c_b·β_b(x), in the order (out, in, b):
        lambda get: get("poly"),
        # The functions β_b, as many: one of kw.nn's, or a kw.nn.Basis of your own.
        lambda module: kw.nn.Chebyshev(2),
        library="my own",
        bias="bias",
    )
    check(layer)  # a PolyLayer: says whether that is what it computes, and by how much it is not
    """
    shapes = {name: tuple(p.shape) for name, p in module.named_parameters() if p.ndim}
    weights = [name for name, shape in shapes.items() if len(shape) > 1]
    if not weights:
        return ""
    sizes = {
        word: size
        for word, names in (("in", INPUT_NAMES), ("out", _OUTPUT_NAMES))
        for size in [vars(module).get(name) for name in names]
        if type(size) is int
    }
    main = max(weights, key=lambda name: (len(shapes[name]) == 3, len(shapes[name])))
    named = {name: _named(shape, sizes) for name, shape in shapes.items()}
    lines = [f'        "{name}": {_written(named[name])},' for name in list(shapes)[:6]]
    order = named[main]
    moved = f'get("{main}")'
    if {"in", "out"} <= set(order) and order[:2] != ("out", "in"):
        moved += _permuted(order)
    count = next((d for d in order if type(d) is int), 2)
    kind = type(module).__name__
    bias = next((name for name in shapes if name.endswith("bias")), "")
    return "\n".join(
        [
            "import kan_widgets as kw",
            "from kan_widgets.functions import check, tensor_adapter",
            "",
            "tensor_adapter(",
            f'    "{kind}",',
            "    {",
            *lines,
            "    },",
            "    # The coefficients of φ(x) = Σ_b c_b·β_b(x), in the order (out, in, b):",
            f"    lambda get: {moved},",
            "    # The functions β_b, as many: one of kw.nn's, or a kw.nn.Basis of your own.",
            f"    lambda module: kw.nn.Chebyshev({max(int(count) - 1, 1)}),",
            '    library="my own",',
            *([f'    bias="{bias}",'] if bias else []),
            ")",
            f"check(layer)  # a {kind}: says whether that is what it computes, "
            "and by how much it is not",
        ]
    )


def _named(shape: Sequence[int], sizes: dict[str, int]) -> tuple[int | str, ...]:
    """Name each dimension that is known, one after the other."""
    left = dict(sizes)
    found: list[int | str] = []
    for size in shape:
        word = next((w for w in ("out", "in") if left.get(w) == size), None)
        if word is not None:
            del left[word]
        found.append(size if word is None else word)
    return tuple(found)


def _permuted(order: tuple[int | str, ...]) -> str:
    rest = [k for k, word in enumerate(order) if word not in ("out", "in")]
    return f".permute({', '.join(map(str, (order.index('out'), order.index('in'), *rest)))})"


def _written(shape: tuple[int | str, ...]) -> str:
    inside = ", ".join(f'"{d}"' if isinstance(d, str) else str(d) for d in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"
