"""Options of `diffdope bop refine`, which has two files: for single images and for groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from diffdope.cli.dataset_flags import DataSetFlags, SelectionFlags
from diffdope.cli.preset_flags import NumbersFlags
from diffdope.errors import expected
from diffdope.jobs.engine import Engine, make_engine


@dataclass(frozen=True, kw_only=True)
class BopRefineArguments(NumbersFlags, SelectionFlags, DataSetFlags):
    """Refines the start poses of a BOP data set. The same command, given again, goes on where it was interrupted.

    Example: diffdope bop refine --dataset hope --split val --init init_poses --level 010_trans_004 --out results.csv
    """

    init: str
    """Start poses: a folder with SCENE/scene_error_deg_LEVEL.json (also relative to the data set), one such file, BOP
    results CSV of another method, `gt` for the truth (see --perturb-deg, --perturb-mm), or `none`: every instance is
    located by its mask, or with --mask none found in depth, as many as targets say (inst_count)."""
    out: Path
    """Results CSV; beside it, with the ending .jsonl, a record per object."""
    level: str | None = None
    """Which of the published start poses: 001_trans_001, 010_trans_004, 040_trans_016."""
    perturb_deg: float = 0.0
    """With --init gt: turn every pose by this angle about a random axis."""
    perturb_mm: float = 0.0
    """With --init gt: move every pose by this length in a random direction."""
    models: str = "models,models_eval"
    """Folders of models; for each object the first that has it."""
    multiview: Path | None = None
    """Targets of several views (test_targets_multiview_bop25.json; also relative to the data set): the images of each
    are one problem with one pose an object; cam_R_w2c says where cameras stand. A CSV a sensor: NAME_SENSOR.csv."""
    extrinsics_sigma: str | None = None
    """With --multiview: MM,DEG by which cameras may be off (standard deviations): all but the first of each target are
    then refined, too. Without it they are taken as exact."""
    min_visib: float = 0.0
    """Least visible share of an object; BOP's targets have 0.1."""
    mask: str = "mask_visib"
    """Mask folder of the scenes (mask_visib, mask, mask_noisy), which is of the ground truth, a JSON file or folder of
    detections, or none."""
    score: Literal["start", "confidence"] = "start"
    """Score of a result: the one that its start pose came with, if any, or the refinement's confidence."""
    duplicates: Literal["keep", "drop"] = "keep"
    """drop: of results of one object that ended within a quarter of its diameter, only the best scored has a row."""
    explain: Literal["on", "off"] = "on"
    """off: why a result failed is not looked for, which takes up to twice as long as refining; poses and confidences
    are the same."""
    depth: Literal["on", "off"] = "on"
    """Whether depth images are used where there are some."""
    seed: int = 0
    """Of learning rates and perturbations. Same seed, same result."""
    workers: int = 1
    """Processes; on ray: actors (0: as many as it has cores)."""
    threads: int | None = None
    """Of each worker; default: the cores divided among the workers. Does not change results."""
    engine: Literal["local", "ray"] = "local"
    """Where the work is done; ray needs diffdope[ray] and the data set under the same path on all nodes."""
    address: str | None = None
    """Of a Ray cluster; default: one is started on this machine."""
    shard: str | None = None
    """i/n: only the i-th of n parts, for Slurm and the like; join them by `diffdope bop merge`."""
    fresh: bool = False
    """Forget an earlier run of the same --out."""


def engine_of(given: BopRefineArguments) -> Engine:
    """Where the work is done."""
    if given.address is not None and given.engine != "ray":
        raise expected("address", "only with --engine ray", given.address)
    return make_engine(given.engine, workers=given.workers or None, address=given.address)
