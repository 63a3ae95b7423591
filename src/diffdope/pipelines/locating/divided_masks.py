"""Masks that do not show one instance each: a segmentation splits one into two, or draws two as one.

Depth tells. Where an instance is not sure, or a sure one of another mask covers its own, its mask is looked at together
with one that it touches, if depth goes on across their border: what covers both is one piece. What is then not sure, or
shows more than what was found, is looked at as a bin is (`instances.py`), in its mask alone: it may hold several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.locating.instance_assignment import Located, in_same_place
from diffdope.pipelines.locating.seen_instances import is_sure
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.scene.observation import Observation
from diffdope.search.drawn import Drawing, drawing_of

Mask = NDArray[np.bool_]

_BORDER_PX = 3  # between masks that touch: segmentations leave a rim
_FEWEST = 5  # pixels at which depth must go on
_STEP = 0.03  # of the diameter: less is no step from one surface to another
_COVERED = 0.7  # of each of two masks that one piece must cover: what lies on another one covers that alone
_LEFT = 0.2  # of a mask, in which a result draws nothing, from which on it may show another one
_MOST = 8  # instances in masks that may hold several


def in_divided_masks(
    refiner: Refiner, observation: Observation, found: Sequence[Located], masks: Mapping[int, Mask],
    near: Pose | None = None,
) -> list[Located]:  # fmt: skip
    """Results of the labels of a mask, and behind them those of further instances that their masks hold.

    Args:
        refiner: of the object.
        observation: the images; without depth, nothing is changed.
        found: a result a label.
        masks: (H, W) a label, of the picture as the lens drew it.
        near: as `Refiner.locate`.
    """
    if "depth" not in observation.modalities:
        return list(found)
    labels = _Labels(refiner, observation, masks, near)
    return labels.with_several(labels.with_joined(found))


class _Labels:
    """The masks of one image, and what is looked for in them.

    Args:
        refiner: of the object.
        observation: with depth.
        masks: (H, W) a label, of the picture as the lens drew it.
        near: as `Refiner.locate`.
    """

    def __init__(
        self, refiner: Refiner, observation: Observation, masks: Mapping[int, Mask], near: Pose | None
    ) -> None:  # fmt: skip
        self._refiner, self._observation, self._masks, self._near = refiner, observation, masks, near
        rectified = {label: observation.with_mask(mask).mask for label, mask in masks.items()}
        self._shown = {label: mask > 0.5 for label, mask in rectified.items() if mask is not None}
        self._count = {label: int(np.count_nonzero(mask)) for label, mask in self._shown.items()}
        self._drawing = cache(self._draw)  # of a result: each is asked for beside all other labels

    def with_joined(self, found: Sequence[Located]) -> list[Located]:
        """With one result for two masks that show one piece; that of the other label has failed, and says so."""
        kept = {one.label: one.result for one in found}
        taken: set[int] = set()
        for label, _ in found:
            for other in kept:
                if label in taken:
                    break
                if other == label or other in taken or not self._may_be_one(kept, label, other):
                    continue
                both = self._refiner.locate(self._of(label, other), near=self._near)
                # Of what lies on another one, both are sure, and together they fit worse.
                alone = (kept[one].confidence or 0.0 for one in (label, other) if is_sure(kept[label]))
                surer = (both.confidence or 0.0) > max(alone, default=0.0)
                if is_sure(both) and surer and all(self._covers(both, one) for one in (label, other)):
                    note = Note(NoteCode.SAME_PLACE, f"the masks of labels {other} and {label} show one piece")
                    kept[other] = replace(both, notes=(*both.notes, note))
                    failed = replace(kept[label], status=Status.FAILED, message=str(note))
                    kept[label] = replace(failed, notes=(*failed.notes, note))
                    taken |= {label, other}
        return [Located(label, kept[label]) for label, _ in found]

    def with_several(self, found: Sequence[Located]) -> list[Located]:
        """With all instances that depth shows in masks that may hold several."""
        kept = {one.label: one.result for one in found}
        doubted = [label for label, result in kept.items() if self._may_hold_several(label, result)]
        if not doubted:
            return list(found)
        try:
            every = self._refiner.locate_all(self._of(*doubted), most=_MOST, near=self._near)
        except DiffDopeError:  # a unit is rather wrong: results of the labels say what they can
            return list(found)
        for one in every:
            if not is_sure(one) or any(is_sure(other) and self._together(one, other) for other in kept.values()):
                continue
            drawn = self._drawn(one)
            label = max(doubted, key=lambda label: int(np.count_nonzero(drawn & self._shown[label])))
            if not is_sure(kept[label]):
                kept[label] = one
                continue
            text = f"found in the mask of label {label}, which shows more than one"
            kept[max(kept) + 1] = replace(one, notes=(*one.notes, Note(NoteCode.MASK_SHOWS_MORE, text)))
        return [Located(label, result) for label, result in kept.items()]

    def _may_be_one(self, kept: Mapping[int, RefinementResult], label: int, other: int) -> bool:
        """Whether two masks may show one piece: the one is not sure, or the other covers both."""
        if is_sure(kept[label]) and not (is_sure(kept[other]) and self._covers(kept[other], label)):
            return False
        return self._goes_on(label, other)

    def _of(self, *labels: int) -> Observation:
        """With one mask for some labels."""
        return self._observation.with_mask(np.logical_or.reduce([self._masks[label] for label in labels]))

    def _goes_on(self, label: int, other: int) -> bool:
        """Whether two masks touch where depth shows no step between them."""
        from scipy.ndimage import distance_transform_edt

        one, beside, depth = self._shown[label], self._shown[other], self._observation.depth
        assert depth is not None
        if not (one.any() and beside.any()):
            return False
        rows, columns = (np.flatnonzero((one | beside).any(axis=axis)) for axis in (1, 0))
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        measured, depth = one[part] & (depth[part] > 0.0), depth[part]
        if not measured.any():
            return False
        away, nearest = distance_transform_edt(~measured, return_indices=True)
        border = beside[part] & (depth > 0.0) & (away <= _BORDER_PX)
        step = np.abs(depth - depth[tuple(nearest)])[border]
        return int(np.count_nonzero(step < _STEP * self._refiner.meshes.length_m)) >= _FEWEST

    def _draw(self, result: RefinementResult) -> Drawing | None:
        refiner = self._refiner
        return drawing_of(refiner.meshes, refiner.frame.enter(result.pose), self._observation.camera)

    def _drawn(self, result: RefinementResult) -> Mask:
        """Pixels (H, W) in which a result is drawn."""
        camera, drawing = self._observation.camera, self._drawing(result)
        drawn = np.zeros((camera.height, camera.width), np.bool_)
        if drawing is not None:
            drawn[drawing.rows, drawing.columns] = drawing.depth > 0.0
        return drawn

    def _covers(self, result: RefinementResult, label: int) -> bool:
        drawing = self._drawing(result)
        if drawing is None:
            return False
        both = self._shown[label][drawing.rows, drawing.columns] & (drawing.depth > 0.0)
        return int(np.count_nonzero(both)) > _COVERED * self._count[label]

    def _may_hold_several(self, label: int, result: RefinementResult) -> bool:
        from scipy.ndimage import binary_dilation

        if NoteCode.SAME_PLACE in result.note_codes:
            return False
        shown, drawn = self._shown[label], binary_dilation(self._drawn(result), iterations=_BORDER_PX)
        return int(np.count_nonzero(shown & ~drawn)) > _LEFT * int(np.count_nonzero(shown))

    def _together(self, one: RefinementResult, other: RefinementResult) -> bool:
        return in_same_place(one, other, self._refiner.mesh.diameter)
