"""Several factors over several poses: two views of one object, two objects in one view, a link in between.

A chain's derivative is compared with differences of the float64 reference's cost, with differences of the problem's own
cost, and with what single factors say, taken through the chain by a Jacobian from differences of its poses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Chain, Problem
from diffdope.problem.variables import Variable, Variables
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.registry import ObjectiveSettings
from tests.oracle import shapes
from tests.oracle.differences import moved
from tests.oracle.kernels import Pair, factor_of, oracle_cost, problem_of, responsibility_of, settings
from tests.oracle.scenes import Scene, observe, random_scene

Array = NDArray[np.float64]
SMOOTH = (11, 12, 19, 44, 45, 52)  # spheres and sheets: the cost jumps less often within a step
SEEDS = (11, 12, 14, 15, 16, 19)  # with colours at their vertices, which have no mip levels
FAR = Pose(so3.exp(np.array([0.4, -0.3, 0.8])), np.array([0.3, -0.2, 0.1]))  # of the world's origin, in a camera
LINK = Pose(so3.exp(np.array([-0.2, 0.9, 0.3])), np.array([0.05, 0.12, -0.08]))


def compose(one: Pose, other: Pose) -> Pose:
    return Pose.from_matrix(one.matrix @ other.matrix)


def inverse(pose: Pose) -> Pose:
    return Pose(pose.R_m2c.T, -pose.R_m2c.T @ pose.t_m2c)


def matrix(R: Array, t: Array) -> Array:
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, t
    return T


@dataclass(frozen=True)
class Case:
    """Scenes, one a factor, whose poses the chains of the variables' poses make."""

    scenes: list[Scene]
    chains: list[Chain]
    variables: Variables
    poses: list[Pose]

    @property
    def pairs(self) -> list[Pair]:
        return [settings((0.7, 1.0, 1.0, 0.0), scene.length) for scene in self.scenes]

    @property
    def state(self) -> tuple[Array, Array]:
        return np.stack([p.R_m2c for p in self.poses]), np.stack([p.t_m2c for p in self.poses])

    def problem(self, *, with_normal: bool = True) -> Problem:
        factors = [
            factor_of(scene, pair.fused, with_normal=with_normal)
            for scene, pair in zip(self.scenes, self.pairs, strict=True)
        ]
        return Problem(self.variables, factors, self.chains)

    def placed(self, f: int, R: Array, t: Array) -> tuple[Array, Array]:
        """The object of a factor in its camera, by the poses (P, 3, 3) and (P, 3); in float64."""
        chain = self.chains[f]
        ends = [np.eye(4) if end is None else matrix(R[end], t[end]) for end in (chain.left, chain.right)]
        T = ends[0] @ (chain.between or Pose.identity()).matrix @ ends[1]
        return T[:3, :3], T[:3, 3]

    def oracle(self, R: Array, t: Array) -> float:
        """The sum of the reference's costs."""
        each = zip(self.scenes, self.pairs, strict=True)
        return sum(oracle_cost(scene, pair, *self.placed(f, R, t)) for f, (scene, pair) in enumerate(each))

    def differences(self, value: Callable[[Array, Array], float], step: float) -> Array:
        """(D,) central differences by the motions of the free poses."""
        R, t = self.state
        slopes = []
        for p in np.flatnonzero(self.variables.column >= 0):
            for k in range(6):
                sides = []
                for sign in (1.0, -1.0):
                    R2, t2 = R.copy(), t.copy()
                    R2[p], t2[p] = moved(R[p], t[p], sign * step * np.eye(6)[k])
                    sides.append(value(R2, t2))
                slopes.append((sides[0] - sides[1]) / (2.0 * step))
        return np.array(slopes)

    def motions(self, f: int) -> Array:
        """(6, D) motion of a factor's object by those of the free poses, from differences of its pose."""
        R0, t0 = self.placed(f, *self.state)

        def motion(R: Array, t: Array) -> Array:
            R1, t1 = self.placed(f, R, t)
            return np.concatenate([t1 - t0, so3.log(R1 @ R0.T)])

        return np.stack([self.differences(lambda R, t, i=i: motion(R, t)[i], 1e-5) for i in range(6)])


def seen_from(scene: Scene, view: Pose, number: int) -> Scene:
    """The same object by another camera, `view` from the scene's camera to that one."""
    rng = np.random.default_rng([7, number])
    pose, truth = compose(view, Pose(scene.R, scene.t)), compose(view, Pose(scene.R_true, scene.t_true))
    middle = truth.apply(scene.vertices_m.mean(axis=0)[None])[0]
    fx, fy, *_ = scene.K
    K = (fx, fy, 24.0 - fx * middle[0] / middle[2], 20.0 - fy * middle[1] / middle[2])
    other = replace(scene, K=K, width=48, height=40, R=pose.R_m2c, t=pose.t_m2c, R_true=truth.R_m2c, t_true=truth.t_m2c)
    return replace(other, observation=observe(rng, other.images(other.R_true, other.t_true), binary_mask=False))


