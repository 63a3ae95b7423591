"""`diffdope bop refine`: start poses over a whole data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from diffdope.bop.dataset import DataSet
from diffdope.bop.masks import mask_origin
from diffdope.bop.refine_run import RunFiles, refine_dataset
from diffdope.bop.refine_work import RefineWork
from diffdope.bop.start_sources import NOWHERE, StartSource
from diffdope.bop.starts import Selection
from diffdope.checked_fields import check_fields
from diffdope.cli.lists import names_of, numbers_of
from diffdope.cli.preset_flags import Numbers, default_numbers, parse_flags
from diffdope.cli.progress import Activity
from diffdope.errors import DiffDopeError, expected
from diffdope.io.files import prepare_csv
from diffdope.jobs.engine import Engine, make_engine
from diffdope.jobs.shard import parse_shard
from diffdope.pipelines.confidence_file import with_confidence_file
from diffdope.pipelines.settings import DEFAULT
from diffdope.render.pool import available_cores


@dataclass(frozen=True)
class Arguments:
    """Refines the start poses of a BOP data set. The same command, given again, goes on where it was interrupted."""

    dataset: Path
    """Folder with models, camera.json and the split."""
    split: str
    """Folder of the scenes: val, test, test_primesense."""
    init: str
    """Start poses: a folder with SCENE/scene_error_deg_LEVEL.json (also relative to the data set), one such file, BOP
    results CSV of another method, `gt` for the truth (see --perturb-deg, --perturb-mm), or `none`: every instance is
    located by its mask."""
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
    camera_type: str | None = None
    """Sensor, where a data set has several (scene_gt_CAMTYPE.json, rgb_CAMTYPE)."""
    multiview: Path | None = None
    """Targets of several views (test_targets_multiview_bop25.json; also relative to the data set): the images of each
    are one problem with one pose an object; cam_R_w2c says where cameras stand. A CSV a sensor: NAME_SENSOR.csv."""
    extrinsics_sigma: str | None = None
    """With --multiview: MM,DEG by which cameras may be off (standard deviations): all but the first of each target are
    then refined, too. Without it they are taken as exact."""
    scenes: str | None = None
    """Only these: 1,3,5-8."""
    images: str | None = None
    """Only these: 0-4."""
    objects: str | None = None
    """Only these: 1,2,3."""
    min_visib: float = 0.0
    """Least visible share of an object; BOP's targets have 0.1."""
    mask: str = "mask_visib"
    """Mask folder of the scenes (mask_visib, mask, mask_noisy), which is of the ground truth, a JSON file or folder of
    detections, or none."""
    score: Literal["start", "confidence"] = "start"
    """Score of a result: the one that its start pose came with, if any, or the refinement's confidence."""
    duplicates: Literal["keep", "drop"] = "keep"
    """drop: of results of one object that ended within a quarter of its diameter, only the best scored has a row."""
    depth: Literal["on", "off"] = "on"
    """Whether depth images are used where there are some."""
    preset: str = DEFAULT
    """Complete set of numbers to start from."""
    settings: Path | None = None
    """YAML that changes numbers of the preset; flags win over it."""
    confidence_file: Path | None = None
    """File of `bop calibrate`: the confidence as results on data with truth ask for."""
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
    numbers: Annotated[Numbers, tyro.conf.arg(name="")] = field(default_factory=Numbers)


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 1 if some objects ended in an error."""
    from diffdope.cli.bop_multiview import run_multiview
    from diffdope.cli.bop_progress import RunDisplay

    missing: Any = tyro.MISSING
    default = Arguments(missing, missing, missing, missing, numbers=default_numbers(arguments))
    given = parse_flags(Arguments, arguments, default=default, prog="diffdope bop refine")
    workers = 1 if given.engine == "local" else 0
    check_fields(given, {"perturb_deg": 0.0, "perturb_mm": 0.0, "seed": 0, "workers": workers, "threads": 1})
    part, selection = None if given.shard is None else parse_shard(given.shard), selection_of(given)
    source, work = source_of(given), work_of(given)
    if given.init == NOWHERE and work.preset.solver == "descent":
        cure = "use default or fast, or give --init start poses"
        raise expected("preset", "one whose solver searches, because of --init none", work.preset.name, cure)
    if given.multiview is not None:
        return run_multiview(given, source, work, selection, part)
    if given.extrinsics_sigma is not None:
        raise expected("extrinsics-sigma", "only with --multiview", repr(given.extrinsics_sigma))
    prepare_csv(given.out)
    with Activity("reading the data set"):
        dataset = DataSet.open(given.dataset, given.split, models=names_of(given.models), camera_type=given.camera_type)
        starts = source.starts(dataset, selection)
    files = RunFiles.at(given.out, part)
    with RunDisplay(dataset.name, files) as display:
        records = refine_dataset(
            work, starts, files, init=source.described, engine=engine_of(given), part=part,
            keep_duplicates=given.duplicates == "keep", fresh=given.fresh,
            on_begin=display.begin, on_record=display.add,
        )  # fmt: skip
    return display.summarise(records, masks=mask_origin(given.mask))


def selection_of(given: Arguments) -> Selection:
    """Which start poses are refined."""
    return Selection(
        numbers_of("scenes", given.scenes),
        numbers_of("images", given.images),
        numbers_of("objects", given.objects),
        given.min_visib,
    )


def source_of(given: Arguments) -> StartSource:
    """Where they come from."""
    return StartSource(
        given.init, level=given.level, perturb_deg=given.perturb_deg, perturb_mm=given.perturb_mm, seed=given.seed,
        mask=given.mask,
    )  # fmt: skip


def work_of(given: Arguments) -> RefineWork:
    """What the workers are told."""
    threads = given.threads
    if threads is None:
        threads = 1 if given.engine == "ray" else max(1, available_cores() // given.workers)
    mask = given.mask
    if Path(mask).suffix.lower() == ".json" and not Path(mask).is_file():
        raise DiffDopeError(f"mask: expected a file of detections, but there is none at {mask}")
    return RefineWork(
        root=given.dataset.resolve(), split=given.split, models=names_of(given.models), camera_type=given.camera_type,
        mask=str(Path(mask).resolve()) if Path(mask).exists() else mask, depth=given.depth == "on",
        preset=with_confidence_file(given.numbers.preset(given.preset), given.confidence_file),
        seed=given.seed, threads=threads, score=given.score,
    )  # fmt: skip


def engine_of(given: Arguments) -> Engine:
    """Where the work is done."""
    if given.address is not None and given.engine != "ray":
        raise expected("address", "only with --engine ray", given.address)
    return make_engine(given.engine, workers=given.workers or None, address=given.address)
