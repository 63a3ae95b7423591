"""The work of one process of a run: refines start poses, and keeps what the next one needs too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.dataset import DataSet
from diffdope.bop.masks import NOTHING, Candidate, Choice, MaskSource, choose, mask_source
from diffdope.bop.metrics import add, add_s
from diffdope.bop.scene import Instance
from diffdope.bop.silhouette import silhouette, stride_of
from diffdope.bop.starts import Start, described_pose
from diffdope.error_kinds import NothingToCompareError
from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.results import encode
from diffdope.jobs.task import described
from diffdope.pipelines.compilation.compile_ahead import compile_apart
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status, nothing_compared
from diffdope.pipelines.settings import Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

_REFINERS = 24  # kept per process, each with a few MB of mesh tables and scratch
_POINTS = 2000  # for the running error; `bop eval` takes ten times as many
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class RefineWork:
    """What a worker process is told: where the data lies and how to refine.

    Attributes:
        root: the data set, readable under this path by every worker.
        split: folder of the scenes.
        models: folders of models, best first.
        camera_type: sensor, None for the only one.
        mask: mask folder of the scenes, file or folder of detections, or "none".
        depth: whether depth images are used.
        preset: all numbers of the refinement.
        seed: of the learning rates.
        threads: of each worker.
        score: of the results: "start" for the one that the start pose came with, "confidence" for the refinement's.
        explain: see `Refiner`.
    """

    root: Path
    split: str
    models: tuple[str, ...]
    camera_type: str | None
    mask: str
    depth: bool
    preset: Preset
    seed: int
    threads: int | None
    score: str = "start"
    explain: bool = True

    def diameters(self, keep_duplicates: bool) -> Callable[[int], float] | None:
        """What tells the diameter of a model, metres, for dropping duplicates; None where they stay."""
        if keep_duplicates:
            return None
        models = DataSet.open(self.root, self.split, models=self.models, camera_type=self.camera_type).models
        return models.diameter_m

    def __call__(self) -> Callable[[Start], dict[str, Any]]:
        """Opens the data set and returns the function that refines one start pose."""
        compile_apart(self.preset)
        dataset = DataSet.open(self.root, self.split, models=self.models, camera_type=self.camera_type)
        return Refinery(self, dataset, mask_source(dataset, self.mask)).record


@dataclass
class Photograph:
    """The image that is being worked on; the next one takes its place, so that memory stays flat."""

    key: tuple[int, int]
    observation: Observation
    grey: bool
    truth: tuple[Instance, ...]
    found: dict[int, list[RefinementResult]] = field(default_factory=dict)
    """Of an object, all instances that depth shows, the surest first; looked for once."""


class Refinery:
    """Refines start poses one after another."""

    def __init__(self, work: RefineWork, dataset: DataSet, masks: MaskSource | None) -> None:
        self._work, self._dataset, self._masks = work, dataset, masks
        self._photograph: Photograph | None = None
        self.refiner = lru_cache(maxsize=_REFINERS)(self._make_refiner)

    def record(self, start: Start) -> dict[str, Any]:
        """The record of one start pose; what went wrong is in "error", beside what is known of the start."""
        try:
            return self.refine(start)
        except Exception as error:
            return {**start.described(), "gt_id": start.gt_id, "error": described(error)}

    def refine(self, start: Start) -> dict[str, Any]:
        """The same, if all goes well.

        Raises:
            DiffDopeError: if something of the data set is missing or broken; file and key are named.
        """
        photograph = self.photograph(start.scene_id, start.im_id)
        refiner = self.refiner(start.obj_id, photograph.grey)
        matched: Pose | None
        if start.rank is not None:
            result, chosen = self._found(start, start.rank, photograph, refiner), NOTHING
            matched = result.pose
        elif start.pose is None:
            result, chosen = self._located(start, photograph, refiner)
            matched = result.pose if np.isfinite(result.cost) else None  # nothing was compared, so nothing found
        else:
            chosen, mask = self.mask_of(start, start.pose, photograph, refiner.mesh)
            result = self._result(start.pose, photograph, refiner, mask)
            matched = start.pose
        truth, how = self._truth(start, matched, photograph, chosen, refiner.mesh)
        record = {
            **start.described(), **described_pose(result.initial_pose),
            "gt_id": None if truth is None else truth.gt_id,
            "visib_fract": None if truth is None else truth.visib_fract,
            "match": {"instance_by": how, "mask": chosen.described()},
        }  # fmt: skip
        record |= refined(start, result, self._work.score)
        return record | {"errors": None if truth is None else errors_of(result, truth, refiner.mesh)}

    def _located(self, start: Start, photograph: Photograph, refiner: Refiner) -> tuple[RefinementResult, Choice]:
        candidates = () if self._masks is None else self._masks.candidates(start.scene_id, start.im_id, start.obj_id)
        mask = next((one.mask for one in candidates if one.number == start.index), None)
        if mask is None or not mask.any():
            where = f"scene {start.scene_id}, image {start.im_id}, object {start.obj_id}"
            got = "none" if mask is None else "one in which every pixel is 0"
            cure = "without a start pose (--init none) there is nothing else that says where it is; see --mask"
            raise expected(where, f"a mask of this instance in {self._work.mask}", got, cure)
        result = refiner.locate(photograph.observation.with_mask(mask))
        return result, Choice(start.index, "index")

    def _found(self, start: Start, rank: int, photograph: Photograph, refiner: Refiner) -> RefinementResult:
        """One of the instances that depth shows, of which each has its share of the seconds."""
        if start.obj_id not in photograph.found:
            began = time.perf_counter()
            every = refiner.locate_all(photograph.observation, most=start.asked)
            seconds = (time.perf_counter() - began) / max(len(every), 1)
            photograph.found[start.obj_id] = [replace(one, elapsed_s=seconds) for one in every]
        every = photograph.found[start.obj_id]
        if rank >= len(every):
            where = f"scene {start.scene_id}, image {start.im_id}, object {start.obj_id}"
            raise expected(where, f"{start.asked} instances that depth shows", len(every))
        return every[rank]

    def _result(self, pose: Pose, photograph: Photograph, refiner: Refiner, mask: Bool | None) -> RefinementResult:
        if self._masks is not None and (mask is None or not mask.any()):
            message = "no mask of this object shows anything at the start pose"
            return nothing_compared(pose, Status.NO_OVERLAP, message, seed=self._work.seed)
        observation = photograph.observation if mask is None else photograph.observation.with_mask(mask)
        try:
            return refiner.refine(observation, pose)
        except NothingToCompareError as why:  # a fact of the data set
            return nothing_compared(pose, Status.FAILED, str(why), seed=self._work.seed)

    def photograph(self, scene_id: int, im_id: int) -> Photograph:
        """The image, read once as long as no other one is asked for.

        Raises:
            DiffDopeError: if there is none, or it is broken.
        """
        key = (scene_id, im_id)
        if self._photograph is None or self._photograph.key != key:
            self._photograph = None  # before the next one is read
            scene = self._dataset.scene(scene_id)
            camera, rgb = scene.camera(im_id), scene.rgb(im_id)
            depth = scene.depth(im_id) if self._work.depth else None
            if rgb is None and depth is None:
                where = f"{scene.folder}, image {im_id}"
                raise expected(where, f"a picture in rgb{scene.suffix}, gray{scene.suffix} or depth", "none")
            observation = Observation(camera, rgb=rgb, depth=depth if depth is None or depth.any() else None)
            grey = rgb is not None and rgb.ndim == 2
            self._photograph = Photograph(key, observation, grey, scene.truth(im_id))
        return self._photograph

    def _make_refiner(self, obj_id: int, grey: bool) -> Refiner:
        mesh = self._dataset.models.mesh(obj_id)
        settings = self._work
        return Refiner(
            mesh.in_grey() if grey else mesh, preset=settings.preset, seed=settings.seed, threads=settings.threads,
            explain=settings.explain,
        )  # fmt: skip

    def mask_of(self, start: Start, pose: Pose, photograph: Photograph, mesh: Mesh) -> tuple[Choice, Bool | None]:
        """The mask that a start pose belongs to, by its number or by overlap; None where there is none.

        Raises:
            DiffDopeError: if the file of a known instance is missing.
        """
        if self._masks is None:
            return NOTHING, None
        candidates = self._masks.candidates(start.scene_id, start.im_id, start.obj_id)
        if self._masks.indexed_by_truth and start.gt_id is not None:
            choice = Choice(start.gt_id, "index")
        else:
            camera = photograph.observation.camera
            k = stride_of(camera)
            coarse = tuple(Candidate(c.number, c.mask[::k, ::k]) for c in candidates)
            choice = choose(silhouette(mesh, camera, pose), coarse)
        masks = {candidate.number: candidate.mask for candidate in candidates}
        if choice.how == "index" and choice.number not in masks:
            name = f"mask {self._work.mask}/{start.im_id:06d}_{choice.number:06d}"
            raise expected(f"{self._dataset.scene(start.scene_id).folder}", name, "no such file", "see --mask")
        return choice, None if choice.number is None else masks[choice.number]

    def _truth(
        self, start: Start, pose: Pose | None, photograph: Photograph, mask: Choice, mesh: Mesh
    ) -> tuple[Instance | None, str]:
        truth = {instance.gt_id: instance for instance in photograph.truth}
        if start.gt_id is not None and start.gt_id in truth:
            return truth[start.gt_id], "index"
        if pose is None:
            return None, "none"
        if self._masks is not None and self._masks.indexed_by_truth:
            return (truth[mask.number], mask.how) if mask.number is not None else (None, "none")
        camera = photograph.observation.camera
        same = [instance for instance in photograph.truth if instance.obj_id == start.obj_id]
        candidates = tuple(Candidate(i.gt_id, silhouette(mesh, camera, i.pose)) for i in same)
        choice = choose(silhouette(mesh, camera, pose), candidates) if candidates else NOTHING
        return (truth[choice.number], choice.how) if choice.number is not None else (None, "none")


def refined(start: Start, result: RefinementResult, score: str = "start") -> dict[str, Any]:
    """The part of a record that a refinement gives."""
    return encode(result) | {"score": score_of(start, result, score)}


def score_of(start: Start, result: RefinementResult, score: str = "start") -> float:
    """The score of the CSV: the one that the start came with, unless the confidence was asked for; else the confidence,
    else 1 / (1 + cost), else 0."""
    if start.score is not None and score == "start":
        return start.score
    if result.confidence is not None:
        return result.confidence
    return 1.0 / (1.0 + result.cost) if result.ok else 0.0


def errors_of(result: RefinementResult, truth: Instance, mesh: Mesh) -> dict[str, float]:
    """ADD before and after, ADD-S after, millimetres, for the running display."""
    step = max(1, len(mesh.vertices_m) // _POINTS)
    points = mesh.vertices_m[::step]
    pose = result.pose
    return {
        "start_add_mm": 1e3 * add(result.initial_pose, truth.pose, points),
        "add_mm": 1e3 * add(pose, truth.pose, points),
        "add_s_mm": 1e3 * add_s(pose, truth.pose, points),
    }
