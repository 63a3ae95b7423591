"""Objects in pictures, one picture after another: located instances, data sets, tracks, calibrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viewer.content import LOST, RESULT, START, TRUTH, Body, Color, Content, Moment
from diffdope.viz.compose import Image, contour, enlarge, to_bytes, written
from diffdope.viz.draw import backdrop_of, whole_window

Record = Mapping[str, object]
_KEPT = 4  # moments that are made again at once: a slider goes back and forth
_WIDTH = 640  # pixels of a picture of outlines, at least


def outlines(view: Observation, bodies: Iterable[Body]) -> NDArray[np.uint8]:
    """The photograph with the outline of every body at its first pose, in the body's colour, and its label.

    Args:
        view: the whole image.
        bodies: those that are to be drawn.
    """
    crop = view.crop(whole_window(view.camera))
    factor = max(1, round(_WIDTH / crop.camera.width))
    picture: Image = enlarge(np.asarray(backdrop_of(crop), np.float64), factor)
    for body in bodies:
        if not body.poses:
            continue
        images = Renderer(body.mesh, crop.camera).render(body.poses[0].R_m2c, body.poses[0].t_m2c)
        coverage = enlarge(np.asarray(images.coverage[0], np.float64), factor)
        if coverage.max() <= 0.5:
            continue
        color = (body.color[0] / 255.0, body.color[1] / 255.0, body.color[2] / 255.0)
        picture = contour(picture, coverage, color=color, thickness=2.0)
        if body.label:
            rows, columns = np.nonzero(coverage > 0.5)
            picture = written(picture, body.label, (float(columns.mean()), float(rows.mean())), color=color)
    return to_bytes(picture)


def with_outlines(moment: Moment, kinds: Sequence[str]) -> Moment:
    """The moment with a picture of the outlines of its bodies of some kinds."""
    view = moment.view
    if view is None:
        return moment
    drawn = [body for body in moment.bodies if body.kind in kinds]
    return replace(moment, pictures=lambda: {"outlines": outlines(view, drawn)})


def instances_content(
    found: Sequence[tuple[str, Mesh, RefinementResult]],
    *,
    view: Observation | None,
    title: str,
    missing: Sequence[str] = (),
) -> Content:
    """All instances that were located in one picture.

    Args:
        found: labels, meshes and results.
        view: the whole image; None where its files are gone.
        title: of the page.
        missing: what could not be read.
    """
    bodies, text = [], []
    for label, mesh, result in found:
        color: Color = RESULT if result.ok else LOST
        poses = (result.pose,) if result.modalities else ()
        bodies.append(Body(f"instance {label}", "result", mesh, poses, color, own_colors=True, label=label))
        sure = "" if result.confidence is None else f", confidence {result.confidence:.2f}"
        text.append(f"{label}: {result.status}{sure}")
    moment = with_outlines(Moment(title, tuple(text), view, tuple(bodies)), ("result",))
    return Content(title, (), tuple(missing), "picture", (title,), lambda _: moment)


def track_content(
    mesh: Mesh,
    frames: Sequence[tuple[str, Pose, Record]],
    view_of: Callable[[int], Observation | None],
    *,
    title: str,
    doubt: float,
    missing: Sequence[str] = (),
) -> Content:
    """An object in a film, frame by frame.

    Args:
        mesh: the object.
        frames: name, pose and record of each.
        view_of: the images of a frame, by its number; None where there are none.
        title: of the page.
        doubt: confidence below which a frame is in doubt.
        missing: what could not be read.
    """
    titles = [f"frame {name}" for name, _, _ in frames]
    path = np.array([pose.apply(mesh.center_m) for _, pose, _ in frames])

    @lru_cache(maxsize=_KEPT)
    def moment(k: int) -> Moment:
        _, pose, record = frames[k]
        confidence = record.get("confidence")
        lost = record["status"] == Status.LOST
        doubted = not isinstance(confidence, float) or confidence < doubt
        color = LOST if lost else START if doubted else RESULT
        body = Body("object", "result", mesh, (pose,), color, own_colors=not lost)
        x, y, z = 1e3 * path[k]
        text = [f"{record['status']}: {record.get('message', '')}".rstrip(": ")]
        text.append("confidence unknown" if not isinstance(confidence, float) else f"confidence {confidence:.2f}")
        text.append(f"middle at ({x:.1f}, {y:.1f}, {z:.1f}) mm, {record['time_s']:.2f} s")
        return with_outlines(Moment(titles[k], tuple(text), view_of(k), (body,)), ("result",))

    lost = sum(record["status"] == Status.LOST for _, _, record in frames)
    text = (f"{len(frames)} frames, lost in {lost}",)
    return Content(title, text, tuple(missing), "frame", titles, moment)


@dataclass(frozen=True, eq=False)
class Named:
    """An object in a picture of a data set.

    Attributes:
        name: what it is called.
        mesh: its surface.
        pose: in the picture.
        score: of an estimate; None of the truth.
    """

    name: str
    mesh: Mesh
    pose: Pose
    score: float | None = None


def images_content(
    titles: Sequence[str],
    view_of: Callable[[int], Observation | None],
    truth_of: Callable[[int], Sequence[Named]],
    estimates_of: Callable[[int], Sequence[Named]],
    *,
    title: str,
    first: int = 0,
    missing: Sequence[str] = (),
) -> Content:
    """Images of a data set, with the truth beside estimates.

    Args:
        titles: of the images.
        view_of: the images, by number.
        truth_of: what is annotated in an image.
        estimates_of: what was found in it.
        title: of the page.
        first: image to begin with.
        missing: what there is not.
    """

    @lru_cache(maxsize=_KEPT)
    def moment(k: int) -> Moment:
        truth, estimates = truth_of(k), estimates_of(k)
        alone = not estimates
        bodies = [
            Body(f"truth {n} {one.name}", "truth", one.mesh, (one.pose,), TRUTH, 1.0 if alone else 0.4, alone)
            for n, one in enumerate(truth)
        ]
        for n, one in enumerate(estimates):
            body = Body(f"estimate {n} {one.name}", "estimates", one.mesh, (one.pose,), RESULT, own_colors=True)
            bodies.append(body)
        text = [f"{len(truth)} annotated, {len(estimates)} estimates"]
        text += [f"{one.name}: score {one.score:.3f}" for one in estimates if one.score is not None]
        return with_outlines(Moment(titles[k], tuple(text), view_of(k), tuple(bodies)), ("truth", "estimates"))

    return Content(title, (), tuple(missing), "image", tuple(titles), moment, first=first)


def pictures_content(
    pictures: Sequence[tuple[str, Mesh, Observation | None, tuple[str, ...]]],
    T_camera_base: Pose,
    alternatives: Sequence[Pose],
    *,
    title: str,
    text: Sequence[str],
) -> Content:
    """A robot before its camera, picture by picture.

    Args:
        pictures: name, robot as it stands there in its base's frame, images, and lines of text of each.
        T_camera_base: pose of the base in the camera.
        alternatives: other poses that fit nearly as well.
        title: of the page.
        text: lines of the calibration.
    """

    @lru_cache(maxsize=_KEPT)
    def moment(k: int) -> Moment:
        name, robot, view, lines = pictures[k]
        bodies = [Body(f"robot {k}", "robot", robot, (T_camera_base,), RESULT)]
        if alternatives:
            bodies.append(Body(f"other {k}", "alternatives", robot, tuple(alternatives), START, 0.25, shown=False))
        return with_outlines(Moment(name, lines, view, tuple(bodies)), ("robot",))

    upwards = T_camera_base.R_m2c[:, 2]  # z of a robot's base points up
    up = (float(upwards[0]), float(upwards[1]), float(upwards[2]))
    return Content(title, tuple(text), (), "picture", [one[0] for one in pictures], moment, up=up)
