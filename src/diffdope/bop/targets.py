"""What is to be found in a data set, and which estimates may claim it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diffdope.bop.dataset import DataSet, Target
from diffdope.bop.scene import Instance
from diffdope.bop.starts import Selection
from diffdope.errors import expected
from diffdope.io.bop_results import Estimate

MIN_VISIB = 0.1  # BOP's targets are visible by at least this share
Key = tuple[int, int, int]  # scene, image, object


@dataclass(frozen=True)
class Group:
    """Instances of one object in one image, and the estimates that compete for them.

    Attributes:
        scene_id: of the image.
        im_id: of the image.
        obj_id: which model.
        instances: those that count.
        estimates: positions in the list of estimates, best score first; no more than there are instances.
        trial: which of several independent attempts at the same instance this is, from 0.
    """

    scene_id: int
    im_id: int
    obj_id: int
    instances: tuple[Instance, ...]
    estimates: tuple[int, ...]
    trial: int = 0


def wanted_instances(
    dataset: DataSet, selection: Selection, targets: Sequence[Target] | None, *, min_visib: float = MIN_VISIB
) -> dict[Key, tuple[Instance, ...]]:
    """The instances that count, by scene, image and object.

    Args:
        dataset: with its truth.
        selection: which scenes, images and objects.
        targets: how many instances of which object in which image; the most visible ones count, as BOP has it. Of a
            target without an object, all in its image that are visible enough. None: all that are visible enough.
        min_visib: least visible share, where targets do not count; where it is unknown, an instance counts.

    Raises:
        DiffDopeError: if nothing is left, or a target has more instances than the truth.
    """
    annotated = _annotated(dataset, selection)
    if targets is None:
        found = {key: tuple(i for i in those if _share(i) >= min_visib) for key, those in annotated.items()}
    else:
        found = {}
        for target in targets:
            if target.scene_id in dataset.scene_ids and selection.has_image(target.scene_id, target.im_id):
                found |= _of_target(annotated, target, selection, min_visib)
    found = {key: those for key, those in sorted(found.items()) if those}
    if not found:
        dataset.check_truth(selection.scenes)
        cure = "see --split, --scenes, --images, --objects, --targets"
        raise expected("targets", "at least one annotated instance", "none", cure)
    return found


def compete(wanted: Mapping[Key, tuple[Instance, ...]], estimates: Sequence[Estimate]) -> list[Group]:
    """BOP's groups: of each object in each image, the best scored estimates, as many as there are instances."""
    by_key: dict[Key, list[int]] = defaultdict(list)
    for number, e in enumerate(estimates):
        by_key[e.scene_id, e.im_id, e.obj_id].append(number)
    groups = []
    for key, instances in wanted.items():
        best = sorted(by_key[key], key=lambda number: -estimates[number].score)
        groups.append(Group(*key, instances, tuple(best[: len(instances)])))
    return groups


def trials(
    dataset: DataSet,
    records: Sequence[Mapping[str, Any]],
    wanted: Mapping[Key, tuple[Instance, ...]] | None,
    selection: Selection,
) -> list[Group]:
    """A group a record of a run, each of one instance and at most one estimate: independent attempts.

    Args:
        dataset: with its truth.
        records: of `identified`; those without `error` are, in this order, the estimates.
        wanted: the instances that count; those without a record get a group without an estimate. None: those that
            have a record.
        selection: which scenes, images and objects.

    Raises:
        DiffDopeError: if a record names an instance that the truth has not.
    """
    groups: list[Group] = []
    count: dict[tuple[int, int, int], int] = defaultdict(int)
    number = -1
    for record in records:
        number += "error" not in record
        where = (int(record["scene_id"]), int(record["im_id"]), int(record["obj_id"]))
        if record.get("gt_id") is None or not _selected(selection, *where):
            continue
        instance = _instance(dataset, where, int(record["gt_id"]))
        if wanted is not None and instance.gt_id not in {i.gt_id for i in wanted.get(where, ())}:
            continue
        trial = count[(*where[:2], instance.gt_id)]
        count[(*where[:2], instance.gt_id)] += 1
        groups.append(Group(*where, (instance,), () if "error" in record else (number,), trial))
    for key, instances in (wanted or {}).items():
        groups += [Group(*key, (i,), ()) for i in instances if not count[(*key[:2], i.gt_id)]]
    if not groups:
        raise expected("records", "at least one of the instances that count", "none", "see --scenes, --targets")
    return sorted(groups, key=lambda g: (g.scene_id, g.im_id, g.instances[0].gt_id, g.trial))


