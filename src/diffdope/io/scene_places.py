"""Where the cameras of scene.json stand: T_w2c of each view, by what tells which view it is.

Views are told by the number of their image (--image-id), where scene.json lists one a view, or by their files. What
their order tells counts last: the same cameras, given in another order, would trade places without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected, refused, some_of
from diffdope.geometry.pose import Pose
from diffdope.io.camera_places import stated_place
from diffdope.io.image_places import ImagePlaces


@dataclass(frozen=True)
class ScenePlaces(ImagePlaces):
    """Places of views, each by its image's number, or by its place in the list where no numbers are known.

    Attributes:
        reasons: why the place of a view is not known, by its number.
        numbered: whether numbers are those of images, and not places in the list.
    """

    reasons: Mapping[int, str]
    numbered: bool

    def of_views(
        self, count: int, image_ids: Sequence[int | None], pictures: Sequence[str | Path], where: str
    ) -> list[Pose]:
        """T_w2c of each view: by images' numbers, else by the files' names, else by order.

        Args:
            count: how many views there are.
            image_ids: a number each, or None.
            pictures: files of the pictures, one each, or none.
            where: the file, for errors.

        Raises:
            DiffDopeError: if there are not as many, or the place of one that was chosen is not known.
        """
        by_number = any(number is not None for number in image_ids)
        if not (by_number and self.numbered) and len(pictures) == count:
            named = [self.numbers_of(picture) for picture in pictures]
            found = {one[0] for one in named if len(one) == 1}
            if len(found) == count:
                return self._known([one[0] for one in named], where)
            if found:
                (lost, *_) = [Path(picture).name for picture, one in zip(pictures, named, strict=True) if len(one) != 1]
                got = f"{lost}, which is none or several of them"
                raise expected(where, f"pictures of the views {some_of(self.files.values())}", got, _CURE)
        if by_number:
            return self._known(self.chosen(image_ids, where), where)
        if len(self.files) != count:
            raise expected(where, f"a transform for each of {count} views", len(self.files), _CURE)
        return self._known(list(self.files), where)

    def _known(self, numbers: Sequence[int], where: str) -> list[Pose]:
        for number in numbers:
            if number in self.reasons:
                at = list(self.files).index(number)
                raise expected(f"{where}: views[{at}]", "a place that was found", self.reasons[number])
        return [self.T_w2c[number] for number in numbers]


_CURE = "give the pictures by the names that they had, or choose with --image-id"


def places_of_scene(data: Any) -> ScenePlaces | None:
    """Of scene.json; None for another file.

    Raises:
        DiffDopeError: if a matrix is no rigid transform.
    """
    views = data.get("views") if isinstance(data, Mapping) else None
    if not isinstance(views, list) or not views or not all(isinstance(view, Mapping) for view in views):
        return None
    if not all("T_w2c" in view for view in views):
        return None
    inputs = data.get("inputs")
    given = inputs if isinstance(inputs, Mapping) else {}
    numbers, numbered = list(range(len(views))), False
    listed = given.get("image_id")
    ids = [one for one in listed if type(one) is int] if isinstance(listed, list) else []
    if len(set(ids)) == len(ids) == len(views) > 1:
        numbers, numbered = ids, True
    files = next((given[key] for key in ("rgb", "depth") if given.get(key)), None)
    if not isinstance(files, list) or len(files) != len(views):
        files = [view.get("name", "") for view in views]
    T_w2c, reasons = {}, {}
    for number, (at, view) in zip(numbers, enumerate(views), strict=True):
        if view.get("place") == "open":
            reasons[number] = str(view.get("reason", ""))
            continue
        try:
            stated = stated_place({"T_w2c": view["T_w2c"]}, f"views[{at}]")
        except DiffDopeError as error:
            raise refused(f"views[{at}]", str(error)) from error
        if stated is None:
            raise expected(f"views[{at}], key T_w2c", "a matrix of 4 x 4 numbers", "something else")
        T_w2c[number] = stated[0]
    return ScenePlaces(dict(zip(numbers, map(str, files), strict=True)), T_w2c, reasons, numbered)
