"""The image terms of one object in one view: the leaf of every problem."""

from __future__ import annotations

from copy import copy
from weakref import WeakKeyDictionary

import numpy as np
from numba import typeof
from numba.core import types
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.problem.fused_pass import evaluate_pose
from diffdope.problem.layout import FactorArrays
from diffdope.problem.linearise_kernel import linearise_pose
from diffdope.problem.linearised import Linearised, PixelLists, blocks_of
from diffdope.problem.pixel_kernels import pack_pixels
from diffdope.problem.responsibility import Responsibility
from diffdope.render.arrays import pinhole_of, readable
from diffdope.render.buffers import Buffers
from diffdope.render.kernels.calls import address_of, call_entry, kind_of
from diffdope.render.kernels.layout import Pinhole, allocate_scratch
from diffdope.render.scratches import Lease
from diffdope.scene.observation import Observation
from diffdope.terms.gradient_magnitude_kernel import add_gradient_magnitude, magnitude_image
from diffdope.terms.layout import DEPTH, EDGE, MASK, RGB, Canvas, IntensityImages, TermWeights
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.registry import IMAGE_TERMS, ObjectiveSettings

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_EMPTY = np.zeros(0, np.float32)
_NO_PLANE, _NO_COLOURS = readable(_EMPTY), readable(np.zeros((0, 3), np.float32))
_AS_IT_IS = (np.zeros(3, np.float32), np.zeros(3, np.float32))
_NO_IMAGES = IntensityImages(_EMPTY, _EMPTY, _EMPTY)


