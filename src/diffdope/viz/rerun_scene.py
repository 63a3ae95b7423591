"""A scene as a recording of rerun (.rrd): cameras where they stand, their images, and every object that was found.

Everything is in the world's frame, metres.

| entity | what |
|---|---|
| world/views/NAME | where the camera stands, its pinhole; .../rgb, .../depth: its images |
| world/objects/NAME, .../mesh | pose, mesh |
| world/positions/NAME | where the object's origin is: the ellipsoid of one standard deviation |
| plots/confidence/NAME | a number |
| result | objects and views in words |
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.joint.result import SceneResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.view import View
from diffdope.viz.rerun_parts import (
    log,
    log_images,
    log_mesh,
    log_number,
    position_ellipsoid,
    recording,
    text_document,
    transform,
)

_PLANE = 0.25  # of the distance to the objects: where the photograph stands before its camera


def write_scene_recording(path: Path, meshes: Sequence[Mesh], views: Sequence[View], result: SceneResult) -> None:
    """Writes the recording.

    Args:
        path: of the .rrd file; it is there when it is whole.
        meshes: of the objects, in their order.
        views: as they were given.
        result: of the scene.
    """
    import rerun as rr

    with recording(path) as stream:
        log(stream, "world", rr.ViewCoordinates.RDF, static=True)
        for number, view in enumerate(views):
            _log_view(stream, view, number, result)
        for mesh, one in zip(meshes, result.objects, strict=True):
            if not one.views:
                continue
            name = rr.escape_entity_path_part(one.name)
            log(stream, f"world/objects/{name}", transform(one.pose), static=True)
            log_mesh(stream, f"world/objects/{name}/mesh", mesh)
            log_number(stream, f"plots/confidence/{name}", one.confidence)
            if one.covariance is not None:
                ellipsoid = position_ellipsoid(one.pose, one.covariance)
                log(stream, f"world/positions/{name}", ellipsoid, static=True)
        lines = repr(result).splitlines()
        log(stream, "result", text_document(lines), static=True)


def _log_view(stream: Any, view: View, number: int, result: SceneResult) -> None:
    import rerun as rr

    said, camera = result.views[number], view.camera
    entity = f"world/views/{rr.escape_entity_path_part(said.name)}"
    seen = [one.views[number].pose.t_m2c for one in result.objects if one.views]
    away = float(np.median([np.linalg.norm(place) for place in seen])) if seen else 1.0
    log(stream, entity, transform(said.T_c2w), static=True)
    pinhole = rr.Pinhole(
        image_from_camera=camera.K, width=camera.width, height=camera.height, camera_xyz=rr.ViewCoordinates.RDF,
        image_plane_distance=_PLANE * away,
    )  # fmt: skip
    log(stream, entity, pinhole, static=True)
    log_images(stream, entity, view.observation, static=True)
