"""How good estimates are: their errors to the truth, instance by instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.dataset import DataSet
from diffdope.bop.errors_of import MOST_POINTS, ErrorMeter, Errors, Pair
from diffdope.bop.metrics.benchmarks import BOP19_MSPD_PX, BOP19_SHARES, BOP24_MSSD_M, found, mspd_scale
from diffdope.bop.metrics.matching import Pairing, match
from diffdope.bop.metrics.vsd import VSD_TAUS
from diffdope.bop.scene import Instance
from diffdope.bop.targets import Group
from diffdope.errors import expected, some_of
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate, read_rows
from diffdope.note_codes import Note, NoteCode

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One instance, and the estimate that claims it.

    Attributes:
        scene_id: of the image.
        im_id: of the image.
        obj_id: which model.
        gt_id: index of the instance in scene_gt.json.
        trial: which of several independent attempts this is.
        visib_fract: visible share of its silhouette, None if unknown.
        diameter_m: of the model.
        truth: its pose.
        number: position of the estimate in the list that was given; None if there is none.
        estimate: itself.
        errors: infinite if there is none.
        recall_vsd: share of BOP's thresholds of VSD that are met; None where there is no depth.
        recall_mssd: the same for MSSD.
        recall_mspd: the same for MSPD.
        recall_absolute: the same for MSSD from 2 to 20 mm.
    """

    scene_id: int
    im_id: int
    obj_id: int
    gt_id: int
    trial: int
    visib_fract: float | None
    diameter_m: float
    truth: Pose
    number: int | None
    estimate: Estimate | None
    errors: Errors
    recall_vsd: float | None
    recall_mssd: float
    recall_mspd: float
    recall_absolute: float

    @property
    def key(self) -> str:
        """For tables: scene/image/instance, and the attempt if it is not the first."""
        name = f"{self.scene_id:06d}/{self.im_id:06d}/{self.gt_id:06d}"
        return f"{name}#{self.trial}" if self.trial else name


@dataclass(frozen=True)
class BopEvaluation:
    """All instances that count, with the errors of what was found.

    Attributes:
        rows: an instance (or an attempt at one) each, in order.
        estimates: how many were given.
        unused: positions of those that claim no instance: too many for an object, or of none that counts.
        how: "index" if every estimate said which instance it belongs to, "bop" if they competed.
        notes: what a reader of the figures must know.
    """

    rows: tuple[Row, ...]
    estimates: int
    unused: tuple[int, ...]
    how: str
    notes: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> tuple[Row, ...]:
        """Instances without an estimate."""
        return tuple(row for row in self.rows if row.estimate is None)


