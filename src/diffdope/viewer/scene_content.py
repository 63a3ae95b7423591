"""Several objects from several cameras: a moment a view, in which the other cameras stand as pyramids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viewer.assets import corners_of
from diffdope.viewer.content import CAMERA, CAMERAS, LOST, RESULT, UNCERTAIN, UNCERTAIN_OPACITY, Body, Content, Moment
from diffdope.viewer.ellipsoid import ellipsoid
from diffdope.viewer.several_content import with_outlines
from diffdope.viewer.words import covariance_of_middle

_KEPT = 4  # moments that are made again at once: a slider goes back and forth
_CAMERA_SIZE = 0.12  # of a pyramid: share of the distance between its camera and the objects
_USUAL_M = 0.5  # of an object from the camera, where no camera saw one


@dataclass(frozen=True, eq=False)
class SightedObject:
    """An object of a scene.

    Attributes:
        name: what it is called.
        mesh: its surface.
        ok: whether it was found.
        in_world: T_m2w.
        in_cameras: T_m2c by view; empty where nothing was compared.
        covariance: (6, 6) in (rho [m], phi [rad]) of T_m2w; None where there is none.
        text: a line about it.
        seen: a line about it in each view; empty for nothing to say.
    """

    name: str
    mesh: Mesh
    ok: bool
    in_world: Pose
    in_cameras: tuple[Pose, ...]
    covariance: NDArray[np.float64] | None
    text: str
    seen: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SightedView:
    """A view of a scene.

    Attributes:
        name: what it is called.
        images: None where their files are gone.
        T_w2c: world to camera.
        text: lines about it.
    """

    name: str
    images: Observation | None
    T_w2c: Pose
    text: tuple[str, ...]


def scene_content(
    objects: Sequence[SightedObject],
    views: Sequence[SightedView],
    *,
    title: str,
    text: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Content:
    """What a viewer shows of a scene: each view with the objects before its camera.

    Args:
        objects: in their order.
        views: in their order.
        title: of the page.
        text: lines about the whole.
        missing: what could not be read.
    """
    pyramids = [_pyramid(view, objects, number) for number, view in enumerate(views)]
    clouds = [_uncertainty(one) for one in objects]

    @lru_cache(maxsize=_KEPT)
    def moment(k: int) -> Moment:
        view = views[k]
        bodies = [_object(one, k) for one in objects]
        bodies += [_moved(cloud, view.T_w2c) for cloud in clouds if cloud is not None]
        bodies += [
            Body(
                f"camera {other.name}", CAMERAS, pyramids[n], (view.T_w2c @ other.T_w2c.inverse(),), CAMERA,
                wireframe=True, label=other.name,
            )
            for n, other in enumerate(views)
            if n != k
        ]  # fmt: skip
        lines = [*view.text, *(one.seen[k] for one in objects if k < len(one.seen) and one.seen[k])]
        return with_outlines(Moment(view.name, tuple(lines), view.images, tuple(bodies)), ("result",))

    said = (*text, *(one.text for one in objects))
    return Content(title, said, tuple(missing), "view", [view.name for view in views], moment)


def _object(one: SightedObject, view: int) -> Body:
    poses = (one.in_cameras[view],) if one.in_cameras else ()
    color = RESULT if one.ok else LOST
    return Body(one.name, "result", one.mesh, poses, color, own_colors=one.ok, label=one.name)


def _pyramid(view: SightedView, objects: Sequence[SightedObject], number: int) -> Mesh:
    """The camera's pyramid, in its own frame."""
    seen = [one.in_cameras[number].apply(one.mesh.center_m) for one in objects if one.in_cameras]
    away = float(np.median([np.linalg.norm(place) for place in seen])) if seen else _USUAL_M
    if view.images is not None:
        corners = corners_of(view.images.camera, _CAMERA_SIZE * away)
    else:
        corners = (
            _CAMERA_SIZE * away * np.array([[-0.5, -0.4, 1.0], [0.5, -0.4, 1.0], [0.5, 0.4, 1.0], [-0.5, 0.4, 1.0]])
        )
    sides = [(0, 2, 1), (0, 3, 2), (0, 4, 3), (0, 1, 4), (1, 2, 3), (1, 3, 4)]
    return Mesh(np.concatenate([np.zeros((1, 3)), corners]), np.array(sides), name="camera")


def _uncertainty(one: SightedObject) -> Body | None:
    """The ellipsoid of the middle, in the world."""
    if one.covariance is None or not one.in_cameras:
        return None
    drawn = ellipsoid(covariance_of_middle(one.covariance, one.in_world, one.mesh), one.mesh.diameter)
    label = "3 sigma" if drawn.times == 1.0 else f"3 sigma, {drawn.times:g} times as large"
    place = Pose(np.eye(3), one.in_world.apply(one.mesh.center_m))
    return Body(
        f"uncertainty {one.name}", "uncertainty", drawn.mesh, (place,), UNCERTAIN, UNCERTAIN_OPACITY, shown=False,
        label=label,
    )  # fmt: skip


def _moved(body: Body, T_w2c: Pose) -> Body:
    return replace(body, poses=tuple(T_w2c @ pose for pose in body.poses))
