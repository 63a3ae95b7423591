"""Which place is looked at next where several instances are looked for."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry.camera import Camera
from diffdope.pipelines.settings import preset
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals import place_queue
from diffdope.search.proposals.place_queue import Occupancy, PlaceQueue
from diffdope.search.proposals.template_placement import Proposals
from tests.search.test_cut_masks import tee

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
COLUMNS = (40, 120, 200, 280)


class Laid:
    """Stands for templates: what a place explains, by its column, of few templates and of all."""

    def __init__(self, few: tuple[float, ...], every: tuple[float, ...]) -> None:
        self.few, self.every = dict(zip(COLUMNS, few, strict=True)), dict(zip(COLUMNS, every, strict=True))
        self.asked: list[tuple[int, bool]] = []

    def __call__(self, meshes: MeshLevels, *given: object, size: int, every: int) -> tuple[Proposals, float]:
        column = int(given[1].pixel[0])  # type: ignore[attr-defined]
        self.asked.append((column, every == 1))
        explained = (self.every if every == 1 else self.few)[column]
        return Proposals(np.eye(3)[None], np.ones((1, 3)), np.array([explained])), meshes.length_m


@pytest.fixture(scope="module")
def meshes() -> MeshLevels:
    return MeshLevels(tee(), (500,), threads=1)


def queue_of(meshes: MeshLevels, laid: Laid, patch: pytest.MonkeyPatch) -> tuple[PlaceQueue, Occupancy]:
    patch.setattr(place_queue, "_laid", laid)
    observation = Observation(CAMERA, depth=np.full((240, 320), 0.5, np.float32))
    pixels = np.array([[column, 120] for column in COLUMNS], np.float64)
    queue = PlaceQueue(meshes, observation, pixels, preset("default").resolved_search)
    return queue, Occupancy.of(np.zeros((240, 320), np.bool_))


def test_all_templates_are_laid_over_the_best_alone(meshes: MeshLevels, monkeypatch: pytest.MonkeyPatch) -> None:
    laid = Laid((1.0, 3.0, 2.0, -1.0), (1.0, 2.9, 2.0, 5.0))
    queue, scene = queue_of(meshes, laid, monkeypatch)
    best = queue.best(scene)
    assert best is not None and best.pixel[0] == 120 and best.proposals is not None
    assert laid.asked == [*((column, False) for column in COLUMNS), (120, True)]
    assert queue.best(scene) is best and len(laid.asked) == 5  # nothing was claimed: nothing is asked again


def test_what_seemed_to_explain_more_gives_way(meshes: MeshLevels, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few templates may say too much: all of them put the next one first."""
    laid = Laid((1.0, 3.0, 2.0, 0.5), (1.0, 0.4, 1.9, 0.5))
    queue, scene = queue_of(meshes, laid, monkeypatch)
    best = queue.best(scene)
    assert best is not None and best.pixel[0] == 200
    assert [column for column, every in laid.asked if every] == [120, 200]


def test_places_of_what_is_not_sure_come_last(meshes: MeshLevels, monkeypatch: pytest.MonkeyPatch) -> None:
    laid = Laid((1.0, 3.0, 2.0, -1.0), (1.0, 3.0, 2.0, -1.0))
    queue, scene = queue_of(meshes, laid, monkeypatch)
    shown = np.zeros((240, 320), np.bool_)
    shown[:, 100:220] = True
    queue.postpone(shown)
    order = []
    while (place := queue.best(scene)) is not None:
        order.append(int(place.pixel[0]))
        queue.leave_out(place, 0.01)
    assert order == [40, 120, 200]


def test_places_that_are_left_out_are_counted(meshes: MeshLevels, monkeypatch: pytest.MonkeyPatch) -> None:
    laid = Laid((1.0, 3.0, 2.0, 0.5), (1.0, 3.0, 2.0, 0.5))
    queue, scene = queue_of(meshes, laid, monkeypatch)
    shown = np.zeros((240, 320), np.bool_)
    shown[:, 100:220] = True
    assert queue.leave_out_shown(shown) == 2 and queue.leave_out_shown(shown) == 0
    best = queue.best(scene)
    assert best is not None and best.pixel[0] == 40


def test_what_was_claimed_is_no_place_and_the_others_are_asked_anew(
    meshes: MeshLevels, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid = Laid((1.0, 3.0, 2.0, 0.5), (1.0, 3.0, 2.0, 0.5))
    queue, scene = queue_of(meshes, laid, monkeypatch)
    best = queue.best(scene)
    assert best is not None
    scene.claimed[:, 110:130] = True
    queue.again_around(best)
    laid.asked.clear()
    after = queue.best(scene)
    assert after is not None and after.pixel[0] == 200
    # What explained less before need not be asked: what is claimed explains nothing.
    assert laid.asked == [(200, False), (200, True)]
