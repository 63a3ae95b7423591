"""Cameras whose places nobody measured: found from the objects, or said to be open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.extrinsics import read_camera_places
from diffdope.io.files import write_json
from diffdope.io.scene_results import encode_scene
from diffdope.joint.chain import moved_camera
from diffdope.joint.merge import single_of
from diffdope.joint.scene_refiner import SceneRefiner, refine_scene
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.mesh import Mesh
from diffdope.scene.view import View
from diffdope.search.alternatives.answers import Answer
from tests.joint.conftest import Drawn, around, draw, starts
from tests.oracle import shapes


def without_places(drawn: Drawn, kept: tuple[int, ...] = ()) -> list[View]:
    return [view if n in kept else View(view.observation, name=view.name) for n, view in enumerate(drawn.views)]


@pytest.mark.parametrize("kept", [(), (1,)])
@pytest.mark.parametrize("located", [True, False])
def test_places_are_found_from_the_objects(
    photographed: Drawn, refiner: SceneRefiner, kept: tuple[int, ...], located: bool
) -> None:
    in_cameras = {
        (v, n): view.T_w2c @ pose
        for v, view in enumerate(photographed.views)
        for n, pose in enumerate(starts(photographed))
    }
    result = refiner.refine(
        without_places(photographed, kept), photographed.masks, starts=None if located else in_cameras, find_places=True
    )
    world = Pose.identity() if kept else photographed.views[0].T_w2c
    assert result.ok and not result.notes
    for number, (one, view) in enumerate(zip(result.views, photographed.views, strict=True)):
        true = view.T_w2c @ world.inverse()
        assert one.place == ("found" if number != (kept or (0,))[0] else "given")
        assert 1e3 * one.T_c2w.distance_to(true.inverse()) < 3.0 and np.degrees(one.T_w2c.angle_to(true)) < 0.4
        if one.covariance is not None:
            away = np.concatenate([one.T_w2c.t_m2c - true.t_m2c, so3.log(one.T_w2c.R_m2c @ true.R_m2c.T)])
            assert away @ np.linalg.solve(one.covariance, away) / 6.0 < 9.0
    for one, pose in zip(result.objects, photographed.truth, strict=True):
        assert one.pose.distance_to(world @ pose) < 1e-3


def test_the_first_view_that_shows_an_object_is_the_world(photographed: Drawn, refiner: SceneRefiner) -> None:
    empty = {where: np.zeros_like(mask) for where, mask in photographed.masks.items() if where[0] == 0}
    result = refiner.refine(without_places(photographed), photographed.masks | empty, find_places=True)
    assert [one.place for one in result.views][:2] == ["open", "given"]
    assert [code for code in result.note_codes if code.startswith(("place", "world"))] == ["place-open", "world-view"]
    assert result.views[1].T_w2c.distance_to(Pose.identity()) == 0.0


def test_one_round_thing_leaves_a_place_open_and_another_thing_settles_it(photographed: Drawn) -> None:
    can = shapes.torus(48, 16)
    round_thing = Mesh(can.vertices_m, can.faces, name="ring")
    poses = [
        Pose(so3.exp(np.array([1.2, 0.0, 0.0])), np.array([0.0, 0.0, 0.5])),
        Pose(np.eye(3), np.array([0.09, 0.02, 0.52])),
    ]
    box = photographed.meshes[0]
    views, masks = [], {}
    for number, place in enumerate((around(0.0), around(50.0))):
        seen, shown = draw((round_thing, box), [place @ pose for pose in poses], np.random.default_rng(number))
        views.append(View(seen, name=f"camera {number}"))
        masks |= {(number, n): mask for n, mask in enumerate(shown)}
    alone = refine_scene(
        [round_thing], views, {where: m for where, m in masks.items() if where[1] == 0}, threads=1, find_places=True
    )
    assert not alone.ok and [one.place for one in alone.views] == ["given", "open"]
    assert NoteCode.PLACE_OPEN in alone.note_codes and "several places alike" in alone.views[1].reason
    assert alone.objects[0].ok and not alone.objects[0].views[1].used
    both = refine_scene([round_thing, box], views, masks, threads=1, find_places=True)
    true = around(50.0)
    assert [one.place for one in both.views] == ["given", "found"]
    assert np.degrees(both.views[1].T_w2c.angle_to(true)) < 1.0


def test_a_view_that_shares_no_object_with_the_others_has_no_place(drawn: Drawn, refiner: SceneRefiner) -> None:
    none = np.zeros_like(drawn.masks[0, 0])
    masks = drawn.masks | {(0, 1): none, (1, 1): none, (2, 0): none}
    result = refiner.refine(without_places(drawn), masks, find_places=True)
    assert [one.place for one in result.views] == ["given", "found", "open"] and not result.ok
    assert "no object that is found in it" in result.views[2].reason and not result.views[2].used


def test_places_are_not_guessed_unless_asked_for(drawn: Drawn, refiner: SceneRefiner) -> None:
    with pytest.raises(DiffDopeError, match="find_places=True"):
        refiner.refine(without_places(drawn), drawn.masks)


def test_a_scene_s_file_says_where_cameras_stand(drawn: Drawn, refiner: SceneRefiner, tmp_path) -> None:  # type: ignore[no-untyped-def]
    result = refiner.refine(without_places(drawn), drawn.masks, starts=None, find_places=True)
    write_json(tmp_path / "scene.json", encode_scene(result, [1, 2]))
    places = read_camera_places([tmp_path / "scene.json"], 3)
    for place, one in zip(places, result.views, strict=True):
        np.testing.assert_allclose(place.matrix, one.T_w2c.matrix, atol=1e-12)
    open_ = replace(result, views=(*result.views[:2], replace(result.views[2], place="open", reason="not seen")))
    write_json(tmp_path / "open.json", encode_scene(open_, [1, 2]))
    with pytest.raises(DiffDopeError, match="not seen"):
        read_camera_places([tmp_path / "open.json"], 3)


def test_places_that_are_off_make_objects_unsure(drawn: Drawn, refiner: SceneRefiner) -> None:
    """Two cameras taken as exact, one of them four millimetres off: pixels do not know of it."""
    step = np.array([0.003, -0.0024, 0.002, 0.0, 0.0, 0.0])
    views = [drawn.views[0], View(drawn.views[1].observation, moved_camera(drawn.views[1].T_w2c, step))]
    masks = {where: mask for where, mask in drawn.masks.items() if where[0] < 2}
    exact = refiner.refine(drawn.views[:2], masks, starts=starts(drawn))
    off = refiner.refine(views, masks, starts=starts(drawn))
    for one, other in zip(exact.objects, off.objects, strict=True):
        assert one.covariance is not None and other.covariance is not None
        assert np.sqrt(np.trace(other.covariance[:3, :3])) > np.sqrt(np.trace(one.covariance[:3, :3])) + 5e-4
        assert np.sqrt(np.trace(one.covariance[:3, :3])) < 1e-3
    assert NoteCode.VIEWS_MISFIT in off.note_codes and NoteCode.VIEWS_MISFIT not in exact.note_codes


def test_answers_of_a_view_are_no_more_than_one_together(drawn: Drawn) -> None:
    refiner = Refiner(drawn.meshes[0], threads=1)
    result = refiner.locate(drawn.views[0].observation.with_mask(drawn.masks[0, 0]))
    answers = tuple(Answer(result.pose, 0.1) for _ in range(6))
    single = single_of(replace(result, answers=answers, confidence=0.1, right_minimum=0.9), refiner)
    assert single is not None and sum(probability for _, probability in single.answers) <= 1.0 + 1e-9
