"""Prove the readings of a whole model before anything is drawn, and read it."""

import time
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from kan_widgets.functions.coefficients import Slices, Terms
from kan_widgets.functions.forward_pass import ModuleInput, hook_in, may_hold
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.layer_proof import Unlike, error_of_adapter
from kan_widgets.functions.module_digest import module_digest
from kan_widgets.functions.module_tensors import unreadable_state
from kan_widgets.functions.reading import LeftOut, ReadableModule, called_kan, find, survey, unwrap
from kan_widgets.functions.registry import (
    SAMPLED,
    Adapter,
    LayerReader,
    Verdict,
    candidates,
    decide,
    decided,
    find_adapter,
    verdict_of,
)
from kan_widgets.functions.sampling.adapter import elementwise_adapter, is_open, sampling_adapter
from kan_widgets.functions.sampling.inputs import convolution_in
from kan_widgets.functions.sampling.samples import Untold, at_most
from kan_widgets.functions.stand_ins import is_sharded, read_by
from kan_widgets.nn.compiled.native import print_notice

# A smaller error is rounding, and is not mentioned.
_ROUNDING = 3e-5
_MAX_SECONDS = 10.0
# Seconds of work after which a notice says what takes so long.
_NOTICE_SECONDS = 2.0
_NOTICE = (
    "kan_widgets: proving that the functions read of {} add up to what its layers compute, once; "
    "what is left after {:.0f} seconds of work is not sampled. Not to prove: "
    "kw.bind(model, prove=False)."
)
# Most parts of a layer that is sampled as a whole.
_MAX_PARTS = 4


def prove(
    model: nn.Module,
    *,
    module_inputs: Mapping[nn.Module, ModuleInput] = MappingProxyType({}),
    again: bool = False,
) -> None:
    """Prove every reading of ``model``, and have what fails left out from now on.

    Each layer is run, as `check` does, on a copy, as it is and with every trained parameter moved;
    one that cannot be copied is run itself and is as before afterwards. Layers are proved once if
    all that their forward passes see is equal. Where another adapter reads a layer rightly, it is
    used from now on. `read` and `describe` then go by the result. Ordinary layers of torch need no
    proof.

    A layer that no adapter reads rightly is tested for adding up functions of one input each; if it
    does, these are sampled from now on. After ten seconds no more layers are tested.

    Parameters
    ----------
    model
        Any module.
    module_inputs
        What modules were really given: ``module_inputs`` of a
        `kan_widgets.functions.forward_pass.ForwardPass`. Layers are then proved on that too, and
        sampled where it lies.
    again
        Whether they were proved on other inputs before: what they were given is then enough.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> class Halved(kw.nn.KANLinear):
    ...     def forward(self, x):
    ...         return super().forward(x) / 2
    >>> model = Halved(3, 2)
    >>> prove(model)
    >>> [row.adapter for row in kw.functions.describe(model).layers]
    ['sampled']
    """
    take_as_read(model)
    _Prover(model, module_inputs, again).prove()


def prove_what_changed(model: nn.Module) -> None:
    """Prove modules not proved yet, or in which something changed that a forward pass sees."""
    for module in unwrap(model).modules():
        verdict = verdict_of(module)
        if verdict is not None and verdict.digest != module_digest(module):
            decide(module, None)
    _Prover(model, {}).prove()


def take_as_read(model: nn.Module) -> None:
    """Forget what proofs have found of a model: everything is read as it is recognised."""
    for module in unwrap(model).modules():
        decide(module, None)


def read(model: nn.Module) -> list[LayerFunctions]:
    """Read the functions of every layer of ``model``, proved as `prove` does.

    What was proved before is proved again only if something changed that its forward pass sees,
    other than trained parameters. The model itself is not run or changed, but copies of its layers
    are run. A module used twice is listed once. `describe` lists what is read and what is not.

    Raises
    ------
    TypeError
        If ``model`` is not a module.
    ValueError
        If nothing in it can be read; the message lists the module types found
        and those that can be read.

    Examples
    --------
    >>> import torch
    >>> from kan_widgets.functions import read
    >>> from kan_widgets.nn import KANLinear
    >>> [layer] = read(KANLinear(3, 2, grid_size=5, spline_order=3))
    >>> layer.coefficients.shape, layer.domain, layer.basis_labels[:2]
    (torch.Size([2, 3, 9]), (-1.0, 1.0), ('silu', 'B0'))
    """
    if isinstance(model, nn.Module):
        prove_what_changed(model)
    while True:
        with suppress(Untold):  # sampled again, it is no sum of functions any more: left out
            return [layer for module in find(model) for layer in module.read()]


