"""Draws the frames of a calibration in one figure, docs/pictures/calibration_frames.png.

    python tools/make_frames_picture.py

A drawn arm, the base, the flange, the camera's optical and body frame, and the transforms between them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops

import diffdope as dd
from diffdope.experiments.drawn_arm import drawn_arm
from diffdope.io.transforms import T_OPTICAL_BODY

OUT = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "calibration_frames.png"
COLOURS = ("#d62728", "#2ca02c", "#1f77b4")  # x red, y green, z blue, as ROS and everybody else draws them
JOINTS = {"joint1": 0.3, "joint2": -0.2, "joint3": 0.9, "joint4": 0.3, "joint5": 0.4, "joint6": 0.2}


def camera_pose() -> dd.Pose:
    """T_base_camera: in front of the arm, to the side."""
    place, target = np.array([1.15, -0.5, 0.75]), np.array([0.2, 0.0, 0.3])
    forward = (target - place) / np.linalg.norm(target - place)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return dd.Pose(np.stack([right, np.cross(forward, right), forward], axis=1), place)


def triad(axes: Any, T: dd.Pose, length: float, name: str, offset: tuple[float, float, float]) -> None:
    """Three arrows and a name."""
    for axis, (colour, letter) in enumerate(zip(COLOURS, "xyz", strict=True)):
        tip = T.t_m2c + length * T.R_m2c[:, axis]
        axes.plot(*np.stack([T.t_m2c, tip], axis=1), color=colour, linewidth=2.5)
        axes.text(*(T.t_m2c + 1.25 * length * T.R_m2c[:, axis]), letter, color=colour, fontsize=9)
    axes.text(*(T.t_m2c + np.asarray(offset)), name, fontsize=10, weight="bold")


def make(out: Path) -> None:
    """Draws the figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    robot = drawn_arm()
    mesh, links = robot.posed(JOINTS).mesh, robot.forward(JOINTS)
    figure = plt.figure(figsize=(9.0, 9.0))
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    shade = Poly3DCollection(mesh.vertices_m[mesh.faces], facecolors="#c9ced6", alpha=0.55, shade=True)
    axes.add_collection3d(shade)
    T_base_camera = camera_pose()
    flange = dd.Pose.from_matrix(links[-1])
    triad(axes, dd.Pose.identity(), 0.22, "base", (0.04, -0.16, -0.02))
    triad(axes, flange, 0.14, "flange (last link)", (-0.05, 0.0, 0.17))
    triad(axes, T_base_camera, 0.16, "optical frame", (0.03, 0.0, -0.06))
    beside = T_base_camera @ T_OPTICAL_BODY
    above = dd.Pose(beside.R_m2c, beside.t_m2c + np.array([0.05, 0.0, 0.3]))
    triad(axes, above, 0.16, "body frame\n(drawn above)", (0.04, 0.0, 0.04))
    for end in (T_base_camera.t_m2c, flange.t_m2c):
        axes.plot(*np.stack([np.zeros(3), end], axis=1), color="black", linewidth=1.0, linestyle="--")
    axes.text(0.62, -0.3, 0.13, "T_base_camera: p_base = T p_camera\nT_camera_base: p_camera = T p_base", fontsize=10)
    axes.text(0.34, 0.0, 0.2, "FK(q): p_base = T p_link", fontsize=10)
    axes.set(xlim=(-0.1, 1.4), ylim=(-0.9, 0.4), zlim=(0.05, 1.05), xlabel="x", ylabel="y", zlabel="z")
    axes.set_box_aspect((1.5, 1.3, 1.0), zoom=1.35)
    axes.view_init(elev=22, azim=-70)
    axes.set_axis_off()
    figure.subplots_adjust(0, 0, 1, 1)
    figure.savefig(out, dpi=100)
    with Image.open(out) as drawn:  # without the white around it
        box = ImageChops.invert(drawn.convert("RGB")).getbbox()
        drawn.convert("RGB").crop(box).quantize(64).save(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    make(parser.parse_args().out)
