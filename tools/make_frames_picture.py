"""Draws all frames in one figure, docs/pictures/frames.png.

    python tools/make_frames_picture.py

World, base, links, flange, a camera that stands still and one on the hand with their optical and body frames, an
object, and the transforms between them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops

import diffdope as dd
from diffdope.experiments.drawn_arm import drawn_arm
from diffdope.experiments.drawn_hand import drawn_target
from diffdope.io.transforms import T_OPTICAL_BODY

OUT = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "frames.png"
COLOURS = ("#d62728", "#2ca02c", "#1f77b4")  # x red, y green, z blue, as ROS and everybody else draws them
JOINTS = {"joint1": 0.1, "joint2": -0.15, "joint3": 0.75, "joint4": 0.0, "joint5": 0.35, "joint6": 0.0}
WORLD = dd.Pose(np.eye(3), np.array([-0.3, -0.45, 0.0]))
OBJECT = dd.Pose(np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]), np.array([0.86, 0.05, 0.0]))
Offset = tuple[float, float, float]


def looking(place: list[float], target: list[float]) -> dd.Pose:
    """T_base_camera of an upright camera."""
    forward = np.array(target) - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return dd.Pose(np.stack([right, np.cross(forward, right), forward], axis=1), np.array(place))


def triad(axes: Any, T: dd.Pose, length: float, name: str, offset: Offset) -> None:
    """Three arrows and a name."""
    for axis, (colour, letter) in enumerate(zip(COLOURS, "xyz", strict=True)):
        tip = T.t_m2c + length * T.R_m2c[:, axis]
        axes.plot(*np.stack([T.t_m2c, tip], axis=1), color=colour, linewidth=2.2)
        axes.text(*(T.t_m2c + 1.3 * length * T.R_m2c[:, axis]), letter, color=colour, fontsize=9)
    axes.text(*(T.t_m2c + np.asarray(offset)), name, fontsize=10, weight="bold")


def camera_body(axes: Any, T: dd.Pose, size: float) -> None:
    """A pyramid from the camera's centre into what it sees."""
    corners = size * np.array([[-0.7, -0.5, 1.2], [0.7, -0.5, 1.2], [0.7, 0.5, 1.2], [-0.7, 0.5, 1.2]])
    points = T.apply(corners)
    for k in range(4):
        axes.plot(*np.stack([T.t_m2c, points[k]], axis=1), color="#555555", linewidth=0.8)
        axes.plot(*np.stack([points[k], points[(k + 1) % 4]], axis=1), color="#555555", linewidth=0.8)


def arrow(axes: Any, start: dd.Pose, end: dd.Pose, text: str, offset: Offset, share: float = 0.5) -> None:
    """A dashed line between two frames, and what it is called."""
    axes.plot(*np.stack([start.t_m2c, end.t_m2c], axis=1), color="black", linewidth=0.9, linestyle="--")
    axes.text(*(start.t_m2c + share * (end.t_m2c - start.t_m2c) + np.asarray(offset)), text, fontsize=9)


def make(out: Path) -> None:
    """Draws the figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    robot, target = drawn_arm(), drawn_target()
    mesh, links = robot.posed(JOINTS).mesh, robot.forward(JOINTS)
    figure = plt.figure(figsize=(12.0, 10.0))
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    for vertices, faces, colour in (
        (mesh.vertices_m, mesh.faces, "#c9ced6"), (OBJECT.apply(target.vertices_m), target.faces, "#d9b38c"),
    ):  # fmt: skip
        axes.add_collection3d(Poly3DCollection(vertices[faces], facecolors=colour, alpha=0.45, shade=True))
    base, link, flange = dd.Pose.identity(), dd.Pose.from_matrix(links[3]), dd.Pose.from_matrix(links[-1])
    fixed = looking([1.3, -0.55, 0.72], [0.4, 0.0, 0.3])
    on_hand = looking((flange.t_m2c + np.array([0.1, -0.05, 0.14])).tolist(), [0.86, 0.05, 0.0])
    for camera in (fixed, on_hand):
        camera_body(axes, camera, 0.07)
    triad(axes, WORLD, 0.18, "world", (-0.08, 0.0, -0.08))
    triad(axes, base, 0.2, "base", (-0.2, 0.0, -0.03))
    triad(axes, link, 0.1, "link", (-0.13, 0.0, 0.07))
    triad(axes, flange, 0.12, "flange\n(last link)", (-0.02, 0.0, -0.2))
    triad(axes, OBJECT, 0.13, "object\n(mesh file)", (0.1, 0.0, -0.1))
    triad(axes, fixed, 0.14, "camera, optical frame", (-0.12, 0.0, -0.24))
    body = dd.Pose((fixed @ T_OPTICAL_BODY).R_m2c, fixed.t_m2c + np.array([0.0, 0.0, 0.3]))
    triad(axes, body, 0.14, "camera, body frame\n(same place, drawn above)", (-0.35, 0.0, 0.24))
    triad(axes, on_hand, 0.1, "camera on the hand\n(optical frame)", (-0.04, 0.0, 0.1))
    arrow(axes, WORLD, base, "T_world_base", (-0.12, 0.0, 0.03))
    arrow(axes, base, flange, "T_base_flange = FK(q)", (0.04, 0.0, -0.01), 0.25)
    arrow(axes, base, fixed, "T_base_camera", (-0.02, 0.0, -0.06), 0.7)
    arrow(axes, flange, on_hand, "T_flange_camera", (0.13, 0.0, 0.01), 1.0)
    arrow(axes, on_hand, OBJECT, "T_camera_object\n(the pose, T_m2c)", (0.03, 0.0, 0.02), 0.3)
    arrow(axes, base, OBJECT, "T_base_object", (-0.05, 0.0, -0.04), 0.5)
    axes.text2D(0.36, 0.17, "T_a_b takes points from frame b to frame a: p_a = T_a_b p_b", transform=axes.transAxes)
    axes.set(xlim=(-0.4, 1.6), ylim=(-0.9, 0.5), zlim=(0.0, 1.1))
    axes.set_box_aspect((2.0, 1.4, 1.1), zoom=1.25)
    axes.view_init(elev=20, azim=-78)
    axes.set_axis_off()
    figure.subplots_adjust(0, 0, 1, 1)
    figure.savefig(out, dpi=90)
    with Image.open(out) as drawn:  # without the white around it
        box = ImageChops.invert(drawn.convert("RGB")).getbbox()
        drawn.convert("RGB").crop(box).quantize(64).save(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    make(parser.parse_args().out)
