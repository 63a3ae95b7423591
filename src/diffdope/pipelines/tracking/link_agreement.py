"""Whether the links of a robot agree about a frame: joint values of another moment move some of them, and not others.

The pose of the base gives way to joints that are wrong, until most of the arm lies on its own depth: no fit of the
whole tells. So links are compared with each other, after what they share is taken out: the scale and offset of a depth
camera, its noise, and a mask that is everywhere too wide or too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import choose_crop
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.tracking.wrong_joint import SeenDepths, most_telling
from diffdope.problem.failure import Status
from diffdope.problem.region import box_of
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import draw
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Posed, Robot, Screws
from diffdope.search.checks.contradictions import CONTRADICTED
from diffdope.solve.robust import GAUSSIAN

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

LEAST_PIXELS = 30
"""Pixels, or points of an outline, of a link: fewer are chance."""
_SIZE, _MARGIN = 200, 0.05  # longest side of the crop, pixels, and what is added about it
_OFF = 1.0 / 3.0  # of the tolerance: a link that is farther off moves the surface by a good part of it
_DEVIATIONS = 3.0  # of the depths within a link
_MOST_DEVIATION = 0.5  # of the tolerance: within links that depths leave, they spread as much as one likes
_COMMON = 0.03  # of the distance, that depth may read too far, or farther at one end of the robot than in its middle
_REACH = 0.05  # of the distance: depths that are farther off are of something else
_HIDES = 0.1  # of the distance: what is nearer than that hides the robot, without a mask
_BEHIND = 0.25  # share of a link's depths; six pictures of a real arm, whose noise is 12 mm: 0.24 at most
_OUTSIDE = 0.1  # share of a link's pixels; those pictures, whose masks lack the foot: 0.07 at most
_UNSEEN, _SEEN = 0.5, 0.1  # shares of a link without depth: of one that nothing shows, and of the others, usually
_EVEN = 0.5  # confidence where nothing says whether a link is there


class LinkShares(NamedTuple):
    """Of each of L links a share of its drawn pixels, NaN where too few are seen, or nothing tells.

    behind: whose depth is farther away than the link, more than what links share and noise explain; before: nearer, by
    twice as much; outside: that lie so far from the mask; unseen: without depth. beside: pixels of the mask that lie so
    far from the robot. depths: by which the joint is told, on `camera`, that of the crop; None without depth. masked:
    whether a mask counts.
    """

    behind: F64
    before: F64
    outside: F64
    unseen: F64
    beside: int
    depths: SeenDepths | None
    camera: Camera
    masked: bool


def share_by_link(link: I64, good: Bool, count: int) -> F64:
    """(L,) share of what each link has, NaN where it has too little.

    Args:
        link: (N,) numbers.
        good: (N,) of the same.
        count: L.
    """
    of = np.bincount(link, minlength=count)
    return np.where(of >= LEAST_PIXELS, np.bincount(link, good, minlength=count) / np.maximum(of, 1), np.nan)


class LinkAgreement:
    """Doubts frames in which some links of a robot do not fit, and says from which joint on.

    Args:
        robot: as it is compared.
    """

    def __init__(self, robot: Robot) -> None:
        moved = robot.screws({joint.name: 0.0 for joint in robot.moving})
        acts = (np.abs(moved.axis) + np.abs(moved.shift)).max(axis=2) > 0.0
        needed = set(robot.needed)
        self._joints = {joint.name: row for joint, row in zip(robot.moving, acts, strict=True) if joint.name in needed}
        self._links = tuple(link.name for link in robot.links)
        self._robot = robot

    def weighed(
        self, result: RefinementResult, observation: Observation, joints: Mapping[str, float], posed: Posed
    ) -> RefinementResult:
        """A frame's result, and no surer than its links allow.

        Args:
            result: of the frame, its pose that of the base.
            observation: the frame.
            joints: as they were told.
            posed: the robot at them.
        """
        sure = result.ok and result.confidence is not None and result.confidence > CONTRADICTED
        if not sure or not self._joints:  # links of one piece have nothing to disagree about
            return result
        shares = self._shares(result, observation, posed)
        if shares is None:
            return result
        off = shares.behind > _BEHIND
        if shares.masked:  # what hides a link is not in the mask
            off |= shares.before > _BEHIND
        if shares.beside >= LEAST_PIXELS:  # a mask that lacks a part shows nothing elsewhere
            off |= shares.outside > _OUTSIDE
        if off.any():
            text = f"{self._named(off)} not where drawn, beside the other links"
            return self._no_surer(result, text, CONTRADICTED, off, joints, shares)
        hidden = shares.before > _BEHIND
        if not shares.masked and hidden.any():
            text = f"depth is closely before {self._named(hidden)}, which something hides or which is elsewhere"
            return self._no_surer(result, text, _EVEN, hidden, joints, shares)
        unseen = shares.unseen > _UNSEEN
        if unseen.any() and np.nanmedian(shares.unseen) < _SEEN:
            text = f"nearly no depth where {self._named(unseen)} would be, and there is no mask"
            return self._no_surer(result, text, _EVEN, unseen, joints, shares)
        return result

    def _named(self, some: Bool) -> str:
        return ", ".join(self._links[n] for n in np.flatnonzero(some))

    def _no_surer(
        self, result: RefinementResult, text: str, most: float, off: Bool, joints: Mapping[str, float],
        shares: LinkShares,
    ) -> RefinementResult:  # fmt: skip
        each = np.array([shares.behind, shares.outside, shares.unseen])
        joint = self._told(result, joints, shares) or self._first(off, np.isfinite(each).any(axis=0))
        where = f"{joint} or one beside it"  # as exactly as depths tell
        said = f"film: {text}: is {where}, from which on links do not fit, of another moment, sign or zero?"
        notes = (*result.notes, Note(NoteCode.LINK_MISFIT, said))
        return replace(result, confidence=min(result.confidence or 0.0, most), notes=notes)

    def _shares(self, result: RefinementResult, observation: Observation, posed: Posed) -> LinkShares | None:
        from scipy.ndimage import binary_erosion, distance_transform_edt

        tolerance_m, pose, count = result.tolerance_m, result.pose, len(self._links)
        box = box_of(pose.apply(posed.mesh.vertices_m), observation.camera)
        if tolerance_m is None or isinstance(box, Status):
            return None
        boxes = [box] if observation.mask_box is None else [box, observation.mask_box]
        crop = observation.crop(choose_crop(boxes, observation.camera, margin=_MARGIN, max_size=_SIZE))
        buffers = Buffers(posed.mesh)
        drawn = draw(buffers, crop.camera, pose)
        face, drawn_m = drawn.triangle_id[0], drawn.depth[0].astype(np.float64)
        inside = face >= 0
        if not inside.any():
            return None
        link = np.where(inside, posed.link[np.maximum(face, 0)], -1)
        behind = before = outside = unseen = np.full(count, np.nan)
        depths, beside = None, 0
        masked = crop.mask is not None and "mask" in result.modalities  # a box, or a mask that is refused, is none
        if crop.mask is not None and masked:
            mask, metre = crop.mask > 0.5, 1.0 / crop.camera.fx  # of a pixel, at depth 1
            if mask.any():
                away_m = metre * drawn_m * distance_transform_edt(~mask)
                outside = share_by_link(link[inside], (away_m > _OFF * tolerance_m)[inside], count)
                there_m = metre * float(np.median(drawn_m[inside])) * distance_transform_edt(~inside)
                beside = int(np.count_nonzero(mask & (there_m > _OFF * tolerance_m)))
        if crop.depth is not None and "depth" in result.modalities:
            core = binary_erosion(inside)
            measured = core & (crop.depth > 0.0)
            if not masked:
                unseen = share_by_link(link[core], ~measured[core], count)
            away = crop.depth[measured] - drawn_m[measured]
            shown = None if crop.mask is None or not masked else crop.mask[measured] > 0.5
            behind, before = apart_by_link(link[measured], drawn_m[measured], away, count, tolerance_m, shown)
            shape, (row, column) = buffers.arrays.shape, np.nonzero(measured)
            normal = np.stack([part[face[measured]] for part in (shape.normal_x, shape.normal_y, shape.normal_z)], 1)
            depths = SeenDepths(row, column, drawn_m[measured], away, normal @ pose.R_m2c.T, link[measured])
        return LinkShares(behind, before, outside, unseen, beside, depths, crop.camera, masked)

    def _told(self, result: RefinementResult, joints: Mapping[str, float], shares: LinkShares) -> str | None:
        """The joint that depths tell."""
        if shares.depths is None or result.tolerance_m is None:
            return None
        screws = self._robot.screws(self._robot.checked(joints))
        rows = [n for n, joint in enumerate(self._robot.moving) if joint.name in self._joints]
        needed = Screws(screws.axis[rows], screws.shift[rows])
        told = most_telling(shares.depths, needed, result.pose, shares.camera, _OFF * result.tolerance_m)
        return None if told is None else self._robot.moving[rows[told]].name

    def _first(self, off: Bool, seen: Bool) -> str:
        """The joint that best parts the links that fit from those that do not, the first of several."""
        joints = list(self._joints)
        alike = [int(np.count_nonzero((acts == off)[seen])) for acts in self._joints.values()]
        apart = [max(one, int(seen.sum()) - one) for one in alike]  # the pose may follow the links beyond it
        return joints[int(np.argmax(apart))]


def apart_by_link(
    link: I64, drawn_m: F64, away: F64, count: int, tolerance_m: float, shown: Bool | None = None
) -> tuple[F64, F64]:
    """(L,) shares of the depths behind each link, and before it, beyond what links share and noise explain.

    Before it by twice as much: a mask that depth does not agree with holds the pose, and links of one end are nearer.

    Args:
        link: (N,) number of the link that each depth should lie on.
        drawn_m: (N,) where it is drawn.
        away: (N,) how far behind that it was measured, metres.
        count: L.
        tolerance_m: what the confidence is about.
        shown: (N,) whether a mask has the robot there; what is before it elsewhere hides it. None without a mask: what
            is much nearer may hide it then.
    """
    close = np.abs(away) < _REACH * drawn_m
    if np.count_nonzero(close) >= LEAST_PIXELS:
        away = away - _common(drawn_m, away, close, _OFF * tolerance_m)
    middle = _medians(link, away, count)
    spread = _medians(link, np.abs(away - middle[link]), count)
    known = spread[~np.isnan(spread)]
    if not len(known):
        return np.full(count, np.nan), np.full(count, np.nan)
    deviation_m = min(GAUSSIAN * float(np.median(known)), _MOST_DEVIATION * tolerance_m)
    most_m = _OFF * tolerance_m + _DEVIATIONS * deviation_m
    nearer = away < -2.0 * most_m
    nearer &= away > -_HIDES * drawn_m if shown is None else shown
    return share_by_link(link, away > most_m, count), share_by_link(link, nearer, count)


def _common(drawn_m: F64, away: F64, close: Bool, scale_m: float) -> F64:
    """(N,) a line over the drawn depth that most of (N,) lie on: Tukey's biweight, whose width shrinks to a scale."""
    middle_m, spread_m = float(np.median(drawn_m)), max(float(np.std(drawn_m)), 1e-6)
    terms = np.stack([np.ones(len(away)), (drawn_m - middle_m) / spread_m], axis=1)
    line = np.array([np.median(away[close]), 0.0])
    A, b = terms[close], away[close]
    for width_m in (8.0 * scale_m, 4.0 * scale_m, 2.0 * scale_m, *[scale_m] * 5):
        weight = np.maximum(1.0 - ((b - A @ line) / width_m) ** 2, 0.0) ** 2
        line = np.linalg.solve(A.T @ (weight[:, None] * A) + 1e-9 * np.eye(2), A.T @ (weight * b))
    return np.asarray(terms @ np.clip(line, -_COMMON * middle_m, _COMMON * middle_m))


def _medians(link: I64, values: F64, count: int) -> F64:
    """(L,) of each link; NaN where it has too few."""
    each = (values[link == n] for n in range(count))
    return np.array([np.median(one) if len(one) >= LEAST_PIXELS else np.nan for one in each])
