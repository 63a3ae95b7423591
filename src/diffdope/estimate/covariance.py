"""How far off a pose may be: its covariance, and the directions about which the images say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.regression import RegressionContext, TermEquations
from diffdope.note_codes import Note, NoteCode, coded
from diffdope.terms.registry import NoiseSettings

F64 = NDArray[np.float64]

_UNOBSERVED = 0.25  # share of the spread's variance from which on the images might as well say nothing
_NOTHING = 1e-6  # information, as a share of what the spread itself says: it comes from rounding
_PURE = 0.1  # share of a direction's length that may be left out when it is put into words


@dataclass(frozen=True)
class Uncertainty:
    """Of a pose, in (rho [m], phi [rad]).

    covariance (6, 6); unobserved (K, 6) directions, each of length 1 in (rho over half the diameter, phi).
    """

    covariance: F64
    unobserved: F64

    def beside(self, direction: F64, deviation_m: float) -> Uncertainty:
        """The same with a shift along a direction (3,), of a deviation in metres, that nothing else knows of."""
        if deviation_m == 0.0:
            return self
        shift = np.concatenate([direction / np.linalg.norm(direction) * deviation_m, np.zeros(3)])
        return replace(self, covariance=self.covariance + np.outer(shift, shift))


@dataclass(frozen=True)
class InformationEigenbasis:
    """How surely the images determine the pose, by direction.

    directions (6, 6): columns in (rho [m], phi [rad]), as long as the deviation that `NoiseSettings.spread` allows;
    variance (6,) along them from the residuals, in units of the square of that; shifts (M, 6) what an error of one
    deviation that the whole object shares does to the pose, by modality; extent (6,) the most that a deviation may be,
    in units of the spread, that of those that are not observed; by_images (6,) the variance along them, as the former,
    without what is known beside the residuals.
    """

    directions: F64
    variance: F64
    shifts: F64
    by_images: F64
    extent: F64 = field(default_factory=lambda: np.ones(6))

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(6,) which of them are determined notably better than their spread."""
        return self.variance < _UNOBSERVED

    @property
    def shown(self) -> NDArray[np.bool_]:
        """(6,) which of them residuals alone determine so."""
        return self.by_images < _UNOBSERVED


class PoseEvidence(NamedTuple):
    """What modalities say about a pose, in units of the spread.

    everything (6, 6): their information; sure (6, 6): the part that facets cannot have made up; pulls (M, 6): what one
    deviation of an error that the whole object shares adds to the gradient, by modality.
    """

    everything: F64
    sure: F64
    pulls: F64


def spread_of(view: RegressionContext, noise: NoiseSettings) -> F64:
    """(6,) deviations of a pose of which the images say nothing, in (rho [m], phi [rad])."""
    return np.repeat([noise.spread * 2.0 * view.length_m, np.radians(noise.spread_deg)], 3)


def evidence_of(
    parts: Mapping[str, TermEquations], spread: F64, *, correlated: bool = True,
    near: Mapping[str, TermEquations] | None = None,
) -> PoseEvidence:  # fmt: skip
    """What all modalities at one pose say about it.

    Args:
        parts: by modality.
        spread: (6,) units.
        correlated: see `TermEquations.information`.
        near: the same at another pose close by, for that; None for their own.
    """
    close = {} if near is None else near
    known = [part.information(correlated=correlated, near=close.get(name)) for name, part in parts.items()]
    balance = np.outer(spread, spread)
    everything = sum((one.matrix for one in known), np.zeros((6, 6))) * balance
    sure = np.zeros((6, 6))
    for group in (("rgb",), ("depth", "mask")):  # depth and outline feel the same facets
        own = [one for name, one in zip(parts, known, strict=True) if name in group]
        matrix, tessellation = (sum((one[k] for one in own), np.zeros((6, 6))) * balance for k in (0, 1))
        sure += beyond(matrix, tessellation)
    pulls = np.array([one.pull for one in known]).reshape(-1, 6)
    return PoseEvidence(everything, sure, spread * pulls)


def information_eigenbasis(
    parts: Mapping[str, TermEquations],
    view: RegressionContext,
    noise: NoiseSettings,
    *,
    correlated: bool = True,
    also: F64 | None = None,
    near: Mapping[str, TermEquations] | None = None,
) -> InformationEigenbasis:
    """Of the pose that solves the normal equations of all modalities.

    The variance is the inverse of the information, that of the spread included, and of what is known `also` (6, 6).
    For `correlated` and `near` see `evidence_of`.
    """
    spread = spread_of(view, noise)
    everything, images, pulls = evidence_of(parts, spread, correlated=correlated, near=near)
    sure = images
    if also is not None:
        balance = np.outer(spread, spread)
        everything, sure = everything + also * balance, sure + also * balance
    information, basis = np.linalg.eigh(sure)
    basis = in_order(basis, int(np.count_nonzero(information < _NOTHING)), everything)
    shifts = np.linalg.solve(everything + np.eye(6), pulls.T).T * spread
    by_images = np.einsum("ik,ij,jk->k", basis, images, basis)
    variance, shown = (1.0 / (1.0 + np.maximum(one, 0.0)) for one in (information, by_images))
    return InformationEigenbasis(basis * spread[:, None], variance, shifts, shown)


