"""No start pose: where is the object, how sure is that, and what else could it be?

python examples/06_locate_without_a_start.py
"""

from importlib.resources import files
from pathlib import Path

import diffdope as dd

demo = Path(str(files("diffdope"))) / "data" / "demo"
mesh = dd.Mesh.load(demo / "object.ply", unit="mm")
camera, depth_scale_mm = dd.load_camera(demo / "camera.json")
images = {"rgb": demo / "rgb.png", "depth": demo / "depth.png", "mask": demo / "mask.png"}
refiner = dd.Refiner(mesh)  # keep it: templates, buffers and kernels stay warm

for names in (("rgb", "depth", "mask"), ("rgb", "mask"), ("depth", "mask")):
    given = {name: images[name] for name in names}
    # The library works in metres; the file's depth_scale is in millimetres per unit, as in BOP's data sets.
    scale = 1e-3 * depth_scale_mm if "depth" in given and depth_scale_mm is not None else None
    result = refiner.locate(dd.Observation.load(camera, **given, depth_scale=scale))
    print(f"{' + '.join(names)}: {result.status}, at {1e3 * result.pose.t_m2c} mm")
    for number, answer in enumerate(result.answers, 1):
        same = f", looks the same {' and '.join(answer.symmetry)}" if answer.symmetry else ""
        print(f"  answer {number}: probability {answer.probability:.2f}{same}")
    print(f"  none of these: {result.none_of_these:.2f}")
