"""Recordings for rerun, read back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.packaged import packaged_example
from diffdope.viz.rerun_file import TrackedFrame, write_refinement, write_track
from tests.viz.rerun_reader import columns

chunk = pytest.importorskip("rerun.chunk")


@pytest.fixture(scope="module")
def refined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any, Path]:
    mesh, observation, start, _ = packaged_example()
    result = Refiner(mesh).refine(observation, start)
    path = tmp_path_factory.mktemp("rerun") / "refined.rrd"
    write_refinement(path, mesh, observation, result)
    return mesh, observation, result, path


def test_the_last_pose_is_that_of_the_result_and_there_is_one_an_iteration(refined: tuple[Any, ...]) -> None:
    mesh, _, result, path = refined
    found = columns(path)
    translations = found["/view/object", "Transform3D:translation"]
    steps = np.isfinite(result.history.costs[: result.winner_iteration + 1, result.winner]).sum()
    assert len(translations) == steps + 1
    np.testing.assert_allclose(translations[-1][1][0], result.pose.t_m2c, atol=1e-6)
    columns_major = np.reshape(found["/view/object", "Transform3D:mat3x3"][-1][1][0], (3, 3))
    np.testing.assert_allclose(columns_major.T, result.pose.R_m2c, atol=1e-6)
    costs = [value[0] for _, value in found["/plots/cost", "Scalars:scalars"]]
    assert len(costs) == steps
    assert found["/plots/confidence", "Scalars:scalars"][-1][1] == [pytest.approx(result.confidence)]
    sigma = found["/plots/sigma_mm", "Scalars:scalars"][-1][1]
    np.testing.assert_allclose(sigma, 1e3 * np.sqrt(np.diag(result.covariance))[:3], rtol=1e-9)
    np.testing.assert_allclose(found["/view/start", "Transform3D:translation"][0][1][0], result.initial_pose.t_m2c)
    assert len(found["/view/object/mesh", "Mesh3D:triangle_indices"][0][1]) == len(mesh.faces)


def test_the_photograph_is_a_jpeg_and_depth_is_to_a_tenth_of_a_millimetre(refined: tuple[Any, ...]) -> None:
    _, observation, _, path = refined
    found = columns(path)
    blob = found["/view/camera/rgb", "EncodedImage:blob"][0][1][0]
    picture = np.asarray(Image.open(io.BytesIO(bytes(blob)))) / 255.0
    assert bytes(blob[:2]) == b"\xff\xd8"
    assert np.abs(picture - observation.rgb).mean() < 0.02
    stored = np.frombuffer(bytes(found["/view/camera/depth", "DepthImage:buffer"][0][1][0]), np.uint16)
    unit = found["/view/camera/depth", "DepthImage:meter"][0][1][0]
    np.testing.assert_allclose(stored.reshape(observation.depth.shape) / unit, observation.depth, atol=0.5001 / unit)


def test_the_ellipsoid_is_that_of_the_positions_covariance(refined: tuple[Any, ...]) -> None:
    _, _, result, path = refined
    found = columns(path)
    half = np.array(found["/view/position", "Ellipsoids3D:half_sizes"][-1][1][0])
    x, y, z, w = found["/view/position", "Ellipsoids3D:quaternions"][-1][1][0]
    axes = Pose.from_wxyz_xyz([w, x, y, z, 0, 0, 0]).R_m2c
    np.testing.assert_allclose(
        axes @ np.diag(half**2) @ axes.T, result.covariance[:3, :3], atol=1e-4 * result.covariance[:3, :3].max()
    )


def test_a_lost_frame_has_no_object_and_a_found_one_has_it_again(tmp_path: Path) -> None:
    mesh, observation, pose, _ = packaged_example()
    covariance = np.diag([1e-6] * 3 + [1e-4] * 3)
    frames = [
        TrackedFrame(0.0, observation, pose, 0.9, covariance, "", 1_700_000_000_123_456_789),
        TrackedFrame(0.1, observation, None, 0.0, None, "lost", 1_700_000_000_223_456_789),
        TrackedFrame(0.2, observation, pose, 0.8, covariance, "found again", 1_700_000_000_323_456_789),
    ]
    write_track(tmp_path / "a.rrd", mesh, observation.camera, iter(frames))
    found = columns(tmp_path / "a.rrd")
    assert [time for time, _ in found["/view/object", "Transform3D:translation"]] == [0, 2]
    assert [time for time, _ in found["/view/object/mesh", "Mesh3D:vertex_positions"]] == [0, 2]
    assert [time for time, _ in found["/view/object", "Clear:is_recursive"]] == [1]
    assert [value[0] for _, value in found["/plots/confidence", "Scalars:scalars"]] == [0.9, 0.0, 0.8]
    assert [value[0] for _, value in found["/events", "TextLog:text"]] == ["lost", "found again"]
    assert len(found["/view/camera/rgb", "EncodedImage:blob"]) == 3
    stamps = {
        value.value
        for one in chunk.RrdReader(tmp_path / "a.rrd").stream()
        if one.entity_path == "/plots/confidence"
        for value in one.to_record_batch()["stamp"]
    }
    assert stamps == {frame.stamp_ns for frame in frames}  # to the nanosecond


def test_an_interrupted_recording_leaves_what_was_there(tmp_path: Path) -> None:
    mesh, observation, pose, _ = packaged_example()
    path = tmp_path / "a.rrd"
    path.write_bytes(b"before")

    def broken() -> Any:
        yield TrackedFrame(0.0, observation, pose, 0.9)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_track(path, mesh, observation.camera, broken())
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_without_rerun_the_cure_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("diffdope.viz.rerun_parts.find_spec", lambda name: None)
    mesh, observation, _, _ = packaged_example()
    with pytest.raises(DiffDopeError, match=r"diffdope\[rerun\]"):
        write_track(tmp_path / "a.rrd", mesh, observation.camera, [])
