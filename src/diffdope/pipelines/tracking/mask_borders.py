"""Whether a film's masks end where the object does: then they stay as they are given.

A detector's mask is some pixels off, and where colours change is nearer to where the object ends. A mask that is drawn,
or whose border is a pixel's, is not, and colours make it worse: noise, a hand, and prints change colours as well. Which
of both a film has, its masks' own shape tells: what is left between such a border and the outline that follows it is
hardly more than rounding (`search/checks/mask_width.py`).
"""

from __future__ import annotations

from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import Refine
from diffdope.pipelines.locating.in_box import filled_box
from diffdope.scene.observation import Observation
from diffdope.search.checks.mask_border import border_of
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.mask_by_colours import with_border_by_colours
from diffdope.terms.silhouette import SilhouetteNoise

_EXACT = 0.5  # `Border.fits` of exact masks is 1, of masks of networks 0.01; `Border.exact` is a probability
_FIRST, _EVERY = 3, 5  # trusted frames: so many are asked, and then one of so many
_FRESH = 1.0 / 3.0  # by which share of a change what is known follows a frame that is asked


class MaskBorders:
    """What is known of a film's masks, of photographs without depth.

    Args:
        meshes: the object; None where nothing is asked, and each mask ends where colours change.
        border_px: deviation of masks' borders, pixels of the image; 0 where masks are said to be exact.
    """

    def __init__(self, meshes: MeshLevels | None = None, border_px: float = SilhouetteNoise().mask_border_px) -> None:
        self._meshes, self._border_px = meshes, border_px
        self.clear()

    def clear(self) -> None:
        """For a new film."""
        self._exact: float | None = None
        self._trusted = 0
        self._given: Observation | None = None

    @property
    def exact(self) -> bool:
        """Whether masks end where the object does: they are said to, or those of most frames that were asked do."""
        return self._border_px == 0.0 or (self._exact is not None and self._exact > 0.5)

    def ends(self, observation: Observation) -> Observation:
        """A frame whose mask ends where colours change, unless masks are exact; a box that is drawn as one stays."""
        alone = observation.modalities == ("rgb", "mask") and filled_box(observation) is None
        self._given = observation if alone and self._border_px > 0.0 else None
        return with_border_by_colours(observation) if alone and not self.exact else observation

    def take(self, pose: Pose, refine: Refine) -> None:
        """A frame that can be trusted; in some of them, the object follows the mask as it was given.

        Args:
            pose: of the frame, in the object's own frame.
            refine: from a start close by.
        """
        given, self._given = self._given, None
        if given is None or self._meshes is None:
            return
        asked = self._trusted < _FIRST or self._trusted % _EVERY == 0
        self._trusted += 1
        if not asked:
            return
        followed = pose if self.exact else refine(given, pose).result.pose
        border = border_of(self._meshes, given, self._border_px, followed)
        if border is None:
            return
        now = float(border.fits >= _EXACT and border.exact >= _EXACT)
        self._exact = now if self._exact is None else self._exact + _FRESH * (now - self._exact)