class _Prover:
    """Goes through a model, and decides which adapter reads which module."""

    def __init__(
        self,
        model: nn.Module,
        module_inputs: Mapping[nn.Module, ModuleInput],
        again: bool = False,
    ) -> None:
        self._model, self._module_inputs, self._again = unwrap(model), module_inputs, again
        self._began, self._is_said = time.thread_time(), False
        self._known: dict[Hashable, Verdict] = {}

    def prove(self) -> None:
        self._decide_holders()
        self._decide_activations()
        waiting = True
        while waiting:  # a layer that fails uncovers the modules inside it
            waiting = False
            readable, left_out = survey(self._model)
            for entry in readable:
                if decided(entry.module) is not None:
                    continue
                if entry.is_plain:
                    if hook_in(entry.module) and not is_sharded(entry.module):
                        adapter = find_adapter(entry.module)[0]
                        self._decide_unhooked(entry.module, Verdict(adapter or ""))
                else:
                    self._decide(entry.module, "")
                if (by := decided(entry.module)) is not None:
                    waiting = waiting or isinstance(by, str) or by.read != entry.reader
            names = [entry.name for entry in readable]
            for missed in left_out:
                if _is_open(missed, names, missed.module in self._module_inputs):
                    self._decide(missed.module, missed.reason)
                    waiting = waiting or isinstance(decided(missed.module), Adapter)
        modules = dict(self._model.named_modules())
        if self._worked() < _MAX_SECONDS:
            self._join_parts(modules, readable)
        self._find_kernels(modules, readable)

    def _decide_holders(self) -> None:
        """Leave out plain layers that hold numbers: the whole model ran, and they did not."""
        for module in self._model.modules() if self._model in self._module_inputs else ():
            if may_hold(module) and module not in self._module_inputs:
                decide(
                    module, Verdict("it only holds numbers: it did not run", module_digest(module))
                )

    def _decide_activations(self) -> None:
        """Sample learned activations wherever they are: none is a part of a layer around it."""
        open_modules = [m for m in self._model.modules() if is_open(m) and decided(m) is None]
        if not open_modules:
            return
        read = {part for entry in survey(self._model)[0] for part in entry.module.modules()}
        for module in open_modules:
            if module not in read:
                with suppress(Exception):
                    adapter = elementwise_adapter(module, self._examples_of(module))
                    self._decide_unhooked(module, Verdict(adapter))

    def _decide_unhooked(self, module: nn.Module, verdict: Verdict) -> None:
        """Note a verdict, unless a hook of others changes what the module computes."""
        hook = hook_in(module)
        hooked = (part for part in module.modules() if hook and hook_in(part))
        inputs = [self._module_inputs.get(part) for part in hooked]
        if any(one is not None and one.altered for one in inputs):
            verdict = Verdict(f"the forward hook {hook} changes what it computes")
        elif None in inputs:
            too = f" The forward hook {hook} may change what it computes: a batch tells."
            verdict = replace(verdict, note=verdict.note + too, is_whole=False)
        decide(module, replace(verdict, digest=module_digest(module)))

    def _join_parts(self, modules: dict[str, nn.Module], readable: list[ReadableModule]) -> None:
        """Sample a layer as a whole where only its parts are read, beside plain layers.

        That is a KAN layer with sampled functions in it, or a model of a few plain layers that
        take in a basis, not x.
        """
        for name, module in modules.items():
            inside = [e for e in readable if e.module is not module and _lies_in(e.name, name)]
            sampled = [entry for entry in inside if entry.library == SAMPLED]
            plain = [entry.module for entry in inside if not entry.adds_up]
            read = {part for entry in inside for part in entry.module.modules()}
            lines = [p for p in module.modules() if isinstance(p, nn.Conv1d) and p not in read]
            few = 0 < len(plain) + len(lines) and len(inside) + len(lines) <= _MAX_PARTS
            if not few or len(plain) + len(sampled) != len(inside):
                continue
            of_torch = type(module).__module__.startswith("torch.nn.")
            whole = module is self._model and not of_torch and all(e.is_plain for e in inside)
            if decided(module) is not None or not (whole or (sampled and called_kan(module))):
                continue
            with suppress(Exception):
                adapter = sampling_adapter(module, examples=self._examples_of(module))
                inputs = read_by(module, adapter.read)[0].shape[1]
                if not whole or any(layer.weight.shape[1] != inputs for layer in plain):  # type: ignore[index]
                    self._decide_unhooked(module, Verdict(adapter))

    def _find_kernels(self, modules: dict[str, nn.Module], readable: list[ReadableModule]) -> None:
        """Read linear layers that are given patches as the kernels of the module around them."""
        for entry in readable:
            name, _, inner = entry.name.rpartition(".")
            around = modules[name]
            beside = [part for part in readable if part is not entry and _lies_in(part.name, name)]
            if not entry.adds_up or not inner or beside or decided(around) is not None:
                continue
            with suppress(Exception):
                if convolution_in(around)[0] is not None:
                    read = partial(_kernels, inner, entry.reader)
                    adapter = Adapter(entry.library, read)
                    _, is_whole = error_of_adapter(around, adapter, self._examples_of(around))
                    self._decide_unhooked(around, Verdict(adapter, is_whole=is_whole))

    def _worked(self) -> float:
        """Return the seconds of work so far; if there are many, print once what they are for."""
        worked = time.thread_time() - self._began
        if worked > _NOTICE_SECONDS and not self._is_said:
            self._is_said = True
            print_notice(_NOTICE.format(type(self._model).__name__, _MAX_SECONDS))
        return worked

    def _examples_of(self, module: nn.Module) -> Tensor | None:
        inputs = self._module_inputs.get(module)
        return None if inputs is None else inputs.x

    def _decide(self, module: nn.Module, problem: str) -> None:
        """Decide which adapter reads a module rightly."""
        if problem and unreadable_state(module):
            return
        key = module_digest(module)
        if is_sharded(module):  # not proved: running it takes all processes
            decide(module, Verdict(find_adapter(module)[0] or problem, key))
            return
        verdict = self._known.get(key) or self._proved(module, problem)
        if not isinstance(verdict.outcome, Adapter) or verdict.outcome.library != SAMPLED:
            self._known[key] = verdict
        self._decide_unhooked(module, verdict)

    def _proved(self, module: nn.Module, problem: str) -> Verdict:
        """Return the adapter that reads a module rightly, or a sampler, or why there is none."""
        wrong: list[str] = []
        has_time, examples = self._worked() < _MAX_SECONDS, self._examples_of(module)
        for adapter in candidates(module):
            try:
                error, is_whole = error_of_adapter(module, adapter, examples, self._again)
            except Unlike as found:
                wrong.append(f"read as {adapter.called} has it, {found.words}")
            except Exception as raised:
                wrong.append(
                    f"read as {adapter.called} has it, it could not be proved without a batch, "
                    f"which kw.bind(model, example=batch) gives it: {type(raised).__name__}: "
                    f"{raised}"
                )
            else:
                note = f"Σφ is off by up to {at_most(error)} of the largest output."
                note = note if error > _ROUNDING else ""
                return Verdict(adapter, note=note, is_whole=is_whole)
        why = "; ".join(wrong) or problem
        if not has_time:
            return Verdict(f"{why}; there was no time left to sample it")
        try:
            return Verdict(sampling_adapter(module, why[:1].upper() + why[1:], examples))
        except Exception as error:
            words = str(error) if isinstance(error, Untold) else f"{type(error).__name__}: {error}"
            return Verdict(f"{why}; not sampled: {words}")


