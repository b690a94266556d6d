from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest

def test_passes():
    pass

def test_skips_itself():
    pytest.skip("no browser here")

@pytest.mark.skip(reason="not today")
def test_is_marked():
    pass

@pytest.mark.xfail
def test_is_expected_to_fail():
    assert False
"""


def test_a_skipped_test_counts_as_a_failure(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_whole_file.py").write_text("import pytest\npytest.importorskip('no_such')\n")
    options = ["-p", "no:cacheprovider", "--color=no", "-rA", "--continue-on-collection-errors"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    summary = re.findall(r"^([A-Z]+) \S*?(\w+)(?:\.py)?(?: |$)", done.stdout, re.MULTILINE)
    assert sorted(summary) == [
        ("ERROR", "test_is_marked"),
        ("ERROR", "test_whole_file"),
        ("FAILED", "test_is_expected_to_fail"),
        ("FAILED", "test_skips_itself"),
        ("PASSED", "test_passes"),
    ]
