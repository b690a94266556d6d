"""The reference follows ``__all__``: a directive that documents every public name of a part.

``.. public-names:: kan_widgets.nn`` gives a table of the names and then each of them. A name that
`kan_widgets` itself has is documented as ``kan_widgets.name``, on the page of the part that
defines it. ``:also:`` lists classes that public functions hand out, but that nobody imports.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from typing import Any, Generic, Protocol, get_args, get_type_hints, is_typeddict

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.parsers.rst.states import Inliner
from sphinx.addnodes import desc_signature, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import signature as signature_of
from sphinx.util.inspect import stringify_signature
from traitlets import HasTraits

PACKAGE = "kan_widgets"


def parts() -> list[str]:
    """Return the modules whose names are public: the package, and its parts."""
    package = importlib.import_module(PACKAGE)
    shown = [name for name in package.__all__ if inspect.ismodule(getattr(package, name))]
    return [PACKAGE, *(f"{PACKAGE}.{name}" for name in [*shown, "live", "widgets"])]


def public_names(module: str) -> dict[str, Any]:
    """Return the shortest public path of each name of a module, with what it names.

    Parameters
    ----------
    module
        ``kan_widgets``, or one of its parts: then also what the package itself takes from it.
    """
    package, part = importlib.import_module(PACKAGE), importlib.import_module(module)
    top = {name: getattr(package, name) for name in package.__all__}
    found = {}
    for name in part.__all__:
        thing = getattr(part, name)
        found[f"{PACKAGE if top.get(name) is thing else module}.{name}"] = thing
    if part is not package:
        for name, thing in top.items():
            if getattr(thing, "__module__", "").startswith(f"{module}."):
                found[f"{PACKAGE}.{name}"] = thing
    return {
        path: found[path]
        for path in sorted(found, key=lambda path: path.rpartition(".")[2].lower())
        if not inspect.ismodule(found[path]) and not path.endswith("__")
    }


def named(path: str) -> Any:
    """Return what a dotted path names; ``None`` if nothing."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def is_ours(thing: Any) -> bool:
    """Whether the package defines it."""
    return getattr(thing, "__module__", "").startswith(f"{PACKAGE}.")


def directive_for(thing: Any) -> str:
    """Return the name of autodoc's directive for a thing."""
    if isinstance(thing, type):
        return "autoexception" if issubclass(thing, BaseException) else "autoclass"
    return "autofunction" if inspect.isfunction(thing) else "autodata"


def summary(path: str, thing: Any) -> str:
    """Return the first paragraph of the docstring; of a type of some words, the words."""
    if isinstance(thing, type) or inspect.isfunction(thing):
        text = inspect.getdoc(thing) if thing.__doc__ else None
    else:
        text = None
    if text is None or is_typeddict(thing):
        module, _, name = path.rpartition(".")
        words = ", ".join(f"``{word!r}``" for word in get_args(thing))
        text = "\n".join(attribute_docs(module).get(name, [words and f"One of {words}."]))
    return " ".join(text.split("\n\n")[0].split())


def attribute_docs(module: str) -> dict[str, list[str]]:
    """Return the docstrings that stand below names of a module, or of where they come from."""
    found: dict[str, list[str]] = {}
    sources = {module, *(m for m in sys.modules if m.startswith(f"{module}."))}
    for source in sources:
        docs = ModuleAnalyzer.for_module(source).find_attr_docs()
        found |= {name: text for (scope, name), text in docs.items() if not scope}
    return found


def keys_of(thing: Any) -> list[tuple[str, Any]]:
    """Return the keys of a typed dict, with the type of each."""
    return [*get_type_hints(thing).items()]


