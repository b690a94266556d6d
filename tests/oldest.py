"""Print the lowest versions of what the project itself requires, as constraints for pip."""

from __future__ import annotations

import re
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lowest(text: str) -> list[str]:
    """Return ``name==version`` for each entry ``name>=version`` of the list ``dependencies``.

    Examples
    --------
    >>> lowest('dependencies = [\\n  "torch>=2.4,<3",\\n  "pillow>=10.1",\\n]')
    ['torch==2.4', 'pillow==10.1']
    """
    # Python 3.10 reads no TOML.
    listed = re.search(r"^dependencies = \[(.*?)^\]|^dependencies = \[(.*?)\]", text, re.M | re.S)
    if listed is None:
        raise ValueError(f"{PYPROJECT}: expected a list of dependencies, got none")
    entries = re.findall(r'"([\w.-]+)>=([\w.]+)', listed.group(0))
    return [f"{name}=={version}" for name, version in entries]


if __name__ == "__main__":
    print("\n".join(lowest(PYPROJECT.read_text(encoding="utf-8"))))
