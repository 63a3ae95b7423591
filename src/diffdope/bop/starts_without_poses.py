"""What is to be found in a data set with no start poses: a mask each, or as many instances as targets ask for."""

from __future__ import annotations

from collections import Counter, defaultdict

from diffdope.bop.dataset import DataSet
from diffdope.bop.masks import MaskSource
from diffdope.bop.starts import Selection, Start, selected_images
from diffdope.errors import expected


def starts_of_masks(dataset: DataSet, selection: Selection, masks: MaskSource) -> list[Start]:
    """What is located without a start pose: a start for each mask, and for each instance that has none.

    Masks of a folder are numbered as the truth, so each instance is a start, whether its file is there or not. Those
    of a detector belong to no instance; where the truth is known and has more visible instances of an object than were
    detected, the rest are starts behind the last detection, whose records will say that there is no mask.

    Args:
        dataset: with scene_gt.json, unless masks are a detector's.
        selection: which scenes, images and objects, and from which visible share on an instance counts.
        masks: where the masks are.
    """
    starts = []
    for scene_id, im_id in selected_images(dataset, selection):
        if masks.indexed_by_truth:
            truth = dataset.scene(scene_id).truth(im_id)
            starts += [Start(scene_id, im_id, i.gt_id, i.obj_id, None, None, i.gt_id) for i in truth]
            continue
        found = masks.objects(scene_id, im_id)
        missing = _visible_objects(dataset, selection, scene_id, im_id) - Counter(found)
        objects = [*found, *sorted(missing.elements())]
        starts += [Start(scene_id, im_id, number, obj_id, None) for number, obj_id in enumerate(objects)]
    return starts


def starts_of_targets(dataset: DataSet, selection: Selection) -> list[Start]:
    """What is found in depth with neither start poses nor masks: as many instances of an object as targets ask for.

    Args:
        dataset: with a targets file that says how many of which object, or with the truth, of which those count that
            are visible enough.
        selection: which scenes and images, and from which visible share on an instance of the truth counts.

    Raises:
        DiffDopeError: if neither says how many there are.
    """
    asked: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for target in dataset.targets() or ():
        if target.obj_id is not None:
            asked[target.scene_id, target.im_id][target.obj_id] += target.inst_count
    starts = []
    for scene_id, im_id in selected_images(dataset, selection):
        counts = asked[scene_id, im_id] if asked else _visible_objects(dataset, selection, scene_id, im_id)
        each = [(obj_id, rank, count) for obj_id, count in sorted(counts.items()) for rank in range(count)]
        starts += [
            Start(scene_id, im_id, number, obj_id, None, rank=rank, asked=count)
            for number, (obj_id, rank, count) in enumerate(each)
        ]
    if not starts:
        wanted = "a targets file that says how many of which object are in the chosen images (obj_id, inst_count)"
        cure = "or scene_gt.json; masks of a detector need neither (--mask FILE.json)"
        raise expected("init", f"{wanted}, because of --init none and --mask none", "none", cure)
    return starts


def _visible_objects(dataset: DataSet, selection: Selection, scene_id: int, im_id: int) -> Counter[int]:
    truth = dataset.scene(scene_id).truth(im_id)
    return Counter(i.obj_id for i in truth if i.visib_fract is None or i.visib_fract >= selection.min_visib)
