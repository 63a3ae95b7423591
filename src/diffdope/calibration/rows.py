"""Residuals of one picture and how they move with the camera's pose, with joints, and with what is wrong with images.

Outline: along the normal of the drawn outline, how far away the mask's border is, pixels (Harris and Stennett's RAPID,
1990). Surface: drawn less measured depth, metres, along the pixel's ray. Both are told apart by the link that they lie
on, whose joints move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from diffdope.calibration.outline import Outline, crossing, outline_of
from diffdope.calibration.shots import ArmShot
from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.problem.region import box_of
from diffdope.render.renderer import RenderedImages, Renderer
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

SUPPORT_SIZE = 200
"""Pixels of the longest side of crops in which outlines are compared with masks."""
SUPPORT_REACH_PX = 2.0
"""Of these crops, how far the mask's border may be from an outline that it meets."""
INNER_PX = 2
"""Pixels by which depths keep away from the borders of mask and drawing: there, sensors mix surfaces."""
_GRAZING = 0.25  # cosine between ray and surface below which a depth says more of the surface's slant than of its place
_MOST_DEPTHS = 1200  # rows of a picture: neighbours say the same
_CELL = 16  # pixels: side of the tiles within which residuals are taken to err together
_SIDE = 2**10  # cells of a row, for numbering them


class Rows(NamedTuple):
    """N residuals of one kind in one picture.

    residual (N,): pixels of the whole image, or metres; pose (N, 6) its derivatives by a motion (rho [m], phi [rad]) of
    the robot about a point; joints (N, J) by joint values; common (N,) by what all residuals of this kind share: the
    mask's border lying outside by a pixel, or depths read too far by a share of themselves; cell (N,) number of the
    tile, for errors that neighbours share.
    """

    residual: F64
    pose: F64
    joints: F64
    common: F64
    cell: I64

    def taken(self, kept: Bool) -> Rows:
        """Some of them."""
        residual, pose, joints, common, cell = self
        return Rows(residual[kept], pose[kept], joints[kept], common[kept], cell[kept])


@dataclass(frozen=True, eq=False)
class ShotCrop:
    """A shot in the part of its image that is compared, reduced.

    Attributes:
        arm: the shot and the robot.
        window: the part of the image.
        crop: what was observed there.
    """

    arm: ArmShot
    window: CropWindow
    crop: Observation

    @classmethod
    def around(cls, arm: ArmShot, pose: Pose, size: int, margin: float = 0.1) -> ShotCrop | None:
        """Around robot and mask; None where the robot is out of the picture.

        Args:
            arm: the shot.
            pose: of the base in the camera.
            size: longest side of the crop, pixels.
            margin: about it, as a share of the longer side.
        """
        observation = arm.shot.observation
        box = box_of(pose.apply(arm.posed.mesh.vertices_m), observation.camera)
        if isinstance(box, Status):
            return None
        boxes = [box] if observation.mask_box is None else [box, observation.mask_box]
        window = choose_crop(boxes, observation.camera, margin=margin, max_size=size)
        return cls(arm, window, observation.crop(window))

    def drawn(self, pose: Pose) -> RenderedImages:
        """The robot at a pose."""
        renderer = Renderer(self.arm.posed.mesh, self.crop.camera, buffers=self.arm.buffers)
        images = renderer.render(pose.R_m2c, pose.t_m2c)
        return RenderedImages(*(part[0] for part in images))

    def links(self, drawn: RenderedImages) -> I64:
        """(H, W) number of the link that a drawn pixel shows, -1 where there is none."""
        inside = drawn.triangle_id >= 0
        return np.where(inside, self.arm.posed.link[np.maximum(drawn.triangle_id, 0)], -1)


def outline_rows(seen: ShotCrop, drawn: RenderedImages, pose: Pose, centre_c: F64, reach_px: float) -> Rows:
    """Of the pixels along the drawn outline, those whose normal meets the mask's border within reach.

    Where there is none within reach, something hides the robot, the mask lacks a part, or shows what the robot's
    description does not have: such places say nothing.

    Args:
        seen: with a mask.
        drawn: the robot at the pose.
        pose: of the base in the camera.
        centre_c: (3,) about which it is moved, in the camera's frame.
        reach_px: pixels of the whole image.
    """
    mask = seen.crop.mask
    assert mask is not None
    place = outline_of(drawn)
    if place is None:
        return _none(seen)
    reduction = seen.window.reduction
    away, found = crossing(mask, place.point, place.normal, reach_px / reduction)
    residual = -reduction * away  # of the drawn outline from the mask's border, outwards
    return _rows_of(seen, drawn, place, pose, centre_c)._replace(residual=residual).taken(found & place.clear)


def expected_rows(seen: ShotCrop, drawn: RenderedImages, pose: Pose, centre_c: F64) -> tuple[Rows, float]:
    """Rows of a drawn outline as if a mask had it, and the share of the robot that lies in the picture.

    Args:
        seen: the robot where it might stand.
        drawn: the robot at the pose.
        pose: of the base in the camera.
        centre_c: (3,) about which it is moved, in the camera's frame.
    """
    place = outline_of(drawn)
    if place is None:
        return _none(seen), 0.0
    u, v = seen.arm.shot.observation.camera.project(pose.apply(seen.arm.posed.mesh.vertices_m))
    camera = seen.arm.shot.observation.camera
    there = (u > 0.0) & (v > 0.0) & (u < camera.width - 1.0) & (v < camera.height - 1.0)
    return _rows_of(seen, drawn, place, pose, centre_c).taken(place.clear), float(there.mean())


