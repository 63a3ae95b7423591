"""ADD and ADD-S: mean distances of model points, and both for a single pair of poses."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.bop.metrics.pairs import ModelPoints, PosePairs, chunks, model_points
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]


def add_errors(pairs: PosePairs, points: ModelPoints | ArrayLike) -> F64:
    """ADD of N pairs: mean distance of corresponding points, metres (N,) (Hinterstoisser et al., ACCV 2012).

    Args:
        pairs: N estimates with their truths.
        points: model points (P, 3), metres.
    """
    points_m = model_points(points).points_m
    R, t = pairs.truth_from_estimate()
    result = np.empty(len(pairs))
    for part in chunks(len(pairs), 3 * len(points_m)):
        # How far each point moves, in the true object's frame: lengths are the same there as in the camera's.
        moved = points_m @ np.swapaxes(R[part] - np.eye(3), 1, 2) + t[part, None]
        result[part] = np.sqrt(np.einsum("npi,npi->np", moved, moved)).mean(axis=1)
    return result


def add_s_errors(pairs: PosePairs, points: ModelPoints | ArrayLike, *, threads: int = 1) -> F64:
    """ADD-S (ADI) of N pairs: mean distance of each true point to the closest estimated one, metres (N,).

    Hinterstoisser et al., ACCV 2012; BOP and YCB-Video search in this direction too. The tree is built in the model
    frame, and the true points are brought there through the estimate, so that all poses of a model share it.

    Args:
        pairs: N estimates with their truths.
        points: model points (P, 3), metres; a `ModelPoints` keeps its tree for the next call.
        threads: of the search, -1 for all cores.
    """
    model = model_points(points)
    R, t = pairs.truth_from_estimate()
    result = np.empty(len(pairs))
    for part in chunks(len(pairs), 3 * len(model)):
        # x_m = R^T (x - t), for the estimate is x -> R x + t in the true object's frame.
        in_model = (model.neighbours_first - t[part, None]) @ R[part]
        distances, _ = model.tree.query(in_model.reshape(-1, 3), workers=threads)
        result[part] = distances.reshape(-1, len(model)).mean(axis=1)
    return result


def add(estimate: Pose, truth: Pose, points_m: F64) -> float:
    """ADD of one pose: mean distance of corresponding model points, metres (Hinterstoisser et al., ACCV 2012).

    Args:
        estimate: the pose in question.
        truth: the true pose.
        points_m: model points (N, 3), metres.
    """
    return float(add_errors(PosePairs.of([estimate], [truth]), points_m)[0])


def add_s(estimate: Pose, truth: Pose, points_m: F64) -> float:
    """ADD-S of one pose: mean distance of each true model point to the closest estimated one, metres.

    Forgives a pose that looks the same because the object is symmetric. Arguments as for `add`.
    """
    return float(add_s_errors(PosePairs.of([estimate], [truth]), points_m)[0])
