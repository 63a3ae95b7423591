#!/usr/bin/env bash
# datumaro 1.13.12 and supervision 0.31.2: a COCO file that is read and written again has other objects' numbers.
#
# In BOP's annotations in COCO's format, category_id is the number of an object's model, obj_000005, and image_id that
# of the picture; both have gaps. Tools of annotation read such a file, to filter it or to mend a mask, and write COCO
# again. datumaro (import_from, export, both "coco_instances") writes the categories 1, 5 and 21 as 1, 2 and 3, and so
# does supervision (from_coco, as_coco), which makes picture 3 picture 1 besides. All is consistent in the new file, so
# a viewer shows nothing. But who goes on with the numbers, as BOP's scripts and every evaluation against the first file
# do, takes object 5 for model 2, which has another shape, and 21 for 3. The names are kept, and are the one way back.
# Boxes and, by datumaro, numbers of pictures stay. No option keeps the categories: datumaro's `reindex`, by its help
# "to preserve the original indices", is for pictures and annotations, and its False changes nothing here. Fails if any
# of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check datumaro==1.13.12 supervision==0.31.2
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import json
import logging
from importlib.metadata import version
from pathlib import Path

import datumaro
import numpy as np
import supervision
from PIL import Image

print("datumaro", version("datumaro"), "supervision", version("supervision"))
logging.disable(logging.WARNING)
NAMES = {1: "obj_000001", 5: "obj_000005", 21: "obj_000021"}
BOXES = {11: (3, 5, (10.0, 10.0, 10.0, 8.0)), 12: (3, 21, (30.0, 12.0, 20.0, 6.0)), 13: (7, 1, (5.0, 20.0, 9.0, 9.0))}
Path("in/images/test").mkdir(parents=True)
Path("in/annotations").mkdir()
for image in (3, 7):
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(f"in/images/test/{image:06d}.png")


def annotation(number):
    image, category, (x, y, w, h) = BOXES[number]
    polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
    return {
        "id": number, "image_id": image, "category_id": category, "bbox": [x, y, w, h], "area": w * h,
        "segmentation": [polygon], "iscrowd": 0,
    }


source = Path("in/annotations/instances_test.json")
source.write_text(
    json.dumps(
        {
            "info": {},
            "licenses": [],
            "images": [{"id": i, "file_name": f"{i:06d}.png", "width": 64, "height": 48} for i in (3, 7)],
            "categories": [{"id": i, "name": name, "supercategory": ""} for i, name in NAMES.items()],
            "annotations": [annotation(number) for number in BOXES],
        }
    )
)


def told(path):
    """By box: the number of the category, its name, and the number of the picture and its file."""
    file = json.loads(Path(path).read_text())
    names = {category["id"]: category["name"] for category in file["categories"]}
    files = {image["id"]: Path(image["file_name"]).name for image in file["images"]}
    return {
        tuple(float(x) for x in one["bbox"]): (
            one["category_id"], names[one["category_id"]], one["image_id"], files[one["image_id"]]
        )
        for one in file["annotations"]
    }


whole = datumaro.Dataset.import_from("in", "coco_instances")
whole.export("out", "coco_instances")
whole.export("kept", "coco_instances", reindex=False)
supervision.DetectionDataset.from_coco("in/images/test", str(source), force_masks=True).as_coco(None, "written.json")
before = told(source)
for name, path in (
    ("datumaro", "out/annotations/instances_test.json"),
    ("datumaro, reindex=False", "kept/annotations/instances_test.json"),
    ("supervision", "written.json"),
):
    after = told(path)
    assert after.keys() == before.keys()
    for box, (category, label, image, file) in before.items():
        new_category, new_label, new_image, new_file = after[box]
        print(f"{name}: {label} in {file}: category {category} is {new_category}, picture {image} is {new_image}")
        assert new_label == label and new_file == file
        assert new_category == {1: 1, 5: 2, 21: 3}[category]
        assert new_image == (image if name != "supervision" else {3: 1, 7: 2}[image])
print("as found: objects 5 and 21 are 2 and 3")
PYTHON
