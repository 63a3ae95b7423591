"""A search's levels as they are prepared: which crop of what was observed is compared around a pose, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace

from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_problem import LevelProblem, LevelRules, prepare_followed, prepare_level
from diffdope.problem.level_settings import contour_weight, holding_region
from diffdope.problem.region import choose_window, projected_box
from diffdope.scene.observation import Observation
from diffdope.search.levels import Level
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.tracking.edge_gating import without_needless_edges
from diffdope.terms.photometric_gain import PhotometricGain


@dataclass(frozen=True, eq=False)
class LevelPreparation:
    """What all levels of a descent share.

    Args:
        inputs: of the search.
        with_normal: whether the solver needs normal matrices.
        seen: a mask that says what is hidden, where the observation has none.
        off_px: how far its border is off, a deviation in pixels of the whole image.
        beside: a level whose crops, but for the mask, and whose drawings are taken where they are reduced as much.
    """

    inputs: SearchInputs
    with_normal: bool = True
    seen: Observation | None = None
    off_px: float = 0.0
    beside: LevelProblem | None = None

    @property
    def held_by_edges(self) -> bool:
        """Whether the photograph's edges hold the outline."""
        given = self.inputs
        return contour_weight(given.observation, given.settings.outline, given.objective, given.meshes.mesh) > 0.0

    def last(self, pose: Pose, level: Level) -> LevelProblem | Failure:
        """A level as the last one of a search, around a pose that is known well."""
        return self.around(pose, level, final=True, known=True, near=True)

    def before_last(self, pose: Pose, level: Level) -> LevelProblem | Failure:
        """A level as one before the last, around a pose that is known roughly."""
        return self.around(pose, level, final=False, known=True)

    def around(
        self, pose: Pose, level: Level, *, final: bool, known: bool, followed: PhotometricGain | None = None,
        near: bool = False,
    ) -> LevelProblem | Failure:  # fmt: skip
        """A level around a pose.

        Args:
            pose: the best so far.
            level: its numbers.
            final: whether it is the last one.
            known: whether the pose is known roughly.
            followed: the light of the frame before, for an object that is expected here to a few pixels.
            near: the crop is around the pose alone, wherever else the mask may be.
        """
        meshes, observation, search = self.inputs.meshes, self.inputs.observation, self.inputs.settings
        objective = self.inputs.objective
        box = projected_box(meshes.corners_m, pose, observation.camera)
        if isinstance(box, Status):
            return Failure(box)
        mesh, size = meshes.mesh, level.size
        contour = search.outline if search.outline.active(pattern=mesh.has_pattern) else None
        region = None
        if followed is not None:
            region = holding_region(mesh, observation, search.region, contour, objective)
            size = size if region is None else max(size, region.size)
        cropped = observation.without_mask() if near else observation
        window = choose_window(box, cropped, size=size, margin=self.inputs.margin)
        buffers = meshes.buffers(level.faces)
        if followed is not None and "mask" not in observation.modalities:
            followed_level = prepare_followed(
                buffers, observation, window, objective, length_m=meshes.length_m, gain=followed, pose=pose,
                contour=contour, region=region,
            )  # fmt: skip
            return without_needless_edges(followed_level, meshes, pose, objective.occlusion_margin)
        rules = LevelRules(
            search.light, search.mask_error_px if final else 0.0, search.mask_refused_px, contour, pose_known=known,
            nearer_hides=not self.inputs.filmed,
        )  # fmt: skip
        as_small = self.beside is not None and self.beside.window.reduction == window.reduction
        prepared = prepare_level(
            buffers, observation, pose, window, objective, rules, length_m=meshes.length_m,
            with_normal=self.with_normal, beside=self.beside if as_small else None,
        )  # fmt: skip
        mask = None if self.seen is None else self.seen.crop(window).mask
        if mask is not None and prepared.contours is not None:
            off_px = self.off_px * prepared.crop.camera.fx / observation.camera.fx
            prepared = replace(prepared, contours=prepared.contours.within(mask, off_px))
        return prepared if prepared.responsibility.overlap > 0.0 else Failure(Status.NO_OVERLAP, window)
