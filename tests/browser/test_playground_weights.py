"""What the playground saves is what it trained: its weights and its code, read by Python."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kan_widgets.nn.compiled.compile_options import FOR_PAGES
from tests.browser.lab import CHECKOUT

# It needs js/node_modules, as the tests in a browser do.
pytestmark = pytest.mark.browser

NETWORKS = (
    "",
    "#widths=3&grid=7&order=2&base=tanh",
    "#widths=2,2,2,2&basis=chebyshev&grid=3",
    "#network=article",
    "#network=dense&widths=5&basis=rbf&base=tanh",
    "#problem=moons&order=1&grid=9&base=relu",
    "#problem=spirals&basis=fourier&base=identity",
    "#problem=moons&basis=chebyshev&order=4",
    "#problem=product&basis=rbf&grid=12",
    "#problem=product&widths=&order=5",
    "#problem=formula&formula=x^2",
)
# As in a page; node's own modules are there when it runs.
_ESBUILD = (
    "npx esbuild --bundle --format=esm --external:node:* --loader=ts --log-level=error".split()
)
SCRIPT = """
import { readFileSync } from "node:fs";
import { makeNetwork } from "./playground/network.ts";
import { makeProblem } from "./playground/problems.ts";
import { stateOf } from "./playground/state.ts";
import { codeOf, archiveOf } from "./playground/weights.ts";
import { Machine } from "./training/machine.ts";
import { Random } from "./training/machine.ts";
import { Trainer } from "./training/trainer.ts";
import { readLayout } from "./wire/protocol.ts";
const machine = await Machine.from(readFileSync(process.argv[2]));
const random = new Random(1);
const images = {
  inputs: Uint8Array.from({ length: 784 * 60 }, () => random.below(256)),
  targets: Uint8Array.from({ length: 60 }, (_, k) => k % 10),
};
const digits = { train: images, test: images, shift: 1 };
const written = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  .toString("base64");
const found = process.argv.slice(3).map((hash) => {
  const state = stateOf(hash);
  const problem = makeProblem(state, digits, "");
  const made = makeNetwork(state, problem, machine);
  const description = { ...made, layout: readLayout(made.layout) };
  const settings = { batch: 20, rate: 0.01, epochs: 50, seed: 0 };
  const trainer = new Trainer(machine, description, made.frame, problem.data, settings);
  for (let k = 0; k < 120; k++) if (!trainer.advance()) throw new Error("it diverged");
  const { network } = trainer;
  const { input, output } = network;
  const x = Float32Array.from({ length: 16 * input.size }, () => 2 * random.uniform() - 1);
  machine.floats(input.at, x.length).set(x);
  network.forward(16, false);
  const y = machine.floats(output.at, 16 * output.size).slice();
  const weights = archiveOf(made, network.frame());
  const lines = codeOf(state, made);
  return { x: written(x), y: written(y), shape: problem.shape, weights: written(weights), lines };
});
console.log(JSON.stringify(found));
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Give of each address a network that was trained a little: inputs, outputs, what is saved."""
    bundle = tmp_path_factory.mktemp("weights") / "weights.mjs"
    subprocess.run(
        [*_ESBUILD, f"--outfile={bundle}"],
        input=SCRIPT.replace('from "./', f'from "{CHECKOUT}/js/src/'),
        text=True,
        check=True,
        cwd=CHECKOUT / "js",
    )
    ran = subprocess.run(
        ["node", str(bundle), str(FOR_PAGES), *NETWORKS],
        text=True,
        check=True,
        capture_output=True,
    )
    return dict(zip(NETWORKS, json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize("address", NETWORKS)
def test_python_computes_with_what_is_saved_what_the_page_computed(
    saved: dict[str, dict[str, Any]],
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = saved[address]
    (tmp_path / "kan.npz").write_bytes(base64.b64decode(one["weights"]))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(one["lines"], names)
    x, wanted = (
        torch.from_numpy(np.frombuffer(base64.b64decode(one[name]), "<f4").copy()).view(16, -1)
        for name in ("x", "y")
    )
    with torch.no_grad():
        y = names["model"](x.view(16, *one["shape"]))
    assert y.shape == wanted.shape
    assert wanted.std() > 0.01
    assert float((y - wanted).abs().max()) <= 1e-5 * max(1.0, float(wanted.abs().max()))
