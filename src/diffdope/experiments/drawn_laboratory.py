"""Folders as a laboratory has them, drawn: an arm's description, pictures, joint values and a camera file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from diffdope.calibration.eye_in_hand.shots import HandShot
from diffdope.calibration.shots import Shot
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.experiments.drawn_hand import HandTruth, drawn_hand, drawn_target
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_json
from diffdope.io.ply import write_ply
from diffdope.scene.robot import Robot

_MILLIMETRES = "0.001 0.001 0.001"  # of the PLY files that are written here


def laboratory_before_the_arm(folder: Path, *, pictures: int = 5, seed: int = 0) -> Pose:
    """Writes arm.urdf, meshes/, mask/, depth/, joints.json and camera.json of a camera that stands still.

    Args:
        folder: for the files; it is made.
        pictures: of how many configurations.
        seed: of configurations and camera.

    Returns:
        The truth, T_camera_base.
    """
    robot, rng = drawn_arm(), np.random.default_rng(seed)
    pose = looking_at(rng)
    shots = [
        drawn_shot(robot, pose, random_joints(robot, rng), name=f"{k:06d}", images=("mask", "depth"))
        for k in range(pictures)
    ]
    write_description(folder, robot)
    _write_pictures(folder, shots)
    return pose


def laboratory_on_the_hand(folder: Path, *, pictures: int = 5, seed: int = 0) -> HandTruth:
    """Writes the same of a camera on the hand, with object.ply and target.json: the object and its place.

    Args:
        folder: for the files; it is made.
        pictures: of how many configurations.
        seed: of configurations, camera and object.

    Returns:
        The truth.
    """
    robot, target = drawn_arm(), drawn_target()
    shots, truth = drawn_hand(robot, seed, pictures, target, images=("mask", "depth"))
    named = [HandShot(shot.observation, shot.joints, name=f"{k:06d}") for k, shot in enumerate(shots)]
    write_description(folder, robot)
    write_ply(folder / "object.ply", target.vertices_m, target.faces)
    write_json(folder / "target.json", {"T_base_object": truth.T_base_object.matrix.tolist()})
    _write_pictures(folder, named)
    return truth


def write_description(folder: Path, robot: Robot) -> None:
    """Writes arm.urdf with a mesh of each link.

    Args:
        folder: for the files; it is made.
        robot: what is described.
    """
    (folder / "meshes").mkdir(parents=True, exist_ok=True)
    root = ElementTree.Element("robot", name=robot.name.replace(" ", "_"))
    for link in robot.links:
        element = ElementTree.SubElement(root, "link", name=link.name)
        if len(link.faces):
            write_ply(folder / "meshes" / f"{link.name}.ply", link.vertices_m, link.faces.astype(np.int32))
            shape = ElementTree.SubElement(ElementTree.SubElement(element, "visual"), "geometry")
            ElementTree.SubElement(shape, "mesh", filename=f"meshes/{link.name}.ply", scale=_MILLIMETRES)
    for joint in robot.joints:
        element = ElementTree.SubElement(root, "joint", name=joint.name, type=joint.kind)
        ElementTree.SubElement(element, "parent", link=joint.parent)
        ElementTree.SubElement(element, "child", link=joint.child)
        ElementTree.SubElement(element, "origin", xyz=_words(joint.origin[:3, 3]), rpy="0 0 0")
        ElementTree.SubElement(element, "axis", xyz=_words(joint.axis))
        limits = {"lower": f"{joint.lower:g}", "upper": f"{joint.upper:g}", "effort": "1", "velocity": "1"}
        ElementTree.SubElement(element, "limit", limits)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(folder / "arm.urdf", encoding="utf-8", xml_declaration=True)


def _words(values: Sequence[float] | np.ndarray) -> str:
    return " ".join(f"{value:.9g}" for value in values)


def _write_pictures(folder: Path, shots: Sequence[Shot] | Sequence[HandShot]) -> None:
    for kind in ("mask", "depth"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for shot in shots:
        mask, depth = np.asarray(shot.observation.mask), np.asarray(shot.observation.depth)
        Image.fromarray((255.0 * mask).astype(np.uint8)).save(folder / "mask" / f"{shot.name}.png")
        Image.fromarray(np.rint(1e3 * depth).astype(np.uint16)).save(folder / "depth" / f"{shot.name}.png")
    write_json(folder / "joints.json", {shot.name: dict(shot.joints or {}) for shot in shots})
    camera: Camera = shots[0].observation.camera
    matrix = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    write_json(folder / "camera.json", {"cam_K": matrix, "depth_scale": 1.0})