def _lies_in(name: str, other: str) -> bool:
    return not other or name.startswith(f"{other}.")


def _is_open(missed: LeftOut, names: list[str], has_run: bool) -> bool:
    """Say whether to test a module that is left out: one that may be a KAN layer.

    If it has run, its inputs are known, and parameters of any shape may be those of functions.
    """
    module = missed.module
    if decided(module) is not None or missed.is_kan:
        return decided(module) is None
    own = [p for p in module.parameters(recurse=False) if p.requires_grad]
    weights = any(p.ndim > 1 or (has_run and p.numel() > 1) for p in own)
    return (
        missed.unknown
        and weights
        and "Norm" not in type(module).__name__
        and not type(module).__module__.startswith("torch.nn.")
        and not any(_lies_in(name, missed.name) for name in names)
    )


def _kernels(inner: str, read: LayerReader, module: nn.Module) -> LayerFunctions:
    """Read a linear layer in a module, of patches, as the kernels of a convolution."""
    [flat] = read_by(module.get_submodule(inner), read)
    kernel, conv, _ = convolution_in(module)
    if kernel is None or flat.kind != "linear" or flat.x_at is not None:
        raise ValueError(f"{inner} is not one layer of functions of patches")
    out, inputs, nb = flat.sizes
    sizes = (inputs // kernel[0] // kernel[1], *kernel)
    own_write, own_gradient, index = flat.write, flat.gradient, flat.basis_index

    def make(part: Slices) -> Tensor:
        values: Tensor = flat.part(part[0]).unflatten(1, sizes)
        return values[:, part[1]]

    def write(at: tuple[int, ...], coefficients: Tensor) -> None:
        o, i, row, column = at
        own_write((o, (i * kernel[0] + row) * kernel[1] + column), coefficients)  # type: ignore[misc]

    def gradient() -> Tensor:
        values: Tensor = own_gradient().unflatten(1, sizes)  # type: ignore[misc]
        return values

    return replace(
        flat,
        kind="conv",
        coefficients=Terms(torch.Size([out, *sizes, nb]), flat.like, make),
        basis_index=None if index is None else index.unflatten(1, sizes),
        conv=conv,
        write=own_write and write,
        gradient=own_gradient and gradient,
        rewriter=None,
    )
