"""A sum of factors over poses: cost, gradient and normal matrix of many states of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from diffdope.errors import check_shape, expected
from diffdope.geometry.pose import Pose
from diffdope.problem.evaluate import evaluate_problem, evaluate_queue
from diffdope.problem.factor import ImageFactor, type_of
from diffdope.problem.layout import Chains, PriorArrays, ProblemArrays, ProblemScratch, QuadraticArrays
from diffdope.problem.variables import Variables
from diffdope.render.kernels.calls import address_of, call_entry
from diffdope.solve.calls import MODALITIES, Sums
from diffdope.terms.layout import Canvas
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.quadratic_factor import QuadraticFactor

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

NO_CANVAS = Canvas.of(0)
NOTHING = (NO_CANVAS, NO_CANVAS)


@dataclass(frozen=True)
class Chain:
    """How an object's pose in a camera follows from the variables: X_left @ between @ X_right.

    left: index of a variable that ends at the camera (its pose T_w2c, say), or None; right: of one that begins at the
    object (T_m2w), or None; between: what is known: a link of a robot by its joints, the place of a camera.
    """

    left: int | None = None
    right: int | None = 0
    between: Pose | None = None

    @property
    def direct(self) -> bool:
        """Whether it is one variable and nothing else, which needs no arithmetic."""
        return self.left is None and self.right is not None and self.between is None


ONE_POSE = Chain()


class Evaluation(NamedTuple):
    """Costs and derivatives of B states; the arrays are the caller's.

    cost (B,) the weighted total; each (B, 5) unweighted, in the order rgb, depth, mask, edge, and what the quadratic
    factors add; gradient (B, D) and normal (B, D, D) = J^T W J in (rho [m], phi [rad]) of each free pose.
    """

    cost: F64
    each: F64
    gradient: F64
    normal: F64


class Problem:
    """Factors, pose priors and quadratic factors over variables. Immutable; any number of threads may evaluate it.

    Args:
        variables: the unknowns.
        factors: the image terms, one factor an object and view.
        chains: of each factor; None for one object that is seen by cameras at the world's origin.
        priors: (variable, prior) of poses.
        quadratics: (variable, factor) of poses.

    Raises:
        DiffDopeError: if there is no factor, or a chain or factor names a variable that does not exist.
    """

    def __init__(
        self,
        variables: Variables,
        factors: Sequence[ImageFactor],
        chains: Sequence[Chain] | None = None,
        *,
        priors: Sequence[tuple[int, PosePrior]] = (),
        quadratics: Sequence[tuple[int, QuadraticFactor]] = (),
    ) -> None:
        self.variables, self.factors = variables, tuple(factors)
        self.chains = tuple([ONE_POSE] * len(self.factors) if chains is None else chains)
        if not self.factors or len(self.chains) != len(self.factors):
            got = f"{len(self.factors)} factors and {len(self.chains)} chains"
            raise expected("factors", "at least one, and a chain for each", got)
        ends = [end for chain in self.chains for end in (chain.left, chain.right) if end is not None]
        named = [*ends, *(n for n, _ in priors), *(n for n, _ in quadratics)]
        if any(not 0 <= n < len(variables) for n in named):
            raise expected("chains", f"variables 0 to {len(variables) - 1}", sorted(set(named)))
        self.with_normal = all(factor.with_normal for factor in self.factors)
        self.column, self.unit = variables.column, variables.unit
        self.arrays = ProblemArrays(
            tuple(factor.arrays for factor in self.factors), chain_arrays(self.chains), self.column,
            prior_arrays([(n, p) for n, p in priors if p.active]), quadratic_arrays(quadratics), self.with_normal,
        )  # fmt: skip
        self.address = address_of_evaluation(self)

    def with_quadratics(self, quadratics: Sequence[tuple[int, QuadraticFactor]]) -> Problem:
        """The same with other quadratic factors, which change from round to round; their variables are not checked."""
        other = object.__new__(Problem)  # as `copy` does, which a round of steps would wait for
        other.__dict__ = {**self.__dict__, "arrays": self.arrays._replace(quadratics=quadratic_arrays(quadratics))}
        return other

    def share(self, work: Callable[[int], None], workers: int) -> None:
        """Calls `work(worker)` in so many threads."""
        self.factors[0].buffers.pool.share(work, workers)

    def workers(self, count: int, evaluations: int = 1) -> int:
        """How many threads work on `count` states, each evaluated so many times."""
        passes = count * evaluations * sum(factor.size for factor in self.factors)
        return self.factors[0].buffers.pool.workers(count, passes)

    @contextmanager
    def scratch(self, workers: int, canvases: tuple[Canvas, Canvas] = NOTHING) -> Iterator[list[ProblemScratch]]:
        """Lends what so many threads write while they evaluate."""
        if len(self.factors) == 1:  # as nearly always
            with self.factors[0].lease(workers) as lent:
                yield [ProblemScratch.of((one,), canvases) for one in lent]
            return
        with ExitStack() as stack:
            leases = [stack.enter_context(factor.lease(workers)) for factor in self.factors]
            yield [ProblemScratch.of(tuple(lease[k] for lease in leases), canvases) for k in range(workers)]

    def evaluate(self, R: F64, t: F64, *, with_normal: bool = True) -> Evaluation:
        """Cost and derivatives of B states.

        Args:
            R: (B, P, 3, 3), or (B, 3, 3) of a single pose.
            t: (B, P, 3) metres, or (B, 3).
            with_normal: False leaves out normal matrices of a problem that has them, which takes a third of the time.

        Raises:
            DiffDopeError: if a shape is wrong.
        """
        poses, size = len(self.variables), self.variables.size
        R, t = np.array(R, np.float64, order="C"), np.array(t, np.float64, order="C")  # for kernels: can be written to
        if t.ndim == 2 and poses == 1:
            R, t = R[:, None], t[:, None]
        check_shape("R", R, (None, poses, 3, 3))
        check_shape("t", t, (len(R), poses, 3))
        b = len(t)
        out = Evaluation(np.zeros(b), np.zeros((b, MODALITIES)), np.zeros((b, size)), np.zeros((b, size, size)))
        queue, workers = np.zeros(1, np.int64), self.workers(b)
        arrays = self.arrays if with_normal else self.arrays._replace(with_normal=False)
        with self.scratch(workers) as scratch:

            def work(worker: int) -> None:
                call_entry(evaluate_queue, self.address, arrays, scratch[worker], R, t, Sums.of(size), queue, *out)

            self.share(work, workers)
        return out


def chain_arrays(chains: Sequence[Chain]) -> Chains:
    """As compiled code takes them."""
    if tuple(chains) == (ONE_POSE,):
        return _ONE_POSE
    direct = np.array([chain.direct for chain in chains])
    between = [chain.between or Pose.identity() for chain in chains]
    left = np.array([-1 if chain.left is None else chain.left for chain in chains], np.int64)
    right = np.array([-1 if chain.right is None else chain.right for chain in chains], np.int64)
    return Chains(left, right, np.stack([p.R_m2c for p in between]), np.stack([p.t_m2c for p in between]), direct)


def prior_arrays(priors: Sequence[tuple[int, PosePrior]]) -> PriorArrays:
    """As compiled code takes them."""
    n = len(priors)
    if n == 0:
        return _NO_PRIORS
    each = [prior for _, prior in priors]
    return PriorArrays(
        np.array([pose for pose, _ in priors], np.int64),
        np.array([prior.pose.R_m2c for prior in each], np.float64).reshape(n, 3, 3),
        np.array([prior.pose.t_m2c for prior in each], np.float64).reshape(n, 3),
        np.array([prior.weight / prior.distance_m**2 for prior in each], np.float64),
        np.array([prior.weight / prior.angle_rad**2 for prior in each], np.float64),
    )


def quadratic_arrays(factors: Sequence[tuple[int, QuadraticFactor]]) -> QuadraticArrays:
    """As compiled code takes them."""
    n = len(factors)
    if n == 0:
        return _NO_QUADRATICS
    arrays = QuadraticArrays(
        np.empty(n, np.int64), np.empty((n, 3, 3)), np.empty((n, 3)), np.empty((n, 6)), np.empty((n, 6, 6)),
        np.empty(n), np.empty(n, np.int64),
    )  # fmt: skip
    for k, (pose, factor) in enumerate(factors):
        arrays.pose[k], arrays.shown[k], arrays.constant[k] = pose, factor.shown, factor.constant
        arrays.R[k], arrays.t[k] = factor.at.R_m2c, factor.at.t_m2c
        arrays.slope[k], arrays.curvature[k] = factor.slope, factor.curvature
    return arrays


# Made once: a search makes a problem a round, mostly of one object in one view.
_INDEX, _MATRIX, _VECTOR, _NUMBER = np.zeros(0, np.int64), np.zeros((0, 3, 3)), np.zeros((0, 3)), np.zeros(0)
_NO_PRIORS = PriorArrays(_INDEX, _MATRIX, _VECTOR, _NUMBER, _NUMBER)
_NO_QUADRATICS = QuadraticArrays(_INDEX, _MATRIX, _VECTOR, np.zeros((0, 6)), np.zeros((0, 6, 6)), _NUMBER, _INDEX)
_ONE_POSE = Chains(np.array([-1]), np.array([0]), np.eye(3)[None], np.zeros((1, 3)), np.array([True]))

_ADDRESSES: dict[tuple[int, ...], int] = {}


def address_of_evaluation(problem: Problem) -> int:
    """Address of `evaluate_problem`, compiled for factors of these types."""
    key = tuple(type_of(factor) for factor in problem.factors)
    if key not in _ADDRESSES:
        variables = problem.variables
        with problem.scratch(1) as scratch:
            R, t = np.zeros((len(variables), 3, 3)), np.zeros((len(variables), 3))
            arguments = problem.arrays, scratch[0], R, t, Sums.of(variables.size), 0
            _ADDRESSES[key] = address_of(evaluate_problem, types.float64, *arguments)
    return _ADDRESSES[key]
