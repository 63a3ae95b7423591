"""`diffdope bop refine`: start poses over a whole data set."""

from __future__ import annotations

from pathlib import Path

from diffdope.bop.masks import NO_MASK, mask_origin
from diffdope.bop.refine_run import Execution, RunFiles, refine_dataset
from diffdope.bop.refine_work import RefineWork
from diffdope.bop.start_sources import NOWHERE, StartSource
from diffdope.checked_fields import check_fields
from diffdope.cli.bop_refine_flags import BopRefineArguments, engine_of
from diffdope.cli.lists import names_of
from diffdope.cli.preset_flags import parse_flags
from diffdope.cli.progress import Activity
from diffdope.errors import expected, none_at
from diffdope.io.files import check_csv
from diffdope.jobs.shard import parse_shard
from diffdope.render.pool import available_cores


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 1 if some objects ended in an error."""
    from diffdope.cli.bop_multiview import run_multiview  # both load what draws progress, which --help does without
    from diffdope.cli.bop_progress import RunDisplay

    given = parse_flags(BopRefineArguments, arguments, prog="diffdope bop refine")
    workers = 1 if given.engine == "local" else 0
    check_fields(given, {"perturb_deg": 0.0, "perturb_mm": 0.0, "seed": 0, "workers": workers, "threads": 1})
    part, selection = None if given.shard is None else parse_shard(given.shard), given.selection(given.min_visib)
    source, work = source_of(given), work_of(given)
    if given.init == NOWHERE and work.preset.solver == "descent":
        cure = "use default or fast, or give --init start poses"
        raise expected("preset", "one whose solver searches, because of --init none", work.preset.name, cure)
    if given.init == NOWHERE and given.mask == NO_MASK:
        check_shows_depth(given)
    if given.multiview is not None:
        return run_multiview(given, source, work, selection, part)
    if given.extrinsics_sigma is not None:
        raise expected("extrinsics-sigma", "only with --multiview", repr(given.extrinsics_sigma))
    check_csv(given.out)
    with Activity("reading the data set"):
        dataset = given.open()
        starts = source.starts(dataset, selection)
    files = RunFiles.at(given.out, part)
    with RunDisplay(dataset.name, files) as display:
        execution = Execution(engine_of(given), part, given.fresh, display.begin, display.add)
        keep_duplicates = given.duplicates == "keep"
        records = refine_dataset(
            work, starts, files, execution, init=source.described, keep_duplicates=keep_duplicates
        )  # fmt: skip
    return display.summarise(records, masks=mask_origin(given.mask), given=given.init != NOWHERE)


def check_shows_depth(given: BopRefineArguments) -> None:
    """Refuses a run with neither start poses nor masks in which depth cannot show the instances.

    Raises:
        DiffDopeError: if depth is off, or several views are to have one pose an object.
    """
    cure = "give --mask a mask folder of the scenes or a detector's masks, or --init start poses"
    if given.depth == "off":
        raise expected("depth", "on, for with --init none and --mask none it shows the instances", given.depth, cure)
    if given.multiview is not None:
        wanted = "masks that say where the objects are, because of --init none and --multiview"
        raise expected("mask", wanted, given.mask, cure)


def source_of(given: BopRefineArguments) -> StartSource:
    """Where they come from."""
    return StartSource(
        given.init, level=given.level, perturb_deg=given.perturb_deg, perturb_mm=given.perturb_mm, seed=given.seed,
        mask=given.mask,
    )  # fmt: skip


def work_of(given: BopRefineArguments) -> RefineWork:
    """What the workers are told."""
    threads = given.threads
    if threads is None:
        threads = 1 if given.engine == "ray" else max(1, available_cores() // given.workers)
    mask = given.mask
    if Path(mask).suffix.lower() == ".json" and not Path(mask).is_file():
        raise none_at("mask", "a file of detections", mask)
    return RefineWork(
        root=given.dataset.resolve(), split=given.split, models=names_of(given.models), camera_type=given.camera_type,
        mask=str(Path(mask).resolve()) if Path(mask).exists() else mask, depth=given.depth == "on",
        preset=given.chosen_preset,
        seed=given.seed, threads=threads, score=given.score, explain=given.explain == "on",
    )  # fmt: skip
