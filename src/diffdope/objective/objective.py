"""The cost of poses of one mesh against one observed crop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.objective.edges import add_edges_queue, magnitude_image
from diffdope.objective.kernel import evaluate_queue
from diffdope.objective.layout import DEPTH, EDGE, MASK, MODALITIES, NOTHING, RGB, Observed, Painted, Terms
from diffdope.objective.linear import CHANNELS, Block, Linearised, Lists
from diffdope.objective.linear_kernel import linearise_pose
from diffdope.objective.settings import ObjectiveSettings
from diffdope.render.arrays import pinhole_of
from diffdope.render.buffers import Buffers
from diffdope.render.kernels.layout import MeshArrays, Pinhole
from diffdope.render.scratches import Lease
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class Evaluation(NamedTuple):
    """Costs and derivatives of B poses; the arrays are reused by the next evaluation.

    modality_costs (B, 4) unweighted, in the order rgb, depth, mask, edge; cost (B,) their weighted sum; gradient
    (B, 6) and normal (B, 6, 6) = J^T W J in (rho [m], phi [rad]); covered (B,) pixels that the object covers.
    """

    cost: F64
    modality_costs: F64
    gradient: F64
    normal: F64
    covered: NDArray[np.int64]


class Objective:
    """A callable from poses to costs, gradients and normal matrices.

    Args:
        buffers: the mesh and its scratch.
        observation: the observed crop; its camera is the view.
        gate: (H, W) in [0, 1], how much each pixel counts for rgb, depth and edges.
        settings: weights and caps.
        care: (H, W) in [0, 1], how much each pixel counts for the mask; None for 1 everywhere.
        length_m: metres by which depth residuals are divided; the object's diameter.
        with_normal: whether normal matrices are wanted; they cost about a third more.
    """

    def __init__(
        self,
        buffers: Buffers,
        observation: Observation,
        gate: NDArray[np.floating],
        settings: ObjectiveSettings,
        *,
        care: NDArray[np.floating] | None = None,
        length_m: float,
        with_normal: bool = False,
    ) -> None:
        self.settings = settings
        self._buffers, self._with_normal = buffers, with_normal
        self._view: Pinhole = pinhole_of(observation.camera)
        self._edge_jacobian = with_normal and settings.edge_weight > 0
        self._gate_sum = float(gate.sum())
        if self._gate_sum <= 0.0:
            raise DiffDopeError("gate: expected pixels that count, got none; is the mask inside the crop?")
        self.active = active_modalities(buffers.arrays, observation, settings)
        self.weights = np.where(self.active, modality_weights(settings), 0.0)
        self._observed = observed_arrays(observation, gate, care, with_edges=bool(self.active[EDGE]))
        self._terms = self._make_terms(length_m)
        self._empty = self._empty_costs()
        self._out: Evaluation | None = None
        self._lists: Lists | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities that count."""
        return tuple(name for name, on in zip(MODALITIES, self.active, strict=True) if on)

    def _make_terms(self, length_m: float) -> Terms:
        s, weights = self.settings, (self.weights / self._gate_sum).astype(np.float32)
        return Terms(
            rgb=weights[RGB], depth=weights[DEPTH], mask=weights[MASK], edge=weights[EDGE],
            cap_rgb=np.float32(s.rgb_cap), cap_depth=np.float32(s.depth_cap), cap_edge=np.float32(s.edge_cap),
            kappa_rgb=np.float32(s.rgb_cap * s.uncovered), kappa_depth=np.float32(s.depth_cap * s.uncovered),
            kappa_edge=np.float32(s.edge_cap * s.uncovered),
            inverse_length=np.float32(1.0 / length_m), floor=np.float32(s.irls_floor),
        )  # fmt: skip

    def _empty_costs(self) -> F64:
        """What a hypothesis that covers nothing pays, per modality, times the gate's sum."""
        o, terms = self._observed, self._terms
        inner = np.zeros((self._view.height, self._view.width), bool)
        inner[1:-1, 1:-1] = True
        costs = np.zeros(4)
        costs[RGB] = terms.kappa_rgb * self._gate_sum
        costs[DEPTH] = terms.kappa_depth * o.gate.sum(where=o.depth > 0, dtype=np.float64)
        costs[MASK] = (o.care * o.mask).sum(dtype=np.float64)
        costs[EDGE] = terms.kappa_edge * o.gate.sum(where=inner.ravel(), dtype=np.float64)
        return costs

    def __call__(self, R_m2c: F64, t_m2c: F64, painted: Painted = NOTHING) -> Evaluation:
        """Evaluates B poses, (B, 3, 3) and (B, 3) metres.

        Args:
            R_m2c: rotations.
            t_m2c: translations.
            painted: a `canvas` of the crop's size: takes the images of the first pose, which cost next to nothing here.
        """
        b = len(t_m2c)
        if self._out is None or len(self._out.cost) != b:
            self._out = Evaluation(
                np.zeros(b), np.zeros((b, 4)), np.zeros((b, 6)), np.zeros((b, 6, 6)), np.zeros(b, np.int64)
            )
        out = self._out
        R, t = np.ascontiguousarray(R_m2c, np.float32), np.ascontiguousarray(t_m2c, np.float32)

        shared = (self._buffers.addresses, self._buffers.arrays, self._view, R, t)
        o, queue, terms = self._observed, np.zeros(1, np.int64), (self._terms, self._empty, self._with_normal)
        results = (out.modality_costs, out.gradient, out.normal)

        with self._lease(b) as scratch:

            def work(worker: int) -> None:
                evaluate_queue(*shared, scratch[worker], o.packed, *terms, queue, *results, out.covered, painted)

            def work_edges(worker: int) -> None:
                add_edges_queue(*shared, scratch[worker], o, *terms, queue, *results)

            self._buffers.pool.share(work, b)
            if self.active[EDGE]:
                queue[0] = 0
                self._buffers.pool.share(work_edges, b)
        out.modality_costs[:] = np.where(self.active, out.modality_costs / self._gate_sum, 0.0)
        np.matmul(out.modality_costs, self.weights, out=out.cost)
        return out

    def linearise(self, R_m2c: F64, t_m2c: F64) -> Linearised:
        """Residuals and Jacobians of one pose, (3, 3) and (3,) metres; edges are left out."""
        if self._lists is None:
            self._lists = Lists.of(self._view.width * self._view.height)
        lists, o = self._lists, self._observed
        R, t = np.ascontiguousarray(R_m2c, np.float32), np.ascontiguousarray(t_m2c, np.float32)
        with self._lease(1) as scratch:
            n, end = linearise_pose(
                self._buffers.addresses,
                self._buffers.arrays,
                self._view,
                R,
                t,
                scratch[0],
                bool(self.active[RGB]),
                *lists,
            )
        planes = {"rgb": (o.red, o.green, o.blue), "depth": (o.depth,), "mask": (o.mask,)}
        inside, rim = lists.pixel[:n], lists.pixel[n:end]
        gate = o.gate[inside]
        moves = (lists.jacobian[4, :3, n:end] != 0.0).any(axis=0)  # of two pixels at a contour, one is blended
        counts = {"rgb": gate, "depth": gate * (o.depth[inside] > 0.0), "mask": o.care[rim] * moves}
        blocks = {}
        for name, channels in CHANNELS.items():
            part = slice(n, end) if name == "mask" else slice(0, n)
            if name not in self.modalities or not counts[name].any():
                continue
            pixel, rendered = lists.pixel[part], lists.rendered[channels, part]
            offset = self._at_distance(pixel, t) if name == "mask" else lists.offset[:, part]
            residual = rendered - np.stack([plane[pixel] for plane in planes[name]])
            lever = np.ones(len(pixel), np.float32)
            if name == "rgb":  # of depth, the first three are the normal over its share along the ray
                lever = np.maximum((lists.jacobian[3, :3, part] ** 2).sum(axis=0) - np.float32(1.0), np.float32(0.0))
            jacobian, slide = lists.jacobian[channels, :, part], None if name == "mask" else lists.jacobian[3, :, part]
            blocks[name] = Block(residual, jacobian, rendered, counts[name], pixel, offset, lever, slide)
        return Linearised(blocks, self._view.width, self._view.height)

    def _lease(self, b: int) -> Lease:
        workers = self._buffers.pool.workers(b)
        return self._buffers.lease(self._view.width, self._view.height, workers, edge_jacobian=self._edge_jacobian)

    def _at_distance(self, pixel: NDArray[np.int32], t_m2c: F32) -> F32:
        """Places (3, N) relative to the object's origin of pixels at its distance: where on a contour is not known."""
        view, z = self._view, t_m2c[2]
        u, v = pixel % view.width, pixel // view.width
        x, y = (u - view.cx) / view.fx * z - t_m2c[0], (v - view.cy) / view.fy * z - t_m2c[1]
        return np.stack([x, y, np.zeros_like(x)]).astype(np.float32)


