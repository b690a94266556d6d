"""What users read keeps to the words of docs/vocabulary.md, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "vocabulary.md"
# What stands in a text where a value is put in; in a phrase of the page it is a few words.
VALUE = "…"
TYPESCRIPT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.S
)


def unwanted(page: str) -> dict[str, re.Pattern[str]]:
    """Return what the last column of the page's table lists, with what finds it."""
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")][1:]
    found = {}
    for row in rows:
        for phrase, alone in re.findall(r"`([^`]+)`( alone)?", row[3]):
            words = re.escape(phrase).replace(VALUE, r"[^.;:]{1,40}?")
            found[phrase] = re.compile(
                rf"\s*{words}\s*\Z" if alone else rf"(?<!\w){words}(?!\w)", re.I
            )
    return found


def typescript_texts(source: str) -> Iterator[str]:
    """Yield the strings of a file, and those of the templates without their values."""
    for match in TYPESCRIPT.finditer(source):
        text = match[0]
        if text[0] == "/":
            continue
        if text[0] == "`":
            yield from typescript_texts("".join(re.findall(r"\$\{(.*?)\}", text, re.S)))
            text = re.sub(r"\$\{.*?\}", VALUE, text, flags=re.S)
        yield text[1:-1]


def python_texts(source: str) -> Iterator[str]:
    """Yield the strings of a file and the docstrings of what is public in it."""
    hidden: set[ast.AST] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith("_"):
            if ast.get_docstring(node) is not None:
                hidden.add(node.body[0].value)  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            hidden.update(node.values)
            parts = [one.value if isinstance(one, ast.Constant) else VALUE for one in node.values]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in hidden:
            yield node.value


def texts_of(path: Path) -> Iterator[str]:
    """Yield what users may read of a file, each text in one line."""
    texts = python_texts if path.suffix == ".py" else typescript_texts
    for text in texts(path.read_text(encoding="utf-8")):
        yield " ".join(text.split())


def faults(texts: Iterator[str], phrases: dict[str, re.Pattern[str]]) -> list[str]:
    """Return the phrases that stand in some texts, each with the text."""
    return [
        f"{phrase!r} in {text[max(0, hit.start() - 50) : hit.end() + 50]!r}"
        for text in texts
        for phrase, pattern in phrases.items()
        if (hit := (pattern.match if pattern.pattern.startswith(r"\s*") else pattern.search)(text))
    ]


def test_all_that_users_read_keeps_to_the_vocabulary() -> None:
    phrases = unwanted(PAGE.read_text(encoding="utf-8"))
    files = [*(CHECKOUT / "js" / "src").rglob("*.ts"), *(CHECKOUT / "kan_widgets").rglob("*.py")]
    found = [
        f"{path.relative_to(CHECKOUT)}: {fault}"
        for path in sorted(files)
        for fault in faults(texts_of(path), phrases)
    ]
    assert len(files) > 300
    assert found == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.ts", 'button("go", "Begin the drawing anew");'),
        ("b.ts", "put(`The function of ${layer} from unit ${a} to unit ${b}`);"),
        ("c.ts", 'say(`${isLong ? "dots: inputs that came together" : ""}`);'),
        ("d.ts", 'kit.button("keep", title);'),
        ("a.py", 'raise ValueError(f"layer {name}: begin the drawing anew")'),
        ("b.py", 'def drawn():\n    """Return how far φ gets\n    from zero."""'),
    ],
)
def test_a_planted_phrase_is_found(name: str, source: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(source, encoding="utf-8")
    assert faults(texts_of(tmp_path / name), unwanted(PAGE.read_text(encoding="utf-8")))


def test_comments_and_what_only_contains_a_word_are_left_alone() -> None:
    phrases = unwanted("| a | b | c |\n|---|---|---|\n| begin | start | `anew`, `keep` alone |")
    typed = "// drawn anew\n/* anew */\nname('Janew keeper'); label('keep this curve');"
    assert faults(typescript_texts(typed), phrases) == []
    private = 'def _draw():\n    """Draw anew."""\n    # anew\n'
    assert faults(python_texts(private), phrases) == []


def raised(source: str) -> Iterator[str]:
    """Yield the messages of the errors that a file raises."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            message = ast.Expression(node.exc.args[0])
            yield max(python_texts(ast.unparse(message)), key=len, default="")


def against_the_grammar(message: str) -> bool:
    """Whether a message does not say first what was given, then what was expected."""
    return ", got " in message or bool(re.search(r"(?<!: )\bexpected (?!of|by)", message))


def test_every_error_says_what_was_given_and_then_what_was_expected() -> None:
    files = (CHECKOUT / "kan_widgets").rglob("*.py")
    said = [message for path in files for message in raised(path.read_text(encoding="utf-8"))]
    assert sum("expected" in message for message in said) > 100
    assert not [message for message in said if against_the_grammar(message)]


@pytest.mark.parametrize("message", ["x: expected 1, got …", "expected one", "is expected one"])
def test_another_grammar_is_found(message: str) -> None:
    assert against_the_grammar(message)
