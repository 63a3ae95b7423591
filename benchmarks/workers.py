"""Throughput of `bop refine` against workers and threads: `python -m benchmarks.workers --help`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.shared_data import DATA
from diffdope.bop.dataset import DataSet
from diffdope.bop.refine_run import Execution, RunFiles, refine_dataset
from diffdope.bop.refine_work import RefineWork
from diffdope.bop.starts import Selection, level_path, select, starts_of_json
from diffdope.jobs.engine import make_engine
from diffdope.pipelines.settings import preset

PLANS = (("local", 1, 1), ("local", 1, 2), ("local", 2, 1), ("local", 2, 2), ("local", 4, 1), ("ray", 2, 1))


def main() -> None:
    """Prints a table; ratios are to one worker with one thread, in this run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, default=DATA / "sim")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--level", default="010_trans_004")
    parser.add_argument("--ray", action="store_true", help="also on a local Ray")
    arguments = parser.parse_args()
    dataset, selection = DataSet.open(arguments.dataset, arguments.split), Selection()
    folder = arguments.dataset / "init_poses"
    starts = starts_of_json(dataset, selection, lambda scene: level_path(folder, arguments.level, scene))
    starts = select(dataset, selection, starts)
    first = 0.0
    print(f"{len(starts)} objects of {dataset.name}; seconds of the whole command, start of the processes included")
    for engine, workers, threads in PLANS:
        if engine == "ray" and not arguments.ray:
            continue
        work = RefineWork(
            arguments.dataset, arguments.split, ("models", "models_eval"), None, "mask_visib", True,
            preset("paper"), 0, threads,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as out:
            files = RunFiles.at(Path(out) / "results.csv")
            began = time.perf_counter()
            refine_dataset(work, starts, files, Execution(make_engine(engine, workers=workers)), init="benchmark")
            seconds = time.perf_counter() - began
        first = first or seconds
        plan = f"{engine:5s} {workers} workers x {threads} threads"
        print(f"{plan}: {seconds:6.1f} s, {len(starts) / seconds:5.2f} objects/s, {first / seconds:.2f} x", flush=True)


if __name__ == "__main__":
    main()