class PublicTable(SphinxDirective):
    """``.. public-table:: module``: the public names with the summary of each."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return self.parse_text_to_nodes("\n".join(self.table(public_names(self.arguments[0]))))

    def table(self, names: dict[str, Any]) -> list[str]:
        """Return the lines of a table of public names."""
        module = self.arguments[0]
        lines = [f".. currentmodule:: {module}", ".. list-table::", "   :align: left", ""]
        for path, thing in names.items():
            name = path.removeprefix(f"{module}.")
            title = name if "." not in name or path in public_names(PACKAGE) else f"~{path}"
            link = f":py:obj:`{title}`" if title.startswith("~") else f":py:obj:`{title} <{path}>`"
            lines += [f"   * - {link}", f"     - {summary(path, thing)}"]
        return lines


class PublicNames(PublicTable):
    """``.. public-names:: module``: the table, and an entry for each name."""

    option_spec = {"also": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Return the table and the entries."""
        module = self.arguments[0]
        names = public_names(module)
        names |= {path: named(path) for path in self.options.get("also", "").split()}
        lines = self.table(names)
        for path, thing in names.items():
            where, _, name = path.rpartition(".")
            lines += ["", f".. currentmodule:: {where}", f".. {directive_for(thing)}:: {name}"]
            if isinstance(thing, type):
                lines.append(f"   :inherited-members: {', '.join(self.stops(thing))}")
                if any(is_shown(base, self.env) for base in thing.__bases__):
                    lines.append("   :show-inheritance:")
            if is_typeddict(thing):
                keys = ", ".join(f"``{key}`` ({kind.__name__})" for key, kind in keys_of(thing))
                lines += ["", f"   {summary(path, thing)} Keys: {keys}."]
        return self.parse_text_to_nodes("\n".join([*lines, "", f".. currentmodule:: {module}"]))

    def stops(self, thing: type) -> list[str]:
        """Return the parents whose members are not repeated: documented ones, and of others."""
        known = documented(self.env)
        parents = thing.__mro__[1:]
        return [parent.__name__ for parent in parents if parent in known or not is_ours(parent)]


def documented(env: BuildEnvironment) -> set[Any]:
    """Return the classes that have an entry of their own."""
    if not hasattr(env, "documented_classes"):
        things = (thing for module in parts() for thing in public_names(module).values())
        env.documented_classes = {thing for thing in things if isinstance(thing, type)}
    return env.documented_classes


def is_shown(base: Any, env: BuildEnvironment) -> bool:
    """Whether a parent class tells a reader something: it has an entry, or is of others."""
    told = not is_ours(base) and base not in (object, dict, Generic, Protocol)
    return told or base in documented(env)


def only_documented_bases(
    app: Sphinx, name: str, thing: type, options: Any, bases: list[Any]
) -> None:
    """Leave out of "Bases:" what a reader of these pages cannot look up."""
    shown = [getattr(base, "__origin__", base) for base in bases]
    bases[:] = [base for base in shown if is_shown(base, app.env)]


def arguments_of_init(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """Show what ``__init__`` takes; nothing where the docstring says what makes the object."""
    if what != "class" or not is_ours(thing):
        return None
    if re.search(r"\bMade by `", thing.__doc__ or ""):
        return "", returns
    if issubclass(thing, HasTraits):  # whose __new__ stands before __init__
        found = signature_of(thing.__init__, bound_method=True)
        return stringify_signature(
            found, show_return_annotation=False, unqualified_typehints=True
        ), ""
    return None


def code_or_link(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.TextElement | None:
    """Settle what leads nowhere and need not.

    Single backticks hold a name to look up, or only code, such as a parameter: the latter is
    shown as it is, unless it begins with ``kan_widgets.`` and there is no such thing. A type of
    ours in a signature that has no entry is named without a link.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    written = isinstance(content, nodes.literal)
    exists = not target.startswith(f"{PACKAGE}.") or named(target) is not None
    if written and node["reftype"] == "obj" and exists:
        return content
    if not written and ("." not in target or is_ours(named(target))):
        return content
    return None


def short_arrays(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Write ``NDArray[float64]``, not all that it stands for."""
    long = ["ndarray", "[", "tuple", "[", "Any", ",", " ", "...", "]", ",", " ", "dtype", "["]
    for signature in doctree.findall(desc_signature):
        for parent in {node.parent for node in signature.findall() if node.astext() == "ndarray"}:
            texts = [node.astext() for node in parent.children]
            for at in reversed(range(len(texts))):
                if texts[at : at + len(long)] == long:
                    kept = parent.children[at + len(long)]
                    parent.children[at : at + len(long) + 3] = [
                        *(nodes.Text(text) for text in ("NDArray", "[")),
                        kept,
                        nodes.Text("]"),
                    ]


def vertical_line(
    inliner: Inliner, match: re.Match[str], lineno: int
) -> tuple[str, list[nodes.Node], str, list[nodes.Node]]:
    """Read | as text: |φ| is a magnitude here, never a substitution."""
    end = match.end("start")
    return match.string[:end], [], match.string[end:], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive and the reading of our docstrings."""
    Inliner.dispatch["|"] = vertical_line
    app.add_directive("public-table", PublicTable)
    app.add_directive("public-names", PublicNames)
    app.connect("autodoc-process-bases", only_documented_bases)
    app.connect("autodoc-process-signature", arguments_of_init)
    app.connect("missing-reference", code_or_link)
    app.connect("doctree-resolved", short_arrays)
    return {"parallel_read_safe": False}