def evaluate(
    dataset: DataSet,
    estimates: Sequence[Estimate],
    groups: Sequence[Group],
    *,
    how: str,
    vsd: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> BopEvaluation:
    """Measures every estimate of every group.

    Args:
        dataset: with truth, cameras and models.
        estimates: all that were given; positions in `groups` mean this list.
        groups: of `targets.compete` or `targets.trials`.
        how: which of the two: "bop" or "index".
        vsd: whether VSD is measured where there is depth: the slowest part.
        progress: called with the number of steps done, and of all.

    Raises:
        DiffDopeError: if a model, camera or depth image is missing or broken.
    """
    meter = ErrorMeter(dataset, vsd=vsd)
    table = _Table.of(groups)
    pairs = [
        Pair(g.scene_id, g.im_id, g.obj_id, estimates[number].pose, instance.pose)
        for g, number, instance in table.compared
    ]
    errors = meter.measure(pairs, None if progress is None else lambda done: progress(done, 2 * len(pairs)))
    rows = _rows(dataset, meter, estimates, table, errors)
    used = {row.number for row in rows if row.number is not None}
    unused = tuple(number for number in range(len(estimates)) if number not in used)
    return BopEvaluation(tuple(rows), len(estimates), unused, how, _notes(meter, rows))


def images_without(wanted: Iterable[Group], estimates: Sequence[Estimate]) -> tuple[int, int]:
    """How many images that count have no estimate at all, and how many count: those may never have been run.

    Args:
        wanted: the groups of all instances that count.
        estimates: of a results file.
    """
    counted = {(group.scene_id, group.im_id) for group in wanted if group.instances}
    return len(counted - {(e.scene_id, e.im_id) for e in estimates}), len(counted)


def objects_without(wanted: Iterable[Group], estimates: Sequence[Estimate]) -> list[int]:
    """Objects that count and have no estimate in any image: those may never have been run.

    Args:
        wanted: the groups of all instances that count.
        estimates: of a results file.
    """
    counted = {group.obj_id for group in wanted if group.instances}
    return sorted(counted - {e.obj_id for e in estimates})


def read_known(path: Path, dataset: DataSet) -> list[Estimate]:
    """The rows of a results CSV, of images and objects that the data set has.

    Args:
        path: of the file.
        dataset: the data set.

    Raises:
        DiffDopeError: naming the file and the line.
    """
    rows = read_rows(path)
    estimates = [estimate for _, estimate in rows]
    check_known(dataset, estimates, lambda number: f"{path}, line {rows[number][0]}")
    return estimates


def check_known(dataset: DataSet, estimates: Sequence[Estimate], where: Callable[[int], str]) -> None:
    """Refuses estimates of images or objects that the data set does not have.

    Args:
        dataset: the data set.
        estimates: of a results file.
        where: names the place of an estimate by its position: "results.csv, line 7".

    Raises:
        DiffDopeError: naming that place.
    """
    cure = "the results belong to another data set or split"
    images = {scene_id: frozenset(dataset.scene(scene_id).image_ids) for scene_id in dataset.scene_ids}
    objects = frozenset(dataset.models.ids)
    for number, e in enumerate(estimates):
        if e.scene_id not in images:
            raise expected(f"{where(number)}, scene_id", f"one of {_listed(images)}", e.scene_id, cure)
        if e.im_id not in images[e.scene_id]:
            known = f"an image of scene {e.scene_id} ({_listed(images[e.scene_id])})"
            raise expected(f"{where(number)}, im_id", known, e.im_id, cure)
        if e.obj_id not in objects:
            raise expected(f"{where(number)}, obj_id", f"one of {_listed(objects)}", e.obj_id, cure)


def _listed(ids: Sequence[int] | frozenset[int] | dict[int, frozenset[int]]) -> str:
    return some_of(sorted(ids), most=12)


@dataclass(frozen=True)
class _Table:
    """All groups side by side: every instance has a number here, and every estimate that takes part.

    Attributes:
        instances: (group, instance) of each.
        numbers: position of each estimate in the list that was given.
        compared: (group, position of the estimate, instance) of each pair.
        pairing: which pairs there are.
    """

    instances: list[tuple[Group, Instance]]
    numbers: list[int]
    compared: list[tuple[Group, int, Instance]]
    pairing: Pairing

    @classmethod
    def of(cls, groups: Sequence[Group]) -> _Table:
        instances: list[tuple[Group, Instance]] = []
        numbers: list[int] = []
        compared: list[tuple[Group, int, Instance]] = []
        index: list[tuple[int, int, int]] = []
        for group in groups:
            for rank, number in enumerate(group.estimates):
                for k, instance in enumerate(group.instances):
                    index.append((len(numbers), len(instances) + k, rank))
                    compared.append((group, number, instance))
                numbers.append(number)
            instances += [(group, instance) for instance in group.instances]
        estimate, instance_of, rank_of = np.array(index, np.int64).reshape(-1, 3).T
        everything = np.ones(len(numbers), np.bool_), np.ones(len(instances), np.bool_)
        return cls(instances, numbers, compared, Pairing(estimate, instance_of, rank_of, *everything))


def _rows(
    dataset: DataSet, meter: ErrorMeter, estimates: Sequence[Estimate], table: _Table, errors: Sequence[Errors]
) -> list[Row]:
    pairing, groups = table.pairing, [group for group, _, _ in table.compared]
    diameters = np.array([dataset.models.diameter_m(group.obj_id) for group in groups])
    cameras = [dataset.scene(group.scene_id).camera(group.im_id, pictured=False) for group in groups]
    scales = np.array([mspd_scale(camera.width) for camera in cameras])
    mssd, mspd = (np.array([getattr(e, name) for e in errors], np.float64) for name in ("mssd", "mspd"))
    recalls = {
        "recall_mssd": found(pairing, mssd / diameters, BOP19_SHARES).mean(axis=1),
        "recall_mspd": found(pairing, mspd * scales, BOP19_MSPD_PX).mean(axis=1),
        "recall_absolute": found(pairing, mssd, BOP24_MSSD_M).mean(axis=1),
    }
    seen = _recall_vsd(pairing, errors)
    # Without a threshold each estimate takes the nearest instance that is left: whose errors are shown.
    owner = match(pairing, mssd, [np.inf])[:, 0]
    estimate_of = {int(instance): estimate for estimate, instance in enumerate(owner) if instance >= 0}
    pair_of = {(int(e), int(g)): c for c, (e, g) in enumerate(zip(pairing.estimate, pairing.instance, strict=True))}
    rows = []
    for k, (group, instance) in enumerate(table.instances):
        deep, estimate = meter.has_depth(group.scene_id, group.im_id), estimate_of.get(k)
        number = None if estimate is None else table.numbers[estimate]
        measured = Errors.missing(with_depth=deep) if estimate is None else errors[pair_of[estimate, k]]
        rows.append(
            Row(
                group.scene_id, group.im_id, group.obj_id, instance.gt_id, group.trial, instance.visib_fract,
                dataset.models.diameter_m(group.obj_id), instance.pose,
                number, None if number is None else estimates[number], measured,
                recall_vsd=float(seen[k]) if deep else None,
                **{name: float(values[k]) for name, values in recalls.items()},
            )
        )  # fmt: skip
    return rows


def _recall_vsd(pairing: Pairing, errors: Sequence[Errors]) -> F64:
    """Mean over tolerances and thresholds; each tolerance has its own errors, and so its own matches."""
    hopeless = (np.inf,) * len(VSD_TAUS)
    values = np.array([e.vsd if e.vsd is not None else hopeless for e in errors], np.float64)
    columns = values.reshape(-1, len(VSD_TAUS)).T
    return np.asarray(np.mean([found(pairing, column, BOP19_SHARES).mean(axis=1) for column in columns], axis=0))


def _notes(meter: ErrorMeter, rows: Sequence[Row]) -> tuple[Note, ...]:
    notes = []
    if meter.subsampled:
        names = ", ".join(map(str, sorted(meter.subsampled)))
        text = f"objects {names} have more than {MOST_POINTS} vertices: every k-th is taken"
        notes.append(Note(NoteCode.POINTS_SUBSAMPLED, text))
    if any(meter.is_bent(*image) for image in {(row.scene_id, row.im_id) for row in rows}):
        text = "of images of a lens with distortion, MSPD is that of the rectified pinhole, and there is no VSD"
        notes.append(Note(NoteCode.FIGURES_PARTIAL, text))
    deep = sum(row.recall_vsd is not None for row in rows)
    alone = "AR is the mean of AR_MSSD and AR_MSPD alone"
    if not meter.vsd:
        notes.append(Note(NoteCode.FIGURES_PARTIAL, f"VSD was not measured: {alone}"))
    elif deep == 0:
        notes.append(Note(NoteCode.FIGURES_PARTIAL, f"there are no depth images: no VSD, {alone}"))
    elif deep < len(rows):
        text = f"only {deep} of {len(rows)} instances have a depth image: AR_VSD is of those, {alone}"
        notes.append(Note(NoteCode.FIGURES_PARTIAL, text))
    return tuple(notes)
