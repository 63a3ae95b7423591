"""Memory over many images: `python -m benchmarks.long_run [--images 1000]`; resident MiB, every tenth of the run."""

from __future__ import annotations

import argparse
from dataclasses import replace

from benchmarks.memory import resident_mib
from benchmarks.shared_data import DATA
from diffdope.bop.dataset import DataSet
from diffdope.bop.refine_work import RefineWork
from diffdope.bop.starts import Selection, starts_of_truth
from diffdope.pipelines.settings import DescentSettings, Preset


def main() -> None:
    """One object of every image, round and round; every turn is a new image for the worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    arguments = parser.parse_args()
    brief = replace(Preset(), descent=DescentSettings(hypotheses=2, iterations=2))
    work = RefineWork(DATA / "hope", "val", ("models", "models_eval"), None, "mask_visib", True, brief, 0, 1)
    starts = starts_of_truth(DataSet.open(DATA / "hope", "val"), Selection(), angle_rad=0.05, distance_m=0.002)
    images = {start.group: [s for s in starts if s.group == start.group] for start in starts}
    groups = list(images.values())
    record = work()
    for n in range(arguments.images):
        group = groups[n % len(groups)]
        assert "error" not in record(group[(n // len(groups)) % len(group)])
        if n % (arguments.images // 10) == 0:
            print(f"{n:6d} images: {resident_mib(peak=False):.0f} MiB", flush=True)
    print(f"{arguments.images:6d} images: {resident_mib(peak=False):.0f} MiB")


if __name__ == "__main__":
    main()