def attempted(
    dataset: DataSet, records: Sequence[Mapping[str, Any]], selection: Selection
) -> dict[Key, tuple[Instance, ...]]:
    """The instances that runs were started on, by scene, image and object, each once.

    Args:
        dataset: with its truth.
        records: of `identified`, of one run or of several.
        selection: which scenes, images and objects.

    Raises:
        DiffDopeError: if nothing is left, or a record names an instance that the truth has not.
    """
    found: dict[Key, dict[int, Instance]] = defaultdict(dict)
    for group in trials(dataset, records, None, selection):
        (instance,) = group.instances
        found[group.scene_id, group.im_id, group.obj_id][instance.gt_id] = instance
    return {key: tuple(those[gt_id] for gt_id in sorted(those)) for key, those in sorted(found.items())}


def identified(dataset: DataSet, records: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records of `bop refine` by key, with the ids that one which ended in an error does not hold itself.

    They are taken from its key, SCENE/IMAGE/START, so this is right only for a run that is `indexed`.
    """
    found = []
    for key, record in records.items():
        scene_id, im_id, start = (int(word) for word in key.split("/"))
        ids: dict[str, Any] = {"scene_id": scene_id, "im_id": im_id, "start": start, "obj_id": -1, "gt_id": None}
        truth = dataset.scene(scene_id).truth(im_id)
        if start < len(truth):
            ids |= {"obj_id": truth[start].obj_id, "gt_id": start}
        found.append(ids | dict(record))
    return found


def indexed(records: Collection[Mapping[str, Any]]) -> bool:
    """Whether a run knows of every start pose, by its place in the list, which instance it belongs to."""
    return bool(records) and all(
        record.get("gt_id") is not None and record.get("match", {}).get("instance_by") == "index"
        for record in records
        if "error" not in record
    )


def _annotated(dataset: DataSet, selection: Selection) -> dict[Key, list[Instance]]:
    found: dict[Key, list[Instance]] = defaultdict(list)
    for scene_id in selection.scenes if selection.scenes is not None else dataset.scene_ids:
        scene = dataset.scene(scene_id)
        for im_id in scene.image_ids:
            for instance in scene.truth(im_id) if selection.has_image(scene_id, im_id) else ():
                if _selected(selection, scene_id, im_id, instance.obj_id):
                    found[scene_id, im_id, instance.obj_id].append(instance)
    return found


def _of_target(
    annotated: Mapping[Key, list[Instance]], target: Target, selection: Selection, min_visib: float
) -> dict[Key, tuple[Instance, ...]]:
    """The instances of a target; without an object, all of its image that are visible enough."""
    if target.obj_id is None:
        return {
            key: tuple(i for i in those if _share(i) >= min_visib)
            for key, those in annotated.items() if key[:2] == (target.scene_id, target.im_id)
        }  # fmt: skip
    if not _selected(selection, target.scene_id, target.im_id, target.obj_id):
        return {}
    return {(target.scene_id, target.im_id, target.obj_id): _most_visible(annotated, target)}


def _most_visible(annotated: Mapping[Key, list[Instance]], target: Target) -> tuple[Instance, ...]:
    assert target.obj_id is not None
    those = annotated.get((target.scene_id, target.im_id, target.obj_id), [])
    if len(those) < target.inst_count:
        where = f"target scene {target.scene_id}, image {target.im_id}, object {target.obj_id}"
        raise expected(where, f"{target.inst_count} instances in scene_gt.json", len(those))
    best = sorted(those, key=lambda i: -_share(i))[: target.inst_count]
    return tuple(sorted(best, key=lambda i: i.gt_id))


def _instance(dataset: DataSet, where: Key, gt_id: int) -> Instance:
    scene_id, im_id, obj_id = where
    truth = dataset.scene(scene_id).truth(im_id)
    if gt_id >= len(truth) or truth[gt_id].obj_id != obj_id:
        got = truth[gt_id].obj_id if gt_id < len(truth) else "none"
        name = f"instance {gt_id} of scene {scene_id}, image {im_id}"
        raise expected(name, f"object {obj_id} as in the records", got, "the records belong to another data set")
    return truth[gt_id]


def _selected(selection: Selection, scene_id: int, im_id: int, obj_id: int) -> bool:
    return selection.has_image(scene_id, im_id) and (selection.objects is None or obj_id in selection.objects)


def _share(instance: Instance) -> float:
    return 1.0 if instance.visib_fract is None else instance.visib_fract
