"""Writes folders as a laboratory has them, and runs `diffdope calibrate` on them: copy their layout.

python examples/11_calibrate_from_folders.py [FOLDER]      needs diffdope[robot]; default: calibration_example
"""

import sys
from pathlib import Path

from diffdope.cli.main import main
from diffdope.experiments.drawn_laboratory import laboratory_before_the_arm, laboratory_on_the_hand

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "calibration_example")
before, hand = folder / "before", folder / "hand"
truths = {before: laboratory_before_the_arm(before).inverse(), hand: laboratory_on_the_hand(hand).T_flange_camera}

for place, more in ((before, []), (hand, ["--eye-in-hand", "--mesh", str(hand / "object.ply")])):
    files = {"urdf": "arm.urdf", "joints": "joints.json", "mask": "mask", "depth": "depth", "camera": "camera.json"}
    words = ["calibrate", *more, *(word for flag, name in files.items() for word in (f"--{flag}", str(place / name)))]
    words += ["--out", str(place / "result")]
    print("\ndiffdope " + " ".join(words), flush=True)
    code = main(words)
    print(f"exit code {code}; the camera truly is at {truths[place].t_m2c.round(4).tolist()} m")
