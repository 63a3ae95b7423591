"""The turn of a jar that its label alone tells: found to a degree, and not believed where the label does not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.pipelines.diagnosis.wrong_colors import with_open_turn
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result_confidence import believed
from diffdope.problem.level_problem import LevelProblem, LevelRules, prepare_level
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.axis_rotations import TurnSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.print_turn import at_its_turn, print_open, printed_axis
from diffdope.terms.registry import ObjectiveSettings

CAMERA = Camera(600.0, 600.0, 159.5, 119.5, 320, 240)
_TILTED = so3.exp(np.radians([-130.0, 0.0, 0.0])) @ so3.exp(np.radians([0.0, 0.0, 90.0]))  # lid and front are seen


def jar(*, label: bool = True, handle: bool = False) -> Mesh:
    """A jar of 60 mm, 90 mm high, of two paints, with a blue label of 50 degrees at 0 degrees."""
    can = trimesh.creation.cylinder(0.03, 0.09, sections=72)
    for _ in range(3):
        can = can.subdivide()
    v = np.asarray(can.vertices)
    colors = np.where(v[:, 2:] > 0.044, [0.6, 0.15, 0.15], [0.8, 0.6, 0.3])
    if label:
        angle = np.degrees(np.arctan2(v[:, 1], v[:, 0]))
        colors[(np.abs(angle) < 25.0) & (np.abs(v[:, 2]) < 0.025)] = [0.2, 0.3, 0.7]
    if handle:
        grip = trimesh.creation.box([0.025, 0.01, 0.06])
        grip.apply_translation([-0.04, 0.0, 0.0])
        can = trimesh.util.concatenate([can, grip])
        colors = np.concatenate([colors, np.full((len(grip.vertices), 3), 0.7)])
    return Mesh(np.asarray(can.vertices), np.asarray(can.faces), colors=colors)


def at(degrees: float) -> Pose:
    """The label so far from the front."""
    return Pose(_TILTED @ so3.exp(np.radians([0.0, 0.0, degrees])), np.array([0.01, -0.005, 0.5]))


def seen(mesh: Mesh, pose: Pose) -> Observation:
    images = Renderer(mesh, CAMERA).render(pose.R_m2c, pose.t_m2c)
    mask = images.coverage[0] > 0.5
    assert images.rgb is not None
    noise = np.random.default_rng(1).normal(size=(*mask.shape, 4))
    rgb = np.where(mask[..., None], images.rgb[0], 0.4) + 0.03 * noise[..., :3]
    depth = np.where(mask, images.depth[0], 0.9) + 0.0005 * noise[..., 3]
    return Observation(CAMERA, rgb=np.clip(rgb, 0.0, 1.0).astype(np.float32), depth=depth.astype(np.float32), mask=mask)


MESH = jar()
MESHES = MeshLevels(MESH, (500, 2000), threads=1)


def level_at(pose: Pose, observation: Observation) -> LevelProblem:
    return prepare_level(
        MESHES.buffers(), observation, pose, CropWindow(80, 40, 160, 160, 1), ObjectiveSettings(),
        LevelRules(gain="gain-bias"), length_m=MESHES.length_m, with_normal=True,
    )  # fmt: skip


def test_only_a_print_that_alone_tells_the_turn_is_asked() -> None:
    assert printed_axis(MESHES) is not None
    for other in (jar(label=False), jar(handle=True)):
        assert printed_axis(MeshLevels(Mesh(other.vertices_m, other.faces), (500,), threads=1)) is None
    assert printed_axis(MeshLevels(jar(handle=True), (500,), threads=1)) is None


@pytest.mark.parametrize("off_deg", [-25.0, -7.6, 7.6, 25.0])
def test_a_pose_is_turned_to_where_its_label_is(off_deg: float) -> None:
    axis = printed_axis(MESHES)
    assert axis is not None
    pose = at(40.0 + off_deg)
    level = level_at(pose, seen(MESH, at(40.0)))
    turned = at_its_turn(pose, axis, level, TurnSettings(), MESHES.length_m)
    assert np.degrees(turned.angle_to(at(40.0))) < 1.5
    assert at_its_turn(turned, axis, level, TurnSettings(), MESHES.length_m) is turned


@pytest.mark.parametrize(
    ("degrees", "photographed", "known"),
    [(40.0, MESH, True), (40.0, jar(label=False), False), (180.0, MESH, True), (180.0, jar(label=False), True)],
    ids=["label", "no label in the photograph", "label behind", "label behind, none in the photograph"],
)
def test_a_turn_is_open_where_a_label_should_be_seen_and_is_not(
    degrees: float, photographed: Mesh, known: bool
) -> None:
    """A label that is behind is not to be seen: nobody would notice the turn."""
    axis, observation = printed_axis(MESHES), seen(photographed, at(degrees))
    assert axis is not None
    share = print_open(at(degrees), axis, level_at(at(degrees), observation), MESHES)
    assert (share == 0.0) == known
    assert known or share > 0.03


@pytest.mark.parametrize("preset", ["default", "fast"])
def test_a_label_that_the_photograph_lacks_leaves_the_turn_unsure(preset: str) -> None:
    refiner = Refiner(MESH, preset=preset, threads=1)
    right = refiner.refine(seen(MESH, at(40.0)), at(48.0))
    assert np.degrees(right.pose.angle_to(at(40.0))) < 2.0 and right.confidence is not None and right.confidence > 0.8
    if preset == "fast":  # nothing says which directions are observed
        assert right.evidence is not None and right.evidence.print_open is None
        return
    lacks = refiner.refine(seen(jar(label=False), at(40.0)), at(48.0))
    assert lacks.confidence is not None and lacks.confidence < 0.5


def test_without_its_colours_the_turn_of_a_jar_is_as_open_as_the_start_leaves_it() -> None:
    refiner = Refiner(MESH, threads=1)
    search, meshes = refiner.preset.resolved_search, refiner.meshes
    result = refiner.refine(seen(MESH, at(40.0)).without_rgb(), at(48.0))
    result = replace(result, pose=refiner.frame.enter(result.pose), confidence=0.75)
    sure = believed(result, meshes, search).confidence
    for one in (result, replace(result, covariance=None)):
        unsure = believed(with_open_turn(one, meshes, search.noise.spread_deg), meshes, search).confidence
        assert sure is not None and unsure is not None and unsure < 0.5 < sure