def outline_support(seen: ShotCrop, pose: Pose, reach_px: float) -> float:
    """Share of the drawn outline beside which the mask ends, too; 0 without a mask.

    Args:
        seen: the robot in the picture.
        pose: of the base in the camera.
        reach_px: pixels of the crop.
    """
    place = None if seen.crop.mask is None else outline_of(seen.drawn(pose))
    if place is None or seen.crop.mask is None:
        return 0.0
    _, found = crossing(seen.crop.mask, place.point, place.normal, reach_px)
    return float(np.mean(found & place.clear))


def _rows_of(seen: ShotCrop, drawn: RenderedImages, place: Outline, pose: Pose, centre_c: F64) -> Rows:
    row, column = place.row, place.column
    X = _points(seen, drawn.depth[row, column], place.point)
    by_point = _pixel_motion(seen, X, place.normal) * seen.window.reduction
    pose_part, joints = _motions(seen.arm, drawn.triangle_id[row, column], X, by_point, pose, centre_c)
    return Rows(np.zeros(len(row)), pose_part, joints, np.ones(len(row)), _cells(row, column))


def depth_rows(seen: ShotCrop, drawn: RenderedImages, pose: Pose, centre_c: F64, reach_m: float) -> Rows:
    """Of pixels within the drawn robot, and within the mask if there is one, whose depth is measured.

    Args:
        seen: with depth.
        drawn: the robot at the pose.
        pose: of the base in the camera.
        centre_c: (3,) about which it is moved, in the camera's frame.
        reach_m: depths that are farther off belong to something else.
    """
    depth, inside = seen.crop.depth, drawn.triangle_id >= 0
    assert depth is not None
    if seen.crop.mask is not None:
        inside = inside & (seen.crop.mask > 0.99)
    whole = binary_erosion(inside, iterations=INNER_PX, border_value=1)
    row, column = np.nonzero(whole & (depth > 0.0) & (np.abs(depth - drawn.depth) < reach_m))
    if len(row) == 0:
        return _none(seen)
    every = -(-len(row) // _MOST_DEPTHS)
    row, column = row[::every], column[::every]
    face = drawn.triangle_id[row, column]
    shape = seen.arm.buffers.arrays.shape
    normal = np.stack([shape.normal_x[face], shape.normal_y[face], shape.normal_z[face]], axis=1) @ pose.R_m2c.T
    ray = _rays(seen, np.stack([column, row], axis=1).astype(np.float64))
    along = np.einsum("nk,nk->n", normal, ray)
    clear = np.abs(along) > _GRAZING * np.linalg.norm(ray, axis=1)
    by_point = normal / np.where(clear, along, 1.0)[:, None]
    measured = depth[row, column].astype(np.float64)
    X = ray * drawn.depth[row, column].astype(np.float64)[:, None]
    pose_part, joints = _motions(seen.arm, face, X, by_point, pose, centre_c)
    residual = drawn.depth[row, column] - measured
    return Rows(residual, pose_part, joints, measured, _cells(row, column)).taken(clear)


def _none(seen: ShotCrop) -> Rows:
    n = seen.arm.screws.axis.shape[0]
    return Rows(np.zeros(0), np.zeros((0, 6)), np.zeros((0, n)), np.zeros(0), np.zeros(0, np.int64))


def _rays(seen: ShotCrop, point: F64) -> F64:
    """(N, 3) at depth 1."""
    camera = seen.crop.camera
    x, y = (point[:, 0] - camera.cx) / camera.fx, (point[:, 1] - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], axis=1)


def _points(seen: ShotCrop, depth: F32, point: F64) -> F64:
    return np.asarray(_rays(seen, point) * depth.astype(np.float64)[:, None])


def _pixel_motion(seen: ShotCrop, X: F64, normal: F64) -> F64:
    """(N, 3) how a pixel of a point moves along a normal with the point, pixels of the crop a metre."""
    camera = seen.crop.camera
    across = normal * np.array([camera.fx, camera.fy])
    x, y, z = X.T
    return np.asarray(
        np.stack([across[:, 0], across[:, 1], -(across[:, 0] * x + across[:, 1] * y) / z], axis=1) / z[:, None]
    )


def _motions(
    arm: ArmShot, face: NDArray[np.int32], X: F64, by_point: F64, pose: Pose, centre_c: F64
) -> tuple[F64, F64]:
    """(N, 6) and (N, J): derivatives by a point's motion (N, 3), taken on to the pose's and the joints'."""
    pose_part = np.hstack([by_point, np.cross(X - centre_c, by_point)])
    link = arm.posed.link[face]
    axis = arm.screws.axis @ pose.R_m2c.T  # (J, L, 3) in the camera's frame
    shift = arm.screws.shift @ pose.R_m2c.T
    moved = np.cross(axis[:, link], X - pose.t_m2c) + shift[:, link]
    return pose_part, np.einsum("jnk,nk->nj", moved, by_point)


def _cells(row: I64, column: I64) -> I64:
    return np.asarray((row // _CELL) * _SIDE + column // _CELL, np.int64)