def modality_weights(settings: ObjectiveSettings) -> F64:
    """Weights in the order of MODALITIES."""
    return np.array([settings.rgb_weight, settings.depth_weight, settings.mask_weight, settings.edge_weight])


def active_modalities(mesh: MeshArrays, observation: Observation, settings: ObjectiveSettings) -> NDArray[np.bool_]:
    """Which modalities have a weight, an observed image and, for colour, a coloured mesh."""
    color = observation.rgb is not None and mesh.skin.shading != 0
    there = np.array([color, observation.depth is not None, observation.mask is not None, color])
    return there & (modality_weights(settings) > 0.0)


def observed_arrays(
    observation: Observation, gate: NDArray[np.floating], care: NDArray[np.floating] | None, *, with_edges: bool
) -> Observed:
    """The crop as flat planes; what is missing is zero."""
    width, height = observation.camera.width, observation.camera.height
    n = width * height

    def plane(image: NDArray[np.floating] | None) -> F32:
        return np.zeros(n, np.float32) if image is None else np.ascontiguousarray(image, np.float32).reshape(n)

    rgb = observation.rgb if observation.rgb is not None else np.zeros((height, width, 3), np.float32)
    red, green, blue = (plane(rgb[..., c]) for c in range(3))
    intensity = (red + green + blue) / np.float32(3.0)
    edge = np.zeros(n, np.float32)
    if with_edges:
        magnitude_image(intensity, width, height, edge)
    careful = np.ones(n, np.float32) if care is None else plane(care)
    depth, mask = plane(observation.depth), plane(observation.mask)
    counts = plane(gate)
    packed = np.stack([red, green, blue, counts, depth, mask, careful, intensity], axis=1)
    return Observed(red, green, blue, depth, mask, careful, counts, intensity, edge, packed)
