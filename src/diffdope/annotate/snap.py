"""Lets a pose snap onto the picture: refiners by object, kept warm, and how far to trust what they find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diffdope.annotate.state import Origin
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import DEFAULT
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viewer.words import covariance_of_middle

_CONVINCING = 0.5  # confidence below which a pose is rather wrong than right
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Snapped:
    """What refining or locating found.

    Attributes:
        pose: model to camera; the start where nothing could be compared.
        found: whether it is a pose to take.
        origin: refined or located.
        words: for people.
        confidence: in [0, 1], or None.
        sigma_mm: largest deviation of the object's middle, or None.
        sigma_deg: largest deviation of its rotation, or None.
        ambiguous: whether the picture supports other poses as well.
    """

    pose: Pose
    found: bool
    origin: Origin
    words: str
    confidence: float | None
    sigma_mm: float | None
    sigma_deg: float | None
    ambiguous: bool


class Snapper:
    """Refines and locates objects.

    Args:
        mesh_of: the mesh of an object.
        preset: name of the preset.
        seed: of the hypotheses.
    """

    def __init__(self, mesh_of: Callable[[int], Mesh], *, preset: str = DEFAULT, seed: int = 0) -> None:
        self._mesh_of, self._preset, self._seed = mesh_of, preset, seed
        self._refiners: dict[int, Refiner] = {}

    def refine(self, view: Observation, obj_id: int, pose: Pose) -> Snapped:
        """From a pose that is about right.

        Raises:
            DiffDopeError: for what `Refiner.refine` refuses.
        """
        result = self._refiner(obj_id).refine(view, pose)
        return self._snapped(result, Origin.REFINED, obj_id)

    def locate(self, view: Observation, obj_id: int, box: Box | None = None) -> Snapped:
        """From nothing, or from a box (x, y, width, height) around the object.

        Raises:
            DiffDopeError: for what `Refiner.locate` refuses: a photograph without depth, above all.
        """
        return self._snapped(self._refiner(obj_id).locate(view, box=box), Origin.LOCATED, obj_id)

    def _refiner(self, obj_id: int) -> Refiner:
        if obj_id not in self._refiners:
            self._refiners[obj_id] = Refiner(self._mesh_of(obj_id), preset=self._preset, seed=self._seed)
        return self._refiners[obj_id]

    def _snapped(self, result: RefinementResult, origin: Origin, obj_id: int) -> Snapped:
        sigma_mm = sigma_deg = None
        unsure = result.ok and result.confidence is not None and result.confidence < _CONVINCING
        words = [f"{origin}{', not convincing' if unsure else ''}: {result.status}"]
        if result.confidence is not None:
            words.append(f"confidence {result.confidence:.2f}")
        if result.covariance is not None:
            middle = covariance_of_middle(result.covariance, result.pose, self._mesh_of(obj_id))
            sigma_mm = 1e3 * float(np.sqrt(np.linalg.eigvalsh(middle)[-1]))
            sigma_deg = float(np.degrees(np.sqrt(np.linalg.eigvalsh(result.covariance[3:, 3:])[-1])))
            words.append(f"sigma {sigma_mm:.2g} mm, {sigma_deg:.2g} deg at most")
        if not result.ok:
            words.append(result.message)
        ambiguous = result.status == Status.AMBIGUOUS
        return Snapped(
            result.pose, bool(result.modalities), origin, ", ".join(words), result.confidence, sigma_mm, sigma_deg,
            ambiguous,
        )  # fmt: skip
