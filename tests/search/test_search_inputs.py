"""What a search is given is one record, which those that take part in it hand on, changed where they say so."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from diffdope.pipelines.settings import preset
from diffdope.scene.packaged import packaged_example
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.search import Search
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.tracking.keyframes import Keyframes

DEFAULT = preset("default")
SETTINGS = DEFAULT.resolved_search
MESH, SEEN, START, _ = packaged_example()


@pytest.fixture(scope="module")
def inputs() -> SearchInputs:
    meshes = MeshLevels(MESH, SETTINGS.near.faces, threads=1)
    return SearchInputs(meshes, SEEN, SETTINGS, DEFAULT.objective, DEFAULT.crop.margin)


def test_a_descent_of_other_images_or_settings_says_so_and_leaves_the_first_as_it_was(inputs: SearchInputs) -> None:
    descent, unseen = Descent(inputs, Recorder()), SEEN.without_mask()
    other = descent.of(unseen).by(replace(SETTINGS, mask_error_px=0.0))
    assert other.inputs.observation is unseen and other.inputs.settings.mask_error_px == 0.0
    assert other.inputs.meshes is inputs.meshes and other.levels.inputs is other.inputs
    assert descent.inputs is inputs
    with pytest.raises(FrozenInstanceError):
        inputs.margin = 0.5  # type: ignore[misc]


def test_colours_that_say_nothing_leave_settings_and_weights_of_the_others(inputs: SearchInputs) -> None:
    descent = Descent(inputs, Recorder())
    colourless = descent.colourless(SETTINGS.outline).inputs
    assert colourless.objective.rgb_weight == 0.0 < inputs.objective.rgb_weight
    assert colourless.objective.depth_weight == inputs.objective.depth_weight


def test_keyframes_make_an_image_a_frame_of_a_film(inputs: SearchInputs) -> None:
    assert not inputs.filmed
    assert replace(inputs, keyframes=Keyframes(inputs.meshes)).filmed


def test_a_record_serves_several_searches_which_do_not_change_it(inputs: SearchInputs) -> None:
    outcomes = [Search(inputs, START, seed=0).run() for _ in range(2)]
    first, second = (one for one in outcomes if isinstance(one, Outcome))
    assert first.cost == second.cost and (first.pose.matrix == second.pose.matrix).all()
    assert len(first.history.costs) == len(second.history.costs)  # neither has the other's iterates
