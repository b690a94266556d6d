"""What the pages say of networks in general is borne out by the recorded ones, and can fail."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from tests.notebooks.networks import KINDS, SEEDS, lesson
from tests.notebooks.recorded import CLAIMS, WORTH, Claim

every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.words)


@every_claim
def test_a_claim_is_borne_out_by_the_recorded_networks(claim: Claim) -> None:
    table = lesson.recorded()
    assert claim.holds(table), claim.interval(table)


@every_claim
def test_a_claim_stands_on_its_page_in_these_words(claim: Claim) -> None:
    assert claim.stands()


def test_there_are_twenty_networks_of_each_kind_of_seeds_that_no_page_has() -> None:
    assert min(SEEDS) > 1000
    for kind, measures in lesson.recorded().items():
        assert kind in KINDS
        assert {len(values) for values in measures.values()} == {len(SEEDS)} == {20}


def test_a_claim_fails_where_its_effect_is_none() -> None:
    table = lesson.recorded()
    same = table | {"article without splines": table["article"]}
    assert not Claim("", "", WORTH, above=0).holds(same)


def test_an_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).normal(3, 2, 20)
    mean, low, high = lesson.interval(values)
    theirs = bootstrap((values,), np.mean, method="percentile", rng=2).confidence_interval
    assert mean == pytest.approx(values.mean())
    assert [low, high] == pytest.approx([theirs.low, theirs.high], abs=0.05)


def test_a_sentence_is_chosen_by_where_the_interval_lies() -> None:
    spread = np.linspace(-1, 1, 20)
    chosen = [lesson.which(spread + shift, "more", "less", "neither") for shift in (2, -2, 0)]
    assert chosen == ["more", "less", "neither"]