class ImageFactor:
    """What is compared of one object in one view, ready to be evaluated at any pose.

    Immutable; any number of threads may evaluate it at a time.

    Args:
        buffers: the mesh, with scratch memory and threads.
        observation: the observed crop; its camera is the view.
        responsibility: how much each pixel counts.
        settings: weights and caps.
        length_m: metres by which depth residuals are divided; the object's diameter.
        with_normal: whether normal matrices are wanted; they cost about a third more.
        gain: the light that is taken out of the observed colours; None leaves them as they are.

    Raises:
        DiffDopeError: if no pixel counts.
    """

    def __init__(
        self,
        buffers: Buffers,
        observation: Observation,
        responsibility: Responsibility,
        settings: ObjectiveSettings,
        *,
        length_m: float,
        with_normal: bool = False,
        gain: PhotometricGain | None = None,
    ) -> None:
        self.settings, self.buffers, self.with_normal = settings, buffers, with_normal
        self.width, self.height = observation.camera.width, observation.camera.height
        self.weight_sum = float(responsibility.appearance.sum())
        if self.weight_sum <= 0.0:
            raise expected("responsibility", "pixels that count", "none", "is the mask inside the crop?")
        self.active = active_terms(buffers, observation, settings)
        self.weights = np.where(self.active, [term.weight(settings) for term in IMAGE_TERMS], 0.0)
        packed, sums = packed_pixels(observation, responsibility, gain, intensity=bool(self.active[EDGE]))
        self._edge_jacobian = with_normal and bool(self.active[EDGE])
        evaluate, edges = addresses_of(buffers, edges=bool(self.active[EDGE]))
        planes = intensity_images(packed, self.width, self.height) if self.active[EDGE] else _NO_IMAGES
        terms = term_weights(settings, self.weights / self.weight_sum, length_m)
        self.arrays = FactorArrays(
            evaluate, edges, buffers.addresses, buffers.arrays, pinhole_of(observation.camera), packed, planes, terms,
            empty_costs(packed, sums, terms, self.width, self.height, self.active), self.weights, self.weight_sum,
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Triangles and pixels of one evaluation."""
        return self.buffers.passes(self.width, self.height)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the image terms that count."""
        return tuple(term.name for term, on in zip(IMAGE_TERMS, self.active, strict=True) if on)

    def of_depth_times(self, factor: float | F64) -> ImageFactor:
        """The same terms of a depth image whose every number is a multiple: one for all, or one a pixel (H * W,)."""
        other = copy(self)
        packed = self.arrays.packed.copy()
        packed[:, 4] *= np.asarray(factor, np.float32)
        other.arrays = self.arrays._replace(packed=packed)
        return other

    def lease(self, workers: int) -> Lease:
        """Scratch memory for so many threads; see `Buffers.lease`."""
        return self.buffers.lease(self.width, self.height, workers, edge_jacobian=self._edge_jacobian)

    def linearise(self, R_m2c: F64, t_m2c: F64) -> Linearised:
        """Residuals and Jacobians of one pose, (3, 3) and (3,) metres; the gradient magnitude is left out."""
        lists, a = PixelLists.of(self.width * self.height), self.arrays
        R, t = np.ascontiguousarray(R_m2c, np.float32), np.ascontiguousarray(t_m2c, np.float32)
        with self.lease(1) as scratch:
            n, end = call_entry(
                linearise_pose, a.at, a.mesh, a.pinhole, R, t, scratch[0], a.packed, bool(self.active[RGB]), *lists
            )
        return Linearised(blocks_of(lists, n, end, a.pinhole, t, self.modalities), self.width, self.height)


def active_terms(buffers: Buffers, observation: Observation, settings: ObjectiveSettings) -> NDArray[np.bool_]:
    """(4,) which terms have a weight, an observed image and, for colour, a coloured mesh."""
    mesh = buffers.mesh
    return np.array([term.why_off(mesh, observation, settings) is None for term in IMAGE_TERMS])


def packed_pixels(
    observation: Observation, responsibility: Responsibility, gain: PhotometricGain | None = None, *, intensity: bool
) -> tuple[F32, F64]:
    """The observed crop (H*W, 8): red, green, blue, weight, depth, mask, weight of the mask, intensity or nothing.

    Also sums (3,) over it: of weights, of those where there is depth, and of the mask times its weights.
    """
    rgb, depth, mask = observation.rgb, observation.depth, observation.mask
    pixels, sums = observation.camera.height * observation.camera.width, np.zeros(3)
    packed = np.empty((pixels, 8), np.float32)
    light = _AS_IT_IS if gain is None else (gain.gain.astype(np.float32), gain.bias.astype(np.float32))
    pack_pixels(
        _NO_COLOURS if rgb is None else readable(rgb).reshape(pixels, 3),
        _NO_PLANE if depth is None else readable(depth).reshape(pixels),
        _NO_PLANE if mask is None else readable(mask).reshape(pixels),
        readable(responsibility.appearance).reshape(pixels), readable(responsibility.silhouette).reshape(pixels),
        *light, intensity, packed, sums,
    )  # fmt: skip
    return packed, sums


def intensity_images(packed: F32, width: int, height: int) -> IntensityImages:
    """What the gradient magnitude term compares."""
    intensity, gate = np.ascontiguousarray(packed[:, 7]), np.ascontiguousarray(packed[:, 3])
    edge = np.zeros_like(intensity)
    magnitude_image(intensity, width, height, edge)
    return IntensityImages(intensity, edge, gate)


def term_weights(settings: ObjectiveSettings, weights: F64, length_m: float) -> TermWeights:
    """The settings as the kernels take them, for weights (4,) that are divided by the sum of the pixel weights."""
    s, (rgb, depth, mask, edge) = settings, weights.astype(np.float32)
    return TermWeights(
        rgb=rgb, depth=depth, mask=mask, edge=edge,
        cap_rgb=np.float32(s.rgb_cap), cap_depth=np.float32(s.depth_cap), cap_edge=np.float32(s.edge_cap),
        kappa_rgb=np.float32(s.rgb_cap * s.uncovered), kappa_depth=np.float32(s.depth_cap * s.uncovered),
        kappa_edge=np.float32(s.edge_cap * s.uncovered),
        inverse_length=np.float32(1.0 / length_m), floor=np.float32(s.irls_floor),
    )  # fmt: skip


def empty_costs(
    packed: F32, sums: F64, terms: TermWeights, width: int, height: int, active: NDArray[np.bool_]
) -> F64:  # fmt: skip
    """(4,) what a pose that covers nothing pays, unweighted, times the sum of the pixel weights; 0 of what is off.

    Args:
        packed: see `packed_pixels`, as sums.
        sums: over it.
        terms: what is paid.
        width: of the crop.
        height: of the crop.
        active: (4,) which terms count.
    """
    costs = np.zeros(4)
    if active[RGB]:
        costs[RGB] = terms.kappa_rgb * sums[0]
    if active[DEPTH]:
        costs[DEPTH] = terms.kappa_depth * sums[1]
    if active[MASK]:
        costs[MASK] = sums[2]
    if active[EDGE]:
        gate = packed[:, 3].reshape(height, width)
        costs[EDGE] = terms.kappa_edge * gate[1:-1, 1:-1].sum(dtype=np.float64)
    return costs


_ADDRESSES: WeakKeyDictionary[Buffers, dict[bool, tuple[int, int]]] = WeakKeyDictionary()


def addresses_of(buffers: Buffers, *, edges: bool) -> tuple[int, int]:
    """Addresses of the fused pass and, if it is wanted, of the gradient magnitude's, compiled for these buffers."""
    known = _ADDRESSES.setdefault(buffers.origin, {})
    if edges not in known:
        f32, f64 = np.float32, np.float64
        one = f32(1.0)
        terms, pinhole = TermWeights(*[one] * 12), Pinhole(one, one, one, one, 1, 1)
        R, t = np.eye(3, dtype=f32), np.zeros(3, f32)
        scratch = allocate_scratch(1, 1, 1, 1, edge_jacobian=False)
        sums = np.zeros(4, f64), np.zeros(6, f64), np.zeros((6, 6), f64)
        begin = buffers.addresses, buffers.arrays, pinhole, R, t, scratch
        fused = address_of(
            evaluate_pose, types.int64, *begin, np.zeros((1, 8), f32), terms, np.zeros(4), True, *sums,
            Canvas.of(1), True,
        )  # fmt: skip
        magnitude = 0
        if edges:
            magnitude = address_of(
                add_gradient_magnitude, types.none, *begin, _NO_IMAGES, terms, np.zeros(4), True, *sums
            )
        known[edges] = (fused, magnitude)
    return known[edges]


_TYPES: WeakKeyDictionary[Buffers, int] = WeakKeyDictionary()
_KNOWN_KINDS: dict[object, int] = {}
_KNOWN_TYPES: dict[object, int] = {}


def type_of(factor: ImageFactor) -> int:
    """A number for what compiled code takes a factor for: factors of one type share one compiled evaluation."""
    if factor.buffers not in _TYPES:  # hashing a type takes longer than many an evaluation, asking for one longer still
        kind = kind_of(factor.arrays)
        if kind not in _KNOWN_KINDS:
            _KNOWN_KINDS[kind] = _KNOWN_TYPES.setdefault(typeof(factor.arrays), len(_KNOWN_TYPES))
        _TYPES[factor.buffers] = _KNOWN_KINDS[kind]
    return _TYPES[factor.buffers]
