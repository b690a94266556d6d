"""The playground's own networks are held against what Python says of the same settings."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from tests.nn.playground_cases import PATH, cases


def test_the_file_of_bases_and_networks_says_what_python_says() -> None:
    """Else ``python -m tests.nn.playground_cases`` writes it anew."""

    def compare(now: Any, then: Any, where: str) -> None:
        if isinstance(then, dict) and "bytes" in then:
            one, other = (
                np.frombuffer(base64.b64decode(each["bytes"]), "<f4") for each in (now, then)
            )
            assert one == pytest.approx(other, rel=1e-5, abs=1e-6), where
        elif isinstance(then, dict):
            assert now.keys() == then.keys(), where
            for key in then:
                compare(now[key], then[key], f"{where}.{key}")
        elif isinstance(then, list):
            assert len(now) == len(then), where
            for k, pair in enumerate(zip(now, then, strict=True)):
                compare(*pair, f"{where}[{k}]")
        elif isinstance(then, float):
            assert now == pytest.approx(then, rel=1e-12, abs=1e-12), where
        else:
            assert now == then, where

    compare(cases(), json.loads(PATH.read_text()), "")
