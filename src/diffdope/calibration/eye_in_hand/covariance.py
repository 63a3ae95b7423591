"""How sure camera and object are: residuals, joints of single pictures, and what all pictures share.

Zeros of joints are off in all pictures alike. That of the last joint turns the camera on the flange, and no picture
tells; that of the first turns the object in the base.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.eye_in_hand.chain import OBJECT, SHARED
from diffdope.calibration.eye_in_hand.estimate import HandSolution, ObjectPrior
from diffdope.calibration.solution import CommonErrors, NormalEquations
from diffdope.joint.images import Images

F64 = NDArray[np.float64]


class HandCovariance(NamedTuple):
    """How sure camera and object are.

    known (12, 12): what residuals and errors of joints tell, and errors of images that all pictures share (depth,
    masks' borders); gain (12, 12): the same without the latter, by which a step answers a gradient; zeros: what the
    pictures say of errors that joints have in all of them, of which nothing is in the other two.
    """

    known: F64
    gain: F64
    zeros: CommonErrors

    def zero_rad(self, usual: float) -> float:
        """Deviation of joints' zeros, radians; see `CommonErrors.deviation`."""
        return self.zeros.deviation(self.gain, usual)

    def with_zeros(self, zero_rad: float) -> F64:
        """(12, 12) with what zeros of this deviation do."""
        return self.known + self.zeros.moves(self.gain, zero_rad)


def covariance_of(solution: HandSolution, images: Images, target: ObjectPrior | None) -> HandCovariance:
    """Of camera and object, from all pictures that count.

    Args:
        solution: where the images were linearised last.
        images: the leaves there.
        target: what is known of the object's place; None for nothing.
    """
    state, J = solution.state, solution.state.errors.shape[1]
    information, shared = np.zeros((SHARED, SHARED)), dict[str, F64]()
    information += solution.information - solution.equations.of_picture.sum(axis=0)  # priors
    zeros, gradient = CommonErrors.none(SHARED, J), np.zeros(SHARED)
    if target is not None:
        gradient[OBJECT] = target.gradient(state.T_base_object)
    for n in solution.counted:
        weight, leaf = solution.weights[n], solution.leaves[n, 0]
        sure, _, pulls = images.known((n, 0), correlated=True)
        by_shared, by_own = state.derivatives(n)
        # From where joints were told to be: errors of all pictures and of this one are one sum.
        away = np.linalg.solve(leaf.damped, leaf.gradient) - by_own @ state.errors[n]
        one = NormalEquations(
            weight * by_shared.T @ sure @ by_shared, weight * by_shared.T @ sure @ by_own,
            weight * by_own.T @ sure @ by_own, weight * by_shared.T @ sure @ away, weight * by_own.T @ sure @ away,
        )  # fmt: skip
        inner = np.asarray(np.linalg.inv(one.own + np.eye(J) / solution.sigma**2), np.float64)
        information += one.shared - one.between @ inner @ one.between.T
        gradient += one.gradient - one.between @ inner @ one.own_gradient
        zeros = zeros.told_by(one, inner / solution.sigma**2)
        for name, pull in pulls.items():
            own = by_shared.T @ pull - one.between @ inner @ by_own.T @ pull
            shared[name] = shared.get(name, np.zeros(SHARED)) + weight * own
    kept = np.flatnonzero(solution.free)
    gain = np.zeros((SHARED, SHARED))
    gain[np.ix_(kept, kept)] = np.linalg.inv(information[np.ix_(kept, kept)])
    known = gain.copy()
    for pull in shared.values():
        known += np.outer(gain @ pull, gain @ pull)
    # Neighbours err together by another share in each picture, so that the steps' end is not quite where this one is 0.
    return HandCovariance(known, gain, zeros.answered(gain, gradient))
