"""Which process compiles which kernels, and how: each reaches every kernel, as a refinement does, and compiles its own.

Kernels call each other by address, so that each can be compiled without the others. What they are compiled for are the
arguments with which the library's own code comes to them here; nothing is called.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from diffdope.pipelines.compilation.compile_faster import compile_faster
from diffdope.pipelines.compilation.lazy_entries import Replaced

if TYPE_CHECKING:
    from diffdope.pipelines.settings import Solver
    from diffdope.problem.factor import ImageFactor
    from diffdope.problem.problem import Problem

_LEVELS = "levels of detail"  # all kernels that make them, and that find approximate symmetries
# Seconds of one core. Kernels that are missing here are compiled all the same, by the last process.
_SECONDS = {
    "prepare_pose": 3.6, "shade_chunk": 0.9, "evaluate_pose": 1.8, "evaluate_problem": 1.3, "evaluate_queue": 0.7,
    "linearise_pose": 0.7, "render_poses": 0.5, "mean_of_blocks": 0.3, "depth_of_blocks": 0.7,
    "line_through": 0.2, "fit_lines": 0.2, "remove_shading": 0.9, "pack_pixels": 0.2,
    "hide_behind_nearer": 0.5, "count_border": 0.1, "sum_shared": 0.1, "mark_used": 0.4, "fill_unused": 0.3,
    "fill_holes": 0.2, "fill_pyramid": 0.2,
}  # fmt: skip
_OF_SOLVER = {
    "newton": {
        _LEVELS: 4.5, "descend_queue": 2.3, "screen": 0.4, "screen_box": 0.7, "score_poses": 0.7,
        "descend_planes": 0.7, "reduce_channels": 0.6, "inform": 1.2, "correlation_of": 1.7,
    },
    "descent": {"step_queue": 1.0},
}  # fmt: skip
_OF_EDGES = {"add_gradient_magnitude": 0.8, "magnitude_image": 0.1}


def seconds_of(*, edges: bool, solver: Solver) -> dict[str, float]:
    """How long each kernel takes, by its name."""
    return _SECONDS | _OF_SOLVER[solver] | (_OF_EDGES if edges else {})


def most_shares(*, edges: bool, solver: Solver) -> int:
    """With more processes, all of them would only wait for the longest kernel."""
    seconds = seconds_of(edges=edges, solver=solver)
    return max(1, round(sum(seconds.values()) / max(seconds.values())))


def shares(seconds: Mapping[str, float], count: int) -> list[set[str]]:
    """Names for each of `count` processes: the longest first, each to who has least to do (Graham 1969)."""
    found: list[set[str]] = [set() for _ in range(count)]
    load = [0.0] * count
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        least = load.index(min(load))
        found[least].add(name)
        load[least] += seconds[name]
    return found


def compile_share(number: int, count: int, *, edges: bool, solver: Solver) -> None:
    """Compiles the share of process `number` of `count`, in a process that then ends: kernels do nothing afterwards."""
    logging.getLogger("diffdope").setLevel(logging.ERROR)  # the process that started this one says that it compiles
    compile_faster()
    divided = shares(seconds_of(edges=edges, solver=solver), count)
    others = set().union(*(names for k, names in enumerate(divided) if k != number))
    last = number == count - 1
    if _LEVELS in divided[number]:
        _reduce_mesh()
    reach_all(lambda name: name in divided[number] or (last and name not in others), edges=edges, solver=solver)


def reach_all(wanted: Callable[[str], bool], *, edges: bool, solver: Solver) -> None:
    """Comes to every kernel, of which those that are wanted are compiled and none is called; see `compile_share`."""
    Replaced(wanted)
    problem, factor = _problem(edges=edges, normal=solver == "newton")
    _solve(problem, solver)
    _draw_and_linearise(factor)
    _reduce_images()
    _fill_texture()
    _fit_gain()
    _weigh_pixels()
    if solver == "newton":
        _regress()
        _screen(factor)
        _align()


def _problem(*, edges: bool, normal: bool) -> tuple[Problem, ImageFactor]:
    """One object in one view; only types count, and none depends on the object."""
    import numpy as np

    from diffdope.geometry.camera import Camera
    from diffdope.problem.factor import ImageFactor
    from diffdope.problem.problem import Problem
    from diffdope.problem.responsibility import Responsibility
    from diffdope.problem.variables import Variables
    from diffdope.render.buffers import Buffers
    from diffdope.scene.mesh import Mesh
    from diffdope.scene.observation import Observation
    from diffdope.terms.registry import ObjectiveSettings

    vertices_m = 0.04 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
    mesh = Mesh(vertices_m, np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]), colors=np.eye(4, 3))
    size = 24
    images = {"rgb": np.zeros((size, size, 3)), "depth": np.full((size, size), 0.5), "mask": np.ones((size, size))}
    observation = Observation(Camera(60.0, 60.0, 11.5, 11.5, size, size), **images)  # type: ignore[arg-type]
    factor = ImageFactor(
        Buffers(mesh, threads=1), observation, Responsibility.everywhere(size, size),
        ObjectiveSettings(edge_weight=1.0 if edges else 0.0), length_m=0.1, with_normal=normal,
    )  # fmt: skip
    return Problem(Variables.one_object(0.05), [factor]), factor


def _solve(problem: Problem, solver: Solver) -> None:
    import numpy as np

    from diffdope.solve.gradient_descent import DescentSettings, descend
    from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise

    R, t = np.eye(3)[None, None], np.zeros((1, 1, 3))
    if solver == "newton":
        minimise(problem, R, t, iterations=1, settings=LevenbergSettings())
    else:
        descend(problem, R, t, DescentSettings(hypotheses=1, iterations=1), np.ones(1))
    problem.evaluate(R, t)


def _draw_and_linearise(factor: ImageFactor) -> None:
    import numpy as np

    from diffdope.geometry.camera import Camera
    from diffdope.geometry.pose import Pose
    from diffdope.render.renderer import draw
    from diffdope.terms.photometric_gain import HOLD, NEUTRAL
    from diffdope.terms.shading import without_shading

    pose = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    images = draw(factor.buffers, Camera(60.0, 60.0, 11.5, 11.5, 24, 24), pose)
    shape = factor.buffers.arrays.shape
    without_shading(images, shape, pose, images.rgb[0], images.coverage[0], NEUTRAL, hold=HOLD)
    if factor.with_normal:
        with suppress(IndexError, ValueError):  # of a pose that shows nothing
            factor.linearise(np.eye(3), np.array([0.0, 0.0, 0.5]))


def _reduce_images() -> None:
    import numpy as np

    from diffdope.geometry.crop import CropWindow
    from diffdope.scene.stored_image import StoredImage

    window, image = CropWindow(0, 0, 8, 8, 2), StoredImage(np.zeros((8, 8), np.float32))
    image.mean(window)
    image.depth(window)


def _fill_texture() -> None:
    import numpy as np

    from diffdope.scene import texture_gaps_kernel as kernel

    used, sizes = np.zeros((2, 2), np.uint8), np.ones(1, np.int64)
    kernel.mark_used(np.zeros((1, 3, 2)), 1, used)
    kernel.fill_unused(np.zeros((2, 2, 3), np.uint8), used, np.zeros((1, 4), np.float32), sizes, sizes)


def _reduce_mesh() -> None:
    """Levels of detail and symmetries of a mesh, for good: what comes next depends on what was found before."""
    import numpy as np

    from diffdope.pipelines.compilation.bumpy_sphere import bumpy_sphere
    from diffdope.scene.alikeness import Alikeness
    from diffdope.scene.lod import levels_of_detail
    from diffdope.scene.lookalikes import lookalikes
    from diffdope.scene.nearest import Tree

    mesh = bumpy_sphere()
    levels_of_detail(mesh, [500, 2000])
    lookalikes(mesh)
    Alikeness(mesh).unnoticed(np.eye(3), np.zeros(3))
    Tree(mesh.vertices_m, mesh.faces).nearest(np.zeros((1, 3)), np.inf)  # of motions that are noticed late


def _fit_gain() -> None:
    import numpy as np

    from diffdope.terms.photometric_gain import fit_gain_at, lines_through

    colors = np.zeros((3, 9))
    lines_through(colors, colors, np.zeros(3))
    image, plane = np.zeros((3, 3, 3), np.float32), np.zeros((3, 3), np.float32)
    fit_gain_at(image, image, plane, plane, with_bias=True, hold=0.0)


def _weigh_pixels() -> None:
    import numpy as np

    from diffdope.geometry.camera import Camera
    from diffdope.problem.responsibility import border_error, responsibility_of, silhouette_weights
    from diffdope.scene.observation import Observation

    plane = np.ones((8, 8), np.float32)
    seen = Observation(Camera(9.0, 9.0, 4.0, 4.0, 8, 8), depth=plane, mask=plane)
    weights = silhouette_weights(plane, seen, share=0.1, diameter_m=0.1)
    responsibility_of(plane, seen, weights)
    border_error(plane, plane, weights)


def _regress() -> None:
    import numpy as np

    from diffdope.estimate.channels import Channels, SeenSurface

    n, f32 = 9, np.float32
    channels, pixel = Channels(np.ones((3, 9, n), f32), np.ones(n, f32)), np.arange(n, dtype=np.int32)
    surface = SeenSurface(np.ones(n, f32), np.ones((3, n), f32), np.ones((6, n), f32), 0.0)
    with suppress(TypeError):  # of a loss that no kernel has summed
        channels.reduce(1.0, 1.0)
    channels.inform(1.0, 1.0, surface, light=True)
    with suppress(TypeError):
        channels.correlation(1.0, np.ones(6), pixel, 3, (3,))


def _screen(factor: ImageFactor) -> None:
    import numpy as np

    from diffdope.problem import box_screening_kernel as box
    from diffdope.problem import screening_kernel as kernel
    from diffdope.search.proposals.box_proposals import explained

    flat, color, one = np.zeros((1, 3, 3), np.float32), np.zeros((1, 3, 3, 3), np.float32), np.ones(1, np.float32)
    seen = kernel.Seen(flat[0], flat[0], flat[0], color[0], one[0], one[0])
    placements = kernel.Placements(np.zeros(1, np.int64), one, one, one, one)
    kernel.screen(seen, kernel.Templates(flat, color), placements, 0, 1, kernel.Penalties(*7 * [one[0]]), one, one)
    four, templates = np.zeros(4, np.float32), kernel.Templates(flat, color)
    in_box = box.BoxSeen(flat[0], color[0], four, one[0])
    bins, pay = np.zeros(box.BINS, np.float32), box.BoxPenalties(*7 * [one[0]])
    box.screen_box(in_box, templates, placements, 0, 1, np.int64(1), pay, bins, one, one)
    explained(
        factor.buffers, factor.arrays.pinhole, in_box, pay, np.eye(3, dtype=np.float32)[None],
        np.zeros((1, 3), np.float32),
    )  # fmt: skip


def _align() -> None:
    import numpy as np

    from diffdope.geometry.pose import Pose
    from diffdope.pipelines.compilation.bumpy_sphere import bumpy_sphere
    from diffdope.search.proposals.closest_points import ClosestPointSettings, Surface, aligned

    surface, seen = Surface.of(bumpy_sphere()), np.tile([0.0, 0.0, 0.5], (50, 1))
    start = Pose(np.eye(3), np.array([0.0, 0.0, 0.6]))
    with suppress(np.linalg.LinAlgError):  # of sums that no kernel has made
        aligned(
            surface, seen, start, ClosestPointSettings(starts=1, iterations=2),
            diameter_m=0.1, stays=False, rng=np.random.default_rng(0),
        )  # fmt: skip
