"""What the pages say of networks in general is borne out by the recorded ones, and can fail."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import binom, bootstrap

import kan_widgets as kw
from tests.notebooks import recorded
from tests.notebooks.networks import KINDS, SEEDS, SEEDS_OF, lesson
from tests.notebooks.recorded import CLAIMS, DOUBT, ESSAY, ROWS, WORTH, Claim, Effect, Table, report

import beside_others  # isort: skip  # lies beside the tutorials, where `networks` looks
import networks_compared  # isort: skip

every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.words)


@every_claim
def test_a_claim_is_borne_out_by_the_recorded_networks(claim: Claim) -> None:
    table = lesson.recorded()
    assert claim.holds(table), claim.interval(table)


@every_claim
def test_a_claim_stands_on_its_page_in_these_words(claim: Claim) -> None:
    assert claim.stands()


def test_there_are_twenty_networks_of_each_quick_kind_of_seeds_that_no_page_has() -> None:
    assert min(SEEDS) > 1000
    for kind, measures in lesson.recorded().items():
        assert kind in KINDS
        networks = {"labels by heart": 6, "longer pair": 10}.get(kind, 20)
        assert {len(values) for values in measures.values()} == {networks}
        assert len(SEEDS_OF.get(kind, SEEDS)) == networks


def test_a_claim_fails_where_its_effect_is_none() -> None:
    table = lesson.recorded()
    same = table | {"article without splines": table["article"]}
    assert not Claim("", "", WORTH, above=0).holds(same)


def of_nothing(levels: Callable[[int], float]) -> Table:
    """Return a table of networks in which no measure says anything, or only its place in it."""
    rng, number = np.random.default_rng(0), itertools.count()
    return {
        kind: {
            name: (levels(next(number)) * rng.permutation(np.linspace(0.9, 1.1, 20))).tolist()
            for name in measures
        }
        for kind, measures in lesson.recorded().items()
    }


@every_claim
def test_a_claim_fails_on_networks_in_which_nothing_is_so(claim: Claim) -> None:
    """All measures are alike, or differ by nothing but the order in which they are written."""
    rows = sum(map(len, lesson.recorded().values()))
    tables = (
        of_nothing(lambda number: 0.5),
        of_nothing(lambda number: 5.0),
        of_nothing(lambda number: 2.0 ** (number - rows)),
        of_nothing(lambda number: 2.0**-number),
    )
    assert not all(claim.holds(table) for table in tables)


def test_a_false_claim_fails_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    true = next(claim for claim in CLAIMS if claim.page == DOUBT)
    monkeypatch.setattr(recorded, "CLAIMS", [true])
    assert report()[1]
    for false in (
        Claim(true.page, true.words, true.effect, above=2),
        Claim(true.page, "splines are worth ten points", true.effect, true.above, true.below),
    ):
        monkeypatch.setattr(recorded, "CLAIMS", [true, false])
        table, borne_out = report()
        assert not borne_out
        assert table.count("**no**") == 1


def test_an_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).normal(3, 2, 20)
    mean, low, high = lesson.interval(values)
    theirs = bootstrap((values,), np.mean, method="percentile", rng=2).confidence_interval
    assert mean == pytest.approx(values.mean())
    assert [low, high] == pytest.approx([theirs.low, theirs.high], abs=0.05)


def test_on_the_last_layers_grid_silu_is_a_line_and_on_the_first_layers_nearly() -> None:
    assert 0.94 < lesson.silu_as_a_line() ** 2 < 0.95 < 0.99 < lesson.silu_as_a_line(0) ** 2


def test_patterns_and_wrong_ones_are_correlated_with_answers_as_the_insight_does_it() -> None:
    torch.manual_seed(3)
    network = kw.nn.KANCNN.article()
    images = torch.rand(6, 1, 28, 28) * (torch.rand(6, 1, 28, 28) < 0.1) * 2 - 1
    found = lesson.wrong_patterns(network, images)
    observed = kw.bind(network).observe(images)["convs.0"]
    first = kw.functions.read(network)[0]
    checks = kw.insight.check_pattern(first, observed)
    assert found["own"].tolist() == pytest.approx([check.binary for check in checks], abs=1e-5)
    patches = observed.patches
    blank = (patches == -1).all(1)
    assert 0.1 < blank.mean() < 0.9
    for where, seen in (("", slice(None)), (", not blank", ~blank)):
        x = patches[seen]
        for kernel in range(5):
            every = first.evaluate(torch.from_numpy(x.T.ravel()).float())[kernel, 0].numpy()
            y = sum(every[k // 3, k % 3].reshape(9, -1)[k] for k in range(9))
            alike = abs(np.corrcoef(x.sum(1), y)[0, 1])
            others = [
                abs(np.corrcoef(x @ check.pattern.ravel(), y)[0, 1])
                for number, check in enumerate(checks)
                if number != kernel
            ]
            assert found[f"nine alike{where}"][kernel] == pytest.approx(alike, abs=1e-4)
            assert found[f"another's{where}"][kernel] == pytest.approx(np.mean(others), abs=1e-4)


def test_what_is_said_of_wrong_patterns_turns_with_the_recorded_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = beside_others.about_wrong_patterns()
    assert said.startswith("**In the mean a pattern says more than how much ink there is**")
    assert "for 2.6 [2.1, 3.1] of the five kernels nine alike come within 0.05" in said
    table = lesson.recorded()
    swapped = table["patterns"] | {"nine alike": table["patterns"]["own"]}
    monkeypatch.setattr(beside_others, "recorded", lambda: table | {"patterns": swapped})
    assert beside_others.about_wrong_patterns().startswith("**Whether a pattern says more")


def test_a_kernel_is_small_for_all_where_none_of_its_nine_functions_reaches_far() -> None:
    network = lesson.never_splines(kw.nn.KANCNN.article())
    weights = [layer.base_weight.detach() for layer in network.convs]
    for weight in weights:
        weight.fill_(1)
    weights[1][4] = 0.5  # the tenth
    assert lesson.small_for_all(network).tolist() == [False] * 9 + [True]
    weights[1][4].flatten()[3] = 0.7
    assert not lesson.small_for_all(network).any()


def test_a_line_of_a_chart_joins_what_is_of_one_network() -> None:
    chart = lesson.paths({"early": {"as it is": [1, 2], "cut": [3, 4]}}, "count")
    (line,) = chart.marks
    assert np.array_equal(line.x, [0, 1, np.nan, 0, 1], equal_nan=True)
    assert np.array_equal(line.y, [1, 3, np.nan, 2, 4], equal_nan=True)
    assert chart.axes[0].tick_labels == {"0": "as it is", "1": "cut"}


def test_equal_numbers_of_a_chart_stand_around_it_in_rows_of_five() -> None:
    chart = lesson.dots({"one": {"here": [0] * 7, "there": [2]}}, "count", 0.5, ("chance", 1))
    level, dots = chart.marks
    assert level.y.tolist() == [1, 1]
    assert dots.y.tolist() == [-0.25] * 5 + [0.25] * 2 + [2]
    assert len({*zip(dots.x.tolist(), dots.y.tolist(), strict=True)}) == 8
    assert chart.axes[0].tick_labels == {"0": "here", "1": "there"}


def test_of_what_no_network_has_it_is_said_how_many_may_have_it() -> None:
    assert lesson.out_of(3, 20) == "3 of 20"
    for networks, share in ((6, 0.39), (20, 0.14), (1000, 0.003)):
        assert lesson.out_of(0, networks) == f"0 of {networks:,} (at most {100 * share:g} %)"
        assert binom.pmf(0, networks, share) == pytest.approx(0.05, abs=0.003)


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert lesson.in_words([-0.001] * 20, ".2f") == "0.00 [0.00, 0.00]"
    assert lesson.in_words([-0.0001] * 20, ".0%") == "0% [0%, 0%]"
    assert lesson.in_words([-0.2] * 20) == "−0.2 [−0.2, −0.2]"


def test_a_sentence_is_chosen_by_where_the_interval_lies() -> None:
    spread = np.linspace(-1, 1, 20)
    chosen = [lesson.which(spread + shift, "more", "less", "neither") for shift in (2, -2, 0)]
    assert chosen == ["more", "less", "neither"]


def test_what_is_said_of_depth_turns_with_the_recorded_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = lesson.recorded()
    said = networks_compared.depth().data
    assert "bend grows from each convolution" in said
    assert "It is no law of depth" in said
    beside = networks_compared.beside_depth().data
    assert "Two functions of one layer differ more than two layers do" in beside
    layers = "is convs.0 (in 20 of 20) as built, and is linear (in 20 of 20) with one size"
    assert f"the most complicated layer {layers}" in beside
    assert "a difference of 0.32 [0.29, 0.34] (20 pairs)" in said
    turned = {"convs.0": "linear", "convs.1": "convs.2", "convs.2": "convs.1", "linear": "convs.0"}
    pair = {
        name.replace(layer, turned[layer]): found
        for name, found in table["pair"].items()
        for layer in turned
        if name.endswith(layer)
    }
    pair |= {name: [0.1] * 20 for name in pair if "middle half" in name}
    pair |= {name: [0.2] * 20 for name in pair if "one size: variation" in name}
    monkeypatch.setattr(networks_compared, "recorded", lambda: table | {"pair": pair})
    said = networks_compared.depth().data
    assert "bend does not grow from each convolution" in said
    assert "The second rise turns round" in said
    beside = networks_compared.beside_depth().data
    assert "Two functions of one layer differ less than two layers do" in beside
    assert "is linear (in 20 of 20) as built, and is not settled with one size" in beside


def test_dealt_splines_leave_each_function_its_base_and_all_splines_somewhere() -> None:
    layers = kw.functions.read(kw.nn.KANCNN(channels=(8, 8, 8), padding=1))

    def same_splines(one: np.ndarray, other: np.ndarray) -> bool:
        return np.array_equal(*(of[np.lexsort(of.T)] for of in (one[:, 1:], other[:, 1:])))

    for within in (False, True):
        dealt = networks_compared.dealt(layers, 3, within=within)
        pairs = [
            tuple(of.coefficients.reshape(-1, 9).numpy() for of in (layer, other))
            for layer, other in zip(layers, dealt, strict=True)
        ]
        before, after = (np.concatenate(of) for of in zip(*pairs, strict=True))
        assert np.array_equal(before[:, 0], after[:, 0])
        assert not np.array_equal(before, after)
        assert same_splines(before, after)
        assert all(same_splines(*pair) for pair in pairs) == within


def test_the_later_is_the_more_complex_in_as_many_pairs_as_the_insight_finds() -> None:
    layers = kw.functions.read(kw.nn.KANCNN(channels=(8, 8, 8), padding=1))
    shares = networks_compared.later_more(layers)
    assert len(shares) == 3 * len(networks_compared.MEASURES)
    for measure in networks_compared.MEASURES:
        found = kw.insight.later_is_more_complex(layers[:2], measure).later
        assert shares[f"{measure}, convs.0 to convs.1"] == pytest.approx(100 * found)


def test_what_is_said_of_dealt_splines_turns_with_the_recorded_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = lesson.recorded()
    said = networks_compared.about_parts().data
    _, _, first, second, third = (line for line in said.splitlines() if line.startswith("|"))
    last = said.removesuffix("\n\n</details>")
    assert said.startswith(
        "- Of the first rise the largest part, of 100 pairs, is **the bases**, +22"
    )
    assert "| **the bases**, +22.7 [" in first
    assert "| **a layer's own splines**, +4.3 [" in first
    assert second.count("**a layer's own splines**, +8.") == 2
    assert third.count("**the bases**, −8.") == third.count("; then which function has") == 2
    assert last.endswith(" By the others it is open.")
    assert "by 3, 6 and 5 of the six measures" in last
    assert "the bases count less with one size**: 22.7 [" in said
    for rise in networks_compared.RISES:
        whole, *each = networks_compared.parts("one size", "line", rise).values()
        assert np.allclose(whole, np.sum(each, axis=0))
    among = {name: found for name, found in table["pair"].items() if ", dealt:" in name}
    same = {name.replace("dealt", "dealt within layers"): found for name, found in among.items()}
    turned = table | {"pair": table["pair"] | same}
    monkeypatch.setattr(networks_compared, "recorded", lambda: turned)
    said = networks_compared.about_parts().data
    _, _, first, second, third = (line for line in said.splitlines() if line.startswith("|"))
    assert "a layer's own splines" not in first + second
    assert "by 0, 0 and 0 of the six measures" in said


def test_splines_of_one_pair_are_drawn_as_trained_and_as_dealt() -> None:
    torch.manual_seed(0)
    network = kw.nn.KANCNN(channels=(8, 8, 8), padding=1)
    chart, told = networks_compared.one_pair(network, 0)
    layers = kw.functions.read(network)
    bends = [np.nanmedian(kw.insight.complexity(layer).bend) for layer in layers[:2]]
    names = [mark.labels[0] for mark in chart.marks]
    assert [name.split(":")[0] for name in names] == [
        f"{layer}, {how}" for how in ("as trained", "dealt") for layer in ("convs.0", "convs.1")
    ]
    assert [float(name.split(": ")[1]) for name in names[:2]] == pytest.approx(bends, abs=0.1)
    more = "later" if bends[1] > bends[0] else "earlier"
    assert f"Of this pair the {more} is the more bent" in told.data


def test_what_is_said_of_longer_training_turns_with_the_recorded_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = lesson.recorded()
    said = networks_compared.longer().data
    assert "the second convolution becomes more bent than the first, too" in said
    assert "The size at the start still counts" in said
    assert "Shuffled labels bend later convolutions more as well" in said
    alike = {name: [1.0] * 10 for name in table["longer pair"]}
    monkeypatch.setattr(networks_compared, "recorded", lambda: table | {"longer pair": alike})
    said = networks_compared.longer().data
    assert "nothing is seen to change" in said
    assert "is not seen to count any more" in said
    assert "With shuffled labels the order is not seen" in said


def test_sines_are_counted_where_functions_are_sines() -> None:
    layer = kw.nn.KANLinear(1, 2, grid_size=40)
    x = np.linspace(-1, 1, 400)
    columns = layer.basis.expand(torch.from_numpy(x)).numpy()
    fits = [np.linalg.lstsq(columns, y, rcond=None)[0] for y in (np.sin(np.pi * x), x**2)]
    with torch.no_grad():
        layer.base_weight.zero_()
        layer.spline_weight[:, 0] = torch.from_numpy(np.array(fits))
    assert networks_compared.sines(layer) == 1


def test_mlps_are_of_about_the_size_asked_for() -> None:
    for d, numbers in ((2, 108), (16, 612), (16, 2448)):
        for network in networks_compared.mlps(d, numbers).values():
            assert kw.nn.count_parameters(network) == pytest.approx(numbers, rel=0.05)


def test_what_became_more_complex_is_named_with_its_measures() -> None:
    verdicts = {"bend": "undecided", "turns": "yes", "line": "yes", "silu": "no, the earlier"}
    others = {name: [40.0, 60.0] for name in verdicts}
    own = {"bend": 50.0, "turns": 60.0, "line": 61.0, "silu": 12.0}
    assert beside_others.told_of_complexity(verdicts, own, others).data.splitlines() == [
        "- **It depends on the measure.** In the twenty, by turns and line the later kernels "
        "became the more complex; by silu the earlier became the more complex; by bend it is "
        "undecided.",
        "- By line the later is the more complex in 61 % of this network's pairs, more than in any "
        "of 2 others (40 to 60).",
        "- By silu the later is the more complex in 12 % of this network's pairs, less than in any "
        "of 2 others (40 to 60).",
    ]


def test_where_one_pass_says_otherwise_and_which_layer_left_silu_follow_the_recorded_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, names = lesson.recorded(), {"bend": "bend", "silu": "what SiLU leaves"}
    verdicts = {"bend": "undecided", "what SiLU leaves": "no, the earlier"}
    own, others = dict.fromkeys(verdicts, 50.0), {name: [40.0, 60.0] for name in verdicts}

    def said() -> list[str]:
        return beside_others.about_complexity(names, verdicts, own, others).data.splitlines()

    first, once, left, line = said()
    assert first == beside_others.told_of_complexity(verdicts, own, others).data
    assert once.startswith("- Once through 59,000 digits, by bend the later kernels became")
    assert left.startswith("- Both layers leave SiLU, the first further. Of 100 functions 97 in")
    assert line.startswith("- The best line leaves")
    end = lesson.in_words(100 * np.array(table["article"]["end: SiLU-shaped in convs.1"]), ".0f")
    assert left.endswith(f" and {end} in convs.1.")
    swapped = {
        name.replace("convs.0", "convs.1") if "convs.0" in name else name: found
        for name, found in table["article"].items()
        if "SiLU-shaped in convs.1" not in name
    }
    swapped |= {
        f"{when}: SiLU-shaped in convs.0": table["article"]["start: SiLU-shaped in convs.1"]
        for when in ("start", "end")
    }
    turned = table | {"article": swapped, "one epoch": table["article"]}
    monkeypatch.setattr(beside_others, "recorded", lambda: turned)
    _, left, _ = said()
    assert left.startswith("- Not both layers leave SiLU, the second further")


def test_of_kernels_that_are_small_for_all_the_verdict_follows_the_recorded_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, network = lesson.recorded(), kw.nn.KANCNN.article()
    said = beside_others.about_the_tenth(network).data
    assert (
        "**Not found in ours, so open**: as drawn, a kernel is small for all nine in 0 of" in said
    )
    some = {"end: small for all, as drawn": [1.0] * 3 + [0.0] * 17}
    turned = table | {"article": table["article"] | some}
    monkeypatch.setattr(beside_others, "recorded", lambda: turned)
    said = beside_others.about_the_tenth(network).data
    assert "**In some of ours**: as drawn, a kernel is small for all nine in 3 of 20 netw" in said


def test_what_is_said_of_lines_turns_with_the_recorded_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = lesson.recorded()
    said = beside_others.about_lines().data
    assert "**Lines turn with the digits**" in said
    assert "945 steps teach such a network only" in said
    lines, uprights = (table["article"][name] for name in ("end: lines", "end: uprights"))
    more = lesson.in_words(np.subtract(lines, table["article"]["start: lines"]), ".2f")
    assert f"**Training makes horizontal lines**: {more} more of ten kernels than untr" in said
    chance = lesson.in_words(np.subtract(lines, 10 * 6 / 512), ".2f")
    assert f"untrained networks have ({chance} more than chance)" in said
    assert f"| trained | {np.mean(lines):.2f} | {np.mean(uprights):.2f} |" in said
    assert "horizontal ones in 0 of 20 (at most 14 %) networks, before training in 0 of" in said
    same = {"lines": lines, "uprights": uprights}
    full = table["article"] | {"end: lines": [0.0] * 20}
    others = table | {"article": full, "digits turned": same}
    monkeypatch.setattr(beside_others, "recorded", lambda: others)
    said = beside_others.about_lines().data
    assert "**Whether training makes horizontal lines is open**" in said
    assert "**Whether it makes upright ones is open**: 0.20 [0.00, 0.40] more" in said
    full = table["article"] | {"start: uprights": [0.0] * 20}
    others = table | {"digits turned": same, "article": full}
    monkeypatch.setattr(beside_others, "recorded", lambda: others)
    assert "**It makes upright ones, too**" in beside_others.about_lines().data
    assert "**Whether lines turn with the digits is open**" in beside_others.about_lines().data


def test_what_shuffled_labels_tell_follows_from_how_well_they_are_known() -> None:
    lines, none, known = [1.0, 2.0] * 10, [0.0] * 8, [0.97] * 8
    said = lesson.of_labels_by_heart

    def heart(lines: list[float]) -> dict[str, list[float]]:
        return {"fitted": known, "lines": lines}

    assert said(lines, heart(none)).startswith("fewer")
    assert said([0.0] * 20, heart(lines[:8])).startswith("more")
    nothing = "labels by heart {}; so few pairs can tell nothing"
    assert said(lines, heart(lines[:8])).endswith(nothing.format(12))
    assert said([0.0, 2.0] * 2 + [0.0] * 16, heart(none)).endswith(nothing.format(0))
    assert "too few" in said(lines, heart(none[:4]))
    assert "little" in said(lines, {"fitted": [*known[1:], 0.5], "lines": none})


def test_a_network_without_splines_has_no_numbers_for_them_to_train() -> None:
    bare = lesson.never_splines(kw.nn.KANCNN.article())
    assert kw.nn.count_parameters(bare) == 6340


def test_what_all_of_some_networks_have_a_share_of_all_has_at_least() -> None:
    for count, networks in ((8, 8), (5, 8), (19, 20)):
        share = float(lesson.at_least(count, networks).split()[2]) / 100
        assert binom.sf(count - 1, networks, share) == pytest.approx(0.05, abs=0.005)


def test_ruled_digits_are_of_nine_sizes_and_no_two_digits_are_alike() -> None:
    pictures, digits = lesson.ruled_digits()
    assert pictures.shape == (90, 1, 28, 28)
    assert digits.tolist() == [*range(10)] * 9
    assert set(pictures.unique().tolist()) == {-1, 1}
    assert len({picture.numpy().tobytes() for picture in pictures[digits != 1]}) == 81
    ink = (pictures[:, 0] > 0).float()
    assert ink[..., :3].sum() + ink[..., -3:].sum() == 0
    assert lesson.in_a_row(pictures[:10]).size == (10 * 28 * 3, 28 * 3)


def test_one_interval_covers_another_network_where_they_lose_as_much() -> None:
    def one(lost: float) -> SimpleNamespace:
        return SimpleNamespace(
            change=SimpleNamespace(value=lost, low=lost - 0.05, high=lost + 0.05)
        )

    networks = [one(lost) for lost in (-0.2, -0.21, -0.4)]
    assert lesson.covers(SimpleNamespace(networks=networks)) == pytest.approx(2 / 6)


def test_large_controls_are_compared_with_small_ones_seed_by_seed() -> None:
    cut = SimpleNamespace(networks=[SimpleNamespace(before=one) for one in (0.99, 0.95)])
    small = np.array([94.0, 85.0])
    controls = {
        150: {"small": small, "large": small - 1},
        1500: {"small": small, "large": small + 2},
    }
    assert lesson.large_lost(cut, controls) == pytest.approx([6, 11])
    assert lesson.large_behind(controls, 1500) == pytest.approx([-2, -2])
    lost, behind, lost_later, behind_later = lesson.rows_of_large(cut, controls)
    assert lost[1:] == ("8.5", "6.0 to 11.0", "8 seeds, 150 steps")
    assert behind[1:3] == ("1.0", "1.0 to 1.0, 95 % sure")
    assert lost_later[1] == "5.5"
    assert behind_later[1:3] == ("−2.0", "−2.0 to −2.0, 95 % sure")


def test_what_is_said_of_the_larger_control_turns_with_its_steps() -> None:
    def change(value: float) -> SimpleNamespace:
        return SimpleNamespace(value=value, low=value - 0.01, high=value + 0.01)

    cut = SimpleNamespace(
        networks=[
            SimpleNamespace(change=change(-0.2), classes={0: (600,)}, images=1000, before=0.99)
            for _ in range(8)
        ],
        before=0.99,
        control_change=change(-0.08),
        after_control=change(-0.1),
    )
    small, large = np.full(8, 91.0), np.full(8, 93.5)
    later = {"small": small, "large": large}
    said = lesson.about_cuts(cut, {150: {"small": small, "large": small - 1}, 1500: later}).data
    assert "**That turns** with the steps: after 1,500, not 150, the large ones have 2.5" in said
    assert "as many numbers alone do not make up for splines" in said
    said = lesson.about_cuts(cut, {150: later, 1500: {"small": small, "large": small + 10}}).data
    assert "That stays with the steps" in said
    assert "as many numbers do better than splines" in said


def test_an_axis_of_errors_has_the_1_that_lines_begin_at() -> None:
    errors = networks_compared.Errors((2, 4, 8, 16))
    for moved in (False, True):
        for name, chart in errors.charts.items():
            if moved:
                errors.put(name, "KAN", 2, 0.01)
            assert chart.axes[1].tick_values[-1] == chart.marks[-1].scales["y"].max == 1


def test_the_claim_that_is_nearest_to_failing_stands_first() -> None:
    near, far, all_alike = (
        Claim("03", words, Effect("thing", lambda table, of=of: of), above=0)
        for words, of in (("near", [0.1, 1.9]), ("far", [9.0, 9.1]), ("alike", [1.0] * 20))
    )
    assert 0 < near.room({}) < 1 < far.room({}) < all_alike.room({}) == float("inf")
    assert all_alike.written({}) == "20 of 20 (at least 86 %)"
    table, _ = report()
    heads = [line[4:] for line in table.splitlines() if line.startswith("### ")]
    assert heads == list(recorded.GRADES)[1:], "the nearest first, and none fails"
    assert "of 1,000 (at most 0.3 %)" in table.partition(f"### {recorded.ALIKE}")[2]
    assert " |  | " not in table, "an effect that is not said in words"


@pytest.mark.parametrize(
    ("bound", "grade"),
    [(1.0, "Just holds"), (0.5, "Holds with some room"), (-2.0, "Holds clearly")],
)
def test_how_near_a_claim_is_to_failing_is_said_in_words(bound: float, grade: str) -> None:
    spread = Effect("thing", lambda table: np.linspace(0, 3, 20))  # its mean's is [1.1, 1.9]
    assert Claim("03", "", spread, above=bound).grade({}) == grade


def test_pages_that_claim_one_thing_share_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = [Claim(page, "most of the score needs no spline", WORTH, 0, 3) for page in (ESSAY, ROWS)]
    monkeypatch.setattr(recorded, "CLAIMS", pair)
    words = "“most of the score needs no spline”"
    row = report()[0].splitlines()[-1]
    assert row.startswith(f"| essay: {words}<br>row by row: {words} | right")
    assert " | 20 | 1.64 [1.43, 1.87] | above 0, below 3 |" in row
