"""Two objects before three cameras, two of which are not quite where they are said to be.

The pictures are drawn here, so that the truth is known.

    python examples/09_several_views_and_objects.py
"""

from importlib.resources import files
from pathlib import Path

import numpy as np

import diffdope as dd

demo = Path(str(files("diffdope"))) / "data" / "demo"
mesh = dd.Mesh.load(demo / "object.ply", unit="mm")
camera = dd.Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
rng = np.random.default_rng(0)


def turned(degrees: float, axis: int) -> dd.Pose:
    """A camera's place: turned about a point 0.6 m before the first camera, whose frame is the world."""
    angle, middle = np.radians(degrees), np.array([0.0, 0.0, 0.6])
    i, k = (axis + 1) % 3, (axis + 2) % 3
    R = np.eye(3)
    R[[i, k, i, k], [i, k, k, i]] = np.cos(angle), np.cos(angle), -np.sin(angle), np.sin(angle)
    return dd.Pose(R, middle - R @ middle)


def picture(place: dd.Pose, poses: list[dd.Pose]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The photograph, and which pixels show which object."""
    photo, owner = rng.uniform(0.35, 0.45, (480, 640, 3)), np.full((480, 640), -1)
    nearest = np.full((480, 640), np.inf)
    for number, pose in enumerate(poses):
        there = place @ pose
        drawn = dd.Renderer(mesh, camera).render(there.R_m2c, there.t_m2c)
        front = (drawn.triangle_id[0] >= 0) & (drawn.depth[0] < nearest)
        nearest[front], owner[front], photo[front] = drawn.depth[0][front], number, drawn.rgb[0][front]
    photo = np.clip(photo + rng.normal(0.0, 0.01, photo.shape), 0.0, 1.0)
    return photo, [owner == number for number in range(len(poses))]


# Where the objects are (model to world; the world is the first camera), and where the cameras are (world to camera).
truth = [
    dd.Pose(turned(40.0, 1).R_m2c @ turned(-60.0, 0).R_m2c, np.array([-0.05, 0.02, 0.57])),
    dd.Pose(turned(100.0, 2).R_m2c @ turned(-70.0, 0).R_m2c, np.array([0.06, -0.01, 0.62])),
]
places = [dd.Pose.identity(), turned(45.0, 1), turned(-40.0, 0)]

views: list[dd.View] = []
masks: dict[tuple[int, int], np.ndarray] = {}  # by number of view and object
for number, place in enumerate(places):
    photo, shown = picture(place, truth)
    masks |= {(number, obj): mask for obj, mask in enumerate(shown)}
    # The first camera is the reference. The others were measured to about 10 mm and 1 degree: sigma says so.
    measured = place if number == 0 else dd.Pose.from_matrix(place.matrix).retract(rng.normal(0.0, 0.006, 6))
    sigma = None if number == 0 else (0.01, 1.0)
    views.append(dd.View(dd.Observation(camera, rgb=photo), measured, sigma=sigma, name=f"camera {number}"))

refiner = dd.SceneRefiner([dd.SceneObject(mesh, name="left"), dd.SceneObject(mesh, name="right")])
result = refiner.refine(views, masks)  # no start poses: objects are located in their masks, view by view
print(result)
for one, true in zip(result.objects, truth, strict=True):
    seen = ", ".join(f"{views[v.view].name}: {v.confidence:.2f}" for v in one.views if v.confidence is not None)
    print(f"{one.name}: off by {1e3 * one.pose.distance_to(true):.2f} mm; confidence {seen}")
for placed, view, place in zip(result.views, views, places, strict=True):
    before, after = (
        1e3 * np.linalg.norm(p.inverse().t_m2c - place.inverse().t_m2c) for p in (view.T_w2c, placed.T_w2c)
    )
    print(f"{placed.name}: off by {before:.1f} mm as measured, {after:.2f} mm as refined")
