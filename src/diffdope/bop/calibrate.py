"""Fits the confidence to a data set with truth: which results of a run were right, and what that makes of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.dataset import DataSet
from diffdope.bop.metrics import ModelPoints, PosePairs, add_errors, with_nearest_truths
from diffdope.bop.reliability import ConfidenceMap, Reliability, fitted_map, interval, left_out, reliability
from diffdope.bop.run_records import RunRecords
from diffdope.bop.scene import Instance
from diffdope.errors import expected
from diffdope.estimate.confidence import TOLERANCE
from diffdope.io.poses import pose_of
from diffdope.note_codes import Note, NoteCode

F64 = NDArray[np.float64]

MOST_POINTS = 5000  # of larger models every k-th vertex is taken
FEW_WRONG, FEW_RIGHT, FEW_IMAGES = 20, 20, 10
"""Below these, a map says more about what was taken for likely than about the data; a report says so."""


class Judged(NamedTuple):
    """A result of a run: confidence, error and tolerance in metres, what was compared, and its image."""

    confidence: float
    error_m: float
    tolerance_m: float
    modalities: str
    scene_id: int
    im_id: int
    obj_id: int

    @property
    def right(self) -> bool:
        """Whether the confidence was about this."""
        return self.error_m < self.tolerance_m


@dataclass(frozen=True)
class FittedConfidence:
    """A fitted map, and how good confidences are without it and with one that other images were fitted to.

    Attributes:
        fitted: the map.
        low: 5 % quantiles of its numbers over draws of the images.
        high: 95 % quantiles.
        before: by name of a part of the results ("all", modalities, scenes): confidences as they are.
        after: the same, each mapped by what other images say.
        notes: what a reader must know.
    """

    fitted: ConfidenceMap
    low: ConfidenceMap
    high: ConfidenceMap
    before: Mapping[str, Reliability]
    after: Mapping[str, Reliability]
    notes: tuple[str, ...]


def judged(dataset: DataSet, records: RunRecords) -> list[Judged]:
    """The results of a run whose instance is known, against the truth.

    The error is ADD to the nearest of the true poses that look the same, by the symmetries of models_info.json.

    Args:
        dataset: with truth.
        records: of the run.

    Raises:
        DiffDopeError: if the run has no confidences, or ones that were mapped already, or no instance is known.
    """
    confidence = _settings_of(records)
    if confidence.get("odds", 1.0) != 1.0 or confidence.get("slope", 1.0) != 1.0:
        cure = "a map is fitted to confidences as they are: run bop refine without --confidence-file"
        raise expected(f"results, {records.path.name}", "confidences that no map has changed", "mapped ones", cure)
    by_object: dict[int, list[tuple[Mapping[str, Any], Instance]]] = {}
    for record in records.records:
        if "error" in record or record.get("gt_id") is None or record.get("confidence") is None:
            continue
        truth = {one.gt_id: one for one in dataset.scene(record["scene_id"]).truth(record["im_id"])}
        if record["gt_id"] in truth:
            by_object.setdefault(int(record["obj_id"]), []).append((record, truth[record["gt_id"]]))
    found = [one for obj_id, pairs in sorted(by_object.items()) for one in _of_object(dataset, obj_id, pairs)]
    if not found:
        cure = "use records of bop refine with a preset that has confidences, on images whose truth is known"
        raise expected(f"results, {records.path.name}", "results with a confidence and a true instance", "none", cure)
    return found


def _settings_of(records: RunRecords) -> Mapping[str, Any]:
    search = records.header.get("preset", {}).get("search", {})
    confidence = search.get("confidence", {}) if isinstance(search, Mapping) else {}
    return confidence if isinstance(confidence, Mapping) else {}


def tolerance_of(records: RunRecords) -> float:
    """The tolerance of a run, metres; 0 for a share of the diameter."""
    return float(_settings_of(records).get("tolerance_m", 0.0))


def preset_of(records: RunRecords) -> dict[str, str]:
    """The name of the preset of a run, where its records state one."""
    name = records.header.get("preset", {}).get("name")
    return {"preset": name} if isinstance(name, str) else {}


def _of_object(dataset: DataSet, obj_id: int, pairs: Sequence[tuple[Mapping[str, Any], Instance]]) -> list[Judged]:
    vertices_m = dataset.models.mesh(obj_id).vertices_m
    points = ModelPoints(vertices_m[:: -(-len(vertices_m) // MOST_POINTS)])
    poses = [pose_of(dict(record), f"results, object {obj_id}") for record, _ in pairs]
    both = PosePairs.of(poses, [instance.pose for _, instance in pairs])
    errors = add_errors(with_nearest_truths(both, dataset.models.symmetries(obj_id)), points)
    usual_m = TOLERANCE * dataset.models.diameter_m(obj_id)
    return [
        Judged(
            float(record["confidence"]), float(error), float(record.get("tolerance_m") or usual_m),
            "+".join(record["modalities"]) or "nothing", int(record["scene_id"]), int(record["im_id"]), obj_id,
        )
        for (record, _), error in zip(pairs, errors, strict=True)
    ]  # fmt: skip


def calibrated(rows: Sequence[Judged]) -> FittedConfidence:
    """The map that results ask for.

    Args:
        rows: of `judged`.

    Raises:
        DiffDopeError: if all are right, or all wrong.
    """
    confidence, right = np.array([row.confidence for row in rows]), np.array([row.right for row in rows])
    images = [(row.scene_id, row.im_id) for row in rows]
    fitted = fitted_map(confidence, right)
    mapped = left_out(confidence, right, images)
    parts = _parts(rows)
    before, after = (
        {name: reliability(values[some], right[some]) for name, some in parts.items()}
        for values in (confidence, mapped)
    )
    return FittedConfidence(
        fitted, *interval(confidence, right, images), before, after, tuple(_notes(right, images, before))
    )


def _parts(rows: Sequence[Judged]) -> dict[str, NDArray[np.bool_]]:
    """All, and by modalities, scene and object where there are several."""
    parts = {"all": np.ones(len(rows), np.bool_)}
    for name, keys in (
        ("", [row.modalities for row in rows]), ("scene ", [row.scene_id for row in rows]),
        ("object ", [row.obj_id for row in rows]),
    ):  # fmt: skip
        values: list[Any] = sorted(set(keys))
        if len(values) > 1:
            parts |= {f"{name}{value}": np.array([key == value for key in keys]) for value in values}
    return parts


def _notes(
    right: NDArray[np.bool_], images: Sequence[tuple[int, int]], before: Mapping[str, Reliability]
) -> list[Note]:  # fmt: skip
    notes = []
    wrong, count = int((~right).sum()), len(set(images))
    if wrong < FEW_WRONG:
        text = f"only {wrong} results are wrong: how sure a wrong one may be is hardly known; 20 or more would do"
        notes.append(Note(NoteCode.FEW_RESULTS, text))
    if right.sum() < FEW_RIGHT:
        text = f"only {right.sum()} results are right: the map is mostly a guess; 20 or more would do"
        notes.append(Note(NoteCode.FEW_RESULTS, text))
    if count < FEW_IMAGES:
        text = f"only {count} images: what they have in common is taken for what all images have"
        notes.append(Note(NoteCode.FEW_RESULTS, text))
    if before["all"].auroc < 0.7:
        text = (
            f"the confidence hardly tells right from wrong here (AUROC {before['all'].auroc:.2f}), and a map that "
            "keeps the order cannot change that: look at the images, K and the meshes first"
        )
        notes.append(Note(NoteCode.CONFIDENCE_BLIND, text))
    return notes
