"""The tracker of one video, as a preset has it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from diffdope.pipelines.attempt import followed_preset, tracking_presets
from diffdope.pipelines.locating.without_start import anywhere
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.pipelines.tracking.by_depth import ByDepth
from diffdope.pipelines.tracking.competing_poses import CompetingPoses
from diffdope.pipelines.tracking.depth_lag import DepthLag
from diffdope.pipelines.tracking.edge_ambiguity import EdgeAmbiguity
from diffdope.pipelines.tracking.mask_borders import MaskBorders
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.pipelines.tracking.tracker_parts import FilmAids, FrameSearches
from diffdope.scene.mesh import Mesh
from diffdope.search.tracking.keyframes import Keyframes
from diffdope.search.tracking.template_matching import TemplateMatcher


def tracker_of(searcher: MeshSearcher, preset: Preset, mesh: Mesh, *, bends: bool) -> Tracker:
    """A tracker that has seen no frame yet.

    Args:
        searcher: of the object.
        preset: of its searches.
        mesh: the object, in its own frame.
        bends: whether its parts move.
    """
    near, wide = tracking_presets(preset)
    keyframes = None if bends else Keyframes(searcher.meshes)  # what they learn is where the surface was
    # No functions of this place, for they could not be pickled.
    refine, search = (partial(searcher.attempt, one, keyframes=keyframes) for one in (near, wide))
    quick = partial(searcher.follow, followed_preset(near), keyframes)
    # The wider search of a lost object runs in any case; locating has a second one where the first is in doubt.
    locating = replace(wide, search=replace(wide.search, fallback_confidence=preset.tracking.found))
    meshes, alone = searcher.meshes, set(near.search.near.hypotheses) == {1}
    tolerance_m = preset.resolved_search.confidence.tolerance_of(meshes.length_m)
    plain = partial(searcher.follow, followed_preset(near), None)
    lag = None if bends else DepthLag(plain, meshes.displacement_form, meshes.length_m, tolerance_m)
    borders = MaskBorders(None if bends else meshes, preset.resolved_search.noise.mask_border_px)
    searches = FrameSearches(
        refine, search, quick if alone else None, partial(anywhere, searcher, locating), light=near.search.light
    )
    aids = FilmAids(
        TemplateMatcher(meshes), keyframes, EdgeAmbiguity(meshes, preset.tracking.other_poses),
        CompetingPoses(searcher, near) if alone else None, ByDepth(meshes), lag, borders,
    )  # fmt: skip
    return Tracker(mesh, preset.tracking, searches, aids)
