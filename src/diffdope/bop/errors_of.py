"""The errors of estimates, measured with everything that belongs to them: model, symmetries, camera, depth image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.dataset import DataSet
from diffdope.bop.metrics import (
    ModelPoints,
    PosePairs,
    add_errors,
    add_s_errors,
    mspd_errors,
    mssd_errors,
    rotation_translation_errors,
)
from diffdope.bop.metrics.vsd import VSD_TAUS
from diffdope.bop.metrics.vsd_depth import HardDepth, vsd_of_poses
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]
_Key = TypeVar("_Key", int, tuple[int, int])
_DRAWN = 8  # models whose rendering buffers are kept
MOST_POINTS = 20_000  # of larger models every k-th vertex is taken, and the evaluation says so


@dataclass(frozen=True)
class Pair:
    """An estimate and an instance of its object in its image."""

    scene_id: int
    im_id: int
    obj_id: int
    estimate: Pose
    truth: Pose


@dataclass(frozen=True)
class Errors:
    """Of one estimate to one instance; infinite for an instance without an estimate.

    Attributes:
        add: mean distance of corresponding model points, metres.
        add_s: mean distance to the closest point, metres.
        rotation: angle, radians, the least over the symmetries.
        translation: distance, metres, for that symmetry.
        mssd: greatest distance of a model point, metres, the least over the symmetries.
        mspd: greatest distance of a projected model point, pixels of the image, the least over the symmetries.
        vsd: visible surface discrepancy for each of BOP19's misalignment tolerances; None where there is no depth.
    """

    add: float
    add_s: float
    rotation: float
    translation: float
    mssd: float
    mspd: float
    vsd: tuple[float, ...] | None

    @classmethod
    def missing(cls, *, with_depth: bool) -> Errors:
        """Those of an instance of which nothing was found."""
        inf = float("inf")
        values = {field.name: inf for field in fields(cls) if field.name != "vsd"}
        return cls(**values, vsd=(inf,) * len(VSD_TAUS) if with_depth else None)


class ErrorMeter:
    """Measures estimates against the truth.

    Args:
        dataset: with models and cameras, and depth images for VSD.
        vsd: whether VSD is measured, where there is depth.
    """

    def __init__(self, dataset: DataSet, *, vsd: bool = True) -> None:
        self._dataset, self.vsd = dataset, vsd
        self._model = lru_cache(maxsize=_DRAWN)(self._make_model)
        self.subsampled: set[int] = set()

    def has_depth(self, scene_id: int, im_id: int) -> bool:
        """Whether VSD is measured in an image."""
        scene = self._dataset.scene(scene_id)
        return self.vsd and scene.picture("depth", im_id) is not None and not self.is_bent(scene_id, im_id)

    def is_bent(self, scene_id: int, im_id: int) -> bool:
        """Whether a lens with distortion took an image: its errors are measured in the rectified pinhole."""
        return self._dataset.scene(scene_id).camera(im_id, pictured=False).distortion is not None

    def measure(self, pairs: Sequence[Pair], progress: Callable[[int], None] | None = None) -> list[Errors]:
        """The errors of all pairs: first of one object after another, then VSD of one image after another.

        Args:
            pairs: in any order.
            progress: called with the number of pairs done, each counted twice.

        Raises:
            DiffDopeError: if a model, camera or depth image is missing or broken.
        """
        columns: dict[str, F64] = {f.name: np.full(len(pairs), np.nan) for f in fields(Errors) if f.name != "vsd"}
        vsd: list[tuple[float, ...] | None] = [None] * len(pairs)
        done = 0
        for obj_id, rows in _grouped(pairs, lambda pair: pair.obj_id):
            for name, values in self._of_object(obj_id, [pairs[row] for row in rows]).items():
                columns[name][rows] = values
            done += len(rows)
            _tell(progress, done)
        for image, rows in _grouped(pairs, lambda pair: (pair.scene_id, pair.im_id)):
            if self.has_depth(*image):
                for row, seen in zip(rows, self._of_image(*image, [pairs[row] for row in rows]), strict=True):
                    vsd[row] = seen
            done += len(rows)
            _tell(progress, done)
        return [
            Errors(**{name: float(values[k]) for name, values in columns.items()}, vsd=vsd[k])
            for k in range(len(pairs))
        ]

    def _of_object(self, obj_id: int, pairs: list[Pair]) -> dict[str, F64]:
        symmetries, points = self._dataset.models.symmetries(obj_id), self._points(obj_id)
        both = _both(pairs)
        cameras = [self._dataset.scene(pair.scene_id).camera(pair.im_id, pictured=False) for pair in pairs]
        K = np.array([camera.rectified.K for camera in cameras])
        rotation, translation = rotation_translation_errors(both, symmetries)
        return {
            "add": add_errors(both, points), "add_s": add_s_errors(both, points),
            "rotation": rotation, "translation": translation,
            "mssd": mssd_errors(both, points, symmetries), "mspd": mspd_errors(both, points, symmetries, K),
        }  # fmt: skip

    def _of_image(self, scene_id: int, im_id: int, pairs: list[Pair]) -> list[tuple[float, ...]]:
        scene = self._dataset.scene(scene_id)
        camera, depth = scene.camera(im_id), scene.depth(im_id)
        assert depth is not None  # `has_depth` saw its file
        found: list[tuple[float, ...]] = [()] * len(pairs)
        for obj_id, rows in _grouped(pairs, lambda pair: pair.obj_id):
            both, model = _both([pairs[row] for row in rows]), self._model(obj_id)
            values = vsd_of_poses(both, model, depth, camera, self._dataset.models.diameter_m(obj_id))
            for row, errors in zip(rows, values, strict=True):
                found[row] = tuple(errors.tolist())
        return found

    def _points(self, obj_id: int) -> ModelPoints:
        vertices_m = self._dataset.models.mesh(obj_id).vertices_m
        step = -(-len(vertices_m) // MOST_POINTS)
        if step > 1:
            self.subsampled.add(obj_id)
        return ModelPoints(vertices_m[::step])

    def _make_model(self, obj_id: int) -> HardDepth:
        return HardDepth(self._dataset.models.mesh(obj_id))


def _both(pairs: Sequence[Pair]) -> PosePairs:
    return PosePairs.of([pair.estimate for pair in pairs], [pair.truth for pair in pairs])


def _grouped(pairs: Sequence[Pair], key: Callable[[Pair], _Key]) -> list[tuple[_Key, list[int]]]:
    """Positions of the pairs of one object or image."""
    rows: dict[_Key, list[int]] = {}
    for row, pair in enumerate(pairs):
        rows.setdefault(key(pair), []).append(row)
    return sorted(rows.items())


def _tell(progress: Callable[[int], None] | None, done: int) -> None:
    if progress is not None:
        progress(done)
