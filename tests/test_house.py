"""The house does not grow: what is written by hand for the product is counted, and held.

Who needs room makes it first: by deleting, by a library, by one mechanism where there are two.
Whoever has made some lowers the number here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES_OF_A_FILE = 400
PYTHON = sorted((ROOT / "kan_widgets").rglob("*.py"))
TYPESCRIPT = sorted((ROOT / "js/src").rglob("*.ts"))
# What lets a reader choose what is learned in a page, and what else a page that trains has for it.
PLAYGROUND = 2_904


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("language", "files", "most_lines", "most_files"),
    [("Python", PYTHON, 42_195, 241), ("TypeScript", TYPESCRIPT, 30_727 + PLAYGROUND, 177)],
)
def test_the_house_does_not_grow(
    language: str, files: list[Path], most_lines: int, most_files: int
) -> None:
    total = sum(map(lines, files))
    print(f"{language}: {total:,} lines in {len(files)} files")
    assert files
    assert total <= most_lines
    assert len(files) <= most_files


def test_insight_has_room_for_what_it_says_and_no_more() -> None:
    insight = [path for path in PYTHON if "insight" in path.parts]
    assert 20 < len(insight)
    assert sum(map(lines, insight)) <= 6_500


def test_no_file_is_longer_than_one_can_read_at_once() -> None:
    long = {str(path.relative_to(ROOT)): lines(path) for path in [*PYTHON, *TYPESCRIPT]}
    assert {path: n for path, n in long.items() if n > MOST_LINES_OF_A_FILE} == {}
