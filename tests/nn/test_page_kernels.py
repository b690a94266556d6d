"""What trains in a page: the compiled kernels, and the steps that its tests are held against."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kan_widgets.nn.compiled import compile_options
from tests.nn.page_cases import MODELS, PATH, case, written


@pytest.mark.slow
def test_the_kernels_for_pages_are_those_that_their_source_gives(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "import compile_options as options;"
        "folder, zig = Path(sys.argv[2]), [sys.executable, '-m', 'ziglang', 'c++'];"
        "options.make_for_pages(zig, folder / 'simd', folder);"
        "options.make_for_pages(zig, folder / 'plain', folder, simd=False)"
    )
    # With nothing that was compiled before.
    caches = {f"ZIG_{kind}_CACHE_DIR": str(tmp_path / kind) for kind in ("LOCAL", "GLOBAL")}
    subprocess.run(
        [sys.executable, "-c", code, str(compile_options.FOLDER), str(tmp_path)],
        check=True,
        env={**os.environ, **caches},
    )
    made, plain = ((tmp_path / name).read_bytes() for name in ("simd", "plain"))
    assert made == compile_options.FOR_PAGES.read_bytes(), "run `make kernels`"
    translated = gzip.decompress(compile_options.TRANSLATED.read_bytes())
    assert translated.startswith(f"// {hashlib.sha256(plain).hexdigest()}\n".encode())


@pytest.mark.parametrize("name", MODELS)
def test_the_steps_of_pages_are_those_of_torch(name: str) -> None:
    kept = json.loads(PATH.read_text())[name]

    def compare(now: Any, then: Any) -> None:
        if isinstance(then, dict) and "bytes" in then:
            values = [np.frombuffer(_bytes(one), "<f4") for one in (now, then)]
            most = max(1e-12, float(np.abs(values[1]).max()))
            assert np.abs(values[0] - values[1]).max() <= 1e-4 * most
        elif isinstance(then, dict):
            assert now.keys() == then.keys()
            for key in then:
                compare(now[key], then[key])
        elif isinstance(then, list):
            assert len(now) == len(then)
            for pair in zip(now, then, strict=True):
                compare(*pair)
        elif isinstance(then, float):
            assert now == pytest.approx(then, rel=1e-4)
        else:
            assert now == then

    now = written(case(name))
    # AdamW's first step goes by the sign of gradients that are nothing but rounding.
    for name in ("after", "later"):
        now.pop(name), kept.pop(name)
    # A layout has a number of its own in each process.
    now["layout"].pop("version"), kept["layout"].pop("version")
    compare(now, kept)


def _bytes(value: dict[str, str]) -> bytes:
    import base64

    return base64.b64decode(value["bytes"])
