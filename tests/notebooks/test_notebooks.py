"""What holds for every tutorial as it lies in the checkout; its own test file executes it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.execution import FOLDER, TUTORIALS, VIEW, code_cells, errors, read
from tests.notebooks.save import ABSOLUTE, ADDRESS, INDEX, METADATA, index

TESTS = Path(__file__).parents[1]
LINES_OF_A_SCREEN = 25
# What is read and what is run come in small pieces, except where whole classes are shown.
IN_PIECES = [name for name in TUTORIALS if name[:2] != "06"]
WORDS_OF_A_PIECE, LINES_OF_A_PIECE = 120, 20
# A view stays in the window above a loop of so many lines.
LINES_OF_A_LOOP = 6
HIDDEN = re.compile(r"(?<=</summary>).*?(?=</details>)", re.S)

every_tutorial = pytest.mark.parametrize("name", TUTORIALS)


def prose(name: str) -> str:
    return "\n\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")


def texts(part: Any) -> Iterator[str]:
    """Give every text of a notebook's JSON, pictures left out."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for value in part:
            yield from texts(value)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key != "image/png":
                yield from texts(value)


def test_the_quickstart_is_the_first() -> None:
    assert TUTORIALS[0] == "01_quickstart.ipynb"
    numbers = [int(name[:2]) for name in TUTORIALS]
    assert sorted(set(numbers)) == list(range(1, numbers[-1] + 1))


@pytest.mark.parametrize("name", [name for name in TUTORIALS if name[:2] in ("05", "07")])
def test_a_page_of_several_on_one_question_is_read_in_twenty_minutes(name: str) -> None:
    assert len(prose(name).split()) <= 1000
    assert len(code_cells(read(name))) <= 12


@every_tutorial
def test_a_test_file_of_its_own_executes_or_walks_it(name: str) -> None:
    (file,) = TESTS.glob(f"*/test_{name.removesuffix('.ipynb')}.py")
    text = file.read_text()
    way = "walked" if file.parent.name == "browser" else "run_of"
    assert f'{way}("{name}"' in text
    assert "check_runs(run" in text
    assert "run.facts" in text


@every_tutorial
def test_it_is_a_valid_notebook_of_format_4_5(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)  # type: ignore[no-untyped-call]
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


@every_tutorial
def test_it_says_nothing_of_the_machine_that_ran_it(name: str) -> None:
    text = "\n".join(texts(json.loads((FOLDER / name).read_text())))
    assert not ABSOLUTE.search(text)
    assert not ADDRESS.search(text)
    assert read(name).metadata == METADATA
    assert not any("execution" in cell.metadata for cell in read(name).cells)


@every_tutorial
def test_it_is_saved_with_the_outputs_of_one_run_without_errors(name: str) -> None:
    notebook = read(name)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert errors(notebook) == []
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    # A live view needs a kernel: without one, JupyterLab would show no picture in its place.
    assert not [output for output in outputs if VIEW in output.get("data", {})]
    assert [output for output in outputs if "image/png" in output.get("data", {})]


@every_tutorial
def test_no_cell_is_longer_than_a_screen(name: str) -> None:
    shown = {cell.id: HIDDEN.sub("", cell.source) for cell in read(name).cells}
    lengths = {key: len(text.splitlines()) for key, text in shown.items()}
    assert {key: lines for key, lines in lengths.items() if lines > LINES_OF_A_SCREEN} == {}


@pytest.mark.parametrize("name", IN_PIECES)
def test_prose_and_code_come_in_small_pieces(name: str) -> None:
    long = {}
    for cell in read(name).cells:
        text, most = HIDDEN.sub("", cell.source), WORDS_OF_A_PIECE
        size = len(text.split())
        if cell.cell_type == "code":
            size, most = len(text.splitlines()), LINES_OF_A_PIECE
        elif text.startswith("## References"):
            continue
        if size > most:
            long[cell.id] = size
    assert long == {}


