"""Matching and benchmark scores, held against plain loops over dictionaries and cases worked out by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from diffdope.bop.metrics.benchmarks import (
    BOP19_MSPD_PX,
    BOP19_SHARES,
    BOP24_MSSD_M,
    average_precision,
    bop19,
    found,
    mspd_scale,
    recall,
)
from diffdope.bop.metrics.matching import Pairing, found_instances, match, pair_up, pair_up_detections
from diffdope.errors import DiffDopeError
from tests.oracle.calls import calls_of

ONE = (1, 1, 1)  # scene, image, object


def table(pairing: Pairing, errors: dict[tuple[int, int], float]) -> np.ndarray:
    """Errors of the pairs from a table {(estimate, instance): error}."""
    return np.array([errors[e, i] for e, i in zip(pairing.estimate, pairing.instance, strict=True)])


# By hand


def test_the_better_score_chooses_first() -> None:
    """Estimate 1 (score 0.9) takes instance 0, which is nearest to both; estimate 0 must take what is left."""
    pairing = pair_up([ONE, ONE], [0.5, 0.9], [ONE, ONE])
    errors = table(pairing, {(0, 0): 0.1, (0, 1): 0.4, (1, 0): 0.2, (1, 1): 0.3})
    matched = match(pairing, errors, [0.05, 0.2, 0.25, 0.35, 0.5])
    #  0.2 is not below 0.2, so estimate 1 gets nothing there and leaves instance 0 to estimate 0
    np.testing.assert_array_equal(matched.T, [[-1, -1], [0, -1], [-1, 0], [-1, 0], [1, 0]])
    np.testing.assert_array_equal(found_instances(matched, 2).T, [[0, 0], [1, 0], [1, 0], [1, 0], [1, 1]])


def test_only_as_many_estimates_as_targets_count() -> None:
    """Two instances, one of them nearly hidden: one target, so the second estimate does not count however good."""
    pairing = pair_up([ONE, ONE], [0.5, 0.9], [ONE, ONE], [0.05, 0.8])
    np.testing.assert_array_equal(pairing.targets, [False, True])
    np.testing.assert_array_equal(pairing.considered, [False, True])
    assert [(e, i) for e, i in zip(pairing.estimate, pairing.instance, strict=True)] == [(1, 1)]


def test_a_targets_file_says_how_many() -> None:
    """inst_count 2 of three instances: the two most visible ones, even if one is below 10 %; object 2 is no target."""
    instances, estimates = [ONE, ONE, ONE, (1, 1, 2)], [ONE, ONE, ONE, (1, 1, 2), (7, 7, 7)]
    pairing = pair_up(
        estimates, [0.1, 0.2, 0.3, 0.9, 0.9], instances, [0.02, 0.5, 0.04, 1.0], target_keys=[ONE], target_counts=[2]
    )
    np.testing.assert_array_equal(pairing.targets, [False, True, True, False])
    np.testing.assert_array_equal(pairing.considered, [False, True, True, False, False])


def test_equal_scores_and_errors_go_to_the_earlier_row() -> None:
    pairing = pair_up([ONE] * 3, [0.5, 0.5, 0.5], [ONE] * 2)
    np.testing.assert_array_equal(pairing.considered, [True, True, False])
    np.testing.assert_array_equal(match(pairing, np.full(4, 0.1), [0.2])[:, 0], [0, 1, -1])


def test_objects_and_images_do_not_mix() -> None:
    keys = [(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1)]
    pairing = pair_up(keys, [1, 1, 1, 1], keys[::-1])
    np.testing.assert_array_equal(match(pairing, np.zeros(4), [1.0])[:, 0], [3, 2, 1, 0])


def test_average_recall_by_hand() -> None:
    """Two targets; the estimate of the first has MSSD 0.12, MSPD 22 px; the second has no estimate."""
    pairing = pair_up([(1, 1, 1)], [1.0], [(1, 1, 1), (1, 2, 5)])
    result = bop19(pairing, [0.12], [22.0], None)
    everything = result.average_recall()
    # MSSD: below 0.15 ... 0.5: 8 of 10; MSPD: below 25 ... 50: 6 of 10; half of the targets
    assert everything.vsd is None
    assert everything[1:] == pytest.approx((0.4, 0.3, 0.35))
    assert result.average_recall(np.array([True, False]))[1:] == pytest.approx((0.8, 0.6, 0.7))
    assert np.isnan(result.average_recall(np.array([False, False])).ar)
    # VSD 0.3 for the first five tolerances (below 0.35 ... 0.5: 4 of 10), 0.02 for the others (10 of 10)
    with_depth = bop19(pairing, [0.12], [22.0], [[0.3 + 1e-9] * 5 + [0.02] * 5]).average_recall()
    assert with_depth.vsd == pytest.approx(0.5 * (0.4 + 1.0) / 2)
    assert with_depth.ar == pytest.approx((0.35 + 0.4 + 0.3) / 3)


def test_thresholds_of_the_benchmarks() -> None:
    np.testing.assert_allclose(BOP19_SHARES, [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
    np.testing.assert_allclose(BOP19_MSPD_PX, [5, 10, 15, 20, 25, 30, 35, 40, 45, 50])
    np.testing.assert_allclose(1e3 * np.array(BOP24_MSSD_M), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
    assert mspd_scale(1920) == pytest.approx(1 / 3)


def test_recall_at_absolute_thresholds() -> None:
    pairing = pair_up([ONE, (1, 2, 1)], [1, 1], [ONE, (1, 2, 1)])
    share = recall(found(pairing, [0.005, 0.0199], BOP24_MSSD_M), pairing.targets)
    np.testing.assert_allclose(share, [0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0])
    assert np.isnan(recall(np.zeros((2, 3), bool), np.zeros(2, bool))).all()


# Against plain loops


def loops(estimate_keys, scores, errors, instance_keys, visible, counts, threshold):  # type: ignore[no-untyped-def]
    """The protocol in words: for each target, its best estimates, each to the nearest free instance."""
    matches = {}
    for key, count in counts.items():
        instances = [i for i, other in enumerate(instance_keys) if other == key]
        instances = sorted(instances, key=lambda i: -visible[i])[:count]
        estimates = [e for e, other in enumerate(estimate_keys) if other == key]
        estimates = sorted(estimates, key=lambda e: -scores[e])[:count]
        free = sorted(instances)
        for e in estimates:
            good = [i for i in free if errors[e, i] < threshold]
            if good:
                matches[e] = min(good, key=lambda i: errors[e, i])
                free.remove(matches[e])
    return matches


@pytest.mark.parametrize("seed", range(8))
def test_matching_is_the_protocol(seed: int) -> None:
    """Few distinct scores, errors and visibilities, so that ties are everywhere."""
    rng = np.random.default_rng(seed)
    every = list(product((1, 2), (1, 2), (1, 3)))
    estimate_keys = [every[k] for k in rng.integers(len(every), size=40)]
    instance_keys = [every[k] for k in rng.integers(len(every) - 1, size=25)]
    scores, visible = rng.integers(4, size=40) / 4, rng.integers(5, size=25) / 20
    errors = rng.integers(6, size=(40, 25)) / 10
    counts = {key: int(rng.integers(4)) for key in every[1:]}
    pairing = pair_up(
        estimate_keys, scores, instance_keys, visible, target_keys=list(counts), target_counts=list(counts.values())
    )
    thresholds = [0.05, 0.1, 0.25, 0.35, 0.6]
    matched = match(pairing, errors[pairing.estimate, pairing.instance], thresholds)
    for column, threshold in zip(matched.T, thresholds, strict=True):
        wanted = loops(estimate_keys, scores, errors, instance_keys, visible, counts, threshold)
        assert {int(e): int(column[e]) for e in np.flatnonzero(column >= 0)} == wanted
    own = match(pairing, np.tile(errors[pairing.estimate, pairing.instance][:, None], 5), thresholds)
    np.testing.assert_array_equal(own, matched)


def test_without_a_targets_file_all_that_is_visible_is_a_target() -> None:
    keys = [(1, 1, 1), (1, 1, 1), (1, 1, 2), (1, 2, 1)]
    pairing = pair_up(keys, [1] * 4, keys, [0.1, 0.0999, 1.0, np.nan])
    np.testing.assert_array_equal(pairing.targets, [True, False, True, True])


def test_no_loop_goes_over_estimates_or_thresholds(rng: np.random.Generator) -> None:
    def calls(images: int, thresholds: int) -> int:
        count = 5 * images
        keys = np.stack([np.repeat(np.arange(images), 5), np.zeros(count, int), np.tile([1, 1, 2, 3, 3], images)], 1)
        pairing = pair_up(keys, rng.uniform(size=count), keys)
        errors, limits = rng.uniform(size=len(pairing)), np.linspace(0, 1, thresholds)
        return calls_of(lambda: match(pairing, errors, limits))

    calls(2, 2)  # imports
    assert calls(2000, 120) == calls(20, 2)


# Average precision


def test_average_precision_by_hand() -> None:
    """Four images with one instance each; estimates by score: hit, miss, hit, miss (of an image without a hit).

    Precision after each: 1, 1/2, 2/3, 1/2 at recall 1/4, 1/4, 2/4, 2/4. Interpolated at 101 recalls:
    1 for 0 ... 0.25 (26), 2/3 for 0.26 ... 0.5 (25), 0 above.
    """
    keys = [(1, k, 1) for k in range(4)]
    pairing = pair_up_detections(keys, [0.9, 0.8, 0.7, 0.6], keys)
    result = average_precision(pairing, [0.9, 0.8, 0.7, 0.6], [1] * 4, [0.01, 0.9, 0.02, 0.8], [0.1, 1.0])
    np.testing.assert_allclose(result[1], [(26 + 25 * 2 / 3) / 101, 1.0])


def test_hidden_instances_and_absent_objects_count_neither_way() -> None:
    """The same as above, with an estimate matched to an instance of 5 %, and one of an object that is not there."""
    keys = [(1, k, 1) for k in range(4)] + [(1, 9, 1)]
    estimates, scores = [*keys, (1, 0, 77), (1, 8, 1)], [0.9, 0.8, 0.7, 0.6, 0.95, 0.99, 0.99]
    pairing = pair_up_detections(estimates, scores, keys, [1, 1, 1, 1, 0.05])
    assert len(pairing) == 5
    result = average_precision(pairing, scores, [1] * 5, [0.01, 0.9, 0.02, 0.8, 0.01], [0.1])
    np.testing.assert_allclose(result[1], [(26 + 25 * 2 / 3) / 101])
    assert list(result) == [1]


def test_every_detection_competes_for_every_instance() -> None:
    """A second estimate of the same instance is a false positive: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1."""
    instances = [ONE, ONE]
    pairing = pair_up_detections([ONE] * 3, [0.9, 0.8, 0.7], instances)
    errors = table(
        pairing, {(0, 0): 0.01, (0, 1): 0.5, (1, 0): 0.02, (1, 1): 0.5, (2, 0): 0.5, (2, 1): 0.01}
    )  # fmt: skip
    result = average_precision(pairing, [0.9, 0.8, 0.7], [1, 1], errors, [0.1])
    np.testing.assert_allclose(result[1], [(51 + 50 * 2 / 3) / 101])


def test_an_image_has_a_hundred_detections() -> None:
    keys = [ONE] * 150
    pairing = pair_up_detections(keys, np.arange(150), [ONE])
    np.testing.assert_array_equal(np.flatnonzero(pairing.considered), np.arange(50, 150))


def test_no_estimates_find_nothing() -> None:
    nothing = np.zeros((0, 3))
    pairing = pair_up(nothing, [], [ONE])
    assert bop19(pairing, [], [], np.zeros((0, 10))).average_recall() == (0.0, 0.0, 0.0, 0.0)
    detections = pair_up_detections(nothing, [], [ONE])
    np.testing.assert_array_equal(average_precision(detections, [], [1], [], [0.1, 0.2])[1], [0.0, 0.0])


def test_wrong_input_is_named() -> None:
    with pytest.raises(DiffDopeError, match="estimate_keys: expected shape"):
        pair_up([(1, 2)], [1.0], [ONE])
    with pytest.raises(DiffDopeError, match=r"scores: expected shape \(1,\)"):
        pair_up([ONE], [1.0, 2.0], [ONE])
    with pytest.raises(DiffDopeError, match="scores: expected numbers, got NaN"):
        pair_up([ONE], [np.nan], [ONE])
    with pytest.raises(DiffDopeError, match="visible: expected shape"):
        pair_up([ONE], [1.0], [ONE], [1.0, 1.0])
    with pytest.raises(DiffDopeError, match="target_counts: expected shape"):
        pair_up([ONE], [1.0], [ONE], target_keys=[ONE], target_counts=[1, 2])
    pairing = pair_up([ONE], [1.0], [ONE])
    with pytest.raises(DiffDopeError, match=r"errors: expected shape \(1, 2\)"):
        match(pairing, [1.0, 2.0], [1.0, 2.0])
    with pytest.raises(DiffDopeError, match="errors: expected numbers"):
        match(pairing, [np.nan], [1.0])
