from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.scene import Scene, SceneObject
from diffdope.scene.view import View

SMALL, LARGE = Camera(50, 50, 3.5, 2.5, 8, 6), Camera(100, 100, 7.5, 5.5, 16, 12)
RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
LEFT, RIGHT = np.zeros((6, 8), bool), np.zeros((6, 8), bool)
LEFT[2:4, 1:3], RIGHT[1:5, 5:7] = True, True
TETRAHEDRON = Mesh(np.vstack([np.zeros(3), 0.1 * np.eye(3)]), np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
CUP, LID = SceneObject(TETRAHEDRON, name="cup"), SceneObject(TETRAHEDRON, Symmetries.none(), name="lid")
ABOVE = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))


def images(**given: Any) -> Observation:
    return Observation(SMALL, rgb=RGB, **given)


def large() -> Observation:
    return Observation(LARGE, depth=np.full((12, 16), 0.5))


def test_each_object_has_its_mask_in_each_view() -> None:
    views = [View(images(), Pose.identity()), View(large(), ABOVE)]
    scene = Scene(views, [CUP, LID], {(0, 0): LEFT, (0, 1): RIGHT, (1, 1): np.ones((12, 16))})
    assert [view.camera for view in scene.views] == [SMALL, LARGE]
    assert scene.objects == (CUP, LID)
    assert repr(scene) == "Scene(2 views, 2 objects, 3 masks)"
    for obj, mask in enumerate((LEFT, RIGHT)):
        seen = scene.observation(0, obj)
        assert seen.camera == SMALL and seen.modalities == ("rgb", "mask")
        np.testing.assert_array_equal(seen.mask, mask)
    assert scene.observation(1, 0).modalities == ("depth",)
    assert scene.observation(1, 1).modalities == ("depth", "mask")
    assert scene.observation(1, 1) is scene.observation(1, 1)


def test_objects_share_the_images() -> None:
    scene = Scene([View(images())], [CUP, LID], {(0, 0): LEFT, (0, 1): RIGHT})
    assert scene.observation(0, 0).rgb is scene.observation(0, 1).rgb is scene.views[0].observation.rgb


def test_a_mask_that_is_overwritten_later_does_not_change_the_scene() -> None:
    mask = LEFT.astype(np.float32)
    scene = Scene([View(images())], [CUP], {(0, 0): mask})
    mask[:] = 0.0
    np.testing.assert_array_equal(scene.observation(0, 0).mask, LEFT)


def test_the_only_object_takes_the_mask_of_its_view() -> None:
    own = images(mask=RIGHT)
    scene = Scene([View(own)], [CUP])
    assert scene.observation(0, 0) is own


def test_masks_alone_will_do_for_several_objects() -> None:
    bare = Observation(SMALL, mask=LEFT).without_mask()
    scene = Scene([View(bare)], [CUP, LID], {(0, 0): LEFT, (0, 1): RIGHT})
    np.testing.assert_array_equal(scene.observation(0, 1).mask, RIGHT)
    assert scene.observation(0, 1).modalities == ("mask",)


def test_is_immutable_and_pickles() -> None:
    views = [View(images())]
    scene = Scene(views, (o for o in (CUP, LID)), {(0, 1): RIGHT})
    views.append(View(large()))
    assert len(scene.views) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        scene.views = ()  # type: ignore[misc]
    twin = pickle.loads(pickle.dumps(scene))
    assert [o.name for o in twin.objects] == ["cup", "lid"]
    np.testing.assert_array_equal(twin.observation(0, 1).mask, RIGHT)
    assert twin.observation(0, 0).mask is None


def test_an_object_is_called_as_its_mesh_unless_it_has_a_name() -> None:
    named = Mesh(TETRAHEDRON.vertices_m, TETRAHEDRON.faces, name="part")
    assert SceneObject(named).name == "part" and SceneObject(named, name="second part").name == "second part"
    assert CUP.symmetries is None and LID.symmetries is not None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mesh": "cup.obj"}, "mesh: expected a Mesh, got str; Mesh.load reads a file"),
        ({"mesh": TETRAHEDRON, "symmetries": {}}, "symmetries: expected Symmetries, got dict; see Symmetries.from_bop"),
        ({"mesh": TETRAHEDRON, "name": 3}, "name: expected a text, got int"),
    ],
)
def test_what_is_no_object_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        SceneObject(**given)


@pytest.mark.parametrize(
    ("views", "objects", "masks", "message"),
    [
        ([], [CUP], {}, "views: expected at least one View, got none"),
        ([View(images())], [], {}, "objects: expected at least one SceneObject, got none"),
        (View(images()), [CUP], {}, "views: expected several, each a View, got a View; put it into a list"),
        (3, [CUP], {}, "views: expected at least one View, got int"),
        ([images()], [CUP], {}, r"views\[0\]: expected a View, got Observation"),
        ([View(images())], [CUP, TETRAHEDRON], {}, r"objects\[1\]: expected a SceneObject, got Mesh"),
        (
            [View(images(), ABOVE), View(large())],
            [CUP],
            {},
            r"views\[1\].T_w2c: expected a pose for each of 2 views, got None; .* Pose.identity",
        ),
        ([View(images())], [CUP], [LEFT], r"masks: expected {\(view, object\): mask}, got list"),
        ([View(images())], [CUP], {0: LEFT}, r"masks: expected keys \(view, object\), got 0"),
        ([View(images())], [CUP], {(1, 0): LEFT}, r"masks\[\(1, 0\)\], view: expected a whole number from 0 to 0"),
        ([View(images())], [CUP], {(0, -1): LEFT}, r"masks\[\(0, -1\)\], object: expected .* from 0 to 0, got -1"),
        ([View(images())], [CUP], {(0, True): LEFT}, r"object: expected a whole number"),
        ([View(large())], [CUP], {(0, 0): LEFT}, r"masks\[0, 0\]: mask: expected shape \(12, 16\), got \(6, 8\)"),
        ([View(images())], [CUP], {(0, 0): 0 * LEFT}, r"masks\[0, 0\]: mask: expected some pixels on the object"),
        (
            [View(images(mask=LEFT))],
            [CUP, LID],
            {(0, 0): LEFT},
            r"views\[0\].observation.mask: expected none, .* of 2 objects, got a mask; .* masks\[0, object\]",
        ),
        ([View(images(mask=LEFT))], [CUP], {(0, 0): LEFT}, r"masks\[0, 0\] is given, got a mask; leave one of them"),
    ],
)
def test_what_is_no_scene_is_refused(views: Any, objects: Any, masks: Any, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        Scene(views, objects, masks)


@pytest.mark.parametrize(("pair", "name"), [((1, 0), "view"), ((0, 2), "obj"), ((-1, 0), "view"), ((0, 0.0), "obj")])
def test_only_pairs_of_the_scene_are_seen(pair: tuple[Any, Any], name: str) -> None:
    with pytest.raises(DiffDopeError, match=f"{name}: expected a whole number from 0 to "):
        Scene([View(images())], [CUP, LID]).observation(*pair)
