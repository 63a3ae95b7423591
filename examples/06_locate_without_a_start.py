"""No start pose: where is the object, how sure is that, and what else could it be?

python examples/06_locate_without_a_start.py
"""

from importlib.resources import files
from pathlib import Path

import diffdope as dd

demo = Path(str(files("diffdope"))) / "data" / "demo"
mesh = dd.Mesh.load(demo / "object.ply", unit="mm")
refiner = dd.Refiner(mesh)  # keep it: templates, buffers and kernels stay warm

for names in (("rgb", "depth", "mask"), ("rgb", "mask"), ("depth", "mask")):
    rgb, depth, mask = (demo / f"{name}.png" if name in names else None for name in ("rgb", "depth", "mask"))
    result = refiner.locate(dd.Observation.load(demo / "camera.json", rgb=rgb, depth=depth, mask=mask))
    print(f"{' + '.join(names)}: {result.status}, at {1e3 * result.pose.t_m2c} mm")
    for number, answer in enumerate(result.answers, 1):
        same = f", looks the same {' and '.join(answer.symmetry)}" if answer.symmetry else ""
        print(f"  answer {number}: probability {answer.probability:.2f}{same}")
    print(f"  none of these: {result.none_of_these:.2f}")
