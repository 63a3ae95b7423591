"""What each rule about pixels and masks is worth: `python -m benchmarks.rules [--levels 10,40] [--sample 4]`.

Every variant switches one rule off, or, in those named "correspondences", takes contour correspondences found in the
mask in place of the mask's residuals. Rules that have no setting are replaced in place for the time of a call. All
variants refine a case one after the other, so that they compare; a rule that cannot matter to a mode is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.ablation import changed
from benchmarks.shared_data import SETS, Case, evaluation_points, load_mesh
from diffdope.bop.metrics import add
from diffdope.error_kinds import NothingToCompareError
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import Preset, preset
from diffdope.problem import level_problem, responsibility
from diffdope.search import descent
from diffdope.terms.contour import ContourCorrespondences, ContourSettings

LEVEL, MAP, DESCENT = level_problem.__name__, responsibility.__name__, descent.__name__
MASKED = (
    ("sim", "rgbd+mask"), ("sim", "rgb+mask"), ("sim-noisy", "rgbd+mask"), ("sim-noisy", "rgb+mask"),
    ("hope-all", "rgbd+mask"), ("hope-all", "rgb+mask"), ("hope-rgb", "rgb+mask"),
    ("hope-scenes", "rgb+mask"), ("parts", "rgbd+mask"),
)  # fmt: skip
UNMASKED = (("sim", "rgb"), ("hope-rgb", "rgb"), ("sim", "rgbd"), ("hope-all", "rgbd"), ("parts", "rgbd"))
NOWHERE = 10.0  # of the object's size: no gap is as deep, and no surface as much nearer


class MaskCorrespondences(ContourCorrespondences):
    """Contour correspondences whose photograph is the mask; they say nothing about the photograph's own edges."""

    def support(self, coverage: Any, depth: Any) -> float | None:
        """None, as for every level that has a mask."""
        return None


def with_correspondences(weight: float) -> Callable[..., Any]:
    """`prepare_level`, with correspondences of the mask's border in place of its residuals."""

    def prepared(
        buffers: Any, observation: Any, pose: Any, window: Any, settings: Any, rules: Any, **how: Any
    ) -> level_problem.LevelProblem:
        level = level_problem.prepare_level(
            buffers, observation, pose, window, replace(settings, mask_weight=0.0), rules, **how
        )
        if level.crop.mask is None:
            return level
        # Nothing is painted on a mask, and all of its object has one colour.
        plain = replace(rules.contour, weight=weight, painted=0.0, colours=0.0)
        contours = MaskCorrespondences(np.repeat(level.crop.mask[..., None], 3, axis=2), level.crop.camera, plain)
        hidden = level.responsibility.silhouette < 0.5
        contours._planes[-1] = np.where(hidden, 1e6, contours._planes[-1])  # an occluder's border is no outline
        return replace(level, contours=contours)

    return prepared


@dataclass(frozen=True)
class Variant:
    """A preset, and what is replaced by what while it runs."""

    preset: Preset
    replaced: tuple[tuple[str, Any], ...] = ()

    @contextmanager
    def active(self) -> Iterator[Preset]:
        """For the time of a refinement."""
        with ExitStack() as stack:
            for name, value in self.replaced:
                stack.enter_context(patch(name, value))
            yield self.preset


def variants(*, masked: bool) -> dict[str, Variant]:
    """By name; the first is the preset as it is."""
    base = preset("default")
    all_gaps = ((f"{LEVEL}.least_gap", lambda coverage, mask, share: share),)
    off = ContourSettings.off()
    no_edges = Variant(replace(base, search=replace(base.search, outline=off)))
    if not masked:
        return {
            "default": Variant(base),
            "all pixels of the crop count": Variant(base, ((f"{MAP}.dilate", lambda c, _: np.ones_like(c)),)),
            "only pixels that the start covers": Variant(base, ((f"{MAP}.dilate", lambda c, _: c),)),
            "caps as with a mask": Variant(base, ((f"{LEVEL}.unmasked", lambda settings: settings),)),
            "no contour correspondences": no_edges,
        }
    rows = {
        "default": Variant(base),
        "nothing hides the object": Variant(changed(base, "objective.occlusion_margin", NOWHERE), all_gaps),
        "last level's gaps as deep as others": Variant(base, all_gaps),
        "gaps less deep than a border": Variant(base, ((f"{MAP}._RIM", 0.0),)),
        "mask not eroded": Variant(base, ((f"{MAP}.Responsibility.eroded", lambda self: self),)),
        "masks that are off weigh as good ones": Variant(base, ((f"{LEVEL}.trusting", lambda settings, _: settings),)),
        "no mask left out": Variant(changed(base, "search.mask_refused_px", 0.0)),
        "all four off (mask_error_px 0)": Variant(changed(base, "search.mask_error_px", 0.0)),
        "no contour correspondences": no_edges,
    }
    with_depth = changed(base, "search.outline.weight_with_depth", base.search.outline.weight)
    for weight in (0.014, 0.1):
        replaced = ((f"{DESCENT}.prepare_level", with_correspondences(weight)),)
        rows[f"correspondences of the mask, {weight}"] = Variant(with_depth, replaced)
    return rows


def errors_of(
    found: Iterator[Case], mode: str, tried: dict[str, Variant], refiners: dict[Any, Refiner]
) -> dict[str, list[float]]:
    """ADD in mm of every case, by variant."""
    errors: dict[str, list[float]] = {name: [] for name in tried}
    for full in found:
        case = full.given(mode)
        if case is None:
            continue
        path = case.mesh_path
        refiner = refiners.setdefault(path, Refiner(load_mesh(path), threads=1))
        for name, variant in tried.items():
            with variant.active() as chosen:
                refiner.preset = chosen
                pose = case.start
                with suppress(NothingToCompareError):  # no colours, and the mask's residuals switched off
                    pose = refiner.refine(case.observation, case.start).pose
            errors[name].append(1e3 * add(pose, case.truth, evaluation_points(path)))
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", default="10,40", help="of the starts, by their angle")
    parser.add_argument("--sample", type=int, default=4, help="take every n-th case of each set")
    parser.add_argument("--only", help="besides the default, only variants whose names hold this text")
    parser.add_argument("--modes", default="rgbd+mask,rgb+mask,rgbd,rgb")
    parser.add_argument("--sets", help="only these, comma-separated")
    parser.add_argument("--limit", type=float, default=5.0, help="millimetres of ADD of which the share is given")
    arguments = parser.parse_args()
    refiners: dict[Any, Refiner] = {}
    for masked, sets in ((True, MASKED), (False, UNMASKED)):
        tried = variants(masked=masked)
        if arguments.only:
            tried = {name: one for name, one in tried.items() if name == "default" or arguments.only in name}
        for name, mode in sets:
            if (arguments.sets and name not in arguments.sets.split(",")) or mode not in arguments.modes.split(","):
                continue
            for level in arguments.levels.split(","):
                found = SETS[name].cases(level, every=arguments.sample)
                errors = errors_of(found, mode, tried, refiners)
                print(f"\n{name}, {mode}, level {level}, n = {len(errors['default'])}")
                for variant, values in errors.items():
                    below = np.mean(np.array(values) < arguments.limit)
                    worse = np.percentile(values, 90)
                    print(f"| {variant} | {np.median(values):.2f} / {worse:.2f} | {below:.0%} |", flush=True)


if __name__ == "__main__":
    main()