def in_order(basis: F64, count: int, information: F64) -> F64:
    """The same basis (6, 6) with its first columns, of which only rounding tells one from another, told apart.

    Within what they span, they become the eigenvectors of what facets may have made up as well.

    Args:
        basis: columns.
        count: how many of the first are alike.
        information: (6, 6), which is asked.
    """
    if count < 2:
        return basis
    alike = basis[:, :count]
    return np.hstack([alike @ np.linalg.eigh(alike.T @ information @ alike)[1], basis[:, count:]])


def beyond(matrix: F64, tessellation: F64) -> F64:
    """The part of a positive matrix that is more than another; along directions in which it is less, nothing.

    Directions are those of both matrices' common diagonal form, so that the result is never more than the matrix.
    """
    values, vectors = np.linalg.eigh(tessellation)
    if values[-1] <= 0.0:
        return matrix
    values = np.maximum(values, 1e-12 * values[-1])
    root, inverse = (vectors * np.sqrt(values)) @ vectors.T, (vectors / np.sqrt(values)) @ vectors.T
    ratio, basis = np.linalg.eigh(inverse @ matrix @ inverse)
    back = root @ basis
    return np.asarray((back * np.maximum(ratio - 1.0, 0.0)) @ back.T)


def uncertainty(found: InformationEigenbasis, view: RegressionContext, noise: NoiseSettings) -> Uncertainty:
    """Covariance, and what is not observed.

    Along observed directions, the variance that is known, times `inflation` squared; along the others, that of the
    spread; along both, the square of the extent at most. To which comes what errors do that the whole object shares,
    for no residual shows them.
    """
    told = np.where(found.observed, noise.inflation**2 * found.variance, 1.0)
    variance = np.minimum(told, found.extent**2)
    covariance = (found.directions * variance) @ found.directions.T + found.shifts.T @ found.shifts
    hidden = found.directions[:, ~found.observed].T
    size = np.linalg.norm(hidden / view.units, axis=1, keepdims=True)
    return Uncertainty(covariance, hidden / np.maximum(size, 1e-300))


def in_words(unobserved: F64, length_m: float) -> tuple[Note, ...]:
    """What is not observed, for people.

    Args:
        unobserved: (K, 6) directions.
        length_m: half the object's diameter.
    """
    if len(unobserved) == 6:
        text = "the pose is not observed: the images say nothing that the start does not"
        return (Note(NoteCode.UNOBSERVED, text),)
    shift, turn = unobserved[:, :3] / length_m, unobserved[:, 3:]
    sizes = np.linalg.norm(shift, axis=1), np.linalg.norm(turn, axis=1)
    turns, shifts = sizes[0] < _PURE * sizes[1], sizes[1] < _PURE * sizes[0]
    texts = [*pure("rotation about", turn[turns]), *pure("shift along", shift[shifts])]
    for direction in unobserved[~turns & ~shifts]:
        mm_a_degree = 1e3 * np.radians(direction[:3]) / np.linalg.norm(direction[3:])
        text = ", ".join(f"{value:.1f}" for value in mm_a_degree * heading(direction[3:]) + 0.0)
        texts.append(
            f"rotation about camera-frame axis {axis(direction[3:])} with ({text}) mm a degree is not observed"
        )
    return coded(texts, NoteCode.UNOBSERVED)


def pure(what: str, vectors: F64) -> list[str]:
    """At most one note about turns or shifts (K, 3) alone."""
    if len(vectors) == 0:
        return []
    which = "any axis"
    if len(vectors) == 1:
        which = f"camera-frame axis {axis(vectors[0])}"
    elif len(vectors) == 2:
        which = f"any camera-frame axis but {axis(np.cross(*vectors))}"
    return [f"{what} {which} is not observed"]


def heading(vector: F64) -> float:
    """Sign that makes the largest part positive."""
    return float(np.sign(vector[np.abs(vector).argmax()]))


def axis(vector: F64) -> str:
    """A unit vector in brackets, its largest part positive."""
    unit = vector / np.linalg.norm(vector) * heading(vector)
    return "(" + ", ".join(f"{value:.2f}" for value in np.where(np.abs(unit) < 0.005, 0.0, unit)) + ")"
