"""Several kinds of objects in one depth image, with no masks: a box of mixed parts, a table with many things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_count, check_type, expected
from diffdope.pipelines.locating.instances import by_confidence, check_shows_instances
from diffdope.pipelines.locating.seen_instances import SeenInstance, is_sure, settled, shown_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation
from diffdope.search.drawn import Drawing, depth_of_others, drawing_of, knowing

OnKind = Callable[[int, RefinementResult], object]

MOST_OF_A_KIND = 20
_ROUNDS = 2  # the first ends a kind after some places in a row that show another one; then these are known


def locate_objects(
    refiners: Sequence[Refiner],
    observation: Observation,
    *,
    most: int = MOST_OF_A_KIND,
    on_instance: OnKind | None = None,
) -> list[list[RefinementResult]]:
    """Finds every instance of several objects that one depth image shows, with no start and no masks.

    The largest object is looked for first. What is sure hides what is looked for next, and all are looked for once more
    where others were found since. No two are found in the same place: the surer is left.

    Args:
        refiners: one an object. Keep them: what they prepare stays warm.
        observation: the calibrated image, with depth; RGB helps. A mask, if any, shows where they are looked for; what
            is known of other objects there (`Observation.with_others`) is none of these.
        most: how many instances of each are looked for.
        on_instance: called with the number of its refiner and each that is sure, at once, before any is left out for
            one in its place; what is true ends the search.

    Returns:
        for each refiner those that have not failed, the surest first; see `Refiner.locate_all`.

    Raises:
        DiffDopeError: without a refiner, if one is something else, or for what `Refiner.locate_all` refuses.
    """
    if not isinstance(refiners, (list, tuple)) or not refiners:
        raise expected("refiners", "a list of at least one Refiner", repr(refiners))
    for refiner in refiners:
        check_type("refiners", refiner, Refiner, cure="Refiner(mesh) makes one of a mesh")
    check_shows_instances(observation, on_instance=on_instance)
    most = check_count("most", most)
    found: list[tuple[int, SeenInstance]] = []
    drawn: list[Drawing | None] = []
    known = dict.fromkeys(range(len(refiners)), -1)  # how many were when a kind was looked for
    ended = False

    def seen_of(number: int, result: RefinementResult) -> bool:
        nonlocal ended
        ended = on_instance is not None and bool(on_instance(number, result))
        return ended

    order = sorted(known, key=lambda k: -refiners[k].mesh.diameter)
    for number in order * _ROUNDS:
        refiner, left = refiners[number], most - sum(kind == number and one.sure for kind, one in found)
        if ended or left < 1 or known[number] == len(drawn):
            continue
        seen = knowing(observation, depth_of_others(drawn, -1, observation.camera))
        for result in refiner.locate_all(seen, most=left, on_instance=partial(seen_of, number)):
            own = drawing_of(refiner.meshes, refiner.frame.enter(result.pose), observation.camera)
            found.append((number, SeenInstance(result, _pixels(own, observation, refiner.mesh.diameter))))
            if is_sure(result):
                drawn.append(own)
        known[number] = len(drawn)
    kept = {id(one) for one in settled([one for _, one in found], len(found))}
    return [
        by_confidence([one.result for kind, one in found if kind == number and id(one) in kept])[:most]
        for number in range(len(refiners))
    ]


def surest_first(every: Sequence[Sequence[RefinementResult]]) -> list[tuple[int, RefinementResult]]:
    """What `locate_objects` found as one list, each with the number of its refiner."""
    pairs = [(number, one) for number, results in enumerate(every) for one in results]
    return sorted(pairs, key=lambda pair: -(pair[1].confidence or 0.0))


def _pixels(drawn: Drawing | None, observation: Observation, length_m: float) -> NDArray[np.bool_]:
    """Pixels (H, W) at which an object of some diameter is seen where it is drawn."""
    alone = depth_of_others([drawn], -1, observation.camera)
    if alone is None:
        return np.zeros((observation.camera.height, observation.camera.width), np.bool_)
    return shown_of(alone, observation.surfaces, length_m)
