"""One codec of results: everything but the history comes back to the bit, and files of 0.1.0 can still be read."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import exp
from diffdope.io.plain import fields_of
from diffdope.io.results import decode, encode, read_result, write_result
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import History, RefinementResult, Status
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.packaged import packaged_example

OLD = Path(__file__).parent / "written_by_0_1_0"


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal to the bit, NaN included."""
    if isinstance(a, Pose):
        return isinstance(b, Pose) and same(a.R_m2c, b.R_m2c) and same(a.t_m2c, b.t_m2c)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and bool(a == b)


def there_and_back(result: RefinementResult) -> RefinementResult:
    return decode(json.loads(json.dumps(encode(result), allow_nan=False)), RefinementResult)


def differing(a: RefinementResult, b: RefinementResult) -> list[str]:
    names = [field.name for field in fields(RefinementResult) if field.name != "history"]
    return [name for name in names if not same(getattr(a, name), getattr(b, name))]


@pytest.fixture(scope="module")
def refined() -> RefinementResult:
    example = packaged_example()
    return Refiner(example.mesh).refine(example.observation, example.start)


def made(rng: np.random.Generator, **changes: Any) -> RefinementResult:
    poses = [Pose(exp(rng.normal(size=3)), rng.normal(size=3)).retract(rng.normal(size=6)) for _ in range(2)]
    costs = dict(zip(("rgb", "mask"), rng.random(2).tolist(), strict=True))
    empty = np.empty((0, 0))
    result = RefinementResult(
        pose=poses[0], initial_pose=poses[1], cost=float(rng.random()), initial_cost=float(rng.random()),
        cost_per_modality=costs, initial_cost_per_modality=costs, status=Status.CONVERGED, message="ä; \n\"b\"",
        winner=3, winner_iteration=2, iterations=7, history=History(empty, empty, empty, empty, empty),
        modalities=("rgb", "mask"), notes=("one", "two"), seed=2**40, elapsed_s=float(rng.random()),
        window=CropWindow(-3, 4, 20, 40, 2), covariance=rng.normal(size=(6, 6)), unobserved=rng.normal(size=(2, 6)),
        confidence=0.1 + 0.2,
    )  # fmt: skip
    return replace(result, **changes)


@pytest.mark.parametrize("preset", ["default", "paper", "fast"])
def test_a_result_comes_back_to_the_bit(preset: str) -> None:
    example = packaged_example()
    result = Refiner(example.mesh, preset=preset).refine(example.observation, example.start)
    assert differing(there_and_back(result), result) == []


def test_every_status_comes_back(refined: RefinementResult) -> None:
    for status in Status:
        assert differing(there_and_back(replace(refined, status=status)), replace(refined, status=status)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        dict(window=None, covariance=None, unobserved=None, confidence=None, evidence=None),
        dict(cost=math.inf, initial_cost=math.inf, cost_per_modality={}, initial_cost_per_modality={}, modalities=()),
        dict(cost=math.nan, initial_cost=-math.inf, confidence=math.nan),
        dict(cost_per_modality={"rgb": math.nan, "mask": math.inf}),
        dict(covariance=np.full((6, 6), np.nan), unobserved=np.zeros((0, 6))),
        dict(covariance=np.diag([np.inf, -np.inf, np.nan, -0.0, 5e-324, 1e308])),
        dict(notes=(), message=""),
    ],
)
def test_whatever_a_result_may_hold_comes_back(changes: dict[str, Any], rng: np.random.Generator) -> None:
    for _ in range(20):
        result = made(rng, **changes)
        assert differing(there_and_back(result), result) == []


def test_the_history_comes_back_empty(refined: RefinementResult) -> None:
    history = there_and_back(refined).history
    assert history.costs.shape == (0, 0) and history.R_m2c.shape == (0, 0, 3, 3) and history.t_m2c.shape == (0, 0, 3)


def test_a_new_field_needs_no_change_of_the_codec() -> None:
    """Each field has a key of its own; history has none, and the pose is spread over three."""
    result = made(np.random.default_rng(0))
    keys = {"initial_pose": "initial", "elapsed_s": "seconds"}
    expected = {keys.get(name, name) for name in fields_of(RefinementResult)} - {"pose", "history"}
    derived = {"cam_R_m2c", "cam_t_m2c", "T_m2c_metres", "change_deg", "change_mm", "note_codes"}
    assert encode(result).keys() == expected | derived


def test_what_readers_of_the_file_rely_on(refined: RefinementResult) -> None:
    entry = encode(refined)
    R, t_mm = refined.pose.to_bop()
    assert (entry["cam_R_m2c"], entry["cam_t_m2c"]) == (R, t_mm)
    assert entry["initial"]["cam_t_m2c"] == refined.initial_pose.to_bop()[1]
    assert entry["change_mm"] == pytest.approx(1e3 * refined.pose.distance_to(refined.initial_pose))
    assert entry["change_deg"] == pytest.approx(np.degrees(refined.pose.angle_to(refined.initial_pose)))
    assert entry["status"] == "converged" and entry["seconds"] == refined.elapsed_s
    assert encode(replace(refined, cost=math.inf))["cost"] is None


