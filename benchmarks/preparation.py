"""Time to prepare objects, a mesh each: levels of detail and approximate symmetries, CPU milliseconds.

    python -m benchmarks.preparation [FOLDER of meshes in mm ...]

To compare builds, run it with each of them in turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.shared_data import DATA
from diffdope.scene.lod import levels_of_detail
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.mesh import Mesh

COUNTS = (500, 2000)


def cpu_ms(work: Callable[[], object], rounds: int = 3) -> float:
    """The least of some rounds, after one that may compile."""
    work()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - began))
    return min(times)


def main() -> None:
    folders = [Path(folder) for folder in sys.argv[1:]] or [DATA / "hope" / "models", DATA / "parts" / "models"]
    for folder in folders:
        totals, count = [0.0, 0.0], 0
        for path in sorted(folder.glob("*.ply")):
            mesh = Mesh.load(path, unit="mm")
            sizes = {wanted: len(level.faces) for wanted, level in levels_of_detail(mesh, COUNTS).items()}
            levels, turns = cpu_ms(lambda m=mesh: levels_of_detail(m, COUNTS)), cpu_ms(lambda m=mesh: lookalikes(m))
            print(f"  {path.stem}: {len(mesh.faces)} triangles, {sizes}: levels {levels:.0f} ms, turns {turns:.0f} ms")
            totals, count = [totals[0] + levels, totals[1] + turns], count + 1
        if count == 0:
            raise SystemExit(f"{folder}: expected meshes (*.ply), found none")
        mean = [total / count for total in totals]
        print(f"{folder.parent.name}: levels {mean[0]:.0f} ms, turns {mean[1]:.0f} ms, {sum(mean):.0f} ms an object")


if __name__ == "__main__":
    main()
