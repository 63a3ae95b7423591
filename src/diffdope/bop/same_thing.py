"""Which sightings, in several views, are of one thing.

Two sightings are of one thing if the places that each says agree: across its line of sight an image knows a place well,
along it badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_ACROSS, _ALONG = 0.1, 0.5  # of the diameter: how far off rough poses are across and along the line of sight
_FAR = 3.0  # standard deviations from which on two places are of two things


class Sighted(NamedTuple):
    """A sighting.

    view: number of the view; place_w: (3,) the object's middle in the world, metres; camera_w: (3,) the camera's
    centre there; spread_m: standard deviation of the camera's place as seen from the object.
    """

    view: int
    place_w: F64
    camera_w: F64
    spread_m: float = 0.0


def one_thing_each(sighted: Sequence[Sighted], diameter_m: float) -> list[list[int]]:
    """Groups of sightings of one kind of object, by number; of each view at most one. The nearest come first.

    Args:
        sighted: all sightings.
        diameter_m: of the object.
    """
    covariances = [_covariance(one, diameter_m) for one in sighted]
    pairs = []
    for a, one in enumerate(sighted):
        for b in range(a + 1, len(sighted)):
            if sighted[b].view != one.view:
                away = one.place_w - sighted[b].place_w
                far = float(np.sqrt(away @ np.linalg.solve(covariances[a] + covariances[b], away)))
                if far < _FAR:
                    pairs.append((far, a, b))
    groups = [[number] for number in range(len(sighted))]
    of = list(range(len(sighted)))
    for _, a, b in sorted(pairs):
        kept, gone = of[a], of[b]
        if kept == gone or {sighted[n].view for n in groups[kept]} & {sighted[n].view for n in groups[gone]}:
            continue
        for n in groups[gone]:
            of[n] = kept
        groups[kept] += groups[gone]
        groups[gone] = []
    return [sorted(group) for group in groups if group]


def _covariance(one: Sighted, diameter_m: float) -> F64:
    ray = one.place_w - one.camera_w
    ray = ray / max(float(np.linalg.norm(ray)), 1e-9)
    across, along = (_ACROSS * diameter_m) ** 2 + one.spread_m**2, (_ALONG * diameter_m) ** 2
    return np.asarray(across * np.eye(3) + along * np.outer(ray, ray))