def test_a_file_holds_what_stands_beside_the_result(refined: RefinementResult, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_result(
        path, refined, {"settings": PRESETS["default"], "inputs": {"mesh": Path("a/b.ply")}, "limit": math.inf}
    )
    entry = json.loads(path.read_text())
    assert entry["settings"]["name"] == "default" and entry["inputs"] == {"mesh": str(Path("a/b.ply"))}
    assert entry["limit"] == "inf"
    assert differing(read_result(path, dd.RefinementResult), refined) == []
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no pose": ({"cam_R_m2c": None}, "result: cam_R_m2c"),
    "unknown status": ({"status": "fine"}, "result, status: expected Status, got 'fine'"),
    "cost": ({"cost": "low"}, "result, cost: expected float, got 'low'"),
    "covariance": ({"covariance": [[1.0, 2.0]]}, r"result, covariance: expected shape \(6, 6\), got \(1, 2\)"),
    "ragged": ({"covariance": [[1.0], [1.0, 2.0]]}, "result, covariance: expected"),
    "window": ({"window": {"x0": 1}}, "result, window: expected the key y0, got keys x0"),
    "window's size": ({"window": {"x0": 1, "y0": 1, "width": 3, "height": 4, "reduction": 2}}, "result, window"),
    "iterations": ({"iterations": 2.5}, "result, iterations: expected int, got 2.5"),
    "notes": ({"notes": "none"}, "result, notes: expected"),
    "costs": ({"cost_per_modality": [1.0]}, "result, cost_per_modality: expected"),
    "an error": ({"error": "boom"}, "result: expected a result, got the error: boom"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_entry_is_named(name: str, rng: np.random.Generator) -> None:
    changes, words = BROKEN[name]
    with pytest.raises(DiffDopeError, match=words):
        decode(encode(made(rng)) | changes, RefinementResult)


@pytest.mark.parametrize("key", ["cam_R_m2c", "status", "seconds", "cost"])
def test_a_missing_key_is_named(key: str, rng: np.random.Generator) -> None:
    entry = encode(made(rng))
    del entry[key]
    with pytest.raises(DiffDopeError, match=f"result: expected the key {key}, got keys"):
        decode(entry, RefinementResult)


# ---------------- files of 0.1.0: its own, cut to a few lines


def old_lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (OLD / name).read_text(encoding="utf-8").splitlines()]


def test_result_json_of_0_1_0() -> None:
    entry = json.loads((OLD / "result.json").read_text(encoding="utf-8"))
    result = read_result(OLD / "result.json", RefinementResult)
    assert result.pose.to_bop() == (entry["cam_R_m2c"], pytest.approx(entry["cam_t_m2c"]))
    assert np.array_equal(result.pose.matrix, entry["T_m2c_metres"])
    assert (str(result.status), result.confidence, result.seed) == (entry["status"], entry["confidence"], entry["seed"])
    assert result.covariance is not None and result.covariance.tolist() == entry["covariance"]
    assert result.evidence is not None and result.evidence.overlap == entry["evidence"]["overlap"]
    assert result.elapsed_s == entry["seconds"] and result.notes == tuple(entry["notes"])


def test_a_result_of_0_1_0_that_could_not_begin() -> None:
    result = read_result(OLD / "no_overlap.json", RefinementResult)
    assert result.status == Status.NO_OVERLAP and result.cost == result.initial_cost == math.inf


def test_records_of_bop_refine_of_0_1_0() -> None:
    records = [line for line in old_lines("bop.jsonl") if "key" in line]
    assert len(records) >= 2
    for record in records:
        result = decode(record, RefinementResult, record["key"])
        assert result.initial_pose.to_bop()[1] == pytest.approx(record["initial_cam_t_m2c"])
        assert result.pose.to_bop()[1] == pytest.approx(record["cam_t_m2c"])
        assert str(result.status) == record["status"] and result.modalities == tuple(record["cost_per_modality"])
        assert result.cost == (math.inf if record["cost"] is None else record["cost"])
        assert result.notes[-1] == "the record that this was read from lacks initial_pose, winner_iteration, " + (
            "modalities, seed, window"
        )


def test_records_of_track_of_0_1_0() -> None:
    records = [line for line in old_lines("poses.jsonl") if "key" in line]
    assert {"lost"} < {record["status"] for record in records}
    for record in records:
        result = decode(record, RefinementResult, record["key"])
        assert str(result.status) == record["status"] and result.confidence == record["confidence"]
        assert result.cost == (math.inf if record["cost"] is None else record["cost"])
        assert "lacks initial_pose, initial_cost" in result.notes[-1]


def test_every_key_is_documented(refined: RefinementResult) -> None:
    """Programs read these files by `docs/files.md`."""
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
    table = page.partition("\n## Results\n")[2].partition("\nJSON has no NaN")[0]
    beside = ("settings", "inputs", "diffdope_version", "results", "label")
    missing = [key for key in (*encode(refined), *beside) if f"`{key}`" not in table]
    assert not missing


def test_a_result_as_a_record_and_back(refined: RefinementResult, tmp_path: Path) -> None:
    record = refined.to_record()
    write_result(tmp_path / "result.json", refined)
    assert json.loads(json.dumps(record, allow_nan=False)) == json.loads((tmp_path / "result.json").read_text())
    back = dd.RefinementResult.from_record({"frame": 3, **json.loads(json.dumps(record))})
    assert differing(back, refined) == []
    with pytest.raises(DiffDopeError, match="record: expected a dictionary, got str; of a text, json.loads makes one"):
        dd.RefinementResult.from_record(json.dumps(record))  # type: ignore[arg-type]


def test_poses_of_another_method_are_refined_and_written_as_they_were(tmp_path: Path) -> None:
    example = packaged_example()
    np.savetxt(tmp_path / "000007.txt", example.start.matrix)
    result = Refiner(example.mesh, seed=0).refine(example.observation, tmp_path / "000007.txt")
    np.savetxt(tmp_path / "refined.txt", result.pose.matrix)
    again = dd.Pose.from_matrix(np.loadtxt(tmp_path / "refined.txt"))
    assert again.distance_to(example.truth) < 0.5e-3 and np.degrees(again.angle_to(example.truth)) < 0.5
