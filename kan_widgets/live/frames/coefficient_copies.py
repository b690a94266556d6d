"""Copies of the coefficients of layers, which later training does not change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

import torch
from torch import Tensor

from kan_widgets.arrays import Float32
from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.coefficients import ALL, Rewrite, Rewriter, Slices
from kan_widgets.live.frames.layout import Layout, vectors_of
from kan_widgets.nn.changes.listeners import together
from kan_widgets.nn.torch_modes import ungraded


class Arriving:
    """Numbers on their way from a device, for which the training does not wait."""

    def __init__(self, numbers: Tensor) -> None:
        self._arrived: torch.cuda.Event | None = None
        if numbers.is_cuda:
            self._host = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
            self._host.copy_(numbers, non_blocking=True)
            self._arrived = torch.cuda.Event()
            self._arrived.record()
        else:
            self._host = numbers.cpu()

    def is_ready(self) -> bool:
        """Whether `host` would not wait."""
        return self._arrived is None or self._arrived.query()

    def host(self) -> Tensor:
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._host


class Copy(Arriving):
    """A copy of the coefficients of some layers, perhaps still on its way from a device.

    On the CPU it is made at once. From an accelerator it is one copy enqueued on the current
    stream; the training does not wait for it. With ``cut`` only what this layout has of each layer
    is copied; ``beside`` are more numbers of the model, which come after the coefficients.
    """

    @ungraded
    def __init__(
        self,
        layers: Sequence[LayerFunctions],
        cut: Layout | None = None,
        beside: Iterable[Tensor] = (),
    ) -> None:
        places = [ALL] * len(layers) if cut is None else [place.part for place in cut.layers]
        chosen = list(zip(layers, places, strict=True))
        more = list(beside)
        size = sum(layer.sizes.numel() for layer in layers) if cut is None else cut.size
        size += sum(vector.numel() for vector in more)
        devices = {each.device for each in (*more, *(layer.like for layer in layers))}
        if len(devices) > 1 or devices <= {torch.device("cpu")}:
            flat = torch.empty(size, dtype=torch.float32, device="cpu")
            _write(chosen, more, flat)
        else:
            parts = [*(layer.part(*part) for layer, part in chosen), *more]
            flat = torch.cat([one.float().reshape(-1) for one in parts])
        super().__init__(flat)

    def data(self) -> Float32:
        """Return the copy, read-only float32, once it has arrived."""
        data: Float32 = self.host().numpy()
        data.flags.writeable = False
        return data


def _write(
    chosen: Sequence[tuple[LayerFunctions, Slices]], beside: Sequence[Tensor], host: Tensor
) -> None:
    """Write parts of layers one after the other, in pieces: all is never copied twice at once."""
    start = 0
    pieces = (piece for layer, part in chosen for _, piece in layer.pieces(*part))
    for piece in chain(pieces, beside):
        end = start + piece.numel()
        host[start:end].view(piece.shape).copy_(piece)
        start = end


def recopy_of(
    rewriters: Sequence[Rewriter | None], layout: Layout, beside: Callable[[], Mapping[str, Tensor]]
) -> Callable[[], Float32 | None] | None:
    """Return a copier that copies the layers' coefficients again without reading the layers again.

    ``layout`` is that of the layers, in their order, or a cut of it: what is to be copied.
    ``beside`` gives what it has beside coefficients, as it is now. A copy is read-only float32;
    ``None`` once the layers must be read again, and if a layer does not allow it at all. Not for
    several threads at a time.
    """
    if any(rewriter is None for rewriter in rewriters):
        return None
    if layout.beside and vectors_of(beside()) != layout.beside:
        return None
    host = torch.empty(layout.size, dtype=torch.float32, device="cpu")
    rewrites: list[Rewrite] = []
    for rewriter, place in zip(rewriters, layout.layers, strict=True):
        shape = place.shape if place.kind == "conv" else place.shape[:2]
        out = host[place.offset : place.offset + place.length].view(*shape, place.nb)
        part = () if place.window is None else (place.part,)
        rewrite = rewriter(out, *part) if rewriter else None
        if rewrite is None:
            return None
        rewrites.append(rewrite)
    # Other shapes are read again.
    shapes = [one.shape for one in beside().values()] if layout.beside else []
    parts = host[layout.coefficients :].split([one.numel() for one in shapes])
    vectors = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
    numbers = host.numpy()

    @ungraded
    def recopy() -> Float32 | None:
        with together:
            for rewrite in rewrites:
                if not rewrite():
                    return None
            if vectors:
                present = beside().values()
                if [vector.shape for vector in present] != shapes:
                    return None
                for own, now in zip(vectors, present, strict=True):
                    own.copy_(now)
        data: Float32 = numbers.copy()
        data.flags.writeable = False
        return data

    return recopy
