"""Keypoints of a photograph beside those of an object that look most like them: some of the pairs are right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import Box, choose_crop
from diffdope.scene.observation import Observation
from diffdope.search.features.feature_views import FeatureSettings, FeatureViews
from diffdope.search.features.keypoints import Keypoints, detect, prepared

F64 = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

_MARGIN = 0.05  # of the box, around it: what keypoints at its border look like is there
_SLACK = 0.03  # of its longer side, by which a keypoint may be outside of a box that is a little off
_AT_ONCE = 500  # keypoints that are compared with all of the object's
_CHANCE = 0.6  # of the likeness of descriptors, in which what has nothing in common differs
_HARDLY = 0.05  # what such a pair counts


@dataclass(frozen=True, eq=False)
class KeypointPairs:
    """N pairs: numbers of keypoints of the photograph and of the object, and how alike they are."""

    seen: Keypoints
    views: FeatureViews
    of_seen: Int
    of_object: Int
    alike: F64

    @property
    def points_m(self) -> F64:
        """(N, 3) on the object."""
        return self.views.points_m[self.of_object]

    @property
    def pixels(self) -> F64:
        """(N, 2) of the photograph."""
        return self.seen.place[self.of_seen]

    @property
    def likeness(self) -> F64:
        """What each counts: little, if its descriptors are no more alike than those of what has nothing in common."""
        return np.clip((self.alike - _CHANCE) / (1.0 - _CHANCE), _HARDLY, 1.0)

    def taken(self, kept: Bool | Int) -> KeypointPairs:
        """Some of them."""
        return replace(self, of_seen=self.of_seen[kept], of_object=self.of_object[kept], alike=self.alike[kept])


def keypoints_in(observation: Observation, box: Box, settings: FeatureSettings) -> Keypoints:
    """Keypoints in a box of a photograph, in pixels of the whole, found where it is about as large as the drawings."""
    width, height = box[2] - box[0] + 1.0, box[3] - box[1] + 1.0
    longer = max(width, height)
    window = choose_crop([box], observation.camera, margin=_MARGIN, max_size=3 * settings.size)
    crop = observation.crop(window)
    assert crop.rgb is not None
    factor = settings.size * window.reduction / longer
    size = [max(round(factor * side), 8) for side in (crop.camera.width, crop.camera.height)]
    found = detect(prepared(crop.rgb.mean(axis=-1), *size), most=settings.keypoints, contrast=settings.contrast)
    scale = np.array(window.size) * window.reduction / np.array(size)
    place = (found.place + 0.5) * scale - 0.5 + (window.x0, window.y0)
    found = found._replace(place=place, size=found.size * scale.mean())
    low, high = np.array(box[:2]) - _SLACK * longer, np.array(box[2:]) + _SLACK * longer
    return found.taken(((place >= low) & (place <= high)).all(axis=1))


def pairs_of(seen: Keypoints, views: FeatureViews, settings: FeatureSettings) -> KeypointPairs:
    """Every keypoint of the photograph with those of the object that look most like it."""
    count = min(settings.neighbours, len(views.z_m))
    if count == 0 or len(seen.size) == 0:
        return KeypointPairs(seen, views, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    of_object, likeness = [], []
    for first in range(0, len(seen.size), _AT_ONCE):
        alike = seen.descriptor[first : first + _AT_ONCE] @ views.keypoints.descriptor.T
        nearest = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        nearest.sort(axis=1)
        of_object.append(nearest.ravel())
        likeness.append(np.take_along_axis(alike, nearest, axis=1).ravel().astype(np.float64))
    rows = np.repeat(np.arange(len(seen.size)), count)
    return KeypointPairs(seen, views, rows, np.concatenate(of_object), np.concatenate(likeness))
