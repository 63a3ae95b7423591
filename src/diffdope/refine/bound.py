"""The Cramer-Rao bound: how well a pose could be known at best, for noise whose deviations are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_choice, check_positive
from diffdope.geometry.pose import Pose
from diffdope.objective.objective import Objective
from diffdope.objective.settings import ObjectiveSettings
from diffdope.render.buffers import Buffers
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]

MASK_ROUNDING = 12.0**-0.5
"""Deviation of a coverage in [0, 1] that was rounded to 0 or 1, if it was uniform."""


def fisher_information(mesh: Mesh, observation: Observation, truth: Pose, deviations: Mapping[str, float]) -> F64:
    """Sum of J^T J / sigma^2 over the pixels (6, 6), in (rho [m], phi [rad]); its inverse bounds every covariance.

    Pixels that the object covers wholly count for colour and depth, those at its outline for the mask.

    Args:
        mesh: the object.
        observation: the whole image; its mask, if there is one, says which pixels are the object's.
        truth: the true pose.
        deviations: of independent Gaussian noise, by modality: rgb (in [0, 1]), depth (metres), mask (coverage). Those
            that are missing say nothing.

    Raises:
        DiffDopeError: if a modality does not exist, or a deviation is not positive.
    """
    for name, deviation in deviations.items():
        check_choice("deviations", name, ("rgb", "depth", "mask"))
        check_positive(f"deviations[{name}]", deviation)
    gate = observation.mask
    if gate is None:
        gate = np.ones((observation.camera.height, observation.camera.width), np.float32)
    buffers = Buffers(mesh, threads=1)
    objective = Objective(buffers, observation, gate, ObjectiveSettings(), length_m=mesh.diameter)
    information = np.zeros((6, 6))
    for name, block in objective.linearise(truth.R_m2c, truth.t_m2c).blocks.items():
        for jacobian in block.jacobian if name in deviations else ():
            J = jacobian.astype(np.float64)
            information += (J * block.weight) @ J.T / deviations[name] ** 2
    return information
