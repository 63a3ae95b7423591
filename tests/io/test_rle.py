from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.io.rle import decode_rle
from tests.oracle.rle import encode_rle


def reference_mask() -> np.ndarray:
    """The mask that was given to COCO's own tool to make `STRING`."""
    mask = np.zeros((50, 70), bool)
    mask[5:40, 10:60] = True
    mask[20:22, :] ^= True
    mask[0, 0] = True
    mask[:, 65:] = np.random.default_rng(3).random((50, 5)) > 0.5
    return mask


# pycocotools.mask.encode(numpy.asfortranarray(reference_mask().astype("uint8")))
STRING = (
    "01c01m000000000000000000A=QO3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3="
    "MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC3=MC"
    "3=MC3l0@b00000000_OORO0023NN2OO0O41LO150K011ON021N23NN0O1000N21N1000O1OO30M000011O0000O70J01010M41OO00O3O20M3N"
    "L00000020N13OM1000O32MO0:1FO1"
)


def test_a_string_of_cocos_own_tool():
    assert (decode_rle({"size": [50, 70], "counts": STRING}) == reference_mask()).all()


def test_counts_by_hand():
    # Columns of a 2 x 3 mask: (0, 1), (1, 1), (0, 0).
    mask = decode_rle({"size": [2, 3], "counts": [1, 3, 2]})
    assert mask.tolist() == [[False, True, False], [True, True, False]]
    assert encode_rle(mask) == {"size": [2, 3], "counts": [1, 3, 2]}


@pytest.mark.parametrize("seed", range(5))
def test_round_trip(seed: int):
    mask = np.random.default_rng(seed).random((17, 9)) > 0.1 * seed
    assert (decode_rle(encode_rle(mask)) == mask).all()


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [2, 3], "counts": [1, 3, 1]},
        {"size": [2, 3], "counts": [7, -1]},
        {"size": [2], "counts": [2]},
        [[0, 0, 1, 1]],
    ],
)
def test_broken_runs_are_refused(segmentation: object):
    with pytest.raises(DiffDopeError, match="entry 5"):
        decode_rle(segmentation, "entry 5")