def parts_run(part: ast.AST) -> Iterator[ast.AST]:
    """Give a piece of code and all in it that runs with it: not what functions and classes hold."""
    yield part
    for inner in ast.iter_child_nodes(part):
        if not isinstance(inner, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            yield from parts_run(inner)


def trains(part: ast.AST, training: set[str]) -> bool:
    """Say whether code that runs trains: by a call of that name, or by steps in a loop."""
    inside = [*parts_run(part)]
    if any(isinstance(one, ast.Name) and one.id in training for one in called(inside)):
        return True
    methods = {one.attr for one in called(inside) if isinstance(one, ast.Attribute)}
    loops = any(isinstance(one, (ast.For, ast.While)) for one in inside)
    return bool(methods & {"fit", "track"}) or (loops and "step" in methods)


def called(inside: list[ast.AST]) -> list[ast.AST]:
    return [one.func for one in inside if isinstance(one, ast.Call)]


def cells_that_train(sources: dict[str, str]) -> set[str]:
    """Return the keys of those cells that train, or call a function of the page that does."""
    trees = {key: ast.parse(source) for key, source in sources.items()}
    defined = [
        part
        for tree in trees.values()
        for part in ast.walk(tree)
        if isinstance(part, ast.FunctionDef)
    ]
    training: set[str] = set()
    while found := {
        one.name
        for one in defined
        if one.name not in training and any(trains(line, training) for line in one.body)
    }:
        training |= found
    return {key for key, tree in trees.items() if any(trains(p, training) for p in parts_of(tree))}


def parts_of(tree: ast.Module) -> list[ast.stmt]:
    return [part for part in tree.body if not isinstance(part, (ast.FunctionDef, ast.ClassDef))]


def lines_of_code(source: str) -> int:
    lines = (line.strip() for line in source.splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


@every_tutorial
def test_a_cell_that_trains_is_short(name: str) -> None:
    sources = {cell.id: cell.source for cell in code_cells(read(name))}
    lengths = {key: lines_of_code(sources[key]) for key in cells_that_train(sources)}
    assert {key: lines for key, lines in lengths.items() if lines > LINES_OF_A_LOOP} == {}


def test_a_cell_trains_that_steps_in_a_loop_or_calls_what_does() -> None:
    step = "for x in batches:\n    model(x).backward()\n    optimizer.step()"
    inside = "\n".join(f"    {line}" for line in step.splitlines())
    sources = {
        "loop": step,
        "fit": "run = kw.fit(model, batches, optimizer, loss)",
        "tracked": "list(live.track(batches))",
        "defined": f"def train():\n{inside}",
        "defined further": "def twice():\n    train()\n    train()",
        "called": "twice()",
        "one gradient": "model(x).backward()",
        "least squares": "fit(x, y)\nscript = 'optimizer.step()'",
    }
    assert cells_that_train(sources) == {"loop", "fit", "tracked", "called"}


@every_tutorial
def test_the_reader_predicts_before_a_cell_runs_and_the_answer_is_hidden(name: str) -> None:
    asked = 0
    for cell, after in pairwise(read(name).cells):
        asked += cell.source.count("**Predict first.**")
        if "**Predict first.**" in cell.source:
            assert after.cell_type == "code", f"{cell.id}: nothing runs after it"
            (answer,) = re.findall(
                r"<details><summary>What happens</summary>(.+?)</details>", cell.source, re.S
            )
            assert len(answer.split()) > 5
    assert 2 <= asked <= 3


@every_tutorial
def test_it_is_smaller_than_a_megabyte(name: str) -> None:
    assert (FOLDER / name).stat().st_size < 1_000_000


@every_tutorial
def test_what_you_saw_is_said_by_one_call_and_no_cell_keeps_books(name: str) -> None:
    *cells, last = code_cells(read(name))
    assert re.search(r"^(what_you_saw|beside_others)\.\w+\(globals\(\)\)\Z", last.source, re.M)
    assert len(last.source.splitlines()) <= 3
    assert not [cell.id for cell in cells if re.search(r"\bfacts\b", cell.source)]
    (output,) = last.outputs
    assert re.search(r"\d", output.data["text/markdown"])


@every_tutorial
def test_its_exercises_hide_their_answers(name: str) -> None:
    _, *exercises = re.split(r"^## Exercises?$", prose(name), flags=re.M)
    assert len(exercises) == 1
    asked = len(re.findall(r"^(?:\*\*)?\d\.", exercises[0], re.M))
    answers = re.findall(
        r"<details>\s*<summary>Answer</summary>(.+?)</details>", exercises[0], re.S
    )
    assert 2 <= asked <= 4
    assert len(answers) == exercises[0].count("<details>") == asked
    assert min(len(answer.split()) for answer in answers) > 5


@every_tutorial
def test_it_ends_with_its_references(name: str) -> None:
    last = read(name).cells[-1]
    assert last.cell_type == "markdown"
    _, references = re.split(r"^## References$", last.source, flags=re.M)
    assert re.search(r"\(?(19|20)\d\d\)?", references)


@pytest.mark.parametrize("name", [*TUTORIALS, INDEX])
def test_what_it_links_to_beside_it_is_there(name: str) -> None:
    text = (FOLDER / name).read_text() if name == INDEX else prose(name)
    targets = re.findall(r"\]\(([^)#]+)", text)
    beside = [target for target in targets if not target.startswith("http")]
    assert [target for target in beside if not (FOLDER / target).is_file()] == []


def test_the_index_lists_every_tutorial_by_its_title() -> None:
    text = (FOLDER / INDEX).read_text()
    assert text == index()
    assert re.findall(r"\]\((\S+\.ipynb)\)", text) == TUTORIALS