def second_view(scene: Scene) -> tuple[Scene, Pose]:
    """From half a turn around, and the motion between the cameras."""
    middle = Pose(scene.R, scene.t).apply(scene.vertices_m.mean(axis=0)[None])[0]
    R = so3.exp(np.array([0.3, 1.2, -0.2]))
    view = Pose(R, middle - R @ middle + np.array([0.01, 0.0, 0.05]))
    return seen_from(scene, view, 1), view


def two_views(seed: int, *, second_is_free: bool) -> Case:
    scene = random_scene(seed)
    other, view = second_view(scene)
    first = FAR
    world = compose(inverse(first), Pose(scene.R, scene.t))
    members = (
        Variable("camera 0", 0.7, free=False), Variable("object", 0.5 * scene.length),
        Variable("camera 1", 0.7, free=second_is_free),
    )  # fmt: skip
    return Case([scene, other], [Chain(0, 1), Chain(2, 1)], Variables(members), [first, world, compose(view, first)])


def two_objects(seed: int) -> Case:
    scene, other = random_scene(seed), random_scene(0 if seed % 2 else 3)  # the other has a texture
    members = Variable("one", 0.5 * scene.length), Variable("other", 0.5 * other.length)
    poses = [Pose(scene.R, scene.t), Pose(other.R, other.t)]
    return Case([scene, other], [Chain(), Chain(right=1)], Variables(members), poses)


def linked(seed: int) -> Case:
    """Camera, link of a robot, object in the gripper; and the same camera sees the object elsewhere on the link."""
    scene = random_scene(seed)
    held = compose(compose(inverse(LINK), inverse(FAR)), Pose(scene.R, scene.t))
    shifted = compose(LINK, Pose(so3.exp(np.array([0.0, 0.2, 0.0])), np.zeros(3)))
    pose = compose(compose(FAR, shifted), held)
    other = seen_from(scene, compose(pose, inverse(Pose(scene.R, scene.t))), 2)
    members = Variable("camera", 0.7), Variable("object", 0.5 * scene.length)
    return Case([scene, other], [Chain(0, 1, LINK), Chain(0, 1, shifted)], Variables(members), [FAR, held])


def only_a_camera(seed: int) -> Case:
    """Where the object is in the world is known: the chain has no right end."""
    scene = random_scene(seed)
    world = compose(inverse(FAR), Pose(scene.R, scene.t))
    return Case([scene], [Chain(0, None, world)], Variables((Variable("camera", 0.7),)), [FAR])


def known_camera(seed: int) -> Case:
    """Where the camera is in the world is known: the chain has no left end."""
    scene = random_scene(seed)
    world = compose(inverse(FAR), Pose(scene.R, scene.t))
    return Case([scene], [Chain(None, 0, FAR)], Variables((Variable("object", 0.5 * scene.length),)), [world])


CASES: dict[str, Callable[[int], Case]] = {
    "two views, held": lambda seed: two_views(seed, second_is_free=False),
    "two views, free": lambda seed: two_views(seed, second_is_free=True),
    "two objects": two_objects,
    "link": linked,
    "only a camera": only_a_camera,
    "known camera": known_camera,
}


def compared(got: Array, want: Array) -> tuple[float, float]:
    """Cosine and relative error."""
    size = float(np.linalg.norm(want))
    return float(got @ want) / (size * float(np.linalg.norm(got))), float(np.linalg.norm(got - want)) / size


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_the_references_cost(name: str) -> None:
    cosines, errors = [], []
    for seed in SEEDS:
        case = CASES[name](seed)
        R, t = case.state
        got = case.problem().evaluate(R[None], t[None])
        assert got.cost[0] == pytest.approx(case.oracle(R, t), rel=1e-3)
        assert got.gradient.shape == (1, case.variables.size)
        want = case.differences(case.oracle, 1e-8)
        unit = case.variables.unit
        for at in range(0, len(unit), 6):  # every free pose's own part
            part = slice(at, at + 6)
            cosine, error = compared(got.gradient[0, part] * unit[part], want[part] * unit[part])
            cosines.append(cosine)
            errors.append(error)
    assert np.median(cosines) > 0.9999 and min(cosines) > 0.98
    assert np.median(errors) < 0.01


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_its_own_cost(name: str) -> None:
    errors = []
    for seed in SMOOTH:
        case = CASES[name](seed)
        problem = case.problem()

        def own(R: Array, t: Array, problem: Problem = problem) -> float:
            return float(problem.evaluate(R[None], t[None]).cost[0])

        R, t = case.state
        unit = case.variables.unit
        # Poses are rounded to float32: steps below some micrometres would be differences of rounding.
        want = case.differences(own, 2e-5)
        errors.append(compared(problem.evaluate(R[None], t[None]).gradient[0] * unit, want * unit)[1])
    assert np.median(errors) < 0.03


