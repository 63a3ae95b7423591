"""How often depth of the wrong kind (along the ray) is told, and how often the right kind is doubted.

python -m benchmarks.depth_kind
"""

from __future__ import annotations

import numpy as np

from benchmarks import shared_data
from diffdope import Refiner
from diffdope.cli.depth_check import as_other_kind, other_kind

_EVERY = {"parts": 3, "sim": 3, "hope": 6, "ycbv": 2}
_TELLABLE = 1.005  # factor between both kinds, as `other_kind` has it


def main() -> None:
    print("| set | objects | right kind doubted | far enough from the axis | wrong kind told |\n|---|---|---|---|---|")
    for name, every in _EVERY.items():
        objects = doubted = tellable = told = 0
        for case in shared_data.SETS[name].cases("10", "rgbd+mask", every=every):
            refiner = Refiner(shared_data.load_mesh(case.mesh_path))
            result = refiner.refine(case.observation, case.start)
            objects += 1
            doubted += bool(other_kind(refiner, case.observation, result, "axis", [case.start]))
            if np.linalg.norm(result.pose.t_m2c) / result.pose.t_m2c[2] < _TELLABLE:
                continue
            along_ray = as_other_kind(case.observation, "ray")
            wrong = refiner.refine(along_ray, case.start)
            tellable += 1
            told += bool(other_kind(refiner, along_ray, wrong, "axis", [case.start]))
        print(f"| {name} | {objects} | {doubted} | {tellable} | {told} |", flush=True)


if __name__ == "__main__":
    main()
