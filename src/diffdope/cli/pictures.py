"""The pictures of one refinement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import RefinementResult
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.animation import optimisation_frames, write_animation
from diffdope.viz.compose import GREEN, RED, contour, enlarge, to_bytes, written
from diffdope.viz.curves import write_costs
from diffdope.viz.draw import backdrop_of, whole_window
from diffdope.viz.on_original import outlined_original
from diffdope.viz.overlay import RenderedView, overlay_image, write_overlay

_MOST_ANSWERS = 4  # columns of a picture


class Draughtsman:
    """Draws a refinement in the crop that was compared, or in the whole image if nothing was."""

    def __init__(self, mesh: Mesh, observation: Observation, result: RefinementResult) -> None:
        self._mesh, self._result, self._taken_by = mesh, result, observation.taken_by
        self._crop = observation.crop(result.window or whole_window(observation.camera))
        self._renderer = Renderer(mesh, self._crop.camera)

    def view(self, R: NDArray[np.float64], t: NDArray[np.float64], title: str = "") -> RenderedView:
        """One rendering."""
        images = self._renderer.render(R, t)
        rgb = images.rgb[0] if self._mesh.has_color else None
        return RenderedView(rgb, images.coverage[0], images.depth[0], title)

    @property
    def photo(self) -> NDArray[np.floating]:
        """What lies underneath."""
        return backdrop_of(self._crop)

    def draw(self, folder: Path, *, titles: tuple[str, str], truth: Pose | None = None, film: bool = True) -> None:
        """Writes overlay.png, costs.png and the film."""
        result = self._result
        poses = (result.initial_pose, result.pose)
        before, after = (self.view(p.R_m2c, p.t_m2c, title) for p, title in zip(poses, titles, strict=True))
        true_coverage = None if truth is None else self.view(truth.R_m2c, truth.t_m2c).coverage
        picture = overlay_image(
            self.photo, (before, after), truth_coverage=true_coverage, observed_depth=self._crop.depth
        )
        write_overlay(folder / "overlay.png", picture)
        if result.iterations == 0:
            return
        write_costs(
            folder / "costs.png",
            result.history,
            result.modalities,
            result.winner,
            errors=None if truth is None else self._errors(truth),
        )
        if film:
            frames = optimisation_frames(self.photo, result.history, result.winner, result.winner_iteration, self.view)
            write_animation(folder / "optimisation", frames)

    def draw_on_original(self, folder: Path, rgb: NDArray[Any] | None) -> None:
        """Writes overlay_original.png, the photograph as the lens took it with the outline, where it was rectified."""
        if rgb is not None and self._taken_by.distortion is not None:
            write_overlay(
                folder / "overlay_original.png",
                outlined_original(rgb, self._mesh, self._taken_by, self._result.pose),
            )

    def draw_answers(self, path: Path) -> None:
        """Writes a picture of the answers, a column each, where there are several."""
        answers = self._result.answers[:_MOST_ANSWERS]
        if len(answers) < 2:
            return
        views = [
            self.view(one.pose.R_m2c, one.pose.t_m2c, f"answer {number}: probability {one.probability:.2f}")
            for number, one in enumerate(answers, 1)
        ]
        picture = overlay_image(self.photo, views, observed_depth=self._crop.depth)
        write_overlay(path, picture)

    def _errors(self, truth: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rotation (degrees) and translation (mm) error of the winner's iterates; NaN where it took no part."""
        history, winner = self._result.history, self._result.winner
        errors = np.full((2, len(history.costs)), np.nan)
        for k in np.flatnonzero(np.isfinite(history.costs[:, winner])):
            pose = Pose(history.R_m2c[k, winner], history.t_m2c[k, winner])
            errors[:, k] = np.degrees(pose.angle_to(truth)), 1e3 * pose.distance_to(truth)
        return errors[0], errors[1]


def draw_all(path: Path, observation: Observation, found: Sequence[tuple[str, bool, Mesh, Pose]]) -> None:
    """Writes one picture of all results of an image: outlines in the photograph, green where found, red where not.

    Args:
        path: the file.
        observation: the whole image.
        found: name, whether it was found, mesh, and pose of each that was compared.
    """
    crop = observation.crop(whole_window(observation.camera))
    size = (crop.camera.height, crop.camera.width, 3)
    photo = crop.rgb if crop.rgb is not None else np.full(size, 0.4, np.float32)
    picture = enlarge(np.asarray(photo, np.float64), 2)
    for name, ok, mesh, pose in found:
        images = Renderer(mesh, crop.camera).render(pose.R_m2c, pose.t_m2c)
        coverage = enlarge(np.asarray(images.coverage[0], np.float64), 2)
        if coverage.max() <= 0.5:
            continue
        color = GREEN if ok else RED
        picture = contour(picture, coverage, color=color, thickness=2.0)
        rows, columns = np.nonzero(coverage > 0.5)
        picture = written(picture, name, (float(columns.mean()), float(rows.mean())), color=color)
    write_overlay(path, to_bytes(picture))
