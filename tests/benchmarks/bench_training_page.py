"""How many images a second train in a page, with WebAssembly and without, and torch beside it.

``python -m tests.benchmarks.bench_training_page``. The steps of pages are made by Node, in turns
with those of torch on one thread, on the same weights and digits; the ratios are to torch. All is
processor time, as other programs may take part of the machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import kan_widgets as kw
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.nn.compiled.compile_options import FOR_PAGES, TRANSLATED
from kan_widgets.widgets.pages.trainable import recipe_of
from kan_widgets.widgets.wire.messages import layout_dict
from tests.nn.page_cases import written

ROOT = Path(__file__).parents[2]
BATCH, ROUNDS = 32, 3
MODELS: dict[str, Callable[[], nn.Module]] = {
    "KANCNN()": kw.nn.KANCNN,
    "KANCNN.article()": kw.nn.KANCNN.article,
}
_ESBUILD = (
    "npx esbuild --bundle --format=esm --platform=node --loader=ts --log-level=warning".split()
)
_COMMON = """
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";
import { gunzipSync } from "node:zlib";
import { Machine } from "./training/machine.ts";
import { Trainer } from "./training/trainer.ts";
import { readLayout } from "./wire/protocol.ts";
const view = (_, value) => value?.bytes === undefined ? value
  : new DataView(Uint8Array.from(Buffer.from(value.bytes, "base64")).buffer);
const floats = ({ buffer }) => new Float32Array(buffer);
async function opened(file, code) {
  const one = JSON.parse(readFileSync(file, "utf8"), view);
  const { structure, layout, recipe } = one;
  for (const own of Object.values(recipe)) if (own.scaler) own.scaler = floats(own.scaler);
  if (code.endsWith(".gz")) runInThisContext(String(gunzipSync(readFileSync(code))));
  const machine = await Machine.from(readFileSync(code));
  return { one, machine, description: { structure, layout: readLayout(layout), recipe } };
}
"""
SCRIPT = """
const [file, code, steps] = process.argv.slice(2);
const { one, description, machine } = await opened(file, code);
const data = { inputs: floats(one.x), targets: Float32Array.from(one.labels) };
const settings = { batch: one.labels.length, rate: 1e-3, epochs: 1e6, seed: 0 };
const all = { train: data, test: data, shift: 0 };
const trainer = new Trainer(machine, description, floats(one.frame), all, settings);
trainer.advance();
const begin = process.cpuUsage();
for (let k = 0; k < Number(steps); k++) trainer.advance();
const { user, system } = process.cpuUsage(begin);
console.log((user + system) / 1000 / Number(steps));
"""


def bundled(script: str, folder: str) -> Path:
    """Return a script for Node, made of TypeScript that trains."""
    bundle = Path(folder, "bench.mjs")
    text = (_COMMON + script).replace("./", f"{ROOT}/js/src/")
    command = [*_ESBUILD, f"--outfile={bundle}"]
    subprocess.run(command, input=text, text=True, check=True, cwd=ROOT / "js")
    return bundle


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    digits = kw.data.mnist("embedded")
    x, labels = digits.train_images[:BATCH], digits.train_labels[:BATCH]
    with tempfile.TemporaryDirectory() as scratch:
        bundle = bundled(SCRIPT, scratch)
        print(
            f"images a second of processor time, batches of {BATCH}, medians of {ROUNDS} turns; "
            "in brackets × torch"
        )
        for name, make in MODELS.items():
            torch.manual_seed(0)
            model = make()
            case = described(model, x) | {"labels": labels.tolist()}
            file = Path(scratch, "case.json")
            file.write_text(json.dumps(written(case)))
            kernels = {"WebAssembly": FOR_PAGES, "JavaScript": TRANSLATED}
            times: dict[str, list[float]] = {"torch": [], **{kind: [] for kind in kernels}}
            for _ in range(ROUNDS):
                times["torch"].append(_by_torch(model, x, labels))
                for kind, code in kernels.items():
                    command = ["node", str(bundle), str(file), str(code), "20"]
                    taken = subprocess.run(command, check=True, text=True, capture_output=True)
                    times[kind].append(float(taken.stdout))
            middle = {kind: statistics.median(each) for kind, each in times.items()}
            cells = [
                f"{kind} {1000 * BATCH / each:,.0f} ({middle['torch'] / each:.3f})"
                for kind, each in middle.items()
            ]
            print(f"{name}: {', '.join(cells)}")


def described(model: nn.Module, x: torch.Tensor) -> dict[str, object]:
    """Return what a page needs to know of a model, and inputs of it."""
    live = kw.bind(model, example=x[:8])
    assert live.feed.structure is not None
    found = {
        "structure": structure_dict(live.feed.structure),
        "layout": layout_dict(live.frame.layout),
        "recipe": recipe_of(model),
        "frame": live.frame.data.copy(),
        "x": x.numpy(),
    }
    live.close()
    return found


def _by_torch(model: nn.Module, x: torch.Tensor, labels: torch.Tensor, steps: int = 20) -> float:
    """Return the milliseconds of a step."""
    optimizer = torch.optim.AdamW(model.parameters())
    begin = 0.0
    for step in range(-1, steps):
        if step == 0:
            begin = time.process_time()
        optimizer.zero_grad()
        F.nll_loss(model(x), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return 1000 * (time.process_time() - begin) / steps


if __name__ == "__main__":
    main()
