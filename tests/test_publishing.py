"""What stands in the checkout for who meets it first, before it is published and after."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
# Python 3.10 reads no TOML.
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
WORDS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.*")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "kan_widgets").rglob("*.py")),
    *sorted((ROOT / ".binder").iterdir()),
]


def listed(name: str) -> list[str]:
    """Return the strings of a list in pyproject.toml."""
    found = re.search(rf"^{name} = \[(.*?)^\]", PYPROJECT, re.M | re.S)
    assert found, name
    return re.findall(r'"([^"]+)"', found[1])


def lines_of(path: Path) -> list[str]:
    if path.suffix != ".ipynb":
        return path.read_text("utf-8", errors="replace").splitlines()
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [line for cell in cells for line in "".join(cell["source"]).splitlines()]


def test_the_readme_begins_with_what_works_in_a_clone() -> None:
    first, *_ = re.findall(r"```sh\n(.*?)```", README, re.S)
    targets = re.findall(r"^make (\w+)", first, re.M)
    assert targets == ["lab", "test"]
    made = re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert set(targets) <= set(made)


def test_what_no_index_has_yet_is_marked() -> None:
    asks = re.compile(r"pip install (?!git\+)[^`|]*?\"?\bkan-widgets\b(?!/)")
    unmarked = [
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path in WORDS
        for line in lines_of(path)
        if asks.search(line) and not re.search("(?i)once published|until .* is published", line)
    ]
    assert unmarked == []


def test_binder_installs_the_checkout_with_torch_for_the_cpu() -> None:
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf-8"))
    asked = [one for one in environment["dependencies"] if isinstance(one, str)]
    (torch,) = (one for one in listed("dependencies") if one.startswith("torch>"))
    assert torch.replace("torch", "pytorch-cpu", 1) in asked
    script = ROOT / ".binder" / "postBuild"
    assert script.stat().st_mode & 0o111
    assert 'pip install --editable ".[lab]"' in script.read_text("utf-8")


def test_the_classifiers_name_the_versions_of_python_that_are_tested() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    tested = workflow["jobs"]["python"]["strategy"]["matrix"]["python"]
    named = [one.rpartition(" ")[2] for one in listed("classifiers") if "Python :: 3." in one]
    assert named == tested


@pytest.mark.parametrize("name", ["test", "trainers", "docs", "dev"])
def test_what_only_developers_need_is_no_extra(name: str) -> None:
    extras, groups = PYPROJECT.split("[dependency-groups]\n")
    assert re.search(rf"^{name} = \[", groups, re.M)
    assert not re.search(rf"^{name} = \[", extras, re.M)


def test_the_citation_names_the_licences_and_the_papers() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    (licence,) = re.findall(r'^license = "(.+)"', PYPROJECT, re.M)
    assert citation["license"] == licence.split(" AND ")
    papers = {one.get("doi"): one["title"] for one in citation["references"]}
    assert papers["10.48550/arXiv.2404.19756"] == "KAN: Kolmogorov-Arnold Networks"
    assert papers["10.48550/arXiv.2406.13155"] == "Convolutional Kolmogorov-Arnold Networks"


def test_actions_stand_by_the_hash_of_a_commit_and_a_bot_keeps_them() -> None:
    used = [
        line.strip()
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
        for line in path.read_text("utf-8").splitlines()
        if "uses:" in line
    ]
    assert used
    pinned = re.compile(r"(- )?uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
    assert [line for line in used if not pinned.match(line)] == []
    bot = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))
    assert [one["package-ecosystem"] for one in bot["updates"]] == ["github-actions"]
