"""Takes docs/pictures/viewer.jpg and annotate.jpg: the packaged example in `diffdope view` and `diffdope annotate`.

    python tools/make_viewer_pictures.py

Needs viser, playwright and a chromium, which draws in software where there is no graphics card.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from PIL import Image

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from benchmarks.annotate import Annotator  # noqa: E402
from benchmarks.browser import Page, opened, serving, why_not  # noqa: E402
from diffdope.scene.packaged import packaged_example  # noqa: E402

PICTURES = PROJECT / "docs" / "pictures"
DEMO = Path(str(files("diffdope") / "data" / "demo"))
SIZE = (1200, 760)
HINT = "Software WebGL"  # what viser says without a graphics card; users have one


def main() -> None:
    """Takes both."""
    if why_not():
        raise SystemExit(f"no pictures: {why_not()}")
    with tempfile.TemporaryDirectory() as folder:
        view(Path(folder))
        annotate(Path(folder))


def view(folder: Path) -> None:
    """The demo's refinement, in the middle of its iterations."""
    command = [sys.executable, "-m", "diffdope.cli.main", "demo", "--out", str(folder / "demo")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with serving("view", str(folder / "demo" / "located")) as (url, _), opened(*SIZE) as page:
        page.page.goto(url)
        page.settled()
        take(page, "viewer.jpg")


def annotate(folder: Path) -> None:
    """The carton, located in a box."""
    pictures = {kind: folder / kind for kind in ("rgb", "depth")}
    for kind, place in pictures.items():
        place.mkdir()
        shutil.copy(DEMO / f"{kind}.png", place / "000000.png")
    words = ["annotate", "--mesh", str(DEMO / "object.ply"), "--camera", str(DEMO / "camera.json")]
    words += [word for kind, place in pictures.items() for word in (f"--{kind}", str(place))]
    example = packaged_example()
    with serving(*words, "--out", str(folder / "out")) as (url, _), opened(*SIZE) as page:
        page.page.goto(url)
        page.settled()
        hand = Annotator(page, example.observation.camera)
        hand.press("add")
        hand.wait_for("added")
        x0, y0, x1, y1 = example.observation.mask_box or (0.0, 0.0, 0.0, 0.0)
        hand.locate_in(x0 - 4, y0 - 4, x1 - x0 + 8, y1 - y0 + 8)
        hand.choose("mouse", "drag")
        page.settled()
        take(page, "annotate.jpg")


def take(page: Page, name: str) -> None:
    """Writes the window, without what viser says of the machine."""
    for note in page.page.locator("[class*=Notification-root]").filter(has_text=HINT).all():
        note.evaluate("element => element.remove()")
    picture = Image.open(io.BytesIO(page.page.screenshot())).convert("RGB")
    picture.save(PICTURES / name, quality=85, optimize=True)
    print(PICTURES / name, (PICTURES / name).stat().st_size)


if __name__ == "__main__":
    main()
