"""A problem as compiled code sees it: factors, the chains of poses that lead to them, and what is known beside images.

Nothing here is reused from one evaluation to the next but the scratch, of which every thread has its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.render.kernels.calls import Addresses
from diffdope.render.kernels.layout import MeshArrays, Pinhole, Scratch
from diffdope.terms.layout import Canvas, IntensityImages, TermWeights

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class FactorArrays(NamedTuple):
    """The image terms of one object in one view."""

    evaluate: int  # address of `fused_pass.evaluate_pose`
    edges: int  # address of `add_gradient_magnitude`, 0 where that term is off
    at: Addresses
    mesh: MeshArrays
    pinhole: Pinhole
    packed: F32  # (H*W, 8): red, green, blue, weight, depth [m, 0 = missing], mask, weight of the mask, 0
    planes: IntensityImages
    terms: TermWeights
    empty_cost: F64  # (4,) what a pose that covers nothing pays, unweighted
    weights: F64  # (4,) of the costs by term
    weight_sum: float  # of the pixel weights: unweighted costs are divided by it


class Chains(NamedTuple):
    """T_object_in_camera of factor f = X[left[f]] (R[f], t[f]) X[right[f]]; an index of -1 is the identity."""

    left: I64  # (F,)
    right: I64  # (F,)
    R: F64  # (F, 3, 3)
    t: F64  # (F, 3) metres
    direct: NDArray[np.bool_]  # (F,) whether the chain is the one pose X[right[f]]


class PriorArrays(NamedTuple):
    """N pose priors: far |t - t_n|^2 + turned tr(I - R R_n^T) of pose `pose[n]`."""

    pose: I64  # (N,)
    R: F64  # (N, 3, 3)
    t: F64  # (N, 3)
    far: F64  # (N,) per square metre
    turned: F64  # (N,)


class QuadraticArrays(NamedTuple):
    """N quadratic factors: constant + slope . xi + xi . curvature . xi / 2 of pose `pose[n]`; see `QuadraticFactor`."""

    pose: I64  # (N,)
    R: F64  # (N, 3, 3)
    t: F64  # (N, 3)
    slope: F64  # (N, 6)
    curvature: F64  # (N, 6, 6)
    constant: F64  # (N,)
    shown: I64  # (N,) column of the costs by term that it adds to, -1 for none


class ProblemArrays(NamedTuple):
    """Everything that a cost is made of."""

    factors: tuple[FactorArrays, ...]
    chains: Chains
    column: I64  # (P,) where the six numbers of a pose begin among the unknowns, -1 for a pose that is held
    priors: PriorArrays
    quadratics: QuadraticArrays
    with_normal: bool


class ChainScratch(NamedTuple):
    """One factor: its pose in the camera, its sums, and what carries them to the unknowns."""

    R: F32  # (3, 3) of the object in the camera
    t: F32  # (3,)
    R_left: F64  # (3, 3) of the chain, without its right end
    from_left: F64  # (3,) from the left end's origin to the object's
    cost: F64  # (4,)
    gradient: F64  # (6,)
    normal: F64  # (6, 6)
    jacobian: F64  # (6, 12) of the object's motion by those of the chain's two ends
    vector: F64  # (6,)
    vector2: F64  # (6,)


class ProblemScratch(NamedTuple):
    """What one thread writes while it evaluates.

    Kernels are given the parts that they use: numba takes a tuple that is an argument apart, which makes much code.
    """

    factors: tuple[Scratch, ...]
    canvases: tuple[Canvas, Canvas]  # images of the first factor are painted here, if they have room
    chain: ChainScratch

    @classmethod
    def of(cls, factors: tuple[Scratch, ...], canvases: tuple[Canvas, Canvas]) -> ProblemScratch:
        """For the scratch of every factor."""
        chain = ChainScratch(
            np.zeros((3, 3), np.float32), np.zeros(3, np.float32), np.zeros((3, 3)), np.zeros(3),
            np.zeros(4), np.zeros(6), np.zeros((6, 6)), np.zeros((6, 12)), np.zeros(6), np.zeros(6),
        )  # fmt: skip
        return cls(factors, canvases, chain)
