"""Of results of one object that ended at the same place, the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from diffdope.io.bop_results import Estimate

_SAME = 0.25  # of the diameter: two instances of an object cannot stand nearer to each other than they are thick


def without_duplicates(estimates: Sequence[Estimate], diameter_of: Callable[[int], float]) -> list[Estimate]:
    """The estimates but those whose object stands within a quarter of its diameter of a better scored one.

    Places are compared, not turns: two instances cannot stand at one place, however each is turned.

    Args:
        estimates: of a run; of equal scores the first stays.
        diameter_of: of an object's model, metres.
    """
    dropped: set[int] = set()
    groups: dict[tuple[int, int, int], list[int]] = {}
    for number, e in enumerate(estimates):
        groups.setdefault((e.scene_id, e.im_id, e.obj_id), []).append(number)
    for (_, _, obj_id), numbers in groups.items():
        if len(numbers) == 1:
            continue
        near_m, kept = _SAME * diameter_of(obj_id), list[int]()
        for number in sorted(numbers, key=lambda k: -estimates[k].score):
            t = estimates[number].pose.t_m2c
            if any(np.linalg.norm(t - estimates[k].pose.t_m2c) < near_m for k in kept):
                dropped.add(number)
            else:
                kept.append(number)
    return [e for number, e in enumerate(estimates) if number not in dropped]
