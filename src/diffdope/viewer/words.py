"""A result in lines of text, as it stands beside the scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import hat
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
_MOST_NOTES = 8  # lines: more are counted


def lines_of(result: RefinementResult) -> tuple[str, ...]:
    """Status, confidence, deviations, answers and notes."""
    lines = [f"{result.status}: {result.message}"]
    if result.confidence is not None:
        lines.append(f"confidence {result.confidence:.2f}")
    if result.covariance is not None:
        sigma = np.sqrt(np.diag(result.covariance))
        along, about = (
            ", ".join(f"{value:.2f}" for value in part) for part in (1e3 * sigma[:3], np.degrees(sigma[3:]))
        )
        lines.append(f"1 sigma: {along} mm along, {about} deg about the camera's x, y, z")
    if len(result.answers) > 1:
        shares = ", ".join(f"{answer.probability:.2f}" for answer in result.answers)
        lines.append(f"{len(result.answers)} answers with probabilities {shares}")
    lines += [f"note: {note}" for note in result.notes[:_MOST_NOTES]]
    if len(result.notes) > _MOST_NOTES:
        lines.append(f"and {len(result.notes) - _MOST_NOTES} more notes")
    return tuple(lines)


def covariance_of_middle(covariance: F64, pose: Pose, mesh: Mesh) -> F64:
    """Covariance (3, 3), square metres in the camera's axes, of the middle of an object.

    A result's covariance is about the origin of the mesh file, which may lie far beside the object. The middle moves by
    rho + phi x R c.

    Args:
        covariance: (6, 6) in (rho [m], phi [rad]).
        pose: of the object.
        mesh: the object.
    """
    motion = np.concatenate([np.eye(3), -hat(pose.R_m2c @ mesh.center_m)], axis=1)
    return np.asarray(motion @ covariance @ motion.T)
