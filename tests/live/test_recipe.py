"""The README's recipe learns the embedded digits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_readmes_recipe_reaches_97_5_per_cent_of_the_embedded_digits(capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    [code] = [c for c in re.findall(r"```python\n(.*?)```", readme, re.S) if "OneCycleLR" in c]
    names = {"__name__": "readme"}
    exec(code, names)
    run, schedule = names["run"], names["schedule"]
    assert run.result.eval_accuracy[-1] >= 0.975
    assert run.result.steps == schedule.last_epoch == 10 * len(names["batches"])
    assert schedule.get_last_lr()[0] < 1e-6
    assert capsys.readouterr().out.startswith(f"{run.result.eval_accuracy[-1]:.1%} in ")
