"""The HTML report: one file, nothing from elsewhere, pictures that show what they should."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.bop.dataset import DataSet
from diffdope.bop.evaluation import evaluate
from diffdope.bop.run_records import RunRecords
from diffdope.bop.starts import Selection
from diffdope.bop.tables import Report
from diffdope.bop.targets import compete, trials, wanted_instances
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import read_results
from diffdope.viz.accuracy_curves import Curve, round_maximum, write_accuracy_curves
from diffdope.viz.case_pictures import case_pictures, underneath
from diffdope.viz.compose import GREEN, MAGENTA, Color
from diffdope.viz.report_cases import Cases, described
from diffdope.viz.report_html import write_html
from diffdope.viz.windows import window_of
from tests.oracle.bop_eval_case import estimate, write_run
from tests.oracle.bop_tree import Tree, make_tree

EVERYTHING = Selection()


class Tags(HTMLParser):
    """Collects tags, and those that were never closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("report") / "tiny")


@pytest.fixture(scope="module")
def report(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Report:
    path = tmp_path_factory.mktemp("run") / "results.csv"
    # Instance 2 of scene 2 failed; all others are off by 1, 2, ... mm.
    found = [(k, estimate(tree, image, k, 1.0 + 3 * n + k)) for n, image in enumerate(tree.truth) for k in range(3)]
    write_run(path, tree, found[:-1], failed=[(2, 0, 2)])
    dataset = DataSet.open(tree.root, tree.split)
    estimates = read_results(path)
    run, note = RunRecords.beside(path, dataset, estimates)
    assert run is not None and note == ""
    evaluation = evaluate(dataset, estimates, trials(dataset, run.records, None, EVERYTHING), how="index")
    return Report.of(evaluation, other_max_m=0.02, described={"data set": "tiny & <b>odd"}, notes=["a < b"], run=run)


@pytest.fixture(scope="module")
def page(tree: Tree, report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(path, DataSet.open(tree.root, tree.split), report)
    assert list(path.parent.iterdir()) == [path]
    return path.read_text(encoding="utf-8")


def pictures(page: str, kind: str) -> Iterator[np.ndarray]:
    for data in re.findall(rf'src="data:image/{kind};base64,([^"]+)"', page):
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            yield np.asarray(image.convert("RGB"))


def test_it_is_one_well_formed_file(page: str) -> None:
    tags = Tags(page)
    assert tags.open == []
    names = [name for name, _ in tags.found]
    assert names.count("table") == 2
    assert not {"link", "iframe", "object", "base"} & set(names)
    for name, attributes in tags.found:
        assert "href" not in attributes
        assert name != "script" or not attributes
        assert not attributes.get("src") or str(attributes["src"]).startswith("data:image/")
    assert "http" not in page and "url(" not in page and "@import" not in page


def test_it_holds_pictures_of_every_case_and_charts(page: str, report: Report) -> None:
    assert len(list(pictures(page, "png"))) == 2
    found = list(pictures(page, "jpeg"))
    cases = Cases.of(report.evaluation.rows)
    groups = (cases.worst, cases.median, cases.best, cases.worst_of_objects, cases.missing)
    assert len(found) == sum(map(len, groups))
    assert all(max(image.shape) <= 360 for image in found)
    assert len(page) < 5_000_000


def test_words_of_others_are_escaped(page: str) -> None:
    assert "tiny &amp; &lt;b&gt;odd" in page
    assert "DiffDopeError: &lt;broken&gt; image" in page
    assert "<b>odd" not in page and "<broken>" not in page


def test_it_tells_what_a_reader_needs(page: str) -> None:
    for text in ("a &lt; b", "converged", "&quot;seed&quot;: 3", "000002/000000/000002: no estimate", "AUC 20"):
        assert text in page
    assert "ADD median at the start" in page


def test_cases_are_ranked(report: Report) -> None:
    cases = Cases.of(report.evaluation.rows)
    assert [round(1e3 * row.errors.add, 6) for row in cases.worst] == [8, 7, 6, 5, 4, 3]
    assert [round(1e3 * row.errors.add, 6) for row in cases.best] == [1, 2, 3, 4, 5, 6]
    assert [(row.obj_id, round(1e3 * row.errors.add)) for row in cases.worst_of_objects] == [(1, 8), (2, 6)]
    assert [row.key for row in cases.missing] == ["000002/000000/000002"]
    assert "ADD 8.0 mm" in described(cases.worst[0], "failed")
    assert described(cases.worst[0], "failed").endswith("(failed)")


def colored(jpeg: bytes, color: Color) -> int:
    with Image.open(io.BytesIO(jpeg)) as image:
        off = np.abs(np.asarray(image, float) - 255 * np.array(color)).max(axis=2)
    return int(np.count_nonzero(off < 50))


def test_the_truth_is_magenta_and_the_estimate_green(tree: Tree, report: Report) -> None:
    dataset = DataSet.open(tree.root, tree.split)
    cases = Cases.of(report.evaluation.rows)
    made = case_pictures(dataset, [cases.worst[0], cases.missing[0]])
    assert colored(made[cases.worst[0].key], GREEN) > 100
    assert colored(made[cases.worst[0].key], MAGENTA) > 100
    assert colored(made[cases.missing[0].key], GREEN) == 0
    assert colored(made[cases.missing[0].key], MAGENTA) > 100


def test_a_report_does_not_fail_for_a_broken_photograph(tree: Tree, tmp_path: Path) -> None:
    other = make_tree(tmp_path / "spoilt", images=((1, 0),))
    estimates = [estimate(other, (1, 0), 0, 2.0)]
    dataset = DataSet.open(other.root, other.split)
    groups = compete(wanted_instances(dataset, EVERYTHING, None), estimates)
    made = Report.of(evaluate(dataset, estimates, groups, how="bop", vsd=False), other_max_m=0.02, described={})
    photo = other.scene(1) / "rgb" / "000000.png"
    photo.write_bytes(photo.read_bytes()[:400])  # its size can still be read
    write_html(tmp_path / "r.html", dataset, made)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "no picture" in text
    assert "There are no records" in text


def test_the_window_holds_all_poses(tree: Tree) -> None:
    camera, mesh = Camera(150.0, 150.0, 79.5, 59.5, 160, 120), tree.meshes[1]
    pose = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    window = window_of(mesh, camera, (pose,), margin=0.0)
    assert window is not None
    u, v = camera.project(pose.apply(mesh.vertices_m))
    assert window.x0 <= u.min() and u.max() <= window.x0 + window.width - 1
    assert window.y0 <= v.min() and v.max() <= window.y0 + window.height - 1
    assert window.width < u.max() - u.min() + 4
    behind, beside = (Pose(np.eye(3), np.array(t)) for t in ([0.0, 0.0, -0.5], [5.0, 0.0, 0.5]))
    assert window_of(mesh, camera, (behind, beside), margin=0.1) is None
    assert window_of(mesh, camera, (pose, behind, beside), margin=0.0) == window
    through = window_of(mesh, camera, (Pose(np.eye(3), np.array([0.0, 0.0, 0.01])),), margin=0.0)
    assert through is not None and through.size == (160, 120)


def test_a_photograph_is_reduced_by_blocks() -> None:
    camera = Camera(150.0, 150.0, 79.5, 59.5, 160, 120)
    whole = choose_crop([(0.0, 0.0, 159.0, 119.0)], camera, margin=0.0, max_size=80)
    grey = np.repeat(np.arange(160, dtype=float)[None] / 160, 120, axis=0)
    reduced = underneath(grey, whole)
    assert reduced.shape == (60, 80, 3)
    assert reduced[0, 0] == pytest.approx(np.full(3, 0.5 / 160))


def test_curves_reach_the_share_that_was_found(tmp_path: Path) -> None:
    write_accuracy_curves(tmp_path / "c.png", [Curve("ADD", np.array([0.001, np.inf]), "#ff0000")])
    with Image.open(tmp_path / "c.png") as image:
        pixels = np.asarray(image.convert("RGB"), int)
    red = (pixels[..., 0] > 200) & (pixels[..., 1] < 60) & (pixels[..., 2] < 60)
    right = red[:, pixels.shape[1] * 3 // 4 :]  # the second panel, where the curve is level
    frame = np.flatnonzero((pixels < 60).all(axis=2).mean(axis=1) > 0.6)  # upper and lower borders of the panels
    middle = (frame.min() + frame.max()) / 2
    assert np.flatnonzero(right.any(axis=1)).mean() == pytest.approx(middle, abs=6)  # one of two: half way up


def test_scales_of_histograms_are_round() -> None:
    assert round_maximum(np.array([0.3, 1.9, np.inf])) == pytest.approx(2.0)
    assert round_maximum(np.full(10, 3.0)) == pytest.approx(5.0)
    assert round_maximum(np.array([np.inf])) == pytest.approx(1.0)
    assert round_maximum(np.zeros(3)) > 0
