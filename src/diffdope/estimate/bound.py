"""The Cramer-Rao bound: how well a pose could be known at best, for noise whose deviations are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_choice, check_positive
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import ImageFactor
from diffdope.problem.responsibility import Responsibility
from diffdope.render.buffers import Buffers
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.registry import ObjectiveSettings

F64 = NDArray[np.float64]

MASK_ROUNDING = 12.0**-0.5
"""Deviation of a coverage in [0, 1] that was rounded to 0 or 1, if it was uniform."""


def fisher_information(
    mesh: Mesh, observation: Observation, truth: Pose, deviations: Mapping[str, float], *, samples: int = 1
) -> F64:
    """Sum of J^T J / sigma^2 over the pixels (6, 6), in (rho [m], phi [rad]); its inverse bounds every covariance.

    Pixels that the object covers wholly count for colour and depth, those at its outline for the mask.

    Args:
        mesh: the object.
        observation: the whole image; its mask, if there is one, says which pixels are the object's.
        truth: the true pose.
        deviations: of independent Gaussian noise, by modality: rgb (in [0, 1]), depth (metres), mask (coverage). Those
            that are missing say nothing.
        samples: per pixel and axis, of which the image's colours are means: a surface that is seen nearly edge on
            changes much within a pixel, whose mean says less than a colour at its centre would. Depth has one.

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
    factor = factor_of(buffers, observation, gate, mesh.diameter)
    information = np.zeros((6, 6))
    for name, block in factor.linearise(truth.R_m2c, truth.t_m2c).blocks.items():
        if name not in deviations:
            continue
        jacobian, weight = block.jacobian.astype(np.float64), block.weight.astype(np.float64)
        if name == "rgb" and samples > 1:
            jacobian, weight = _of_means(buffers, observation, truth, samples), gate.ravel().astype(np.float64)
        for J in jacobian:
            information += (J * weight) @ J.T / deviations[name] ** 2
    return information


def factor_of(
    buffers: Buffers, observation: Observation, weights: NDArray[np.floating], length_m: float
) -> ImageFactor:
    """All terms with their default weights, over pixels (H, W) of some weights."""
    appearance = np.asarray(weights, np.float32)
    responsibility = Responsibility(appearance, np.ones_like(appearance), float(appearance.sum()))
    return ImageFactor(buffers, observation, responsibility, ObjectiveSettings(), length_m=length_m)


def _of_means(buffers: Buffers, observation: Observation, truth: Pose, samples: int) -> F64:
    """Jacobian (3, 6, H W) of colours that are means over so many places of a pixel, 0 where the object misses one."""
    width, height = observation.camera.width, observation.camera.height
    fine = observation.camera.resize(samples * width, samples * height)
    black, everywhere = np.zeros((fine.height, fine.width, 3), np.float32), np.ones((fine.height, fine.width))
    factor = factor_of(buffers, Observation(fine, rgb=black), everywhere, 1.0)
    block = factor.linearise(truth.R_m2c, truth.t_m2c).blocks["rgb"]
    v, u = np.divmod(block.pixel, fine.width)
    pixel = v // samples * width + u // samples

    def sums(values: NDArray[np.floating] | None) -> F64:
        return np.asarray(np.bincount(pixel, values, width * height), np.float64)

    share = (sums(None) == samples**2) / samples**2
    return np.array([[share * sums(row) for row in channel] for channel in block.jacobian])