@pytest.mark.parametrize("name", CASES)
def test_single_factors_through_the_chains_jacobian(name: str) -> None:
    for seed in SEEDS[:3]:
        case = CASES[name](seed)
        R, t = case.state
        size = case.variables.size
        cost, gradient, normal, each = 0.0, np.zeros(size), np.zeros((size, size)), np.zeros(5)
        for f, (scene, pair) in enumerate(zip(case.scenes, case.pairs, strict=True)):
            alone = problem_of(factor_of(scene, pair.fused, with_normal=True), scene.length)
            R_f, t_f = case.placed(f, R, t)
            own, J = alone.evaluate(R_f[None], t_f[None]), case.motions(f)
            cost, each = cost + own.cost[0], each + own.each[0]
            gradient += J.T @ own.gradient[0]
            normal += J.T @ own.normal[0] @ J
        got = case.problem().evaluate(R[None], t[None])
        unit = case.variables.unit
        scale = np.outer(unit, unit)
        assert got.cost[0] == pytest.approx(cost, rel=1e-5)
        assert got.each[0] == pytest.approx(each, rel=1e-4)
        assert compared(got.gradient[0] * unit, gradient * unit)[1] < 1e-3
        assert np.linalg.norm((got.normal[0] - normal) * scale) < 1e-3 * np.linalg.norm(normal * scale)
        assert np.allclose(got.normal[0] * scale, got.normal[0].T * scale, rtol=1e-9, atol=1e-9 * np.abs(normal).max())


def test_without_normal_matrices_the_gradient_is_the_same() -> None:
    case = CASES["link"](SEEDS[0])
    R, t = case.state
    plain, full = (case.problem(with_normal=wanted).evaluate(R[None], t[None]) for wanted in (False, True))
    assert not plain.normal.any() and full.normal.any()
    assert plain.gradient == pytest.approx(full.gradient, rel=1e-4, abs=1e-4 * np.abs(full.gradient).max())


def test_what_is_known_of_a_pose_counts_for_that_pose_alone() -> None:
    case = CASES["two views, free"](SEEDS[1])
    R, t = case.state
    expected = case.poses[2].retract([0.01, -0.02, 0.005, 0.1, 0.0, -0.05])
    prior = PosePrior(expected, 0.2, 0.02, 0.5)
    quadratic = QuadraticFactor(expected, np.arange(6.0), np.eye(6), 1.0)
    factors = [factor_of(s, p.fused, with_normal=True) for s, p in zip(case.scenes, case.pairs, strict=True)]
    held = PosePrior(FAR.retract([0.01] * 6), 0.2, 0.02, 0.5)
    known = Problem(
        case.variables, factors, case.chains, priors=[(2, prior), (0, held)], quadratics=[(2, quadratic)]
    ).evaluate(R[None], t[None])
    plain = case.problem().evaluate(R[None], t[None])
    assert np.array_equal(known.gradient[0, :6], plain.gradient[0, :6])
    assert np.array_equal(known.normal[0, :6], plain.normal[0, :6])
    alone = Problem(Variables((Variable("camera", 0.7),)), factors[:1], [Chain(0, None)], priors=[(0, prior)],
                    quadratics=[(0, quadratic)])  # fmt: skip
    without = Problem(Variables((Variable("camera", 0.7),)), factors[:1], [Chain(0, None)])
    one, none = (p.evaluate(R[None, 2:], t[None, 2:]) for p in (alone, without))
    assert known.gradient[0, 6:] - plain.gradient[0, 6:] == pytest.approx(one.gradient[0] - none.gradient[0], abs=1e-8)
    assert known.normal[0, 6:, 6:] - plain.normal[0, 6:, 6:] == pytest.approx(one.normal[0] - none.normal[0], rel=1e-9)
    paid = 0.5 * (3e-4 / 0.02**2 + 4.0 * np.sin(0.5 * np.sqrt(3e-4)) ** 2 / 0.2**2)  # by the held camera, all the same
    assert known.cost[0] - plain.cost[0] == pytest.approx(one.cost[0] - none.cost[0] + paid, rel=1e-9)


CAMERAS = (Camera(220.0, 220.0, 47.5, 39.5, 96, 80), Camera(200.0, 210.0, 45.0, 41.0, 92, 84))
VIEWS = (FAR, compose(Pose(so3.exp(np.array([0.1, 0.8, 0.0])), np.array([-0.42, 0.03, 0.2])), FAR))


