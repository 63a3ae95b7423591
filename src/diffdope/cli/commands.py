"""The commands: what is a command line's first word, and for `bop` its second. A new one is a file and a line here."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple


class Command(NamedTuple):
    """Where a command is.

    Attributes:
        module: in this folder; has `run(arguments) -> int`.
        arguments: dataclass there of its options; empty where they depend on further words.
        purpose: what it does, for the usage.
    """

    module: str
    arguments: str
    purpose: str

    def load(self) -> Any:
        """The module."""
        return importlib.import_module(f"diffdope.cli.{self.module}")


COMMANDS: dict[str, Command] = {
    "demo": Command("demo", "DemoArguments", "refine the packaged example and draw what happened"),
    "locate": Command(
        "locate_command", "LocateArguments", "find the pose in one image of your own, with no start pose"
    ),
    "refine": Command("refine_command", "RefineArguments", "refine one pose in one image of your own"),
    "scene": Command(
        "scene_command", "SceneArguments", "find several objects at once, in one picture or those of several cameras"
    ),
    "calibrate": Command(
        "calibrate_command", "CalibrateArguments", "find where a camera stands, from pictures of a robot arm"
    ),
    "track": Command("track_command", "TrackArguments", "follow the object through a film or a folder of images"),
    "view": Command("view_command", "ViewArguments", "show a result in a browser, or write it as one HTML page"),
    "annotate": Command(
        "annotate_command", "AnnotateArguments", "mark the poses of objects in your own pictures, in a browser"
    ),
    "serve": Command("serve_command", "ServeArguments", "answer requests over HTTP, with meshes kept ready"),
    "experiment": Command("experiment", "", "run one of the studies of the method"),
    "bop": Command("bop", "", "refine and evaluate whole data sets in the BOP format"),
}
BOP_COMMANDS: dict[str, Command] = {
    "refine": Command(
        "bop_refine", "BopRefineArguments", "refine start poses over a data set; resumable, on many cores or machines"
    ),
    "merge": Command("bop_merge", "BopMergeArguments", "join the parts of a run divided by --shard"),
    "unpack": Command("bop_unpack", "BopUnpackArguments", "write the scenes of BOP's imagewise tars as folders"),
    "compare": Command(
        "bop_compare", "BopCompareArguments", "say what changed between two results: before and after in one report"
    ),
    "calibrate": Command("bop_calibrate", "BopCalibrateArguments", "fit confidences to results whose truth is known"),
    "eval": Command("bop_eval", "BopEvalArguments", "say how good results are: tables, curves, one HTML report"),
}
