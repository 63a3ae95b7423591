"""Another way round wins only against a result that has made as many steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.settings import preset
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.packaged import packaged_example
from diffdope.search.alternatives.way_back import F64, Way, as_well_refined
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.search_inputs import SearchInputs

DEFAULT = preset("default")
SETTINGS = DEFAULT.resolved_search
LAST = SETTINGS.near.of_one_pose(1)
ONE_STEP = replace(LAST, levels=tuple(replace(level, iterations=1) for level in LAST.levels))
MESH, SEEN, _, TRUTH = packaged_example()


@pytest.fixture(scope="module")
def descent() -> Descent:
    meshes = MeshLevels(MESH, SETTINGS.near.faces, threads=1)
    return Descent(SearchInputs(meshes, SEEN, SETTINGS, DEFAULT.objective, DEFAULT.crop.margin), Recorder())


def ended(descent: Descent, pyramid: PyramidSettings, start: Pose) -> Candidates:
    found = descent.run(pyramid, Hypotheses.of(start, 0), start)
    assert isinstance(found, Candidates)
    return found


def test_a_result_that_stopped_beside_its_minimum_is_refined_before_another_way_round_wins(descent: Descent) -> None:
    side = lookalikes(MESH)
    found = ended(descent, ONE_STEP, Pose(TRUTH.R_m2c @ so3.exp(np.radians([0.0, 14.0, 8.0])), TRUTH.t_m2c))
    began, other = (Pose(pose.R_m2c @ side.R[1], pose.t_m2c + pose.R_m2c @ side.t_m[1]) for pose in (found.pose, TRUTH))
    won = ended(descent, LAST, other)
    minima = TRUTH, won.pose

    def by_rest(some: list[Candidates]) -> F64:
        """What lies at a minimum is likelier, and of two that do, the first."""
        return np.array([-min(one.pose.angle_to(pose) for pose in minima) for one in some]) + np.array([0.05, 0.0])

    assert found.pose.angle_to(TRUTH) > np.radians(4.0) and np.argmax(by_rest([found, won])) == 1
    choice, odds = as_well_refined([found, won], [Way(won, began)], by_rest, descent, LAST)
    assert np.argmax(odds) == 0 and choice[1] is won
    assert choice[0].pose.angle_to(TRUTH) < np.radians(1.0) and choice[0].start is found.start
    # Who wins all the same stays, and so does what is no other way round.
    for ways, odds_of in (([Way(won, began)], lambda some: np.arange(len(some)) + 0.0), ([], by_rest)):
        before = [found, won]
        choice, odds = as_well_refined(before, ways, odds_of, descent, LAST)
        assert choice is before and np.argmax(odds) == 1
