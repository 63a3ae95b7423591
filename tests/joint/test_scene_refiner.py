"""Scenes as a user has them: one view, several, cameras that are off, views that are wrong, things claimed twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.wording import in_options
from diffdope.joint.chain import moved_camera
from diffdope.joint.notes import notes_on_fit
from diffdope.joint.result import SceneResult
from diffdope.joint.scene_refiner import SceneRefiner, refine_scene
from diffdope.joint.together import Together
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.pipelines.settings import preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.scene import Scene, SceneObject
from diffdope.scene.view import View
from diffdope.service.wording import in_keys
from diffdope.terms.contour import ContourSettings
from tests.joint.conftest import Drawn, around, draw, starts
from tests.oracle import shapes

OFF = (np.array([0.006, -0.005, 0.006, 0.01, -0.01, 0.008]), np.array([-0.006, 0.006, 0.004, -0.01, 0.006, 0.012]))


def worst_mm(result: SceneResult, truth: Sequence[Pose]) -> float:
    return max(1e3 * one.pose.distance_to(true) for one, true in zip(result.objects, truth, strict=True))


def places_off(drawn: Drawn, sigma: tuple[float, float] | None) -> list[View]:
    """The first camera exact, the others off by a centimetre and a degree."""
    views = [drawn.views[0]]
    for view, step in zip(drawn.views[1:], OFF, strict=True):
        views.append(View(view.observation, moved_camera(view.T_w2c, step), sigma=sigma, name=view.name))
    return views


def test_one_view_without_a_place_is_the_world(drawn: Drawn, refiner: SceneRefiner) -> None:
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] == 0}
    result = refiner.refine(View(drawn.views[0].observation), masks, starts=starts(drawn))
    assert result.ok and worst_mm(result, drawn.truth) < 0.5
    for one in result.objects:
        np.testing.assert_array_equal(one.pose.matrix, one.views[0].pose.matrix)
        assert one.confidence > 0.5 and one.covariance is not None
    assert result.covariance is not None and result.covariance.shape == (12, 12)


@pytest.mark.parametrize("calibrated", [0, 1])
def test_cameras_that_are_not_calibrated(drawn: Drawn, refiner: SceneRefiner, calibrated: int) -> None:
    """Poses are as much less sure, unless one of the cameras that see an object is calibrated."""
    views = []
    for number, view in enumerate(drawn.views[:2]):
        seen = view.observation
        camera = replace(seen.camera, focal_deviation=0.0 if number < calibrated else 0.03)
        images = Observation(camera, rgb=seen.rgb, depth=seen.depth)
        views.append(View(images, view.T_w2c, name=view.name))
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] < 2}
    result = refiner.refine(views, masks, starts=starts(drawn))
    for one in result.objects:
        assert one.covariance is not None
        far_m = views[0].T_w2c.apply(one.pose.t_m2c[None])[0, 2]
        across = np.sqrt(np.linalg.eigvalsh(one.covariance[:3, :3]).max())
        assert (across > 0.004 * far_m) == (calibrated == 0)
        assert (NoteCode.FOCAL_LENGTH in one.note_codes) == (calibrated < 2)


def test_what_nothing_hides_is_as_alone(drawn: Drawn, refiner: SceneRefiner) -> None:
    """The ring of the second view is beside the box: to the bit what `Refiner` finds."""
    shown = {(0, n): drawn.masks[0, n] for n in (0, 1)}
    first = starts(drawn)
    together = refiner.refine(View(drawn.views[0].observation), shown, starts=first)
    alone = Refiner(drawn.meshes[0], threads=1).refine(drawn.views[0].observation.with_mask(shown[0, 0]), first[0])
    apart = together.objects[0].pose.distance_to(alone.pose)
    assert apart < 2e-4  # the box is in front: knowing the ring changes next to nothing


def test_several_views_know_more_than_one(photographed: Drawn, refiner: SceneRefiner) -> None:
    first = starts(photographed)
    one = {where: mask for where, mask in photographed.masks.items() if where[0] == 0}
    alone = refiner.refine(View(photographed.views[0].observation), one, starts=first)
    together = refiner.refine(photographed.views, photographed.masks, starts=first)
    assert together.ok and worst_mm(together, photographed.truth) < 0.3
    for few, many in zip(alone.objects, together.objects, strict=True):
        assert few.covariance is not None and many.covariance is not None
        assert np.trace(many.covariance[:3, :3]) < 0.5 * np.trace(few.covariance[:3, :3])
        assert all(seen.used and seen.deviations is not None for seen in many.views)


def test_nothing_but_masks_says_where_objects_are(drawn: Drawn, refiner: SceneRefiner) -> None:
    result = refiner.refine(drawn.views, drawn.masks)
    assert result.ok and worst_mm(result, drawn.truth) < 0.5


def test_cameras_that_are_off_are_refined(drawn: Drawn, refiner: SceneRefiner) -> None:
    result = refiner.refine(places_off(drawn, (0.01, 1.0)), drawn.masks, starts=starts(drawn))
    assert result.ok and worst_mm(result, drawn.truth) < 0.5
    for one, view in zip(result.views, drawn.views, strict=True):
        away = one.T_w2c.inverse().t_m2c - view.T_w2c.inverse().t_m2c
        assert 1e3 * np.linalg.norm(away) < 1.5 and np.degrees(one.T_w2c.angle_to(view.T_w2c)) < 0.2
    assert not result.views[0].refined and result.views[0].covariance is None
    assert result.views[1].refined and result.views[1].moved_mm > 5.0
    assert result.covariance is not None and result.covariance.shape == (24, 24)
    np.testing.assert_allclose(result.covariance[:6, :6], result.objects[0].covariance)


def test_a_camera_that_was_bumped_by_less_than_its_sigma_is_put_right(drawn: Drawn, refiner: SceneRefiner) -> None:
    """Its leaves are far from their optima until the camera has moved, and those of the others are not."""
    away = np.array([0.012, -0.014, 0.006, 0.02, 0.03, -0.01])  # 19 mm, 2.1 degrees

    def bumped(sigma: tuple[float, float]) -> list[View]:
        first, second, *others = drawn.views
        other = View(second.observation, moved_camera(second.T_w2c, away), sigma=sigma, name="bumped")
        return [first, other, *(View(one.observation, one.T_w2c, sigma=sigma, name=one.name) for one in others)]

    result = refiner.refine(bumped((0.03, 3.0)), drawn.masks)
    assert not any("was left out" in note for note in result.notes) and result.views[1].used
    assert result.views[1].T_w2c.distance_to(drawn.views[1].T_w2c) < 2e-3 and worst_mm(result, drawn.truth) < 1.0
    # By far more than its sigma, it is left out.
    assert "view-left-out" in refiner.refine(bumped((0.001, 0.1)), drawn.masks).note_codes


def test_a_view_that_contradicts_the_others_is_left_out_and_named(drawn: Drawn, refiner: SceneRefiner) -> None:
    bumped = moved_camera(drawn.views[2].T_w2c, np.array([0.04, -0.03, 0.02, 0.05, 0.0, -0.05]))
    views = [*drawn.views[:2], View(drawn.views[2].observation, bumped, name="bumped")]
    result = refiner.refine(views, drawn.masks)
    assert result.ok and worst_mm(result, drawn.truth) < 0.5
    assert not result.views[2].used and "contradicts" in result.views[2].reason
    assert any("bumped was left out" in note for note in result.notes)


def test_of_two_views_neither_is_left_out_for_being_the_fewer(drawn: Drawn, refiner: SceneRefiner) -> None:
    """Camera-to-world given for world-to-camera: which view is then wrong, nothing tells."""
    inverted = [View(v.observation, v.T_w2c.inverse(), name=v.name) for v in drawn.views[:2]]
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] < 2}
    result = refiner.refine(inverted, masks)
    assert not result.ok
    for one in result.objects:
        assert one.status is not Status.CONVERGED and one.confidence <= 0.5


@pytest.mark.parametrize(
    ("as_given", "named", "typed"),
    [
        (Pose.inverse, "camera to world (T_w2c.inverse())", "--extrinsics-kind c2w)"),
        (lambda T: Pose.from_opengl(T.matrix), "y up (Pose.from_opengl(T_w2c))", "--extrinsics-kind w2c-opengl)"),
        (
            lambda T: Pose.from_opengl(T.matrix).inverse(),
            "(Pose.from_opengl(T_w2c.inverse()))",
            "--extrinsics-kind c2w-opengl)",
        ),
    ],
)
def test_places_of_another_kind_are_named(
    drawn: Drawn, refiner: SceneRefiner, as_given: Callable[[Pose], Pose], named: str, typed: str
) -> None:
    """All places of cameras in another direction, or with the axes of OpenGL: views agree once they are converted."""
    result = refiner.refine([View(v.observation, as_given(v.T_w2c), name=v.name) for v in drawn.views], drawn.masks)
    assert not any(one.ok for one in result.objects)
    for one in result.objects:
        assert named in one.message and NoteCode.VIEWS_KIND in one.note_codes
        assert typed in in_options(one.message)
        assert "extrinsics" not in in_keys(one.message) and "Pose." not in in_keys(one.message)


@pytest.mark.parametrize(
    ("far", "named"),
    [((4.0, 5.0, 12.0), "late"), ((4.0, 12.0, 5.0), "view 1"), ((4.0, 7.0, 12.0), ""), ((5.0, 12.0), "")],
)
def test_a_view_that_stands_out_of_those_that_do_not_fit_is_named(
    drawn: Drawn, far: tuple[float, ...], named: str
) -> None:
    """Two objects a view, as far off; of two views, nothing tells which it is."""
    views = [
        View(one.observation, one.T_w2c, name=name) for one, name in zip(drawn.views, ("", "", "late"), strict=True)
    ]
    scene = Scene(views[: len(far)], [SceneObject(mesh) for mesh in drawn.meshes])
    deviations = {(view, n): value + 0.1 * n for view, value in enumerate(far) for n in range(2)}
    (note,) = notes_on_fit(scene, cast("Together", SimpleNamespace(members={}, deviations=deviations)))
    assert (f"; {named} stands out" in note) if named else ("stands out" not in note)


def test_two_views_that_contradict_each_other_are_not_settled(drawn: Drawn, refiner: SceneRefiner) -> None:
    bumped = moved_camera(drawn.views[1].T_w2c, np.array([0.04, -0.03, 0.02, 0.05, 0.0, -0.05]))
    views = [drawn.views[0], View(drawn.views[1].observation, bumped, name="bumped")]
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] < 2}
    result = refiner.refine(views, masks)
    assert not any(one.ok for one in result.objects)
    assert all(one.status is Status.AMBIGUOUS and "bumped" in one.message for one in result.objects)


def test_masks_swapped_between_two_views_make_nothing_sure(photographed: Drawn, refiner: SceneRefiner) -> None:
    swapped = {(view, obj): photographed.masks[1 - view, obj] for view in (0, 1) for obj in (0, 1)}
    for first in (None, starts(photographed)):
        result = refiner.refine(photographed.views[:2], swapped, starts=first)
        for one, true in zip(result.objects, photographed.truth, strict=True):
            assert one.pose.distance_to(true) < 2e-3 or (not one.ok and one.confidence <= 0.5)


def test_one_view_with_masks_of_other_objects_is_named(drawn: Drawn, refiner: SceneRefiner) -> None:
    masks = drawn.masks | {(1, 0): drawn.masks[1, 1], (1, 1): drawn.masks[1, 0]}
    result = refiner.refine(drawn.views, masks)
    assert worst_mm(result, drawn.truth) < 0.5
    for one in result.objects:
        assert one.ok and any("camera 1 contradicts the others" in note for note in one.notes)


@pytest.mark.parametrize("factor", [0.01, 0.1, 10.0, 25.4, 100.0])
@pytest.mark.parametrize("count", [2, 3])
def test_a_mesh_in_the_wrong_unit_is_told_from_places_of_cameras(
    photographed: Drawn, factor: float, count: int
) -> None:
    box = photographed.meshes[0]
    wrong = Mesh(factor * box.vertices_m, box.faces, colors=box.colors, name="box")
    masks = {(view, 0): photographed.masks[view, 0] for view in range(count)}
    (one,) = refine_scene([wrong], photographed.views[:count], masks, threads=1).objects
    assert not one.ok and one.confidence <= 0.5
    if factor <= 25.4:  # at 50 m no view alone finds anything from which a size would follow
        times = f"1/{factor:.3g} as large" if factor > 1.0 else f"{1.0 / factor:.3g} times as large"
        assert one.status is Status.AMBIGUOUS and f"if its mesh is {times}" in one.message


@pytest.mark.parametrize(("factor", "said"), [(1e-3, "metres for millimetres"), (1e3, "millimetres for metres")])
def test_places_of_cameras_in_the_wrong_unit_are_not_the_mesh_s_fault(
    drawn: Drawn, refiner: SceneRefiner, factor: float, said: str
) -> None:
    views = [
        View(view.observation, Pose(view.T_w2c.R_m2c, factor * view.T_w2c.t_m2c), name=view.name)
        for view in drawn.views
    ]  # fmt: skip
    for one in refiner.refine(views, drawn.masks).objects:
        assert not one.ok and said in one.message and "its mesh" not in one.message


def test_an_object_that_is_ambiguous_lists_its_answers(drawn: Drawn, refiner: SceneRefiner) -> None:
    bumped = moved_camera(drawn.views[1].T_w2c, np.array([0.04, -0.03, 0.02, 0.05, 0.0, -0.05]))
    views = [drawn.views[0], View(drawn.views[1].observation, bumped, name="bumped")]
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] < 2}
    for first in (None, starts(drawn)):
        for one, true in zip(refiner.refine(views, masks, starts=first).objects, drawn.truth, strict=True):
            assert one.status is Status.AMBIGUOUS and len(one.answers) >= 2
            np.testing.assert_array_equal(one.answers[0].pose.matrix, one.pose.matrix)
            assert sum(answer.probability for answer in one.answers) < 1.0 + 1e-9
            assert min(answer.pose.distance_to(true) for answer in one.answers) < 1e-3


def test_answers_of_one_view_stand_in_the_world(drawn: Drawn, refiner: SceneRefiner) -> None:
    view = View(drawn.views[1].observation, drawn.views[1].T_w2c)
    result = refiner.refine(view, {(0, n): drawn.masks[1, n] for n in (0, 1)})
    for one in result.objects:
        assert one.answers
        np.testing.assert_allclose(one.answers[0].pose.matrix, one.pose.matrix, atol=1e-12)


def test_views_tell_together_what_one_alone_does_not(refiner: SceneRefiner) -> None:
    """A plain cube with one painted side that the first view does not see: without a start, it alone cannot tell."""
    cube = shapes.box((0.07, 0.07, 0.07), cells=6)
    colors = np.full((len(cube.vertices_m), 3), 0.6)
    side = (cube.vertices_m[:, 2] > 0.034) & (np.abs(cube.vertices_m[:, :2]).max(axis=1) < 0.034)  # not its rim
    colors[side] = 0.5 + 0.4 * np.sin(cube.vertices_m[side] @ np.array([[190.0, 20, 40], [10, 170, 20], [30, 0, 180]]))
    mesh = Mesh(cube.vertices_m, cube.faces, colors=colors, name="cube")
    truth = Pose(so3.exp(np.array([0.0, 0.6, 0.0])) @ so3.exp(np.array([0.6, 0.0, 0.0])), np.array([0.0, 0.0, 0.5]))
    views, masks = [], {}
    for number, place in enumerate((around(0.0), around(150.0, 20.0))):
        seen, (mask,) = draw((mesh,), [place @ truth], np.random.default_rng(number))
        views.append(View(seen, place, name=f"camera {number}"))
        masks[number, 0] = mask
    (alone,) = refine_scene([mesh], views[0], {(0, 0): masks[0, 0]}, threads=1).objects
    (both,) = refine_scene([mesh], views, masks, threads=1).objects
    assert alone.status is Status.AMBIGUOUS and len(alone.answers) > 1
    assert both.ok and both.pose.distance_to(truth) < 1e-3 and np.degrees(both.pose.angle_to(truth)) < 1.0


def test_an_empty_mask_says_that_an_object_is_not_seen(drawn: Drawn, refiner: SceneRefiner) -> None:
    masks = dict(drawn.masks) | {(2, 0): np.zeros_like(drawn.masks[2, 0])}
    result = refiner.refine(drawn.views, masks, starts=starts(drawn))
    assert result.ok and worst_mm(result, drawn.truth) < 0.5
    assert not result.objects[0].views[2].used and result.objects[1].views[2].used


def test_the_origin_of_a_file_may_be_anywhere(drawn: Drawn) -> None:
    far = np.array([0.3, -0.2, 0.4])
    moved = [mesh.moved(far) for mesh in drawn.meshes]
    truth = [Pose(pose.R_m2c, pose.t_m2c - pose.R_m2c @ far) for pose in drawn.truth]
    result = refine_scene(moved, drawn.views, drawn.masks, starts=truth, threads=1)
    near = refine_scene(drawn.meshes, drawn.views, drawn.masks, starts=list(drawn.truth), threads=1)
    for one, other, pose in zip(result.objects, near.objects, truth, strict=True):
        middle = other.pose.apply(np.zeros(3))
        np.testing.assert_allclose(one.pose.apply(far), middle, atol=2e-5)
        assert one.covariance is not None and other.covariance is not None
        back = np.eye(6)
        back[:3, 3:] = -so3.hat(pose.R_m2c @ far)
        seen = back @ one.covariance @ back.T
        assert 0.7 < np.trace(seen[:3, :3]) / np.trace(other.covariance[:3, :3]) < 1.4


def test_the_same_twice(drawn: Drawn) -> None:
    """One box that two detections claim: one of them keeps it, the other one says why not."""
    box = drawn.meshes[0]
    pair = SceneRefiner([SceneObject(box), SceneObject(box)], threads=1)
    assert [one.name for one in pair.objects] == ["box 1", "box 2"]
    masks = {(0, 0): drawn.masks[0, 0], (0, 1): drawn.masks[0, 0]}
    result = pair.refine(View(drawn.views[0].observation), masks, starts=[drawn.truth[0]] * 2)
    assert [one.ok for one in result.objects].count(True) == 1
    (lost,) = (one for one in result.objects if not one.ok)
    assert lost.status is Status.FAILED and "claims the same pixels" in lost.message


def test_the_same_seed_gives_the_same_bits(drawn: Drawn) -> None:
    first = starts(drawn)
    poses = []
    for threads in (1, 3):
        result = refine_scene(drawn.meshes, drawn.views, drawn.masks, starts=first, threads=threads)
        poses.append(np.stack([one.pose.matrix for one in result.objects]))
    np.testing.assert_array_equal(poses[0], poses[1])


def test_starts_in_every_form(drawn: Drawn, refiner: SceneRefiner) -> None:
    one = View(drawn.views[1].observation, drawn.views[1].T_w2c)
    masks = {(0, n): drawn.masks[1, n] for n in (0, 1)}
    world = refiner.refine(one, masks, starts={"box": drawn.truth[0], 1: drawn.truth[1]})
    camera = refiner.refine(
        one, masks, starts={(0, n): drawn.views[1].T_w2c @ pose for n, pose in enumerate(drawn.truth)}
    )
    for a, b in zip(world.objects, camera.objects, strict=True):
        np.testing.assert_allclose(a.pose.matrix, b.pose.matrix, atol=1e-9)


def test_what_makes_no_scene_is_refused(drawn: Drawn, refiner: SceneRefiner) -> None:
    seen, masks = drawn.views[0], drawn.masks
    photo = replace_depth(seen)
    with pytest.raises(DiffDopeError, match="objects: expected at least one, got none"):
        SceneRefiner([])
    with pytest.raises(DiffDopeError, match=r"objects\[1\]: expected a SceneObject or a Mesh, got str"):
        SceneRefiner([drawn.meshes[0], "box"])  # type: ignore[list-item]
    with pytest.raises(DiffDopeError, match="objects: expected several, .* put it into a list"):
        SceneRefiner(drawn.meshes[0])  # type: ignore[arg-type]
    with pytest.raises(DiffDopeError, match="preset: expected one whose solver searches, got paper"):
        SceneRefiner(drawn.meshes, preset="paper")
    with pytest.raises(DiffDopeError, match=r"object 1 \(ring\): expected a mask that is not empty, a box"):
        refiner.refine(photo, {(0, 0): masks[0, 0]})
    with pytest.raises(DiffDopeError, match="starts: expected a Pose or None for each of 2 objects, got 1"):
        refiner.refine(seen, starts=[drawn.truth[0]])
    with pytest.raises(DiffDopeError, match=r"starts\[0\]: expected shape \(4, 4\), got \(3, 3\)"):
        refiner.refine(seen, starts=[np.eye(3), None])
    with pytest.raises(DiffDopeError, match="starts: expected names of objects .*box, ring.*, got 'cup'"):
        refiner.refine(seen, starts={"cup": drawn.truth[0]})
    with pytest.raises(DiffDopeError, match=r"starts: expected keys \(view, object\)"):
        refiner.refine(seen, starts={(1, 0): drawn.truth[0]})
    with pytest.raises(DiffDopeError, match=r"boxes: expected keys \(view, object\)"):
        refiner.refine(seen, boxes={(0, 5): (1, 2, 3, 4)})


def replace_depth(view: View) -> View:
    return View(Observation(view.camera, rgb=view.observation.rgb), view.T_w2c)


def test_objects_are_named_apart(drawn: Drawn) -> None:
    plain = Mesh(drawn.meshes[0].vertices_m, drawn.meshes[0].faces)
    names = [one.name for one in SceneRefiner([plain, SceneObject(plain, name="lid"), plain]).objects]
    assert len(set(names)) == 3 and "lid" in names


def test_results_say_what_was_found(drawn: Drawn, refiner: SceneRefiner) -> None:
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] == 0}
    result = refiner.refine(View(drawn.views[0].observation), masks, starts=starts(drawn))
    text = repr(result)
    assert "2 of 2 found" in text and "box: " in text
    worse = replace(result, objects=(replace(result.objects[0], status=Status.FAILED), result.objects[1]))
    assert not worse.ok and "1 of 2 found" in repr(worse)


def test_a_view_with_nothing_to_compare_is_passed_over(drawn: Drawn) -> None:
    """Where edges do not count, a photograph alone says nothing about a mesh without colours."""
    fast = preset("fast")
    edgeless = replace(fast, search=replace(fast.search, outline=ContourSettings.off()))
    plain = SceneRefiner([Mesh(drawn.meshes[0].vertices_m, drawn.meshes[0].faces, name="plain")], preset=edgeless)
    photo = replace_depth(drawn.views[1])
    result = plain.refine([drawn.views[0], photo], {(0, 0): drawn.masks[0, 0]}, starts=[drawn.truth[0]])
    assert result.ok and [view.used for view in result.objects[0].views] == [True, False]
    assert result.objects[0].pose.distance_to(drawn.truth[0]) < 1e-3
    with pytest.raises(DiffDopeError, match="object plain: .*no colours"):
        plain.refine([photo, photo], starts=[drawn.truth[0]])


@pytest.mark.parametrize("factor", [0.01, 0.1, 10.0, 100.0])
@pytest.mark.parametrize("located", [False, True])
def test_a_wrong_unit_is_named_by_views_with_depth(drawn: Drawn, factor: float, located: bool) -> None:
    """Each view tells by mask and depth; what several say together names it, too."""
    wrong = Mesh(factor * drawn.meshes[0].vertices_m, drawn.meshes[0].faces, colors=drawn.meshes[0].colors, name="box")
    masks = {where: mask for where, mask in drawn.masks.items() if where[1] == 0}
    result = refine_scene([wrong], drawn.views, masks, starts=None if located else [drawn.truth[0]])
    (one,) = result.objects
    assert not one.ok and one.confidence < 0.5
    assert "by mask and depth the object is" in one.message and "is its unit wrong?" in one.message
    assert "against ;" not in one.message
