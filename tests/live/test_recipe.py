"""The guide's recipe runs, and is the one that the first tutorial proves."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import kan_widgets as kw

ROOT = Path(__file__).parents[2]
# How the first tutorial, which has another network before, calls the same things.
NAMES = {
    "batches": "moved_batches",
    "model": "smaller",
    "optimizer": "its_optimizer",
    "tests": "test_batches",
    "torch.nn.functional.nll_loss": "nll_loss",
}


def recipe() -> str:
    guide = (ROOT / "docs" / "guide.md").read_text("utf-8")
    [code] = [c for c in re.findall(r"```python\n(.*?)```", guide, re.S) if "OneCycleLR" in c]
    return code


def assigned(code: str) -> dict[str, str]:
    """Return what each name is set to, in one spelling."""
    lines = [line for line in ast.parse(code).body if isinstance(line, ast.Assign)]
    values = {ast.unparse(line.targets[0]): line.value for line in lines}
    for value in values.values():
        if isinstance(value, ast.Call):
            value.keywords = sorted(written_out(value.keywords, values), key=lambda one: one.arg)
    return {name: ast.unparse(value) for name, value in values.items()}


def written_out(keywords: list[ast.keyword], values: dict[str, ast.expr]) -> list[ast.keyword]:
    """Return a call's keywords with those of a dict that it takes by `**name`."""
    out = []
    for one in keywords:
        if one.arg is None and isinstance(of := values[ast.unparse(one.value)], ast.Dict):
            pairs = zip(of.keys, of.values, strict=True)
            out += [ast.keyword(ast.literal_eval(key), value) for key, value in pairs]
        else:
            out.append(one)
    return out


# tests/browser/test_01_quickstart.py: that one has at least 97.5 % of the embedded digits right.
def test_the_guides_recipe_is_that_of_the_first_tutorial() -> None:
    notebook = json.loads((ROOT / "notebooks" / "01_quickstart.ipynb").read_text("utf-8"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    theirs = assigned("\n".join(cells))
    ours = recipe()
    for name, other in NAMES.items():
        ours = re.sub(rf"(?<![.\w]){re.escape(name)}(?![\w=])", other, ours)
    for name in ("smaller", "its_optimizer", "schedule", "run"):
        assert assigned(ours)[name] == theirs[name], name
    data = assigned(recipe())["(batches, tests)"]
    assert data == "kw.data.mnist('embedded').loaders(batch_size=64, shift=1)"
    assert theirs["digits"] == "kw.data.mnist('embedded')"
    assert theirs["(moved_batches, _)"] == "digits.loaders(batch_size=64, seed=0, shift=1)"
    assert inspect.signature(kw.data.Digits.loaders).parameters["seed"].default == 0
    # Both seed torch just before the batches and the network are made.
    (panel,) = (cell for cell in cells if "moved_batches, _ =" in cell)
    assert "\n\ntorch.manual_seed(0)\nmoved_batches" in panel
    assert "torch.manual_seed(0)\nbatches, tests" in recipe()


def test_the_guides_recipe_runs_to_the_end_of_its_schedule(capsys) -> None:
    code, epochs = recipe(), re.compile(r"(?<=epochs=)10\b|\b10(?= \* len\(batches\))")
    assert len(epochs.findall(code)) == 2
    names = {"__name__": "guide"}
    exec(epochs.sub("1", code), names)
    run, schedule = names["run"], names["schedule"]
    assert run.result.steps == schedule.last_epoch == schedule.total_steps == len(names["batches"])
    assert schedule.get_last_lr()[0] < 1e-5  # of 7e-3
    assert capsys.readouterr().out.startswith(f"{run.result.eval_accuracy[-1]:.1%} in ")