def objects() -> list[tuple[Mesh, Pose]]:
    """Two painted things half a metre before both cameras, and where they are in the world."""
    made = []
    for shape, offset in ((shapes.box((0.06, 0.08, 0.05), cells=3), -0.03), (shapes.torus(24, 12), 0.03)):
        colors = 0.5 + 0.4 * np.sin(shape.vertices_m @ np.array([[90.0, 20, 40], [10, 70, 20], [30, 0, 80]]))
        in_camera = Pose(so3.exp(np.array([0.5, 0.4, offset * 20])), np.array([offset, 0.01, 0.5]))
        made.append((Mesh(shape.vertices_m, shape.faces, colors=colors), compose(inverse(FAR), in_camera)))
    return made


def test_two_objects_and_a_camera_are_found_in_one_descent() -> None:
    """Four factors: both objects in both pictures. The first camera is held, everything else is off."""
    things, factors, chains = objects(), [], []
    for c, camera in enumerate(CAMERAS):
        for n, (mesh, world) in enumerate(things):
            pose = compose(VIEWS[c], world)
            seen = Renderer(mesh, camera, threads=1).render(pose.R_m2c, pose.t_m2c)
            mask = np.clip(seen.coverage[0], 0.0, 1.0)
            assert mask.sum() > 200
            observation = Observation(camera, rgb=np.clip(seen.rgb[0], 0.0, 1.0), depth=seen.depth[0], mask=mask)
            factors.append(
                ImageFactor(
                    Buffers(mesh, threads=1),
                    observation,
                    responsibility_of(mask),
                    ObjectiveSettings(irls_floor=0.01),
                    length_m=mesh.diameter,
                    with_normal=True,
                )
            )
            chains.append(Chain(c, 2 + n))
    members = (
        Variable("camera 0", 0.5, free=False), Variable("camera 1", 0.5),
        *(Variable(f"object {n}", 0.5 * mesh.diameter) for n, (mesh, _) in enumerate(things)),
    )  # fmt: skip
    problem = Problem(Variables(members), factors, chains)
    truth, rng = [*VIEWS, *(world for _, world in things)], np.random.default_rng(0)
    starts = [
        [truth[0], *(p.retract([*rng.normal(0.0, 0.003, 3), *rng.normal(0.0, 0.03, 3)]) for p in truth[1:])]
        for _ in range(3)
    ]
    R, t = (np.array([[getattr(p, name) for p in start] for start in starts]) for name in ("R_m2c", "t_m2c"))
    found = minimise(problem, R, t, iterations=60, settings=LevenbergSettings())
    best = found.best
    assert np.array_equal(found.R[:, 0], R[:, 0]) and np.array_equal(found.t[:, 0], t[:, 0])
    for p in range(1, 4):
        pose = Pose(found.R[best, p], found.t[best, p])
        assert pose.distance_to(truth[p]) < 1e-3 and pose.angle_to(truth[p]) < np.radians(0.3)
        start = starts[best][p]
        assert pose.distance_to(truth[p]) < 0.2 * start.distance_to(truth[p])


def test_variables_and_chains_that_make_no_problem_are_refused() -> None:
    scene = random_scene(0)
    factor = factor_of(scene, settings((0.7, 1.0, 1.0, 0.0), scene.length).fused)
    one = Variables.one_object(0.05)
    with pytest.raises(DiffDopeError, match="factors: expected at least one, and a chain for each, got 0 factors"):
        Problem(one, [])
    with pytest.raises(DiffDopeError, match="factors: .* got 1 factors and 2 chains"):
        Problem(one, [factor], [Chain(), Chain()])
    with pytest.raises(DiffDopeError, match=r"chains: expected variables 0 to 0, got \[0, 1\]"):
        Problem(one, [factor], [Chain(1, 0)])
    with pytest.raises(DiffDopeError, match=r"chains: expected variables 0 to 0, got \[-1, 0\]"):
        Problem(one, [factor], [Chain(-1, 0)])
    with pytest.raises(DiffDopeError, match="variables: expected at least one that is free, got object"):
        Variables((Variable("object", 0.05, free=False),))
    with pytest.raises(DiffDopeError, match="variables: expected at least one that is free, got none"):
        Variables(())
    with pytest.raises(DiffDopeError, match="variables: expected each name once, got a, a"):
        Variables((Variable("a", 0.05), Variable("a", 0.05)))
    with pytest.raises(DiffDopeError, match="length_m of object: expected"):
        Variable("object", 0.0)
    with pytest.raises(DiffDopeError, match="variables: expected one of object, got base"):
        one.index("base")
    with pytest.raises(DiffDopeError, match="R: expected shape"):
        Problem(one, [factor]).evaluate(np.eye(3), np.zeros(3))
    with pytest.raises(DiffDopeError, match="t: expected shape"):
        Problem(one, [factor]).evaluate(np.eye(3)[None], np.zeros((2, 3)))
