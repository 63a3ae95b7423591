"""Writes the packaged example as a BOP data set, refines it from rough poses, and evaluates the result.

    python examples/04_bop_data_set.py

Your own pictures become a data set in the same way: a folder, four JSON files, the models. Then the same two commands
refine and judge thousands of them, and go on where they were interrupted.
"""

import json
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

from diffdope.cli.main import main

demo = Path(str(files("diffdope"))) / "data" / "demo"
work = Path(tempfile.mkdtemp(prefix="diffdope_example_"))
root = work / "my_data"
scene = root / "test" / "000001"

# Models, in millimetres, with what is known about them.
(root / "models").mkdir(parents=True)
shutil.copy(demo / "object.ply", root / "models" / "obj_000001.ply")
shutil.copy(demo / "object.png", root / "models" / "object.png")

# Pictures are named by image, masks by image and instance.
for name, file in (("rgb", "000000"), ("depth", "000000"), ("mask_visib", "000000_000000")):
    (scene / name).mkdir(parents=True)
    shutil.copy(demo / f"{name.removesuffix('_visib')}.png", scene / name / f"{file}.png")

# One camera and one list of objects for every image.
camera = json.loads((demo / "camera.json").read_text())
truth = json.loads((demo / "truth.json").read_text())
entry = {"cam_K": camera["cam_K"], "depth_scale": camera["depth_scale"]}
(scene / "scene_camera.json").write_text(json.dumps({"0": entry}))
(scene / "scene_gt.json").write_text(json.dumps({"0": [truth | {"obj_id": 1}]}))

where = ["--dataset", str(root), "--split", "test"]
results = str(work / "results.csv")
start = ["--init", "gt", "--perturb-deg", "15", "--perturb-mm", "10"]  # or the results CSV of another method
assert main(["bop", "refine", *where, *start, "--out", results]) == 0
assert main(["bop", "eval", *where, "--results", results, "--out", str(work / "report")]) == 0
print(f"look at {work / 'report' / 'report.html'}")
